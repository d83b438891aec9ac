"""Working time: a clock that runs while any of several schedules is open.

Several schedules together follow the sun: while one region sleeps, another one's hours count.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from routing.schedule import Schedule
from routing.timetable import IN_SIGHT, utc

_NOTHING = timedelta()


def due(start: datetime, amount: timedelta, schedules: Sequence[Schedule]) -> datetime:
    """Return the earliest instant (UTC) by which that much open time has run since `start`.

    Raises ValueError for a negative amount, and when nothing opens for fourteen months.
    """
    if amount < _NOTHING:
        raise ValueError(f"{amount} is no amount of working time: give zero or more")
    if not amount:
        return utc(start)
    left = amount
    for opens, closes in _runs(start, schedules):
        if left <= closes - opens:
            return opens + left
        left -= closes - opens
    names = ", ".join(each.name for each in schedules) or "no schedule at all"
    raise ValueError(f"{left} of {amount} cannot run after {start}: nothing opens ({names}); add opening hours")


def counted(start: datetime, end: datetime, schedules: Sequence[Schedule]) -> tuple[tuple[datetime, datetime], ...]:
    """Return the stretches (UTC) between the two instants during which the clock runs, joined where they touch."""
    end = utc(end)
    stretches: list[tuple[datetime, datetime]] = []
    for opens, closes in _runs(start, schedules):
        if opens >= end:
            break
        since = stretches.pop()[0] if stretches and stretches[-1][1] == opens else opens
        stretches.append((since, min(closes, end)))
    return tuple(stretches)


def worked(start: datetime, end: datetime, schedules: Sequence[Schedule]) -> timedelta:
    """Return how much open time runs between the two instants."""
    return sum((closes - opens for opens, closes in counted(start, end, schedules)), _NOTHING)


def _runs(start: datetime, schedules: Sequence[Schedule]) -> Iterator[tuple[datetime, datetime]]:
    """Yield in order the stretches, which may touch, during which one of the schedules is open."""
    cursor = utc(start)
    while True:
        states = [each.at(cursor) for each in schedules]
        closings = [state.next_closing or cursor + IN_SIGHT for state in states if state.open]
        openings = [state.next_opening for state in states if state.next_opening is not None]
        if closings:
            yield cursor, max(closings)
            cursor = max(closings)
        elif openings:
            cursor = min(openings)
        else:
            return
