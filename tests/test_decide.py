"""Where a call goes: the decision table row by row, the coverage grid cell by cell, and both against an oracle."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import oracle
import pytest
from paper import shipped

from ivr.phone.clock import read_instant
from routing.decide import FACTS, Enquiry, decide
from routing.partner import Certification, PartnerType
from routing.policy import LineKind, Place
from routing.schedule import Override

POLICY = shipped()

CALLERS = {
    "certified": (PartnerType.RESALE, Certification.VALID, "not_required"),
    "expired": (PartnerType.RESALE, Certification.EXPIRED, "not_required"),
    "resale": (PartnerType.RESALE, Certification.NONE, "not_required"),
    "wholesale": (PartnerType.WHOLESALE, Certification.NONE, "not_required"),
    "agency": (PartnerType.AGENCY, Certification.NONE, "on_file"),
    "agency, no letter": (PartnerType.AGENCY, Certification.NONE, "missing"),
    "agency, certified": (PartnerType.AGENCY, Certification.VALID, "missing"),
    "referral": (PartnerType.REFERRAL, Certification.NONE, "not_required"),
    "referral, trained": (PartnerType.REFERRAL, Certification.VALID, "not_required"),
    "unknown": (None, Certification.NONE, "not_required"),
}
CLOCK = {"us": "America/Los_Angeles", "emea": "Europe/London", "apac": "Asia/Singapore"}


def enquiry(caller, line, region, severity=None, intent="new", **known):
    kind, certification, loa = CALLERS[caller]
    return Enquiry(LineKind(line), region, kind, certification, loa, intent, severity, **known)


def ask(caller, line, region, local, severity=None, intent="new", **known):  # noqa: PLR0917
    """Decide at a time that the region's own clocks show."""
    asked = enquiry(caller, line, region, severity, intent, **known)
    return decide(asked, POLICY, read_instant(f"{local} {CLOCK[region]}"))


def whom(decision):
    """Whom it rings, desk by desk and ladder by ladder: "us-tier2, us-tier1, on call"."""
    return ", ".join(dict.fromkeys(target.desk or "on call" for target in decision.ring))


EARLIER, TUESDAY, EVENING, SATURDAY = "2026-11-03 09:15", "2026-11-03 10:15", "2026-11-03 20:30", "2026-11-07 15:00"
EVERYBODY = "us-tier1, on call"
ROWS = [
    # rule, caller, line, region, local time, severity, intent, more -> does, whom or what is offered, said
    ("R1", "certified", "standard", "us", TUESDAY, 1, "new", {}, "us-tier2, us-tier1, on call", "route.s1"),
    ("R1", "certified", "voicemail", "emea", TUESDAY, 0, "new", {}, "emea-tier2, emea-tier1, on call", "vm.s1"),
    ("R1", "unknown", "certified", "us", TUESDAY, 1, "engineer", {}, "us-tier1, on call", "route.s1"),
    ("R1", "expired", "standard", "us", TUESDAY, 1, "existing", {}, "us-tier1, on call", "route.s1"),
    ("R1", "agency, no letter", "standard", "us", TUESDAY, 1, "new", {}, "us-tier1, on call", "route.s1"),
    ("R2", "certified", "standard", "us", EVENING, 1, "new", {}, "apac-tier2, on call", "route.s1.follow"),
    ("R2", "resale", "standard", "apac", EVENING, 1, "new", {}, "emea-tier1, on call", "route.s1.follow"),
    (
        "R2",
        "unknown",
        "shared",
        "apac",
        "2026-11-03 23:30",
        1,
        "new",
        {},
        "emea-tier1, us-tier1, on call",
        "route.s1.follow",
    ),
    ("R3", "certified", "certified", "us", SATURDAY, 1, "escalation", {}, "on call", "s1.oncall"),
    ("R3", "unknown", "voicemail", "emea", SATURDAY, 0, "none", {}, "on call", "s1.oncall"),
    ("R4", "resale", "voicemail", "us", TUESDAY, 3, "none", {}, "offer 1 live", "vm.notcert"),
    ("R4", "resale", "voicemail", "us", TUESDAY, 3, "none", {"choice": "live"}, "us-tier1", "route.t1"),
    ("R4", "unknown", "voicemail", "us", TUESDAY, 3, "none", {"choice": "declined"}, "us-tier1", "route.t1"),
    ("R5", "certified", "voicemail", "us", TUESDAY, 2, "none", {}, "record", ""),
    ("R5", "certified", "voicemail", "apac", SATURDAY, 3, "none", {}, "record", ""),
    ("R5", "certified", "standard", "us", TUESDAY, 2, "escalation", {"choice": "voicemail"}, "record", ""),
    ("R5", "certified", "certified", "us", EVENING, 2, "escalation", {}, "record", ""),
    ("R6", "certified", "standard", "us", TUESDAY, 2, "escalation", {}, "offer 1 live 2 voicemail", "esc.cert.open"),
    ("R6", "certified", "standard", "us", TUESDAY, 2, "escalation", {"choice": "live"}, "us-tier2", "route.t2"),
    ("R7", "referral", "standard", "us", TUESDAY, 2, "escalation", {}, "offer 1 live", "esc.notcert"),
    ("R7", "referral", "standard", "us", TUESDAY, 2, "escalation", {"choice": "live"}, "us-tier1", "route.t1"),
    ("R8", "resale", "standard", "us", EARLIER, 2, "existing", {"case_desk": "emea-tier1"}, "emea-tier1", "case.ok"),
    ("R8", "certified", "standard", "us", EVENING, 2, "existing", {"case_desk": "apac-tier2"}, "apac-tier2", "case.ok"),
    ("R9", "certified", "standard", "us", TUESDAY, 2, "new", {}, "us-tier2", "route.t2"),
    ("R9", "certified", "certified", "us", TUESDAY, 2, "engineer", {}, "us-tier2", "route.t2"),
    ("R9", "certified", "standard", "us", TUESDAY, 2, "existing", {"case_desk": "apac-tier2"}, "us-tier2", "route.t2"),
    ("R9", "agency, certified", "standard", "us", TUESDAY, 3, "new", {}, "us-tier2", "route.t2"),
    ("R10", "certified", "standard", "us", EVENING, 2, "new", {}, "offer 1 live 2 voicemail", "closed.offer.cert"),
    ("R10", "certified", "standard", "us", EVENING, 2, "new", {"choice": "live"}, "apac-tier2", "route.s1.follow"),
    ("R10", "certified", "standard", "us", EVENING, 2, "new", {"choice": "declined"}, "inform", "closed.logged"),
    ("R11", "certified", "standard", "us", SATURDAY, 2, "new", {}, "offer 1 voicemail", "closed.vm"),
    ("R11", "certified", "standard", "us", SATURDAY, 2, "new", {"choice": "declined"}, "inform", "closed.logged"),
    ("R12", "expired", "certified", "apac", TUESDAY, 3, "new", {}, "apac-tier1", "route.expired, route.t1.ready"),
    ("R13", "resale", "standard", "us", TUESDAY, 3, "new", {}, "us-tier1", "route.t1.resale"),
    ("R13", "wholesale", "certified", "emea", TUESDAY, 3, "new", {}, "emea-tier1", "route.notcert, route.t1.resale"),
    ("R14", "agency", "standard", "us", TUESDAY, 3, "new", {}, "us-tier1", "route.t1"),
    ("R14", "agency", "certified", "us", TUESDAY, 3, "new", {}, "us-tier1", "route.notcert, route.t1"),
    ("R14", "agency, no letter", "standard", "us", TUESDAY, 3, "new", {}, "offer 1 customer 2 how 3 live", "loa.none"),
    ("R14", "agency, no letter", "standard", "us", TUESDAY, 3, "new", {"choice": "how"}, "offer 1 live", "loa.how"),
    ("R14", "agency, no letter", "standard", "us", TUESDAY, 3, "new", {"choice": "customer"}, "us-tier1", "route.t1"),
    ("R14", "agency, no letter", "standard", "us", TUESDAY, 3, "new", {"choice": "live"}, "us-tier1", "route.t1"),
    ("R14", "agency, no letter", "standard", "us", TUESDAY, 3, "engineer", {}, "us-tier1", "route.t1"),
    ("R15", "referral", "standard", "emea", TUESDAY, 3, "new", {}, "emea-tier1", "route.t1"),
    ("R15", "referral, trained", "certified", "emea", TUESDAY, 3, "new", {}, "emea-tier1", "route.notcert, route.t1"),
    ("R15", "unknown", "standard", "us", TUESDAY, 3, "engineer", {}, "us-tier1", "route.t1"),
    ("R15", "unknown", "voicemail", "us", TUESDAY, 3, "engineer", {}, "us-tier1", "route.t1"),
    ("R16", "resale", "standard", "us", EVENING, 3, "new", {}, "offer 1 live", "closed.offer"),
    ("R16", "resale", "standard", "us", EVENING, 3, "new", {"choice": "live"}, "apac-tier1", "route.s1.follow"),
    ("R16", "resale", "standard", "us", EVENING, 3, "new", {"choice": "declined"}, "inform", "closed.logged"),
    ("R16", "expired", "voicemail", "us", EVENING, 3, "none", {}, "offer 1 live", "vm.notcert.closed, closed.offer"),
    ("R16", "referral", "standard", "us", EVENING, 3, "escalation", {}, "offer 1 live", "esc.portal, closed.offer"),
    ("R17", "unknown", "standard", "us", SATURDAY, 3, "new", {}, "inform", "closed.logged, closed.web"),
    (
        "R17",
        "resale",
        "voicemail",
        "us",
        SATURDAY,
        3,
        "none",
        {},
        "inform",
        "vm.notcert.closed, closed.all, closed.logged, closed.web",
    ),
    (
        "R17",
        "resale",
        "standard",
        "us",
        SATURDAY,
        3,
        "escalation",
        {},
        "inform",
        "esc.portal, closed.logged, closed.web",
    ),
]


@pytest.mark.parametrize(
    ("rule", "caller", "line", "region", "local", "severity", "intent", "more", "outcome", "said"),
    ROWS,
    ids=[f"{row[0]} {row[1]}, {row[2]} line, {row[3]} {row[4]}, {row[6]} {row[7].get('choice', '')}" for row in ROWS],
)
def test_the_decision_table(rule, caller, line, region, local, severity, intent, more, outcome, said):  # noqa: PLR0917
    decision = ask(caller, line, region, local, severity, intent, **more)

    offered = "offer " + " ".join(f"{key} {choice}" for key, choice in decision.offer.items())
    happens = {"ring": whom(decision), "offer": offered}.get(decision.does, decision.does)
    assert (decision.rule, happens, ", ".join(decision.say)) == (rule, outcome, said)


def test_every_rule_of_the_table_has_a_row():
    assert {row[0] for row in ROWS} == {f"R{number}" for number in range(1, 18)} == {r.rule for r in POLICY.routes}


OPEN, ELSEWHERE, NOBODY = TUESDAY, EVENING, SATURDAY
T2, T1 = "us-tier2", "us-tier1"
FOLLOW2, FOLLOW1 = "apac-tier2", "apac-tier1"
GRID = [
    # caller, hours -> what happens on the standard, the certified and the voicemail number: Severity 3; Severity 1
    ("certified", OPEN, (T2, T2, "record"), T2),
    ("certified", ELSEWHERE, ("offer live voicemail", "offer live voicemail", "record"), FOLLOW2),
    ("certified", NOBODY, ("offer voicemail", "offer voicemail", "record"), "on call"),
    *((caller, OPEN, (T1, T1, "offer live"), T1) for caller in ("expired", "resale", "agency", "referral", "unknown")),
    ("agency, no letter", OPEN, ("offer customer how live", "offer customer how live", "offer live"), T1),
    *(
        (caller, ELSEWHERE, ("offer live", "offer live", "offer live"), FOLLOW1)
        for caller in ("expired", "resale", "agency", "agency, no letter", "referral", "unknown")
    ),
    *(
        (caller, NOBODY, ("inform", "inform", "inform"), "on call")
        for caller in ("expired", "resale", "agency", "agency, no letter", "referral", "unknown")
    ),
]


@pytest.mark.parametrize(("caller", "local", "cells", "urgent"), GRID, ids=[f"{row[0]}, {row[1]}" for row in GRID])
def test_the_coverage_grid(caller, local, cells, urgent):
    for line, expected in zip(("standard", "certified", "voicemail"), cells, strict=True):
        calm = ask(caller, line, "us", local, 3, "none" if line == "voicemail" else "new")
        happens = {"ring": whom(calm), "offer": " ".join(["offer", *calm.offer.values()])}.get(calm.does, calm.does)
        outage = ask(caller, line, "us", local, 1)

        assert happens == expected, line
        assert outage.does == "ring", line
        assert whom(outage).split(", ")[0] == urgent, line
        assert whom(outage).endswith("on call"), line


def test_a_caller_on_the_certified_line_is_told_why_it_is_tier_1():
    for caller in ("resale", "wholesale", "agency", "referral", "unknown"):
        assert ask(caller, "certified", "us", TUESDAY, 3).say[0] == "route.notcert"
        assert "route.notcert" not in ask(caller, "standard", "us", TUESDAY, 3).say


# Every minute that matters of some weeks: both sides of an opening and a closing, a seam, weekends, holidays.
MOMENTS = [
    datetime.fromisoformat(f"{text}+00:00")
    for text in (
        "2026-11-02T00:59:59.999999",  # the last moment of a weekend
        "2026-11-02T01:00:00",  # APAC opens
        "2026-11-03T01:30:00",  # US and APAC
        "2026-11-03T02:00:00",  # the US closes
        "2026-11-03T07:59:59",  # APAC alone, for another second
        "2026-11-03T08:00:00",  # EMEA opens
        "2026-11-03T10:00:00",  # APAC closes
        "2026-11-03T12:59:59",  # EMEA alone
        "2026-11-03T13:00:00",  # the US opens
        "2026-11-03T17:59:59",  # EMEA's last second
        "2026-11-03T18:00:00",  # the US alone
        "2026-11-07T01:59:59",  # Friday's last second
        "2026-11-07T02:00:00",  # nobody, until Monday
        "2026-11-09T04:00:00",  # Deepavali, observed: nobody, on a Monday
        "2026-11-09T09:00:00",  # EMEA alone, where APAC would be open
        "2026-11-26T16:00:00",  # Thanksgiving: EMEA alone
        "2026-11-26T20:00:00",  # Thanksgiving: nobody
        "2026-12-25T15:00:00",  # Christmas: nobody
        "2026-12-28T10:30:00",  # Boxing Day, observed: nobody
        "2026-12-28T09:00:00",  # ... but APAC is at work
        "2027-03-15T12:30:00",  # America has changed its clocks, London has not
        "2027-03-29T01:00:00",  # US Sunday, APAC opens
        "2027-07-14T00:59:59",  # summer: the US's last second
        "2027-07-14T01:00:00",  # ... and APAC's first
        "2027-07-13T16:59:59",  # London in summer
    )
]
WHO = [(None, "none", "not_required")]
WHO += [("agency", certification, loa) for certification, loa in product(("valid", "expired", "none"), FACTS["loa"])]
WHO += [
    (kind, certification, "not_required")
    for kind, certification in product(("resale", "wholesale", "referral"), ("valid", "expired", "none"))
]
SEVERITIES = {
    "yes": [(0, False), (1, False)],
    "no": [(2, False), (3, False), (4, True), (None, True)],
    "unasked": [(None, False)],
}


def enquiries(number):
    """Every combination of facts, in every region, for calls about no case, one of Tier 1 and one of Tier 2."""
    cases = (None, *list(POLICY.desks)[number % 2 :: 3])
    things = product(FACTS["line"], POLICY.regions, WHO, FACTS["intent"], SEVERITIES, cases, FACTS["choice"])
    for turn, (line, region, who, intent, urgent, case, choice) in enumerate(things):
        kind, certification, loa = who
        severity, denied = SEVERITIES[urgent][turn % len(SEVERITIES[urgent])]
        known = (intent, severity, denied, case, choice)
        kind_of_line, type_ = LineKind(line), PartnerType(kind) if kind else None
        yield (
            Enquiry(kind_of_line, region, type_, Certification(certification), loa, *known),
            (line, region, kind, certification, loa, intent, urgent, case, choice),
        )


@pytest.mark.parametrize("number", range(len(MOMENTS)), ids=[f"{at:%a %Y-%m-%d %H:%M:%S}" for at in MOMENTS])
def test_an_independent_oracle_agrees_on_every_combination(number):
    """25 instants by 61,560 enquiries: a million and a half points, none sampled."""
    at = MOMENTS[number]
    opened = oracle.open_desks(at)
    points = 0
    for asked, facts in enquiries(number):
        found = decide(asked, POLICY, at)
        rung = tuple(target.destination for target in found.ring)
        decided = (found.rule, found.does.value, rung, found.offer, found.say, found.flags)
        expected = oracle.route(*facts, opened)
        assert decided == expected, (asked, at)
        points += 1

    assert points == 61_560


@pytest.mark.parametrize("line", FACTS["line"])
def test_the_gate_stands_before_whatever_is_no_person(line):
    """A call that nobody asked about Severity 1 is asked before it is recorded, informed, or offered a voicemail.

    While the home desk is closed it is asked before any offer: a caller who chooses nothing would not be put through.
    """
    for asked, facts in enquiries(0):
        if facts[0] != line or facts[7] is not None:
            continue
        for at in (MOMENTS[2], MOMENTS[4], MOMENTS[12]):
            found = decide(asked, POLICY, at)
            no_person = found.does in ("record", "inform") or "voicemail" in found.offer.values()
            left_alone = found.does == "offer" and found.home_closed != ""
            assert found.gate == ((no_person or left_alone) and facts[6] == "unasked")


def test_an_explanation_names_every_row_that_was_passed_over_and_the_fact_it_stumbled_over():
    decision = ask("expired", "standard", "us", TUESDAY, 3)
    row = next(place for place, route in enumerate(POLICY.routes) if route.file_line == decision.file_line)

    assert [rejected.rule for rejected in decision.rejected] == [route.rule for route in POLICY.routes[:row]]
    for rejected, route in zip(decision.rejected, POLICY.routes, strict=False):
        assert decision.facts[rejected.fact] == rejected.value
        assert rejected.value not in route.when[rejected.fact]


def test_the_facts_of_an_explanation_are_the_closed_set():
    facts = ask("agency, no letter", "voicemail", "apac", TUESDAY, 2, case_desk="us-tier1").facts

    assert list(facts) == list(FACTS)
    assert all(value in FACTS[fact] for fact, value in facts.items())


@pytest.mark.parametrize(
    ("desk", "caller", "expected"),
    [
        ("us-tier2", "certified", "open"),
        ("us-tier2", "resale", "none"),  # not entitled: as if there were no case
        ("us-tier1", "resale", "open"),
        ("apac-tier1", "resale", "closed"),
        ("gone-tier1", "resale", "none"),  # a desk that the policy no longer has
    ],
)
def test_a_case_counts_only_where_its_desk_is_within_reach(desk, caller, expected):
    assert ask(caller, "standard", "us", TUESDAY, 3, "existing", case_desk=desk).facts["case_desk"] == expected


REOPENS = [
    # region, local time -> when the caller is told to call again
    ("us", EVENING, "2026-11-04 05:00 America/Los_Angeles"),  # another desk is open: the home desk's own hour
    ("us", SATURDAY, "2026-11-09 08:00 Europe/London"),  # nobody is, and Singapore has a holiday on Monday
    ("emea", "2026-11-13 19:00", "2026-11-16 08:00 Europe/London"),
    ("apac", "2026-11-14 12:00", "2026-11-16 09:00 Asia/Singapore"),
]


@pytest.mark.parametrize(("region", "local", "expected"), REOPENS)
def test_the_reopening_that_is_spoken(region, local, expected):
    assert ask("unknown", "standard", region, local, 3).reopens == read_instant(expected)


def test_a_closed_home_desk_says_why():
    assert ask("unknown", "standard", "us", TUESDAY, 3).home_closed == ""
    assert ask("unknown", "standard", "us", EVENING, 3).home_closed == "weekly"
    assert ask("unknown", "standard", "us", "2026-11-26 10:00", 3).home_closed == "holiday"


def test_an_open_desk_promises_no_reopening():
    assert ask("unknown", "standard", "us", TUESDAY, 3).reopens is None


@pytest.mark.parametrize(
    ("caller", "severity", "more", "kind", "tier", "region", "desk"),
    [
        ("certified", 2, {}, "desk", 2, "us", "us-tier2"),
        ("unknown", 1, {}, "desk", 1, "us", "us-tier1"),
        ("certified", 2, {"choice": "voicemail"}, "escalation_voicemail", 0, "us", ""),
        ("resale", 3, {"intent": "escalation"}, "none", 1, "us", ""),
    ],
)
def test_the_destination_as_the_log_will_have_it(caller, severity, more, kind, tier, region, desk):  # noqa: PLR0917
    found = ask(caller, "standard", "us", TUESDAY, severity, **more)

    assert (found.kind, found.tier, found.region, found.desk) == (kind, tier, region, desk)


def test_an_offer_names_the_region_whose_team_the_caller_would_get():
    assert ask("certified", "standard", "us", EVENING, 2).region == "apac"
    assert ask("certified", "standard", "us", EVENING, 1).region == "apac"
    assert ask("certified", "standard", "us", SATURDAY, 2).region == "us"
    assert ask("certified", "standard", "us", TUESDAY, 2, "escalation").region == "us"


@pytest.mark.parametrize(
    ("scope", "expected"), [("us-tier1", "R16"), ("us", "R16"), ("all", "R17"), ("us-tier2", "R13"), ("emea", "R13")]
)
def test_an_override_closes_the_desks_in_its_scope_and_no_others(scope, expected):
    at = read_instant(f"{TUESDAY} America/Los_Angeles")
    storm = Override(scope, opens=False, starts=at, ends=at + timedelta(hours=2), reason="storm")
    others = [storm] if scope == "all" else [storm, replace(storm, scope="apac", opens=True)]

    assert decide(enquiry("resale", "standard", "us", 3), POLICY, at, others).rule == expected
    assert decide(enquiry("resale", "standard", "us", 3), POLICY, at + timedelta(hours=2), others).rule == "R13"


def test_severity_1_survives_an_emergency_closing_of_every_desk():
    at = read_instant(f"{TUESDAY} America/Los_Angeles")
    fire = Override("all", opens=False, starts=at, ends=at + timedelta(hours=2), reason="fire", emergency=True)

    found = decide(enquiry("unknown", "standard", "us", 1), POLICY, at, [fire])

    assert (found.rule, whom(found), found.home_closed) == ("R3", "on call", "emergency")


def test_an_enquiry_that_no_row_matches_is_an_error_and_no_silent_default():
    policy = replace(POLICY, routes=POLICY.routes[:4])

    with pytest.raises(LookupError, match="no route matches"):
        decide(enquiry("unknown", "standard", "us", 3), policy, datetime(2026, 11, 3, tzinfo=UTC))


def test_next_open_is_the_first_desk_to_the_west_and_others_open_the_rest():
    routes = (replace(POLICY.routes[-1], does=POLICY.routes[0].does, ring=(Place.NEXT_OPEN,)),)
    at = datetime(2026, 11, 3, 16, tzinfo=UTC)  # EMEA and the US are open

    found = decide(enquiry("unknown", "standard", "apac", 3), replace(POLICY, routes=routes), at)

    assert whom(found) == "emea-tier1"
