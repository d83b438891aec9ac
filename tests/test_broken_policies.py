"""Broken policy files: each is refused with file, line, code and mend; all faults of a file are reported together."""

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from routing.fault import CONSEQUENCES, PolicyError
from routing.policy_file import parse_policy, read_policy, shipped_policies
from routing.proof import check

BESIDE = Path(__file__).with_suffix(".yaml").with_stem("broken_policies")
GOOD = shipped_policies()[0].read_text()
FILE = "broken.yaml"
NOW = datetime(2026, 11, 22, tzinfo=UTC)

MUTATIONS = {each["name"]: each for each in YAML(typ="safe", pure=True).load(BESIDE.read_text())}


def after(name, text=GOOD):
    was, now = MUTATIONS[name]["was"], MUTATIONS[name]["now"]
    assert was in text, f"{name}: the good file has changed, change the mutation with it"
    return text.replace(was, now, 1)


def faults_of(text):
    with pytest.raises(PolicyError) as refused:
        parse_policy(text, FILE)
    return refused.value.faults


def line_of(text, found):
    return text[: text.index(found)].count("\n") + 1


def test_the_good_file_is_good():
    parse_policy(GOOD, FILE)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_file_is_refused_with_the_place_and_the_mend(name):
    mutation = MUTATIONS[name]
    code, broken = mutation["fault"], after(name)
    line = line_of(broken, mutation.get("at", mutation["now"]))

    faults = faults_of(broken)

    named = [fault for fault in faults if (fault.code, fault.line) == (code, line)]
    assert named, f"wanted {code} in line {line}, got " + " | ".join(map(str, faults))
    assert str(mutation["mend"]) in named[0].mend
    assert str(named[0]) == f"{FILE}:{line}: {code} {named[0].what} — {named[0].mend}"
    assert named[0].consequence == CONSEQUENCES[code]


def test_one_mistake_is_not_blamed_on_others():
    """A wrong value in one entry leaves its section incomplete; that is no second fault."""
    for name in (
        "a tier is invented",
        "a kind of line is invented",
        "a target has no unit",
        "a row does the impossible",
    ):
        assert [fault.code for fault in faults_of(after(name))] == [MUTATIONS[name]["fault"]]


def test_all_faults_of_a_file_are_reported_together_in_the_order_of_its_lines():
    names = [
        "a kind of line is invented",
        "a zone is winter time for ever",
        "a name is misspelt",
        "a line is a word",
        "a destination is our own line",
        "a destination is a premium number",
        "a desk rings somebody who left",
        "a country is nowhere",
        "a window has no minutes",
        "a target has no severity",
        "a level is empty",
        "a fact is misspelt",
        "a choice is invented",
        "key 9 is offered",
        "a row rings nobody",
        "a row does the impossible",
    ]
    broken = GOOD
    for name in names:
        broken = after(name, broken)

    faults = faults_of(broken)

    assert {MUTATIONS[name]["fault"] for name in names} <= {fault.code for fault in faults}
    assert len(faults) >= len(names)
    assert [fault.line for fault in faults] == sorted(fault.line for fault in faults)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "# nothing\n",
        "policy",
        "- a\n- b\n",
        "42",
        "null",
        "brand: 8x8",
        "regions: 1\nroutes: {}\nlines: [1, 2]\n",
    ],
    ids=["empty", "blank", "a remark", "a word", "a list", "a number", "nothing", "one entry", "the wrong kinds"],
)
def test_a_file_that_is_no_policy_is_refused(text):
    assert all(fault.mend for fault in faults_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "[\n" * 5000,
        "{a: " * 5000,
        "- " * 5000,
        "a: &a [*a, *a]\n",
        "a: \x00",
        "a: \ud800",
        "x" * 300_000,
        "a: b\n" * 60_000,
        "%YAML 9.9\n---\na: 1",
        "1: 2\ntrue: 3\nnull: 4\n2026-01-01: 5\n",
    ],
    ids=[
        "brackets",
        "brackets in many lines",
        "braces",
        "dashes",
        "a loop",
        "a null",
        "half a character",
        "huge",
        "many lines",
        "a directive",
        "keys that are no words",
    ],
)
def test_a_malicious_file_is_refused_and_does_no_harm(text):
    assert {fault.code for fault in faults_of(text)} <= {"Y1", "Y2", "F1", "F2", "F3"}


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "latin.yaml").write_bytes("brand: Müller".encode("latin-1"))
    for name, what in (("absent.yaml", "cannot be read"), (".", "cannot be read"), ("latin.yaml", "no UTF-8")):
        with pytest.raises(PolicyError, match=what):
            read_policy(tmp_path / name)


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path):
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())

    assert read_policy(path).programme == "8x8-partner"


def half_written():
    """The file as it would stand if writing it had stopped."""
    return [GOOD[: len(GOOD) * part // 60] for part in range(60)]


def with_a_line_lost():
    lines = GOOD.splitlines(keepends=True)
    lost = random.Random(7).sample([n for n, line in enumerate(lines) if line.strip() and not line.startswith("#")], 70)
    return ["".join(lines[:n] + lines[n + 1 :]) for n in lost]


def with_two_lines_swapped():
    lines = GOOD.splitlines(keepends=True)
    chance = random.Random(11)
    found = []
    for _ in range(70):
        one, other = chance.sample(range(len(lines)), 2)
        swapped = lines.copy()
        swapped[one], swapped[other] = lines[other], lines[one]
        found.append("".join(swapped))
    return found


def refusal_of(text):
    try:
        check(parse_policy(text, FILE), NOW)
    except PolicyError as refusal:
        return refusal
    return None


@pytest.mark.parametrize("mutants", [half_written, with_a_line_lost, with_two_lines_swapped])
def test_whatever_is_still_accepted_still_answers_severity_1(mutants):
    """Two hundred mutants: each is refused with places, or it is a policy of which everything can be proved."""
    refusals = [refusal for text in mutants() if (refusal := refusal_of(text))]

    assert len(refusals) >= 20
    for refusal in refusals:
        assert all(fault.line >= 1 and fault.mend and fault.code in CONSEQUENCES for fault in refusal.faults)
