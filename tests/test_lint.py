"""The lint: what the shipped policy has to tell, each code on a policy that has the fault, and the two commands."""

import json
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from paper import shipped

from ivr.commands import lint as lint_command
from ivr.commands import prove as prove_command
from routing.fault import CONSEQUENCES, Level, PolicyError
from routing.lint import lint
from routing.policy_file import parse_policy, shipped_policies
from routing.schedule import HolidayRule, Window

POLICY = shipped()
TODAY = date(2026, 11, 22)
GOOD = shipped_policies()[0].read_text()


@cache
def shipped_findings():
    return lint(POLICY, TODAY)


def said(policy, code, today=TODAY, contacts=None):
    """What the lint says under a code, as "level: what"."""
    usual = policy is POLICY and today == TODAY and contacts is None
    findings = shipped_findings() if usual else lint(policy, today, contacts)
    return [f"{each.level}: {each.what}" for each in findings if each.code == code]


def hours(desk_id, **changes):
    name, desk = desk_id, POLICY.desks[desk_id]
    return replace(POLICY, desks=POLICY.desks | {name: replace(desk, hours=replace(desk.hours, **changes))})


def test_the_shipped_policy_has_no_errors():
    assert [str(each) for each in shipped_findings() if each.level is Level.ERROR] == []


def test_every_finding_says_where_what_it_means_and_what_to_do():
    lines = GOOD.splitlines()
    for finding in shipped_findings():
        assert finding.file == POLICY.file
        assert 1 <= finding.line <= len(lines)
        assert finding.mend
        assert finding.consequence == CONSEQUENCES[finding.code]


def test_the_gravest_findings_come_first():
    levels = [finding.level for finding in shipped_findings()]

    assert levels == sorted(levels, key=["error", "warning", "info"].index)


SHIPPED = [
    # code, level, what is to be read in it
    ("N1", "warning", ["apac-shared", "+611800648574", "cannot be dialled from abroad"]),
    ("N1", "warning", ["apac-standard-direct", "+611300088917", "cannot be dialled from abroad"]),
    ("H2", "info", ["PT of us-contact is read as America/Los_Angeles"]),
    ("H2", "info", ["GMT of emea-contact is read as Europe/London"]),
    ("H2", "info", ["CET of emea-tier2-escalation is read as Europe/Paris"]),
    ("H2", "info", ["AEST of apac-tier1-escalation is read as Australia/Sydney"]),
    ("H3", "warning", ["us-contact: published as 12:00-01:00 GMT, which is 1 h off in January"]),
    ("H3", "warning", ["emea-contact: published as 08:00-18:00 GMT, which is 1 h off in July"]),
    ("H3", "warning", ["apac-tier1-escalation: published as 00:00-09:00 GMT", "2 h off in July"]),
    ("H3", "warning", ["apac-tier2-escalation: published as 22:00-07:00 GMT", "1 h off in January"]),
    ("H4", "warning", ["gaps of more than a day", "47 h or 48 h"]),
    ("H4", "warning", ["gaps within the week"]),
    ("H4", "warning", ["US Tier 1 closes at the minute at which APAC Tier 1 opens"]),
    ("H4", "warning", ["EMEA Tier 2 answers its telephone from 17:30 to 18:00 in Europe/London"]),
    ("SV1", "warning", ["partner and premium promise different responses for Severity 1, Severity 2, Severity 3"]),
    ("N4", "info", ["42 of 42 destinations have a number that is reserved for fiction"]),
    ("V2", "info", ["lines.apac-shared is our reading of: partner guide, contact table"]),
]


@pytest.mark.parametrize(("code", "level", "words"), SHIPPED, ids=[f"{row[0]} {row[2][0]}" for row in SHIPPED])
def test_what_the_shipped_policy_has_to_tell(code, level, words):
    found = said(POLICY, code)

    assert any(line.startswith(f"{level}: ") and all(word in line for word in words) for line in found), found


def test_the_hours_of_the_tier_2_row_are_right_for_half_of_the_year_only():
    """Of the two published GMT columns one is right in the southern winter, the other never."""
    tier1, tier2 = (next(line for line in said(POLICY, "H3") if f"tier{tier}" in line) for tier in (1, 2))

    assert "January and 2 h off in July" in tier1
    assert "July" not in tier2


def test_summer_is_when_the_us_and_apac_touch():
    seam = next(line for line in said(POLICY, "H4") if "closes at the minute" in line)

    assert "first 2027-03-16, last 2027-11-0" in seam  # the day after the clocks change, as UTC counts it


def test_desks_that_are_never_all_closed_leave_no_gap():
    always = {"weekly": ((Window.parse("00:00-24:00"),),) * 7, "holidays": None}
    policy = hours("us-tier1", **always)
    policy = replace(policy, desks=policy.desks | {"us-tier2": hours("us-tier2", **always).desks["us-tier2"]})

    assert not [line for line in said(policy, "H4") if "in which no desk is open" in line]


def test_a_value_that_nobody_has_verified_for_half_a_year_is_stale():
    assert said(POLICY, "V1", date(2027, 5, 1)) == []
    stale = said(POLICY, "V1", date(2027, 5, 2))

    assert any("partner guide, contact table were last verified on 2026-11-02, 181 days ago" in line for line in stale)


def test_a_calendar_that_will_end_is_told_in_time_and_one_that_has_ended_is_an_error():
    policy = hours("apac-tier1", holidays=HolidayRule("SG"))
    for today, level in ((date(2100, 6, 1), "warning"), (date(2100, 12, 1), "error")):
        found = [line for line in said(policy, "H5", today) if "no holiday data of SG for 2101" in line]
        assert found == [f"{level}: there are no holiday data of SG for 2101"]


def test_holidays_that_are_forecasts_are_told():
    assert any("apac-contact" in line and "forecasts" in line for line in said(POLICY, "H5", date(2028, 1, 1)))


def test_a_desk_without_holidays_is_told():
    assert said(hours("us-tier1", name="us-plain", holidays=None), "H5")[0] == "warning: us-plain keeps no holidays"


def test_a_number_listed_twice_is_told():
    line = next(iter(POLICY.lines.values()))
    policy = replace(POLICY, repeated=(replace(line, id="us-again"),))

    assert "info: us-again has the number of us-standard once more" in said(policy, "N1")


def test_a_telephone_that_two_destinations_share_is_told():
    contacts = {"us-oncall-lead": ("+14155552671",), "us-oncall-manager": ("+14155552671",)}

    assert "info: +14155552671 is listed by us-oncall-lead, us-oncall-manager" in said(POLICY, "N1", contacts=contacts)
    assert "info: 40 of 42 destinations have a number that is reserved for fiction" in said(
        POLICY, "N4", contacts=contacts
    )


def test_a_destination_without_a_number_is_told_unless_the_contacts_have_one():
    someone = replace(POLICY.destinations["us-tier1-second"], number=None)
    policy = replace(POLICY, destinations=POLICY.destinations | {someone.id: someone})

    assert "warning: us-tier1-second has no number" in said(policy, "N4")
    assert "warning: us-tier1-second has no number" not in said(policy, "N4", contacts={someone.id: ("+14085550100",)})


@pytest.mark.parametrize(
    ("change", "level", "place"),
    [
        ({"brand": "Call 1 408 687 4120"}, "error", "brand"),
        ({"portal": "the portal (020 7946 0123)"}, "error", "portal"),
        ({"notice": "Recorded. Complaints: +44 20 7946 0123."}, "error", "notice"),
    ],
)
def test_a_number_in_a_spoken_text_is_an_error(change, level, place):
    assert said(replace(POLICY, **change), "X1") == [f"{level}: {place} holds what looks like a telephone number"]


def test_a_role_that_reads_like_a_name_is_told():
    someone = replace(POLICY.destinations["us-oncall-lead"], role="Robin Example")
    policy = replace(POLICY, destinations=POLICY.destinations | {someone.id: someone})

    assert said(policy, "X1") == ["warning: destinations.us-oncall-lead may name a person: Robin Example"]


def test_tables_that_agree_are_not_mentioned():
    same = {"one": POLICY.targets["partner"], "two": replace(POLICY.targets["partner"], id="two")}

    assert said(replace(POLICY, targets=same), "SV1") == []


def test_a_table_that_does_not_say_how_often_to_update_is_told():
    silent = {"one": replace(POLICY.targets["partner"], id="one", updates={})}

    assert said(replace(POLICY, targets=silent), "SV1") == ["warning: one does not say how often to update"]


def test_a_level_that_reaches_nobody_is_told_unless_the_contacts_have_a_number():
    someone = replace(POLICY.destinations["us-tier1-lead"], number=None)
    policy = replace(POLICY, destinations=POLICY.destinations | {someone.id: someone})

    assert said(policy, "E3") == ["warning: nobody can be reached at lead of us-tier1"]
    assert said(policy, "E3", contacts={someone.id: ("+14085550100",)}) == []
    assert said(POLICY, "E3") == []


def test_two_levels_that_are_the_same_person_are_told():
    contacts = {"us-tier1-lead": ("+14155552671",), "us-director": ("+14155552671",)}

    assert said(POLICY, "E2", contacts=contacts) == ["warning: director of us-tier1 is the same person as lead"]
    assert said(POLICY, "E2") == []


def test_a_policy_that_cannot_be_proved_is_an_error():
    policy = replace(POLICY, routes=tuple(route for route in POLICY.routes if route.rule != "R3"))

    assert any("R17: a Severity 0 or 1 is led to `inform`" in line for line in said(policy, "RT2"))


def run(command, *arguments):
    return CliRunner().invoke(command, arguments)


def test_the_command_prints_findings_with_their_consequences_and_counts_them():
    outcome = run(lint_command.command, "--at", "2026-11-22T12:00:00Z")

    assert outcome.exit_code == 0
    assert "routing/policies/8x8-partner.yaml:" in outcome.output
    assert f"    {CONSEQUENCES['N1']}" in outcome.output
    assert outcome.output.splitlines()[-1].startswith("0 errors, ")


def test_the_command_prints_json(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    outcome = run(lint_command.command, str(path), "--json", "--at", "2026-11-22 12:00 Europe/London")

    found = json.loads(outcome.output)
    assert outcome.exit_code == 0
    assert {"level", "file", "line", "code", "what", "mend", "consequence"} == set(found[0])
    assert {each["file"] for each in found} == {str(path)}


def test_the_command_says_no_to_a_broken_file_and_names_every_fault(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text(GOOD.replace("brand: 8x8\n", "").replace("zone: Europe/Paris", "zone: CET", 1))
    outcome = run(lint_command.command, str(path))

    assert outcome.exit_code == 1
    assert f"{path}:7: error F1 `brand` is missing" in outcome.output
    assert "H2 CET is no place" in outcome.output
    assert outcome.output.splitlines()[-1] == "2 errors, 0 warnings, 0 notes"


@pytest.mark.parametrize("command", [lint_command.command, prove_command.command], ids=["lint", "prove"])
def test_wrong_usage_is_neither_yes_nor_no(command):
    for arguments in (["absent.yaml"], ["--at", "tomorrow"], ["--at", "2026-11-22T12:00:00"], ["--what"]):
        assert run(command, *arguments).exit_code == 2


def test_a_folder_of_policies_adds_to_the_shipped_ones(tmp_path):
    (tmp_path / "second.yaml").write_text("brand: 8x8")
    outcome = run(lint_command.command, "--dir", str(tmp_path), "--at", "2026-11-22T12:00:00Z")

    assert outcome.exit_code == 1
    assert "second.yaml:1: error F1 `routes` is missing" in outcome.output
    assert "8x8-partner.yaml:" in outcome.output


def test_prove_prints_each_statement_with_its_points():
    outcome = run(prove_command.command, "--at", "2026-11-22T00:00:00Z", "--months", "2")

    lines = outcome.output.splitlines()
    assert outcome.exit_code == 0
    assert lines[0].startswith("8x8-partner ")
    assert "2026-11-22 to 2027-01-22" in lines[0]
    assert len(lines) == 7
    assert all(" holds " in line and " points  " in line for line in lines[1:])


def test_prove_prints_json():
    outcome = run(prove_command.command, "--at", "2026-11-22T00:00:00Z", "--months", "1", "--json")

    (proof,) = json.loads(outcome.output)
    assert proof["holds"]
    assert all(statement["points"] > 0 and statement["holds"] for statement in proof["statements"])


def test_prove_says_no_with_the_guilty_row_and_a_command(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text(GOOD.replace("when: {line: voicemail, certified: yes, intent", "when: {line: voicemail, intent", 1))
    outcome = run(prove_command.command, str(path), "--at", "2026-11-22T00:00:00Z", "--months", "1")

    assert outcome.exit_code == 1
    assert "FAILS" in outcome.output
    assert (
        "RT4 R5: a caller without certification is led to the escalation voicemail; see `ivr explain" in outcome.output
    )


def test_prove_says_no_to_a_file_that_cannot_be_read_and_proves_the_others(tmp_path):
    (tmp_path / "broken.yaml").write_text("brand: 8x8")
    good = Path(shipped_policies()[0])
    outcome = run(
        prove_command.command, str(tmp_path / "broken.yaml"), str(good), "--months", "1", "--at", "2026-11-22T00:00Z"
    )

    assert outcome.exit_code == 1
    assert "`routes` is missing" in outcome.stderr
    assert "8x8-partner" in outcome.stdout


def test_every_code_has_a_consequence():
    with pytest.raises(PolicyError) as refused:
        parse_policy("brand: 8x8", "x.yaml")

    assert all(fault.consequence for fault in refused.value.faults)
    assert all(text.endswith(".") for text in CONSEQUENCES.values())
