"""Opening hours on the days when clocks change: both changes of each region, the gap and the doubled hour."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from desks import desk, spans, z

from routing.schedule import Schedule, Window

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("zone", "friday", "monday_opening", "offset_moves"),
    [
        ("America/Los_Angeles", "2027-03-12 23:00", "2027-03-15 12:00", -1),
        ("America/Los_Angeles", "2027-11-05 23:00", "2027-11-08 13:00", 1),
        ("Europe/London", "2027-03-26 15:00", "2027-03-29 04:00", -1),
        ("Europe/London", "2027-10-29 14:00", "2027-11-01 05:00", 1),
        ("Australia/Sydney", "2027-04-02 04:00", "2027-04-04 19:00", 1),
        ("Australia/Sydney", "2027-10-01 05:00", "2027-10-03 18:00", -1),
    ],
)
def test_the_desk_opens_at_the_same_local_time_after_the_clocks_change(zone, friday, monday_opening, offset_moves):
    schedule = desk("moves", zone, "05:00-18:00")
    hours = schedule.at(z(friday))

    assert hours.open
    assert hours.next_opening == z(monday_opening)
    assert hours.next_opening - schedule.openings(z(friday) - 15 * HOUR, z(friday))[0][0] == (
        3 * DAY + offset_moves * HOUR
    )
    assert schedule.local(hours.next_opening).hour == 5


@pytest.mark.parametrize(
    ("zone", "day", "window", "utc"),
    [
        # the hour from 02:00 (London 01:00, Cairo 00:00, Lord Howe only half an hour) does not exist
        ("America/Los_Angeles", "2027-03-14", "02:30-09:00", "03-14 10:00 - 03-14 16:00"),
        ("America/Los_Angeles", "2027-03-14", "00:00-02:30", "03-14 08:00 - 03-14 10:00"),
        ("America/Los_Angeles", "2027-03-14", "02:10-02:50", None),
        ("America/Los_Angeles", "2027-03-13", "22:00-02:30", "03-14 06:00 - 03-14 10:00"),
        ("Europe/London", "2027-03-28", "01:30-09:00", "03-28 01:00 - 03-28 08:00"),
        ("Europe/London", "2027-03-28", "00:00-01:30", "03-28 00:00 - 03-28 01:00"),
        ("Australia/Sydney", "2027-10-03", "02:30-09:00", "10-02 16:00 - 10-02 22:00"),
        ("Australia/Sydney", "2027-10-03", "00:00-02:30", "10-02 14:00 - 10-02 16:00"),
        ("Africa/Cairo", "2024-04-26", "00:30-09:00", "04-25 22:00 - 04-26 06:00"),
        ("Africa/Cairo", "2024-04-25", "20:00-24:00", "04-25 18:00 - 04-25 22:00"),
        ("Australia/Lord_Howe", "2027-10-03", "02:15-09:00", "10-02 15:30 - 10-02 22:00"),
        # the hour from 01:00 (Sydney 02:00, Lord Howe its second half) comes twice
        ("America/Los_Angeles", "2027-11-07", "01:30-09:00", "11-07 08:30 - 11-07 17:00"),
        ("America/Los_Angeles", "2027-11-07", "00:00-01:30", "11-07 07:00 - 11-07 09:30"),
        ("America/Los_Angeles", "2027-11-07", "01:15-01:45", "11-07 08:15 - 11-07 09:45"),
        ("America/Los_Angeles", "2027-11-07", "00:00-02:00", "11-07 07:00 - 11-07 10:00"),
        ("America/Los_Angeles", "2027-11-06", "22:00-01:30", "11-07 05:00 - 11-07 09:30"),
        ("Europe/London", "2027-10-31", "01:30-09:00", "10-31 00:30 - 10-31 09:00"),
        ("Europe/London", "2027-10-31", "00:00-01:30", "10-30 23:00 - 10-31 01:30"),
        ("Australia/Sydney", "2027-04-04", "02:30-09:00", "04-03 15:30 - 04-03 23:00"),
        ("Australia/Sydney", "2027-04-04", "00:00-02:30", "04-03 13:00 - 04-03 16:30"),
        ("Australia/Lord_Howe", "2027-04-04", "01:45-09:00", "04-03 14:45 - 04-03 22:30"),
    ],
)
def test_a_window_that_meets_the_change_gains_time_and_never_loses_it(zone, day, window, utc):
    only = date.fromisoformat(day)
    schedule = Schedule("once", zone, ((),) * 7, special={only: (Window.parse(window),)})

    assert spans(schedule, f"{only - DAY} 00:00", f"{only + 2 * DAY} 00:00") == ([utc] if utc else [])


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/Los_Angeles", "2027-03-14"),
        ("America/Los_Angeles", "2027-11-07"),
        ("Europe/London", "2027-03-28"),
        ("Europe/London", "2027-10-31"),
        ("Australia/Sydney", "2027-10-03"),
        ("Australia/Sydney", "2027-04-04"),
        ("Australia/Lord_Howe", "2027-04-04"),
        ("Africa/Cairo", "2024-04-26"),
        ("Africa/Cairo", "2024-10-31"),
        ("Asia/Singapore", "2027-03-14"),
    ],
)
def test_every_window_end_of_the_day_means_what_the_wall_clock_passes(zone, day):
    """It opens when the clock first shows the time or later, and closes when it never again shows an earlier one."""
    only = date.fromisoformat(day)
    start = datetime(only.year, only.month, only.day, tzinfo=UTC) - DAY
    walls = [(start + n * MINUTE).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for n in range(4 * 24 * 60)]

    for minute in range(0, 24 * 60, 5):
        wall = datetime.combine(only, datetime.min.time()) + minute * MINUTE
        first = next(n for n, shown in enumerate(walls) if shown >= wall)
        last = 1 + max(n for n, shown in enumerate(walls) if shown < wall)
        opens, _ = Window(minute, (minute - 5) % 1440).span(only, ZoneInfo(zone))
        _, closes = Window((minute + 5) % 1440, minute).span(only - DAY * (minute < 1435), ZoneInfo(zone))
        assert datetime.fromtimestamp(opens, UTC) == start + first * MINUTE, f"opening {wall}"
        assert datetime.fromtimestamp(closes, UTC) == start + last * MINUTE, f"closing {wall}"


def test_the_doubled_hour_has_two_instants_that_read_alike_and_only_one_may_be_open():
    schedule = Schedule(
        "once", "Europe/London", ((),) * 7, special={date(2027, 10, 31): (Window.parse("01:50-02:00"),)}
    )
    first, second = z("2027-10-31 00:40"), z("2027-10-31 01:40")

    assert schedule.local(first).format("HH:mm") == schedule.local(second).format("HH:mm") == "01:40"
    assert not schedule.is_open(first)
    assert schedule.is_open(second)
    assert schedule.is_open(schedule.local(second)), "a local instant is judged by its own offset"
    assert not schedule.is_open(schedule.local(first))
