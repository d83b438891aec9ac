"""What holds for any hours and any overrides, at any instant of a year with its clock changes."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.holidays import HolidayRule
from routing.schedule import Override, Schedule, Window

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


ZONES = ("America/Los_Angeles", "Europe/London", "Asia/Singapore", "Australia/Sydney", "Australia/Lord_Howe", "UTC")
windows = st.lists(st.builds(Window, st.integers(0, 1439), st.integers(0, 1440)), max_size=2).map(tuple)
dates = st.dates(date(2027, 1, 1), date(2027, 12, 31))
instants = st.datetimes(datetime(2027, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
schedules = st.builds(
    Schedule,
    name=st.just("any"),
    zone=st.sampled_from(ZONES),
    weekly=st.tuples(*[windows] * 7),
    special=st.dictionaries(dates, windows, max_size=3),
    holidays=st.none() | st.builds(HolidayRule, add=st.dictionaries(dates, st.just("Off"), max_size=3)),
)


@st.composite
def situations(draw):
    """A schedule, an instant, and overrides near it."""
    at = draw(instants)
    near = st.integers(-10_000, 10_000).map(lambda minutes: at + minutes * MINUTE)
    ends = st.tuples(near, near).filter(lambda pair: pair[0] != pair[1]).map(sorted)
    made = st.builds(
        lambda pair, opens, emergency: Override("any", opens, *pair, "drawn", emergency),
        ends,
        st.booleans(),
        st.booleans(),
    )
    return draw(schedules), at, draw(st.lists(made, max_size=4))


@given(situations())
@settings(deadline=None, max_examples=80)
def test_is_open_agrees_with_the_openings(situation):
    schedule, at, overrides = situation
    openings = schedule.openings(at - 3 * DAY, at + 3 * DAY, overrides)

    assert schedule.is_open(at, overrides) is any(opens <= at < closes for opens, closes in openings)
    assert schedule.is_open(at, overrides) is schedule.at(at, overrides).open
    assert all(a[1] < b[0] for a, b in pairwise(openings)), "joined and in order"


@given(situations())
@settings(deadline=None, max_examples=80)
def test_the_next_opening_and_closing_really_are_the_next(situation):
    schedule, at, overrides = situation
    hours = schedule.at(at, overrides)
    turns = [turn for turn in (hours.next_opening, hours.next_closing) if turn is not None]

    assert all(turn > at for turn in turns)
    assert schedule.boundaries(at + timedelta(microseconds=1), max(turns, default=at) + SECOND, overrides)[:2] == tuple(
        sorted(turns)
    )
    for turn, opens in ((hours.next_opening, True), (hours.next_closing, False)):
        if turn is not None:
            assert schedule.is_open(turn, overrides) is opens
            assert schedule.is_open(turn - timedelta(microseconds=1), overrides) is not opens


@given(situations())
@settings(deadline=None, max_examples=60)
def test_the_hours_agree_with_reading_the_rules_minute_by_minute(situation):
    schedule, at, overrides = situation
    for minute in range(0, 36 * 60, 7):
        instant = at + minute * MINUTE

        assert schedule.is_open(instant, overrides) is by_the_rules(schedule, instant, overrides)


def by_the_rules(schedule: Schedule, at: datetime, overrides: list[Override]) -> bool:
    """Judge one instant by the order of the rules, looking at each window of the days around it."""
    active = [each for each in overrides if each.starts <= at < each.ends]
    for candidates in ([each for each in active if each.emergency], active):
        if candidates:
            newest = max(each.starts for each in candidates)
            tied = [each for each in candidates if each.starts == newest]
            shortest = min(each.ends for each in tied)
            return any(each.opens for each in tied if each.ends == shortest)
    zone, today = ZoneInfo(schedule.zone), at.astimezone(ZoneInfo(schedule.zone)).date()
    for day in (today - 2 * DAY, today - DAY, today, today + DAY):
        if schedule.holidays and schedule.holidays.on(day):
            continue
        for window in schedule.special.get(day, schedule.weekly[day.weekday()]):
            opens, closes = window.span(day, zone)
            if opens <= at.timestamp() < closes:
                return True
    return False
