"""Opening hours against an independent table: every minute of a leap year, and a second either side of each boundary.

The table knows nothing of windows or intervals. It reads the wall clock of each UTC hour from zoneinfo and asks of
every minute whether the published hours contain it. Its hours begin and end outside the doubled hours, where a wall
clock alone cannot tell; those have tests of their own.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from desks import weekdays

from routing.schedule import HolidayRule, Schedule, Window

FIRST = datetime(2028, 1, 1, tzinfo=UTC)
MINUTES = 366 * 24 * 60
SECOND = timedelta(seconds=1)

CLOSED = {date(2028, 1, 3): "New Year", date(2028, 7, 4): "a Tuesday", date(2028, 12, 25): "a Monday"}
OFFICE = HolidayRule(add=CLOSED)
HALF_DAYS = {date(2028, 12, 24): (Window.parse("10:00-12:00"),), date(2028, 2, 29): ()}

# zone, hours as published, the schedule that ought to say the same
TABLE = [
    pytest.param("America/Los_Angeles", (5, 18), "05:00-18:00", id="US desk"),
    pytest.param("Europe/London", (8, 18), "08:00-18:00", id="EMEA desk"),
    pytest.param("Asia/Singapore", (9, 18), "09:00-18:00", id="APAC desk"),
    pytest.param("Australia/Sydney", (22, 6), "22:00-06:00", id="a night shift in Sydney"),
]


@pytest.mark.parametrize(("zone", "published", "window"), TABLE)
def test_every_minute_of_a_leap_year_agrees_with_the_wall_clock(zone, published, window):
    schedule = Schedule("under test", zone, weekdays(window), special=HALF_DAYS, holidays=OFFICE)
    expected = minute_table(zone, *published)

    wrong = [minute for minute in range(MINUTES) if schedule.is_open(instant(minute)) is not expected[minute]]

    assert wrong == [], f"first mismatch at {instant(wrong[0])}, {len(wrong)} in all"


@pytest.mark.parametrize(("zone", "published", "window"), TABLE)
def test_a_second_before_and_after_each_boundary_is_on_the_right_side(zone, published, window):
    schedule = Schedule("under test", zone, weekdays(window), special=HALF_DAYS, holidays=OFFICE)
    expected = minute_table(zone, *published)
    boundaries = [minute for minute in range(1, MINUTES) if expected[minute] is not expected[minute - 1]]

    assert len(boundaries) > 500
    assert schedule.boundaries(instant(1), instant(MINUTES)) == tuple(instant(minute) for minute in boundaries)
    for minute in boundaries:
        at, opens = instant(minute), expected[minute]
        assert schedule.is_open(at - SECOND) is not opens, f"a second before {at}"
        assert schedule.is_open(at) is opens, f"at {at}"
        assert schedule.is_open(at + SECOND) is opens, f"a second after {at}"
        before = schedule.at(at - SECOND)
        assert (before.next_opening if opens else before.next_closing) == at


def minute_table(zone: str, opens: int, closes: int) -> list[bool]:
    """Say of every UTC minute of the year whether the desk is open, by looking at the wall clock of the zone."""
    clock = ZoneInfo(zone)
    table = []
    for hour in range(MINUTES // 60):
        offset = int((FIRST + timedelta(hours=hour)).astimezone(clock).utcoffset().total_seconds()) // 60
        for minute in range(hour * 60, hour * 60 + 60):
            day, wall = divmod(minute + offset, 24 * 60)
            today = FIRST.toordinal() + day
            if opens < closes:
                table.append(works(today, opens, closes, wall))
            else:
                table.append(
                    works(today, opens, 24, wall) or (wall < closes * 60 and works(today - 1, opens, 24, 1439))
                )
    return table


def works(day: int, opens: int, closes: int, wall: int) -> bool:
    """Whether the desk that opens on that day is open at that minute of it."""
    on = date.fromordinal(day)
    if (on.month, on.day) == (12, 24):
        return 600 <= wall < 720
    if (on.month, on.day) == (2, 29) or on in CLOSED:
        return False
    return on.weekday() < 5 and opens * 60 <= wall < closes * 60


def instant(minute: int) -> datetime:
    """Return the UTC instant of that minute of the year."""
    return FIRST + timedelta(minutes=minute)
