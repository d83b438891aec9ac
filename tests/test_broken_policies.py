"""Broken policy files: each is refused with file, line, code and mend, and all faults of a file are reported together."""

import random
from datetime import UTC, datetime

import pytest

from routing.fault import CONSEQUENCES, PolicyError
from routing.policy_file import parse_policy, read_policy, shipped_policies
from routing.proof import check

GOOD = shipped_policies()[0].read_text()
FILE = "broken.yaml"
NOW = datetime(2026, 11, 22, tzinfo=UTC)

US_STANDARD = '{number: "+1 888 898 8733", kind: standard, region: us, locale: en-US,'
LAST_ROUTE = GOOD[GOOD.index("  - rule: R17") :]
FIRST_R9 = "  - rule: R9\n    when: {certified: yes, home: open}\n"

# What is done to the good file: a text, what takes its place, the code of the fault, the text on whose line it is
# found (where that is not the new text), and a word of the mend.
MUTATIONS = {
    # YAML
    "a bracket is left open": ("follow_the_sun: [us, apac, emea]", "follow_the_sun: [us, apac, emea", "Y1", "lines:", "line"),
    "a tab is used to indent": ("  us-tier1:\n", "\tus-tier1:\n", "Y1", "\tus-tier1", "line"),
    "an indentation is lost": ("  us-tier1:\n    {name", "  us-tier1:\n{name", "Y1", "{name: US Tier 1", "line"),
    "a second document follows": ("severities:", "---\nseverities:", "Y1", "---", "line"),
    "an anchor saves typing": ("ring: [us-tier1-engineer", "ring: &x [us-tier1-engineer", "Y1", None, "write the value out"),
    "a key is a list": ("brand: 8x8", "? [brand]\n: 8x8", "Y1", "# yaml", "plain word"),
    "a section comes twice": ("timing: {ring: 20", "brand: 8x8\ntiming: {ring: 20", "Y2", "brand: 8x8\ntiming", "one of the two"),
    "an entry comes twice": ("us: {name: US, zone", "us: {name: US, name: USA, zone", "Y2", None, "one of the two"),
    "a line comes twice": ("  us-certified-older:", "  us-certified:", "Y2", "  us-certified:\n    {number: \"+1 408 956", "one"),
    "a number has no quotes": ('"+1 408 555 0111"', "+14085550111", "Y3", None, "quotes"),
    "a number has dots and no quotes": ('"+61 2 5550 0111"', "+61.255500111", "Y3", None, "quotes"),
    # The form
    "the brand is missing": ("brand: 8x8\n", "", "F1", "programme:", "add it"),
    "the routes are missing": (GOOD[GOOD.index("routes:") :], "", "F1", "programme:", "add it"),
    "a line has no kind": ('"+1 888 898 8733", kind: standard', '"+1 888 898 8733"', "F1", "  us-standard:", "add it"),
    "a published value has no source": ('     source: "partner guide, contact table", verified_on', "     verified_on", "F1", "  us-standard:", "add it"),
    "a row does nothing": ("    does: record\n", "", "F1", "  - rule: R5", "add it"),
    "a name is misspelt": ("zone: America/Los_Angeles, clock", "zon: America/Los_Angeles, clock", "F2", None, "zone"),
    "a section is invented": ("timing:", "hold_music: opus\ntiming:", "F2", "hold_music", "take it out"),
    "a row has an unknown part": ("    say: [route.t2]", "    says: [route.t2]", "F2", None, "say"),
    "a kind of line is invented": ("kind: shared", "kind: both", "F3", None, "standard, certified, shared or voicemail"),
    "a tier is invented": ("tier: 1, region: us", "tier: 3, region: us", "F3", None, "1 or 2"),
    "a locale is only a language": ("region: emea, locale: en-GB", "region: emea, locale: en", "F3", None, "en-GB"),
    "a number of rings is a text": ("{ring: 20", '{ring: "20"', "F3", None, "without quotes"),
    "a telephone would ring for ever": ("{ring: 20", "{ring: 2000", "F3", None, "60"),
    "a message could last an hour": ("message_limit: 180", "message_limit: 3600", "F3", None, "300"),
    "a yes is a true": ("when: {urgent: yes}", "when: {urgent: true}", "F3", None, "text"),
    "a target has no unit": ("{1: 1 h, 2", "{1: 60, 2", "F3", None, "text"),
    "a target has a strange unit": ("{1: 1 h, 2", "{1: 1 hour, 2", "F3", None, "30 min or 4 h"),
    "a day is no day": ("verified_on: 2026-11-02", "verified_on: 2026-13-02", "F3", None, "2026-11-02"),
    "a day is in quotes": ("verified_on: 2026-11-02", 'verified_on: "2026-11-02"', "F3", None, "without quotes"),
    "a severity is beyond four": ("\n  3:\n    meaning", "\n  5:\n    meaning", "F3", None, "4"),
    "a ring list is empty": ("ring: [us-tier1-engineer, us-tier1-second]", "ring: []", "F3", None, "at least one"),
    "a rule is named in words": ("  - rule: R17", "  - rule: last", "F3", None, "R4"),
    "a row does the impossible": ("    does: record", "    does: hang_up", "F3", None, "ring, offer, record or inform"),
    "a row rings nowhere known": ("ring: [case_desk]", "ring: [case_team]", "F3", None, "case_desk"),
    "a day of the week is abbreviated": ('apac-contact:\n    zone: Asia/Singapore\n    weekly: {mon-fri', 'apac-contact:\n    zone: Asia/Singapore\n    weekly: {m-f', "F3", "{m-f", "mon-fri"),
    "the lines are a list": ("lines:\n  us-standard:\n", "lines:\n  - us-standard:\n", "Y1", None, "line"),
    # Names
    "a desk rings somebody who left": ("ring: [us-tier1-engineer", "ring: [us-tier1-enginere", "F4", None, "us-tier1-engineer"),
    "a desk is in no region": ("tier: 2, region: apac", "tier: 2, region: apec", "F4", None, "apac"),
    "a desk keeps no known hours": ("region: us, hours: us-contact", "region: us, hours: us-contacts", "F4", None, "us-contact"),
    "a ladder names a stranger": ("[us-oncall-lead]", "[us-oncall-leader]", "F4", None, "us-oncall-lead"),
    "a line is in no region": (US_STANDARD, US_STANDARD.replace("region: us", "region: usa"), "F4", None, "us"),
    # Completeness
    "a region is left out of the round": ("follow_the_sun: [us, apac, emea]", "follow_the_sun: [us, apac]", "F5", None, "emea"),
    "a region comes twice in the round": ("follow_the_sun: [us, apac, emea]", "follow_the_sun: [us, us, apac, emea]", "F5", None, "once"),
    "a region has no Tier 2": ("tier: 2, region: emea", "tier: 1, region: emea", "F5", "desks:", "add one"),
    "a region has two desks of a tier": ("tier: 2, region: emea", "tier: 1, region: emea", "F5", "  emea-tier2:", "join"),
    "a region has no ladder": ("  apac: [[apac-oncall-engineer]", "  emea: [[apac-oncall-engineer]", "F5", "on_call:", "add apac"),
    # Hours
    "a zone is an abbreviation": ("zone: America/Los_Angeles, clock", "zone: PST, clock", "H2", None, "America/Los_Angeles"),
    "a desk keeps Greenwich time": ("emea-contact:\n    zone: Europe/London", "emea-contact:\n    zone: GMT", "H2", "zone: GMT", "Europe/London"),
    "a zone is winter time for ever": ("zone: Europe/Paris", "zone: CET", "H2", None, "Europe/Paris"),
    "a zone is nowhere": ("zone: Australia/Sydney", "zone: Australia/Sidney", "H2", None, "spelling"),
    "a country is nowhere": ("holidays: {country: SG}", "holidays: {country: ZZ}", "H5", None, "ISO code"),
    "a country needs its part": ("holidays: {country: GB, subdivision: ENG}", "holidays: {country: GB}", "H5", None, "ENG"),
    "a state is nowhere": ("subdivision: NSW", "subdivision: XYZ", "H5", None, "NSW"),
    "a window has no minutes": ('{mon-fri: ["05:00-18:00"]}', '{mon-fri: ["5-18"]}', "H6", None, "HH:MM-HH:MM"),
    "a window ends after midnight's end": ('{mon-fri: ["08:00-18:00"]}', '{mon-fri: ["08:00-25:00"]}', "H6", None, "HH:MM"),
    "a day has its hours twice": ('{mon-fri: ["09:00-18:00"]}', '{mon-fri: ["09:00-18:00"], fri: ["09:00-16:00"]}', "H6", None, "once"),
    # Numbers
    "a line has a digit too few": ('"+44 2070966060"', '"+44 207096606"', "N1", None, "digit"),
    "a line has no country code": ('"+44 203 953 5407"', '"0203 953 5407"', "N1", None, "country code"),
    "a line is a word": ('"+1 844 248 3221"', '"one eight four four"', "N1", None, "as in"),
    "a destination has letters": ('"+1 408 555 0111"', '"+1 408 555 CALL"', "N1", None, "as in"),
    "a line has two roles": ('"+1 844 248 3221"', '"+1 888-898-8733"', "N2", None, "shared"),
    "a destination is our own line": ('"+1 408 555 0131"', '"+1 888 898 8733"', "N3", None, "person"),
    "a destination is our own voicemail": ('"+61 2 5550 0131"', '"+61282017456"', "N3", None, "person"),
    "a destination is a premium number": ('"+1 408 555 0111"', '"+1 900 226 3456"', "N5", None, "landline"),
    "a destination is a satellite": ('"+44 20 7946 0111"', '"+881 612 345 678"', "N5", None, "landline"),
    "a destination is on an island": ('"+44 20 7946 0111"', '"+44 1481 256789"', "N5", None, "landline"),
    "a destination is in the Maldives": ('"+44 20 7946 0111"', '"+960 330 1234"', "N5", None, "landline"),
    "a destination costs by the minute": ('"+61 2 5550 0111"', '"+61 1300 088 917"', "N3", None, "person"),
    # Routes
    "key 0 is offered": ("offer: {1: live, 2: voicemail}", "offer: {1: live, 0: voicemail}", "P1", None, "1 to 8"),
    "key 9 is offered": ("offer: {1: voicemail}", "offer: {9: voicemail}", "P1", None, "1 to 8"),
    "key 10 is offered": ("offer: {1: voicemail}", "offer: {10: voicemail}", "P1", None, "1 to 8"),
    "the last row is gone": (LAST_ROUTE, "", "RT1", "routes:", "when: {}"),
    "a row is behind one that takes everything": (FIRST_R9, FIRST_R9.replace("{certified: yes, home: open}", "{}"), "RT1", "  - rule: R10", "move it up"),
    "a row is there twice": (LAST_ROUTE, LAST_ROUTE + LAST_ROUTE.replace("R17", "R18"), "RT1", "  - rule: R18", "move it up"),
    "a row asks for what cannot be": ("when: {certified: yes, home: open}", "when: {certified: yes, certification: none, home: open}", "RT1", FIRST_R9.split("\n")[0], "take it out"),
    "a ladder has one telephone": ("[[us-oncall-engineer], [us-oncall-lead], [us-oncall-manager], [us-oncall-director]]", "[[us-oncall-engineer]]", "RT3", None, "at least 2"),
    "a ladder has one telephone under two names": ("[[us-oncall-engineer], [us-oncall-lead], [us-oncall-manager], [us-oncall-director]]", "[[us-oncall-engineer], [us-oncall-engineer]]", "RT3", None, "at least 2"),
    "a ladder is empty": ("[[us-oncall-engineer], [us-oncall-lead], [us-oncall-manager], [us-oncall-director]]", "[]", "RT3", None, "at least 2"),
    "a level is empty": ("[us-oncall-lead], [us-oncall-manager]", "[], [us-oncall-manager]", "RT3", None, "take it out"),
    "a fact is misspelt": ("when: {urgent: yes, elsewhere: open}", "when: {urgent: yes, elsewere: open}", "RT6", None, "elsewhere"),
    "a value is misspelt": ("when: {urgent: yes, elsewhere: open}", "when: {urgent: yes, elsewhere: opened}", "RT6", None, "open, closed"),
    "a prompt depends on a stranger": ("when: {line: voicemail}}\n", "when: {lin: voicemail}}\n", "RT6", None, "line"),
    "a choice is invented": ("offer: {1: customer,", "offer: {1: costumer,", "RT6", None, "customer"),
    "a choice is on two keys": ("offer: {1: customer, 2: how, 3: live}", "offer: {1: live, 2: how, 3: live}", "RT6", "  - rule: R14\n    when: {type: agency, home: open, loa: missing, choice: [none", "one of the two"),
    "a row rings nobody": ("    ring: [on_call]\n", "", "RT6", "  - rule: R3", "under ring"),
    "a recording rings": ("    does: record\n", "    does: record\n    ring: [home]\n", "RT6", "  - rule: R5", "take the places out"),
    "an offer has no keys": ("    offer: {1: voicemail}\n", "", "RT6", "  - rule: R11\n    when: {certified: yes}", "offer"),
    "an offer says nothing": ("    say: [closed.vm]\n", "", "RT6", "  - rule: R11\n    when: {certified: yes}", "say"),
    "a goodbye has keys": (LAST_ROUTE, LAST_ROUTE.replace("does: inform", "does: inform\n    offer: {1: live}"), "RT6", "  - rule: R17", "take the keys out"),
    "the desk of any case is rung": ("when: {intent: existing, case_desk: open}", "when: {intent: existing}", "RT6", "  - rule: R8", "case_desk: open"),
    # Targets
    "a severity has no target": ("first_response: {1: 30 min, 2: 2 h, 3: 24 h}", "first_response: {1: 30 min, 2: 2 h}", "SV1", None, "add 3"),
    "a target has no severity": ("first_response: {1: 30 min, 2: 2 h, 3: 24 h}", "first_response: {0: 30 min, 1: 30 min, 2: 2 h, 3: 24 h}", "SV1", None, "declare it"),
}  # fmt: skip


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
    old, new, code, where, mend = MUTATIONS[name]
    assert old in GOOD, "the good file has changed: change the mutation with it"
    broken = GOOD.replace(old, new, 1)
    line = line_of(broken, where or new)

    faults = faults_of(broken)

    named = [fault for fault in faults if (fault.code, fault.line) == (code, line)]
    assert named, f"wanted {code} in line {line}, got " + " | ".join(map(str, faults))
    assert mend in named[0].mend
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
        old, new, code, *_ = MUTATIONS[name]

        assert [fault.code for fault in faults_of(GOOD.replace(old, new, 1))] == [code]


def test_all_faults_of_a_file_are_reported_together_in_the_order_of_its_lines():
    names = [
        "a kind of line is invented",
        "a zone is winter time for ever",
        "a name is misspelt",
        "a line is a word",
        "a destination is our own line",
        "a destination is a premium number",
        "a desk rings somebody who left",
        "a number has no quotes",
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
        old, new, *_ = MUTATIONS[name]
        broken = broken.replace(old, new, 1)

    faults = faults_of(broken)

    assert {MUTATIONS[name][2] for name in names} <= {fault.code for fault in faults}
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
    ["[" * 5000, "{a: " * 5000, "- " * 5000, "a: &a [*a, *a]\n", "a: \x00", "a: \ud800", "x" * 300_000, "a: b\n" * 60_000, "%YAML 9.9\n---\na: 1"],
    ids=["brackets", "braces", "dashes", "a loop", "a null", "half a character", "huge", "many lines", "a directive"],
)  # fmt: skip
def test_a_malicious_file_is_refused_and_does_no_harm(text):
    assert faults_of(text)[0].code in ("Y1", "Y2", "F2")


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
    lost = random.Random(7).sample([n for n, line in enumerate(lines) if line.strip() and not line.startswith("#")], 70)  # noqa: S311
    return ["".join(lines[:n] + lines[n + 1 :]) for n in lost]


def with_two_lines_swapped():
    lines = GOOD.splitlines(keepends=True)
    chance = random.Random(11)  # noqa: S311
    found = []
    for _ in range(70):
        one, other = chance.sample(range(len(lines)), 2)
        swapped = lines.copy()
        swapped[one], swapped[other] = lines[other], lines[one]
        found.append("".join(swapped))
    return found


@pytest.mark.parametrize("mutants", [half_written, with_a_line_lost, with_two_lines_swapped])
def test_whatever_is_still_accepted_still_answers_severity_1(mutants):
    """Two hundred mutants: each is refused with places, or it is a policy of which everything can be proved."""
    refused = 0
    for text in mutants():
        try:
            policy = parse_policy(text, FILE)
            check(policy, NOW)
        except PolicyError as refusal:
            refused += 1
            assert all(fault.line >= 1 and fault.mend and fault.code in CONSEQUENCES for fault in refusal.faults)

    assert refused >= 20
