"""What a policy file can say, and what becomes of it."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from routing.aftercare import Abandoned, Acceptance, CallBackDue, Retention
from routing.clock import Counts, Target
from routing.enquiry import FACTS
from routing.fault import PolicyError
from routing.levels import Unlock
from routing.policy import Does, LineKind, Place
from routing.policy_file import parse_policy, shipped_policies
from routing.policy_model import json_schema

GOOD = shipped_policies()[0].read_text()
US_WEEK = """\
    zone: America/Los_Angeles
    weekly: {mon-fri: ["05:00-18:00"]}
    holidays: {country: US}
"""


def read(*changes):
    text = GOOD
    for was, now in changes:
        assert was in text
        text = text.replace(was, now, 1)
    return parse_policy(text, "changed.yaml")


def us_hours(week):
    """The US desks' hours when this stands in the place of their week."""
    return read((US_WEEK, f"    zone: America/Los_Angeles\n{week}")).desk("us", 1).hours


def z(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("week", "days"),
    [
        ('{mon-fri: ["09:00-17:00"]}', "09:00-17:00 09:00-17:00 09:00-17:00 09:00-17:00 09:00-17:00 - -"),
        ('{fri-mon: ["10:00-16:00"]}', "10:00-16:00 - - - 10:00-16:00 10:00-16:00 10:00-16:00"),
        ('{sat: ["10:00-16:00"], mon-tue: ["09:00-17:00"]}', "09:00-17:00 09:00-17:00 - - - 10:00-16:00 -"),
        ('{wed: ["08:00-12:00", "13:00-17:00"]}', "- - 08:00-12:00+13:00-17:00 - - - -"),
        ('{mon-sun: ["00:00-24:00"]}', " ".join(["00:00-24:00"] * 7)),
        ('{sun-thu: ["22:00-06:00"]}', "22:00-06:00 22:00-06:00 22:00-06:00 22:00-06:00 - - 22:00-06:00"),
        ("{}", "- - - - - - -"),
    ],
)
def test_a_week_is_written_in_days_and_ranges_of_days(week, days):
    weekly = us_hours(f"    weekly: {week}\n").weekly

    assert " ".join("+".join(map(str, windows)) or "-" for windows in weekly) == days


def test_single_days_have_hours_of_their_own():
    hours = us_hours(
        '    weekly: {mon-fri: ["05:00-18:00"]}\n    special: {2026-12-24: ["06:00-10:00"], 2026-12-31: []}\n'
    )

    assert hours.openings(z("2026-12-24"), z("2026-12-25")) == (
        (z("2026-12-24"), z("2026-12-24 02:00")),  # the evening before
        (z("2026-12-24 14:00"), z("2026-12-24 18:00")),
    )
    assert not hours.at(z("2026-12-31 18:00")).open


def test_holidays_can_be_added_and_worked_through():
    week = '    weekly: {mon-fri: ["05:00-18:00"]}\n'
    hours = us_hours(f"{week}    holidays: {{country: US, remove: [2026-10-12], add: {{2026-11-27: day after}}}}\n")

    assert hours.at(z("2026-10-12 18:00")).open  # Columbus Day
    assert hours.at(z("2026-11-27 18:00")).reason == "day after"
    assert not hours.at(z("2026-11-26 18:00")).open  # Thanksgiving stays


def test_a_schedule_may_keep_no_holidays():
    assert us_hours('    weekly: {mon-fri: ["05:00-18:00"]}\n').holidays is None


def test_numbers_are_kept_as_e164_however_they_are_typed():
    policy = read(('"+44 203 953 5407"', '"+44 (0) 20 3953-5407"'), ('"+1 408 555 0111"', '"+1 (408) 555-0111"'))

    assert policy.lines["+442039535407"].id == "emea-certified"
    assert policy.destinations["us-tier1-engineer"].number == "+14085550111"


def test_a_number_listed_twice_with_one_role_is_one_line_and_noted():
    twice = '  us-voicemail-again:\n    {number: "+1 206-337-6849", kind: voicemail, region: us, locale: en-US,\n'
    policy = read(
        ("  emea-standard:\n", f"{twice}     source: another page, verified_on: 2026-11-02}}\n  emea-standard:\n")
    )

    assert policy.lines["+12063376849"].id == "us-voicemail"
    assert [line.id for line in policy.repeated] == ["us-voicemail-again"]


def test_a_destination_may_leave_its_number_to_the_contacts():
    policy = read((', number: "+1 408 555 0131"}', "}"))

    assert policy.destinations["us-oncall-engineer"].number is None


def test_what_is_left_out_has_its_usual_value():
    policy = read(("timing: {ring: 20", "timing: {ring: 25"))

    assert (policy.timing.ring, policy.timing.rounds_at_most, policy.timing.talk_limit) == (25, 20, 14_400)
    assert (policy.grace_days, policy.pages_per_hour, policy.unknown_ids_per_hour, policy.notice) == (0, 3, 10, "")


def test_whatever_is_given_takes_the_place_of_the_usual_value():
    more = "grace_days: 30\npages_per_hour: 5\nunknown_ids_per_hour: 7\nnotice: This call may be recorded.\ntiming:"
    policy = read(("timing:", more), ("amount: 4 h", "amount: 90 min"), ("{length: 6", "{length: 8"))

    assert (policy.grace_days, policy.pages_per_hour, policy.unknown_ids_per_hour) == (30, 5, 7)
    assert policy.notice == "This call may be recorded."
    assert policy.escalation_response == Target(timedelta(minutes=90), Counts.FOLLOW_THE_SUN)
    assert policy.partner_id.length == 8


def test_the_time_after_the_call_can_be_ruled_otherwise():
    policy = read(
        ("retention: {recordings: 90 d", "retention: {recordings: 30 d"),
        ("text_case_number: no", "text_case_number: yes"),
        ("delete_provider_copy: yes", "delete_provider_copy: no"),
        ("call_back_when_abandoned: identified", "call_back_when_abandoned: no"),
        ("{urgent: 15 min, otherwise: 4 h follow the sun", "{urgent: 10 min, otherwise: 2 h desk hours"),
        ("{times: 3, every: 24 h working days", "{times: 2, every: 48 h"),
        ("page_wait: 300", "page_wait: 120"),
        ("updates: {1: 4 h, 2: 24 h working days", "updates: {1: 4 h, 2: none"),
    )

    assert policy.retention == Retention(recordings=timedelta(days=30))
    assert (policy.text_case_number, policy.delete_provider_copy) == (True, False)
    assert policy.call_back_when_abandoned == Abandoned.NO
    assert policy.call_back_due == CallBackDue(
        Target(timedelta(minutes=10)), Target(timedelta(hours=2), Counts.DESK_HOURS)
    )
    assert policy.acceptance == Acceptance(2, Target(timedelta(hours=48)))
    assert policy.page_ladder("us").repeat == timedelta(minutes=2)
    assert sorted(policy.targets["partner"].updates) == [1, 3]


def test_a_level_of_a_ladder_may_have_hours_of_its_own_and_a_lock():
    policy = read(
        ("[us-tier1-manager], wait: 4 h", "[us-tier1-manager], wait: 30 min, hours: us-contact"),
        ("[us-director], wait: 4 h", "[us-director], wait: 4 h, unlock: {attempts: 2, idle_days: 1}"),
        ("    repeat: 4 h\n", "    repeat: 15 min\n    urgent: yes\n"),
    )
    ladder = policy.escalation_ladder("us", 1)

    assert (ladder.id, ladder.urgent, ladder.repeat) == ("us-tier1", True, timedelta(minutes=15))
    assert ladder.zone == "America/Los_Angeles"
    assert [level.hours.name for level in ladder.levels] == ["us-escalation", "us-contact", "us-escalation"]
    assert [level.unlock for level in ladder.levels] == [None, None, Unlock(2, 1, 1)]
    assert ladder.levels[1].wait == timedelta(minutes=30)


def test_a_condition_takes_one_value_or_a_list_and_knows_yes_from_true():
    policy = parse_policy(GOOD, "good.yaml")
    first, second = policy.routes[0], next(route for route in policy.routes if route.rule == "R13")

    assert first.when == {"urgent": {"yes"}, "home": {"open"}, "certified": {"yes"}}
    assert second.when["type"] == {"resale", "wholesale"}


def test_a_row_becomes_a_route():
    route = next(route for route in parse_policy(GOOD, "good.yaml").routes if route.rule == "R10" and route.ring)

    assert (route.does, route.ring, route.flags) == (Does.RING, (Place.NEXT_OPEN, Place.OTHERS_OPEN), ("FOLLOWED_SUN",))
    assert GOOD.splitlines()[route.file_line - 1] == "  - rule: R10"


def test_an_offer_has_its_keys_as_callers_press_them():
    route = next(route for route in parse_policy(GOOD, "good.yaml").routes if route.rule == "R6" and route.offer)

    assert route.offer == {"1": "live", "2": "voicemail"}


def test_parts_know_their_line_in_the_file():
    policy = parse_policy(GOOD, "good.yaml")
    lines = GOOD.splitlines()

    assert lines[policy.destinations["emea-oncall-lead"].file_line - 1].startswith("  emea-oncall-lead:")
    assert lines[policy.lines["+18442483221"].provenance.file_line - 1] == "  us-certified:"
    assert lines[policy.desks["apac-tier2"].provenance.file_line - 1] == "  apac-tier2:"
    assert lines[policy.provenances["targets.premium"].file_line - 1] == "  premium:"


def test_published_hours_stay_beside_our_reading_of_them():
    quoted = {quotation.schedule.name: quotation for quotation in parse_policy(GOOD, "good.yaml").quotations}

    assert quoted["apac-tier1-escalation"].hours == "8:00 A.M.-5:00 P.M. AEST"
    assert str(quoted["apac-tier1-escalation"].gmt) == "00:00-09:00"
    assert quoted["apac-contact"].gmt is None


def test_a_programme_of_one_region_and_one_line_is_a_policy():
    """A small programme needs few words: nothing of the partner programme is taken for granted."""
    small = parse_policy(SMALL, "small.yaml")

    assert small.neighbours("uk") == ()
    assert [line.kind for line in small.lines.values()] == [LineKind.STANDARD]


SMALL = """
programme: small
brand: Small
portal: the portal
source: a letter
verified_on: 2026-11-02
regions:
  uk: {name: UK, zone: Europe/London, clock: UK time}
follow_the_sun: [uk]
lines:
  main:
    {number: "+44 20 7946 0900", kind: standard, region: uk, locale: en-GB,
     source: a letter, verified_on: 2026-11-02}
schedules:
  day:
    {zone: Europe/London, weekly: {mon-fri: ["09:00-17:30"]},
     source: a letter, verified_on: 2026-11-02, assumed: true}
desks:
  first: {name: First, tier: 1, region: uk, hours: day, escalation_hours: day, ring: [one, two]}
  second: {name: Second, tier: 2, region: uk, hours: day, escalation_hours: day, ring: [two]}
destinations:
  one: {role: engineer, number: "+44 20 7946 0901"}
  two: {role: lead, number: "+44 20 7946 0902"}
on_call:
  uk: [[one], [two]]
severities:
  0: {meaning: everything is down, source: a letter, verified_on: 2026-11-02}
  1: {meaning: something is down, source: a letter, verified_on: 2026-11-02}
targets:
  all: {first_response: {0: 1 h, 1: 1 h}, source: a letter, verified_on: 2026-11-02}
routes:
  - {rule: R1, when: {urgent: yes, home: open}, does: ring, ring: [home, on_call], say: [route.s1]}
  - {rule: R3, when: {urgent: yes}, does: ring, ring: [on_call], say: [s1.oncall]}
  - {rule: R15, when: {home: open}, does: ring, ring: [home], say: [route.t1]}
  - {rule: R17, when: {}, does: inform, say: [closed.logged]}
"""


def test_the_schema_offers_editors_every_fact_and_every_value():
    schema = json.loads(json_schema())
    conditions = schema["$defs"]["RouteEntry"]["properties"]["when"]["properties"]

    assert {fact: tuple(values["anyOf"][0]["enum"]) for fact, values in conditions.items()} == FACTS
    assert schema["additionalProperties"] is False


def test_an_error_prints_one_line_for_each_fault():
    with pytest.raises(PolicyError) as refused:
        read(("brand: 8x8\n", ""), ("zone: Europe/Paris", "zone: CET"))

    line = GOOD[: GOOD.index("zone: Europe/Paris")].count("\n")  # the brand's line is gone
    assert str(refused.value).splitlines() == [
        "changed.yaml:7: F1 `brand` is missing — add it",
        f"changed.yaml:{line}: H2 CET is no place — write Europe/Paris",
    ]


def test_reading_takes_the_days_that_were_written_and_not_todays():
    """The same text is the same policy on any day: nothing in it depends on when it is read."""
    policy = parse_policy(GOOD, "good.yaml")

    assert policy.provenance.verified_on == date(2026, 11, 2)
    assert policy.version == parse_policy(GOOD, "elsewhere.yaml").version
