"""Clocks: when something is due, what has counted, why it does not count; a new policy does not change the past."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from desks import APAC, AROUND_THE_CLOCK, EMEA, desk, z
from hypothesis import given, settings
from hypothesis import strategies as st
from paper import shipped

from routing.clock import Counts, Pause, State, Target, read_clock
from routing.holidays import HolidayRule
from routing.policy_file import parse_policy, shipped_policies
from routing.schedule import Schedule
from routing.worktime import working_days

POLICY = shipped()
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)

FRIDAY = z("2026-11-07 01:55")  # 17:55 in Los Angeles, five minutes before the escalation desk goes home


def message_clock(at, pauses=(), ended_at=None, start=FRIDAY):
    target = POLICY.escalation_response
    return read_clock(target, start, POLICY.calendar(target.counts, "us", 2), pauses, ended_at, z(at))


WEEKEND = "nobody is on duty until Mon 2026-11-09 08:00 in Australia/Sydney, when apac-tier2-escalation opens"

VOICEMAIL = [
    # asked at (UTC)      state     counted  left     why, and until when
    ("2026-11-07 01:55", "running", "0:00", "4:00", "", None),
    ("2026-11-07 01:59", "running", "0:04", "3:56", "", None),
    ("2026-11-07 02:00", "paused", "0:05", "3:55", WEEKEND, "2026-11-08 21:00"),
    ("2026-11-08 12:00", "paused", "0:05", "3:55", WEEKEND, "2026-11-08 21:00"),
    ("2026-11-08 21:00", "running", "0:05", "3:55", "", None),  # handed to the region that opens first
    ("2026-11-08 23:55", "running", "3:00", "1:00", "", None),  # three quarters: a warning
    ("2026-11-09 00:55", "running", "4:00", "0:00", "", None),  # due
    ("2026-11-09 00:56", "missed", "4:01", "-0:01", "", None),
    ("2026-11-09 09:00", "missed", "12:05", "-8:05", "", None),
]


@pytest.mark.parametrize("row", VOICEMAIL, ids=[f"{row[0]} {row[1]}" for row in VOICEMAIL])
def test_an_escalation_voicemail_at_17_55_on_friday_in_the_us(row):
    """Four hours while any escalation desk is open: five minutes of Friday in the US, then Monday in Sydney."""
    at, state, counted, left, why, resumes = row
    clock = message_clock(at)

    assert (clock.state, hours(clock.counted), hours(clock.left), clock.why) == (state, counted, left, why)
    assert clock.resumes_at == (z(resumes) if resumes else None)
    assert (clock.warn_at, clock.due_at) == (z("2026-11-08 23:55"), z("2026-11-09 00:55"))


def hours(amount):
    sign, minutes = ("-", -amount) if amount < timedelta() else ("", amount)
    return f"{sign}{minutes // HOUR}:{minutes % HOUR // MINUTE:02}"


def test_the_arithmetic_is_told_as_the_stretches_that_counted():
    assert message_clock("2026-11-09 00:00").stretches == (
        (FRIDAY, z("2026-11-07 02:00")),
        (z("2026-11-08 21:00"), z("2026-11-09 00:00")),
    )


WEDNESDAY, SATURDAY = z("2026-11-11 16:00"), z("2026-11-14 11:00")
TARGETS = [
    # table, severity, arrival, first response due, update due; US hours are UTC-8
    ("partner", 1, WEDNESDAY, "2026-11-11 17:00", "2026-11-11 20:00"),
    ("partner", 2, WEDNESDAY, "2026-11-11 20:00", "2026-11-12 16:00"),
    ("partner", 3, WEDNESDAY, "2026-11-11 22:00", "2026-11-13 04:00"),
    ("premium", 1, WEDNESDAY, "2026-11-11 16:30", "2026-11-11 20:00"),
    ("premium", 2, WEDNESDAY, "2026-11-11 18:00", "2026-11-12 16:00"),
    ("premium", 3, WEDNESDAY, "2026-11-12 16:00", "2026-11-13 04:00"),
    ("partner", 1, SATURDAY, "2026-11-14 12:00", "2026-11-14 15:00"),  # an outage does not wait for Monday
    ("partner", 2, SATURDAY, "2026-11-14 15:00", "2026-11-17 08:00"),  # Monday, all of it
    ("partner", 3, SATURDAY, "2026-11-16 14:00", "2026-11-17 20:00"),  # Monday from midnight Pacific
    ("premium", 3, SATURDAY, "2026-11-17 08:00", "2026-11-17 20:00"),
]


@pytest.mark.parametrize(("table", "severity", "start", "response", "update"), TARGETS)
def test_the_targets_of_both_tables_fall_due(table, severity, start, response, update):
    targets = POLICY.targets[table]
    due = [
        read_clock(each, start, POLICY.calendar(each.counts, "us", 1), (), None, start).due_at
        for each in (targets.first_response[severity], targets.updates[severity])
    ]

    assert due == [z(response), z(update)]


def test_a_clock_is_met_at_the_very_instant_at_which_it_is_due():
    due = message_clock("2026-11-07 01:55").due_at

    assert message_clock("2026-11-10 00:00", ended_at=due).state is State.MET
    assert message_clock("2026-11-10 00:00", ended_at=due + MOMENT).state is State.MISSED
    assert message_clock("2026-11-07 01:55", ended_at=due).counted == 4 * HOUR


ASKED = "2026-11-11 18:00"
START = z("2026-11-11 16:00")
PAUSES = [
    # pauses from minute to minute after the start, due so many minutes after it, counted after 120 minutes, state
    ([], 240, 120, State.RUNNING),
    ([(30, 60)], 270, 90, State.RUNNING),
    ([(30, 60), (60, 90)], 300, 60, State.RUNNING),  # they touch
    ([(30, 90), (60, 100)], 310, 50, State.RUNNING),  # they overlap
    ([(30, 100), (60, 70)], 310, 50, State.RUNNING),  # one within the other
    ([(-60, 30)], 270, 90, State.RUNNING),  # begun before the clock: only what is left of it counts
    ([(-60, -30)], 240, 120, State.RUNNING),  # before it
    ([(60, 60), (80, 70)], 240, 120, State.RUNNING),  # without length
    ([(100, 150)], 290, 100, State.PAUSED),
    ([(100, None)], None, 100, State.PAUSED),  # for the time being, nobody knows
    ([(100, None), (110, 130)], None, 100, State.PAUSED),
    ([(0, None)], None, 0, State.PAUSED),
    ([(120, None)], None, 120, State.PAUSED),  # from this instant on
    ([(60, 120)], 300, 60, State.RUNNING),  # until this instant
    ([(240, None)], 240, 120, State.RUNNING),  # due before it begins
]


@pytest.mark.parametrize(("spans", "due", "counted", "state"), PAUSES)
@pytest.mark.parametrize("schedules", [None, (AROUND_THE_CLOCK,)], ids=["elapsed", "around the clock"])
def test_pauses_stop_the_clock(spans, due, counted, state, schedules):
    for order in permutations(spans):
        pauses = [Pause(START + a * MINUTE, None if b is None else START + b * MINUTE, "customer") for a, b in order]
        clock = read_clock(Target(4 * HOUR), START, schedules, pauses, None, z(ASKED))

        assert clock.due_at == (None if due is None else START + due * MINUTE)
        assert (clock.counted, clock.state) == (counted * MINUTE, state)
        assert clock.why == ("customer" if state is State.PAUSED else "")


def test_why_it_is_paused_is_the_pause_that_lasts_longest():
    short = Pause(START, START + 3 * HOUR, "waiting for a call example")
    long = Pause(START, START + 5 * HOUR, "the customer is away")
    for pauses in ([short, long], [long, short]):
        clock = read_clock(Target(HOUR), START, None, pauses, None, z(ASKED))

        assert (clock.why, clock.resumes_at) == ("the customer is away", START + 5 * HOUR)


def test_a_pause_that_ends_while_nobody_is_on_duty_goes_on_when_somebody_is():
    pause = Pause(z("2026-11-07 01:56"), z("2026-11-08 03:00"), "waiting for a log")

    paused, closed = message_clock("2026-11-07 12:00", [pause]), message_clock("2026-11-08 04:00", [pause])

    assert (paused.why, paused.resumes_at) == ("waiting for a log", z("2026-11-08 21:00"))
    assert (closed.why, closed.resumes_at) == (WEEKEND, z("2026-11-08 21:00"))
    assert closed.due_at == z("2026-11-09 00:59")


def test_a_clock_that_started_in_the_gap_starts_to_count_when_somebody_is_on_duty():
    clock = message_clock("2026-11-07 12:00", start=z("2026-11-07 12:00"))

    assert (clock.state, clock.counted) == (State.PAUSED, timedelta())
    assert clock.due_at == z("2026-11-09 01:00")


def test_working_days_say_when_the_next_one_begins():
    target = Target(6 * HOUR, Counts.WORKING_DAYS)
    clock = read_clock(target, SATURDAY, (working_days("Europe/London"),), (), None, SATURDAY)

    assert clock.why == "no working day until Mon 2026-11-16 00:00 in Europe/London"
    assert clock.resumes_at == z("2026-11-16 00:00")


def test_a_target_of_nothing_is_due_at_once():
    clock = read_clock(Target(timedelta()), START, (EMEA,), [Pause(START, None, "held")], None, START)

    assert (clock.due_at, clock.warn_at, clock.state) == (START, START, State.RUNNING)
    assert read_clock(Target(timedelta()), START, (EMEA,), (), None, START + MOMENT).state is State.MISSED
    assert read_clock(Target(timedelta()), START, (EMEA,), (), START, START + HOUR).state is State.MET


def test_what_ended_before_it_began_is_met():
    """A response may be logged with an instant of another machine's clock."""
    clock = read_clock(Target(HOUR), START, None, (), START - HOUR, START)

    assert (clock.state, clock.counted, clock.ended_at) == (State.MET, timedelta(), START)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="give zero or more"):
        Target(-HOUR)
    for schedules, words in (((), "no schedule at all"), ((Schedule("never", "UTC", ((),) * 7),), "never")):
        with pytest.raises(ValueError, match=rf"nothing opens \({words}\); add opening hours"):
            read_clock(Target(HOUR), START, schedules, (), None, START)
    with pytest.raises(ValueError, match="aware instant"):
        read_clock(Target(HOUR), START.replace(tzinfo=None), None, (), None, START)


def test_what_happens_after_the_end_does_not_matter():
    ended = z("2026-11-08 22:00")
    before = message_clock("2026-11-08 22:00", [Pause(FRIDAY + MINUTE, None, "held")], ended)
    for pauses in (
        [Pause(FRIDAY + MINUTE, z("2026-11-12 00:00"), "held")],  # the pause got its end later
        [Pause(FRIDAY + MINUTE, None, "held"), Pause(ended, None, "again"), Pause(ended + HOUR, None, "and again")],
    ):
        for asked in ("2026-11-08 22:00", "2026-12-24 00:00"):
            clock = message_clock(asked, pauses, ended)
            assert replace(clock, pauses=()) == replace(before, pauses=())
    assert before.state is State.MET


def test_a_new_policy_does_not_change_a_finished_clock():
    """The clock of a case is read under the version that the case is pinned to, whatever is in force since."""
    text = shipped_policies()[0].read_text()
    ended = z("2026-11-08 23:30")

    def ended_clock(policy):
        target = policy.escalation_response
        return read_clock(target, FRIDAY, policy.calendar(target.counts, "us", 2), (), ended, z("2026-12-24 00:00"))

    pinned = ended_clock(parse_policy(text, "pinned.yaml"))
    stricter = ended_clock(parse_policy(text.replace("amount: 4 h", "amount: 2 h"), "later.yaml"))

    assert (pinned.state, stricter.state) == (State.MET, State.MISSED)
    assert ended_clock(parse_policy(text, "pinned.yaml")) == pinned


def test_an_older_text_without_the_newer_sections_still_reads():
    text = shipped_policies()[0].read_text()
    start, end = text.index("# Who is told of an escalation"), text.index("# No source gives the form")
    older = text[:start] + text[end:]
    older = older.replace(" working days, 3", ", 3").replace(", page_wait: 300", "").replace(" follow the sun", "")
    older = "".join(line for line in older.splitlines(keepends=True) if "updates:" not in line)

    policy = parse_policy(older, "older.yaml")

    assert policy.escalation_response == POLICY.escalation_response
    assert policy.ladders == {}
    assert (policy.retention, policy.acceptance, policy.call_back_due) == (
        POLICY.retention,
        POLICY.acceptance,
        POLICY.call_back_due,
    )
    assert policy.escalation_ladder("us", 1).levels[0].role == "engineer on call"
    assert policy.page_ladder("us") == POLICY.page_ladder("us")


# --- against a counter that knows nothing of schedules: plain hours and days off, walked minute by minute

PLAIN = {
    # name: zone, first minute, last minute (exclusive), days of the week, days off
    "us": ("America/Los_Angeles", 300, 1080, range(5), {date(2027, 3, 15), date(2027, 11, 8)}),
    "emea": ("Europe/London", 420, 1110, range(5), {date(2027, 3, 26), date(2027, 3, 29)}),
    "apac": ("Australia/Sydney", 480, 1020, range(5), {date(2027, 3, 29), date(2027, 10, 4)}),
    "nights": ("Europe/London", 0, 360, range(7), set()),
    "week": ("America/Los_Angeles", 0, 1440, range(5), set()),
}
CALENDARS = ((), ("us",), ("emea",), ("us", "emea", "apac"), ("apac", "emea"), ("nights",), ("week",))
CHANGES = [date(2027, 3, 14), date(2027, 3, 28), date(2027, 4, 4), date(2027, 10, 3), date(2027, 10, 31)]
CHANGES.append(date(2027, 11, 7))  # of the clocks in the three zones


def opened(name, instant):
    zone, opens, closes, days, off = PLAIN[name]
    local = instant.astimezone(ZoneInfo(zone))
    works = local.weekday() in days and local.date() not in off
    return works and opens <= local.hour * 60 + local.minute < closes


def scheduled(name):
    """The same hours, as the service keeps them."""
    zone, opens, closes, days, off = PLAIN[name]
    text = f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"
    week = desk(name, zone, text, HolidayRule(add=dict.fromkeys(off, "day off")) if off else None)
    return week if days == range(5) else replace(week, weekly=week.weekly[:1] * 7)


def counts(calendar, pauses, instant):
    held = any(since <= instant and (until is None or instant < until) for since, until in pauses)
    return not held and (not calendar or any(opened(name, instant) for name in calendar))


def walked(amount, start, calendar, pauses, asked):
    """Walk: return the minutes counted until asked, and when the amount and three quarters of it had counted."""
    endless = min((since for since, until in pauses if until is None), default=None)
    minutes, cursor, done, marks = 0, start, 0, {}
    while cursor < asked or (len(marks) < 2 and (endless is None or cursor < endless)):
        if counts(calendar, pauses, cursor):
            minutes += 1
            done += cursor < asked
        cursor += MINUTE
        for part in (amount * 3 // 4, amount):
            if minutes == part:
                marks.setdefault(part, cursor)
    return done, marks.get(amount), marks.get(amount * 3 // 4)


@st.composite
def courses(draw):
    change = draw(st.sampled_from(CHANGES))
    noon = datetime(change.year, change.month, change.day, 12, tzinfo=UTC)
    start = noon + draw(st.integers(-4 * 1440, 2 * 1440)) * MINUTE
    amount = draw(st.integers(1, 300)) * 4
    pause = st.tuples(st.integers(-600, 4000), st.none() | st.integers(0, 2000))
    drawn = draw(st.lists(pause, max_size=4))
    if not draw(st.booleans()):
        drawn = [(since, length or 60) for since, length in drawn]
    pauses = [
        (start + since * MINUTE, None if length is None else start + (since + length) * MINUTE)
        for since, length in drawn
    ]
    asked = start + draw(st.integers(0, 5000)) * MINUTE
    return amount, start, draw(st.sampled_from(CALENDARS)), pauses, asked


SCHEDULES = {name: scheduled(name) for name in PLAIN}


@given(courses(), st.randoms())
@settings(deadline=None, max_examples=150)
def test_a_clock_agrees_with_a_counter_that_walks_minute_by_minute(course, chance):
    """Across days off, both changes of the clocks in three zones, and pauses that became known in any order."""
    amount, start, calendar, spans, asked = course
    done, due, warned = walked(*course)
    chance.shuffle(spans)
    pauses = [Pause(since, until, "held") for since, until in spans]

    schedules = tuple(SCHEDULES[name] for name in calendar) or None
    clock = read_clock(Target(amount * MINUTE), start, schedules, pauses, None, asked)

    assert (clock.counted, clock.due_at, clock.warn_at) == (done * MINUTE, due, warned)
    if due is not None and asked > due:
        assert clock.state is State.MISSED
    else:
        runs = asked == due or counts(calendar, spans, asked)
        assert clock.state is (State.RUNNING if runs else State.PAUSED)
        assert bool(clock.why) is not runs
    ended = read_clock(Target(amount * MINUTE), start, schedules, pauses, asked, asked + 400 * HOUR)
    assert ended.state is (State.MISSED if due is not None and asked > due else State.MET)
    assert ended.counted == clock.counted


def test_the_calendars_of_a_policy():
    """Elapsed time has none; working days have the region's zone; a desk has its own; the sun has every region's."""
    days, desk_hours, sun = (
        POLICY.calendar(counts, "apac", 2) for counts in (Counts.WORKING_DAYS, Counts.DESK_HOURS, Counts.FOLLOW_THE_SUN)
    )

    assert POLICY.calendar(Counts.ELAPSED, "apac", 2) is None
    assert [each.zone for each in days] == ["Asia/Singapore"]
    assert desk_hours == (POLICY.desk("apac", 2).hours,)
    assert {each.zone for each in sun} == {"America/Los_Angeles", "Europe/Paris", "Australia/Sydney"}
    assert APAC not in sun
