"""Targets run while somebody is at work: in one region, or following the sun."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from desks import APAC, AROUND_THE_CLOCK, DESKS, EMEA, US, desk, z
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.holidays import HolidayRule
from routing.schedule import Schedule, Window
from routing.worktime import counted, due, worked

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

ESCALATION_DESKS = (
    desk("US", "America/Los_Angeles", "05:00-18:00"),
    desk("EMEA", "Europe/Paris", "07:00-18:30"),
    desk("APAC", "Australia/Sydney", "08:00-17:00"),
)


@pytest.mark.parametrize(
    ("start", "amount", "desks", "end"),
    [
        ("2026-01-13 09:00", 4 * HOUR, [EMEA], "2026-01-13 13:00"),
        ("2026-01-13 16:00", 2 * HOUR, [EMEA], "2026-01-13 18:00"),  # done at the very closing, not at the next opening
        ("2026-01-13 16:00", 4 * HOUR, [EMEA], "2026-01-14 10:00"),
        ("2026-01-13 20:00", 1 * HOUR, [EMEA], "2026-01-14 09:00"),
        ("2026-01-16 17:00", 4 * HOUR, [EMEA], "2026-01-19 11:00"),  # over a weekend
        ("2026-03-27 17:00", 4 * HOUR, [EMEA], "2026-03-30 10:00"),  # over the weekend of a clock change
        ("2026-01-13 20:00", 4 * HOUR, DESKS, "2026-01-14 00:00"),  # follow the sun: elapsed time on weekdays
        ("2026-01-16 23:30", 4 * HOUR, DESKS, "2026-01-19 02:30"),  # 2.5 hours on Friday, then Monday in Singapore
        ("2026-01-17 12:00", 4 * HOUR, DESKS, "2026-01-19 05:00"),  # taken on a Saturday
        ("2026-07-18 12:00", 4 * HOUR, DESKS, "2026-07-20 05:00"),
        ("2026-01-17 12:00", 4 * HOUR, [AROUND_THE_CLOCK], "2026-01-17 16:00"),
        ("2026-01-17 12:00", 4 * HOUR, [EMEA, AROUND_THE_CLOCK], "2026-01-17 16:00"),
        ("2026-01-17 12:00", 1000 * DAY, [AROUND_THE_CLOCK], "2028-10-13 12:00"),
        ("2026-01-17 12:00", 0 * HOUR, [EMEA], "2026-01-17 12:00"),
        ("2026-01-12 21:00", 4 * HOUR, ESCALATION_DESKS, "2026-01-13 01:00"),
        ("2026-01-16 22:00", 8 * HOUR, ESCALATION_DESKS, "2026-01-19 01:00"),  # Sydney opens on Sunday at 21:00 UTC
    ],
)
def test_a_target_falls_due_after_that_much_open_time(start, amount, desks, end):
    assert due(z(start), amount, desks) == z(end)


def test_on_weekdays_following_the_sun_is_the_same_as_elapsed_time():
    start = z("2026-01-12 01:00")
    while start < z("2026-01-16 22:00"):
        assert due(start, 4 * HOUR, DESKS) == start + 4 * HOUR
        start += timedelta(minutes=20)


def test_a_holiday_of_one_region_leaves_the_others_counting():
    off = desk("EMEA", "Europe/London", "08:00-18:00", HolidayRule("GB", "ENG"))

    assert due(z("2026-04-06 10:00"), 4 * HOUR, [off]) == z("2026-04-07 11:00")
    assert due(z("2026-04-06 10:00"), 4 * HOUR, [off, US]) == z("2026-04-06 16:00")


def test_the_arithmetic_is_shown_as_the_stretches_that_count():
    assert counted(z("2026-01-16 23:30"), z("2026-01-19 02:30"), DESKS) == (
        (z("2026-01-16 23:30"), z("2026-01-17 02:00")),
        (z("2026-01-19 01:00"), z("2026-01-19 02:30")),
    )


def test_desks_that_overlap_or_touch_make_one_stretch():
    """In summer the US closes at the instant at which Singapore opens."""
    start, end = z("2026-07-13 01:00"), z("2026-07-18 01:00")

    assert counted(start, end, DESKS) == ((start, end),)
    assert worked(start, end, DESKS) == 5 * DAY


def test_nothing_counts_outside_hours_or_backwards_or_without_schedules():
    assert counted(z("2026-01-17 03:00"), z("2026-01-18 23:00"), DESKS) == ()
    assert worked(z("2026-01-14 12:00"), z("2026-01-13 12:00"), DESKS) == timedelta()
    assert worked(z("2026-01-13 12:00"), z("2026-01-14 12:00"), []) == timedelta()


def test_an_endless_opening_is_one_stretch():
    start, end = z("2026-01-01 00:00"), z("2031-01-01 00:00")

    assert counted(start, end, [APAC, AROUND_THE_CLOCK]) == ((start, end),)


def test_the_doubled_hour_counts_twice_and_the_skipped_one_not_at_all():
    night = Schedule("night", "Europe/London", ((Window.parse("00:00-06:00"),),) * 7)

    assert worked(z("2027-10-30 12:00"), z("2027-10-31 12:00"), [night]) == 7 * HOUR
    assert worked(z("2027-03-27 12:00"), z("2027-03-28 12:00"), [night]) == 5 * HOUR


@pytest.mark.parametrize(
    ("desks", "words"), [([], "no schedule at all"), ([Schedule("never", "UTC", ((),) * 7)], "never")]
)
def test_a_target_that_can_never_be_met_is_an_error_that_says_so(desks, words):
    with pytest.raises(ValueError, match=rf"nothing opens \({words}\); add opening hours"):
        due(z("2026-01-13 12:00"), HOUR, desks)


def test_a_negative_amount_and_a_naive_instant_are_refused():
    naive = z("2026-01-13 12:00").replace(tzinfo=None)

    with pytest.raises(ValueError, match="give zero or more"):
        due(z("2026-01-13 12:00"), -HOUR, [EMEA])
    for ask in (lambda: due(naive, HOUR, [EMEA]), lambda: worked(naive, z("2026-01-14 12:00"), [EMEA])):
        with pytest.raises(ValueError, match="aware instant"):
            ask()


instants = st.datetimes(datetime(2027, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
amounts = st.timedeltas(timedelta(), 40 * DAY)
chosen = st.lists(st.sampled_from((*DESKS, *ESCALATION_DESKS, AROUND_THE_CLOCK)), min_size=1, max_size=4)


@given(instants, amounts, chosen)
@settings(deadline=None)
def test_exactly_the_amount_has_run_when_a_target_falls_due(start, amount, desks):
    end = due(start, amount, desks)

    assert worked(start, end, desks) == amount
    if amount:
        assert worked(start, end - timedelta(microseconds=1), desks) < amount, "and not an instant earlier"


@given(instants, amounts, chosen)
@settings(deadline=None)
def test_an_instant_counts_if_and_only_if_some_desk_is_open(start, length, desks):
    stretches = counted(start, start + length, desks)

    assert all(start <= opens < closes <= start + length for opens, closes in stretches)
    assert all(a[1] < b[0] for a, b in pairwise(stretches)), "joined and in order"
    for step in range(50):
        at = start + length * step / 50
        inside = any(opens <= at < closes for opens, closes in stretches)
        assert inside is (length > timedelta() and any(each.is_open(at) for each in desks))


@given(instants, amounts, amounts, chosen)
@settings(deadline=None)
def test_working_time_adds_up(start, first, second, desks):
    middle, end = start + first, start + first + second

    assert worked(start, middle, desks) + worked(middle, end, desks) == worked(start, end, desks)
