"""Why a call goes where it goes: what `ivr explain` says of calls that might be and of calls that have been."""

import json
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from flows.call import Call, CaseRef
from flows.desk import Desk
from flows.heard import DialEnded, Event, Heard, HungUp, Keys, MessageLeft, Rang, Silence
from flows.turn import begin, notice, resume
from ivr.cli import main
from ivr.explain import explain, render
from ivr.past import past_of
from ivr.phone.clock import read_instant
from ivr.phone.lines import find_line
from ivr.supposed import NoDirectory, Supposed, read_only_desk, supposed_call
from ivr.wording import there
from routing.decide import Decision
from routing.partner import Partner, PartnerType, Status
from routing.policy import Does, Policy
from routing.policy_file import FOLDER, read_policy
from routing.schedule import Override

SID = f"CA{7:032x}"
EVENING = "2026-07-14 20:30 America/Los_Angeles"  # the US desk is closed, the one in Asia-Pacific is open
MORNING = "2026-07-14 10:15 America/Los_Angeles"
SATURDAY = "2026-07-18 15:00 America/Los_Angeles"


@cache
def policy() -> Policy:
    return read_policy(FOLDER / "8x8-partner.yaml")


def partner(kind: str = "resale", **but: object) -> Partner:
    """Return a certified partner in the US, or one that differs."""
    facts = {
        "partner_id": "347109",
        "name": "Acme Resale",
        "type": PartnerType(kind),
        "region": "us",
        "certified_from": date(2025, 2, 1),
        "certified_until": date(2027, 1, 31),
        "first_line": True,
        "status": Status.ACTIVE,
        "representatives": (),
        "programme": "8x8-partner",
    }
    return Partner(**{**facts, **but})


UNCERTIFIED = {"certified_from": None, "certified_until": None, "first_line": False}
ACME = partner()


def told(who: Partner | None, at: str, line: str = "us-standard", severity: int | None = 2, intent: str | None = None):
    """Explain where a call would go."""
    desk = read_only_desk(policy())
    supposed = Supposed(find_line(line, [policy()])[1], read_instant(at), severity, intent)
    call = supposed_call(supposed, who, desk)
    return explain(call, desk, desk.decide(call, supposed.at))


def part(text: str, label: str) -> str:
    """Return one paragraph of an explanation, on one line."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(label))
    rest = lines[start + 1 :]
    more = next((n for n, line in enumerate(rest) if not line.startswith(" ")), len(rest))
    return " ".join([lines[start][10:].strip(), *(line.strip() for line in rest[:more])])


def test_a_decision_is_told_with_its_reasons_its_sources_and_what_would_change_it():
    text = render(told(ACME, EVENING))
    assert part(text, "Partner") == "347109 Acme Resale · resale · US · certified until 2027-01-31"
    assert part(text, "Time") == (
        "2026-07-15 03:30Z = Tue 20:30 PDT (US) · Wed 04:30 BST (EMEA) · Wed 11:30 UTC+8 (Asia-Pacific)"
    )
    assert part(text, "Desks") == (
        "US Tier 2 closed (05:00-18:00) opens Wed 05:00 PDT · APAC Tier 2 open until 18:00 UTC+8"
        " · EMEA Tier 2 closed (08:00-18:00) opens Wed 08:00 BST"
    )
    assert part(text, "Result") == "R10   offers 1 APAC Tier 2, 2 the US escalation voicemail   says closed.offer.cert"
    assert part(text, "Because").startswith("R1-R3 no: severity 2   R4 no: line is standard   R5 no: line is standard")
    assert part(text, "Because").endswith("R9 no: US Tier 2 closed")
    assert part(text, "Target") == "first response in 4 h, by Wed 00:30 PDT (partner table; premium would be 2 h)"
    assert part(text, "Change it") == (
        "severity 1 → R2 rings APAC Tier 2 · 8 h 30 min later → R9 rings US Tier 2"
        " · certification removed → R16 offers 1 APAC Tier 1"
    )


def test_the_sources_name_the_version_and_the_lines_of_the_policy_file():
    explained = told(ACME, EVENING)
    text = part(render(explained), "Sources")
    lines = Path(policy().file).read_text("utf-8").splitlines()
    route = int(text.partition("route R10 :")[2].partition(" ")[0])
    assert f"8x8-partner.yaml, version {policy().version}" in text
    assert "R10" in lines[route - 1]
    schedule = int(text.partition("us-contact :")[2].partition(",")[0])
    assert lines[schedule - 1].strip() == "us-contact:"
    assert "assumed" in text


def test_the_same_question_has_the_same_answer():
    assert render(told(ACME, EVENING)) == render(told(ACME, EVENING))


RESULTS = [
    (ACME, MORNING, "us-standard", 2, "R9", "rings US Tier 2"),
    (ACME, MORNING, "us-voicemail", 2, "R5", "takes an escalation voicemail for US"),
    (ACME, SATURDAY, "us-standard", 1, "R3", "rings the on-call ladder (4 levels, round after round)"),
    (ACME, SATURDAY, "us-standard", 2, "R11", "offers 1 the US escalation voicemail"),
    (partner("agency", **UNCERTIFIED), MORNING, "us-standard", 2, "R14", "offers 1 the customer is on the line"),
    (None, SATURDAY, "us-standard", 2, "R17", "logs a case and says when to call again: Sun 18:00 PDT"),
    (None, SATURDAY, "us-standard", None, "R17", "asks first whether it is a Severity 1; if not, logs a case"),
    (partner(status=Status.SUSPENDED), MORNING, "us-standard", 2, "R15", "rings US Tier 1"),
]


@pytest.mark.parametrize(("question", "rule", "words"), [(row[:4], *row[4:]) for row in RESULTS])
def test_a_result_says_what_happens_to_the_caller(question, rule, words):
    explained = told(*question)
    assert explained.rule == rule
    assert explained.result.startswith(words)


PARTNERS = [
    (ACME, "certified until 2027-01-31"),
    (partner(certified_until=None), "certified, open-ended"),
    (partner(certified_until=date(2026, 7, 13)), "certification ended 2026-07-13"),
    (partner(**UNCERTIFIED), "not certified"),
    (partner("agency", **UNCERTIFIED), "no Letter of Agency"),
    (partner(status=Status.CLOSED), "not active, so treated as unknown"),
    (None, "not identified"),
]


@pytest.mark.parametrize(("who", "words"), PARTNERS)
def test_a_partner_is_told_as_they_stood_on_that_day(who, words):
    assert words in told(who, MORNING).partner


def test_a_holiday_is_named():
    assert (
        "US Tier 2 closed (Independence Day (observed)) opens Mon 05:00 PDT" in told(ACME, "2026-07-03T17:15:00Z").desks
    )


def test_an_override_is_named_with_its_reason():
    start, end = read_instant("2026-07-14T16:00:00Z"), read_instant("2026-07-14T20:00:00Z")
    shut = Override("us", opens=False, starts=start, ends=end, reason="fire drill")
    view = read_only_desk(policy())
    desk = Desk(view.policy, view.listed, view.our_lines, view.contacts, (shut,), view.directory)
    call = supposed_call(Supposed(policy().lines["+18888988733"], read_instant(MORNING), 2), ACME, desk)
    explained = explain(call, desk, desk.decide(call, read_instant(MORNING)))
    assert explained.desks[0] == "US Tier 2 closed (fire drill) opens Tue 13:00 PDT"
    assert [each.what for each in explained.change] == ["severity 1", "2 h 45 min later", "certification removed"]


CHANGES = [
    (ACME, 1, ["severity 2", "8 h 30 min later", "certification removed"]),
    (partner(**UNCERTIFIED), 2, ["severity 1", "8 h 30 min later", "certified"]),
    (partner("referral", **UNCERTIFIED), 2, ["severity 1", "8 h 30 min later"]),
    (None, 2, ["severity 1", "8 h 30 min later"]),
]


@pytest.mark.parametrize(("who", "severity", "changes"), CHANGES)
def test_what_would_change_it_depends_on_who_calls(who, severity, changes):
    assert [each.what for each in told(who, EVENING, severity=severity).change] == changes


def test_the_target_of_a_partner_without_first_line_is_from_the_other_table():
    explained = told(partner(first_line=False), MORNING)
    assert explained.target == "first response in 2 h, by Tue 12:15 PDT (premium table; partner would be 4 h)"
    assert told(None, MORNING, severity=None).target == "none until the severity is known"


@pytest.mark.parametrize("severity", [2, None])
def test_the_target_of_a_message_is_the_call_back_that_is_promised(severity):
    explained = told(ACME, EVENING, line="us-voicemail", severity=severity)
    assert explained.target == (
        "call back by Wed 00:30 PDT (escalation response, 4 h while an escalation desk is open)"
    )
    place = int(explained.sources[-1].removeprefix("escalation response :"))
    lines = Path(policy().file).read_text("utf-8").splitlines()
    assert lines[place - 1].startswith("escalation_response:")


def test_an_open_existing_case_brings_its_severity():
    desk = read_only_desk(policy())
    supposed = Supposed(find_line("us-standard", [policy()])[1], read_instant(MORNING), intent="existing")
    call = supposed_call(supposed, ACME, desk).but(existing_case=CaseRef("48207195", "347109", 2, "us-tier2"))
    explained = explain(call, desk, desk.decide(call, supposed.at))
    assert (
        explained.target == "first response in 4 h of the existing case's opening (partner table; premium would be 2 h)"
    )
    assert explained.sources[-1].startswith("targets partner :")
    assert dict(explained.because)["R1-R3"] == "severity 2"
    closed = call.but(existing_case=CaseRef("48207195", "347109", 2, "us-tier2", closed=True))
    assert explain(closed, desk, desk.decide(closed, supposed.at)).target == "none until the severity is known"


ZONES = [
    ("Asia/Singapore", "UTC+8"),
    ("Asia/Kolkata", "IST"),
    ("Asia/Kathmandu", "UTC+5:45"),
    ("America/Sao_Paulo", "UTC-3"),
]


@pytest.mark.parametrize(("zone", "name"), ZONES)
def test_a_zone_without_an_abbreviation_is_told_by_its_offset(zone, name):
    assert there(read_instant(MORNING), zone).endswith(f" {name}")


# Calls that have been


class Listing(NoDirectory):
    """A directory in which one partner is listed, with one number; a busy one has seen many Severity 1 calls of it."""

    def __init__(self, *, busy: bool = False) -> None:
        self._busy = busy

    def severity_1_calls(self, caller: str, since: datetime) -> int:
        return 99 if self._busy else 0

    def partners_of(self, number: str) -> tuple[Partner, ...]:
        return (ACME,) if number == "+14085550142" else ()

    def new_case_number(self) -> str:
        return "48207195"


def spoken_with(
    *heard: Heard,
    at: str = EVENING,
    line: str = "+18888988733",
    caller: str | None = "+14085550142",
    busy: bool = False,
) -> tuple[Call, list[Event]]:
    """Have a conversation, and return the call and all of its events."""
    instant = read_instant(at)
    contacts = {each.id: (each.number or "",) for each in policy().destinations.values()}
    desk = Desk(policy(), frozenset(contacts), frozenset(policy().lines), contacts, (), Listing(busy=busy))
    turned = begin(Rang(SID, line, caller), desk, instant)
    events = list(turned.call.events)
    for each in heard:
        before = turned.call.but(events=(), effects=())
        notices = isinstance(each, HungUp)
        turned = notice(before, each, desk, instant) if notices else resume(before, 0, each, desk, instant)
        events += turned.call.events
    return turned.call.but(events=(), effects=()), events


def as_logged(events: Iterable[Event]) -> list[Event]:
    """Return events as they come back from the log."""
    return msgspec.json.decode(msgspec.json.encode(list(events)), type=list[Event])


def test_a_call_that_has_been_is_explained_from_what_its_log_says():
    call, events = spoken_with(Keys("1"), Keys("2"), Keys("1"), DialEnded("no_answer", bridged=False), HungUp())
    past = past_of(call, as_logged(events), policy())
    text = render(explain(call, read_only_desk(policy()), past.decision, past))
    assert part(text, "Before") == "03:30:00Z R10: chose to be connected"
    assert part(text, "Result") == "R10   rings APAC Tier 2   says route.s1.follow   flags FOLLOWED_SUN"
    assert part(text, "After") == (
        "apac-tier2-engineer no_answer · apac-tier2-second canceled · "
        "call back owed to …0142: the caller hung up while waiting · abandoned_ringing"
    )
    assert "R9 no: US Tier 2 closed" in part(text, "Because")
    assert part(text, "Time").startswith("2026-07-15 03:30Z")


def test_who_was_rung_again_and_again_is_counted():
    unanswered = DialEnded("no_answer", bridged=False)
    call, events = spoken_with(Keys("1"), Keys("2"), Keys("1"), *[unanswered] * 4)
    past = past_of(call, as_logged(events), policy())
    assert past.after[0] == "03:30:00Z R18 after 2 rounds without an answer"
    assert past.after[1:3] == ("apac-tier2-engineer no_answer, 2 times", "apac-tier2-second no_answer, 2 times")


def test_a_call_that_began_in_the_middle_of_a_minute_counts_it_whole():
    assert told(ACME, "2026-07-15T03:30:13.9Z").change[1].what == "8 h 30 min later"


def test_a_past_decision_has_the_reasons_it_was_made_with():
    call, events = spoken_with(Keys("1"), Keys("1"), Keys("1"))
    past = past_of(call, as_logged(events), policy())
    assert (past.decision.rule, past.decision.does) == ("R2", Does.RING)
    assert past.decision.facts["home"] == "closed"
    assert [row.rule for row in past.decision.rejected] == ["R1", "R1"]
    assert past.after == ("apac-tier2-engineer rings", "still going on")


def test_a_call_in_which_nothing_was_decided_has_no_decision_to_tell():
    call, events = spoken_with(HungUp())
    assert past_of(call, as_logged(events), policy()) is None


def test_a_decision_that_the_document_no_longer_has_is_told_from_the_timeline():
    call, events = spoken_with(Keys("1"), Keys("1"), Keys("1"))
    other = Decision("R9", Does.RING, "desk", read_instant(MORNING), policy().version)
    past = past_of(call.but(decision=other), as_logged(events), policy())
    assert (past.decision.rule, past.decision.does, past.decision.desk) == ("R2", Does.RING, "apac-tier2")


def explained_call(*heard: Heard, **where) -> str:
    """Have a conversation, and return what is told of it afterwards."""
    call, events = spoken_with(*heard, **where)
    past = past_of(call, as_logged(events), policy())
    return render(explain(call, read_only_desk(policy()), past.decision, past))


NOBODY = DialEnded("no_answer", bridged=False)


def test_a_message_that_was_left_is_told_with_the_deadline_and_the_choice_that_led_to_it():
    text = explained_call(Keys("1"), Keys("2"), Keys("2"), Silence(), MessageLeft("RE1", 12), Keys("1"), HungUp())
    assert part(text, "Call").startswith("case 482 071 95")
    assert part(text, "Before").startswith("03:30:00Z R10: chose the voicemail")
    assert part(text, "Result").startswith("R5   takes an escalation voicemail for US")
    assert part(text, "After") == "message of 12 s left, call back due Wed 00:30 PDT · voicemail_left"
    assert part(text, "Target").startswith("call back by Wed 00:30 PDT (escalation response")


def test_a_call_back_that_is_owed_shows_four_digits_and_why():
    text = explained_call(Keys("1"), Keys("2"), Keys("1"), *[NOBODY] * 4, Keys("1"), Keys("1"), HungUp())
    assert "call back owed to …0142: the caller asked for it" in part(text, "After")
    assert "+14085550142" not in text


def test_a_severity_1_that_nobody_answered_is_told_with_whether_people_were_paged():
    unreached = (Keys("1"), Keys("1"), Keys("1"), *[NOBODY] * 4, HungUp())
    text = explained_call(*unreached, at=SATURDAY)
    assert "S1_UNANSWERED" in part(text, "Call")
    assert "paged · call back owed to …0142: nobody was reached · no_answer" in part(text, "After")
    unpaged = explained_call(*unreached, at=SATURDAY, busy=True)
    assert "not paged: too many Severity 1 calls from this number in an hour" in part(unpaged, "After")


def test_a_withheld_number_is_not_made_up():
    gone = (*[Silence()] * 3, Keys("1"), Keys("1"), Keys("1"), *[NOBODY] * 4, HungUp())
    assert "call back owed, number withheld: nobody was reached" in explained_call(*gone, at=SATURDAY, caller=None)


@pytest.mark.parametrize(("key", "answer"), [("1", "it is one"), ("2", "it is none")])
def test_what_was_answered_to_the_question_about_severity_1_is_told(key, answer):
    text = explained_call(Keys(key), Silence(), line="+12063376849", at=SATURDAY)
    assert part(text, "Before").startswith(f"22:00:00Z asked about Severity 1 before R5: {answer}")


def test_a_rule_that_no_table_decides_is_told_where_it_came():
    text = explained_call(Keys("1"), Keys("2"), Keys("1"), *[NOBODY] * 4, Keys("2"), Silence())
    assert "R18 after 2 rounds without an answer: chose the voicemail" in part(text, "Before")
    assert part(text, "Result").startswith("R5")


# The command


def run(*args: str):
    return CliRunner().invoke(main, ["explain", *args])


def test_the_command_needs_no_database_where_no_partner_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("--to", "us-standard", "--severity", "1", "--at", SATURDAY)
    assert result.exit_code == 0, result.output
    assert part(result.output, "Result").startswith("R3   rings the on-call ladder")
    assert not list(tmp_path.iterdir())


def test_the_command_prints_json():
    told = json.loads(run("--to", "us-voicemail", "--at", MORNING, "--json").stdout)
    assert told["rule"] == "R4"
    assert told["policy"] == policy().version
    assert told["facts"]["intent"] == "none"
    assert {"what", "rule", "result"} == set(told["change"][0])


def test_a_database_that_is_none_is_wrong_usage_and_one_that_is_not_there_an_answer(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "nonsense")
    assert run("--to", "us-standard", "--pid", "347109").exit_code == 2
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/nowhere.db")
    assert run(SID).exit_code == 1


@pytest.mark.parametrize(
    "args",
    [(), ("--to", "us-standard", SID), ("--to", "us-gold"), ("--to", "us-standard", "--severity", "0"), ("CA12",)],
)
def test_a_question_that_cannot_be_asked_is_wrong_usage(args):
    assert run(*args).exit_code == 2
