"""Working time: a clock that runs while any of several schedules is open, less the breaks that people order.

Several schedules together follow the sun: while one region sleeps, another one's hours count.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from routing.schedule import Schedule
from routing.timetable import IN_SIGHT, utc
from routing.window import DAY, Window

Stretch = tuple[datetime, datetime]

FOREVER = datetime.max.replace(tzinfo=UTC)

_NOTHING = timedelta()
_ALL_DAY = (Window(0, DAY),)
_WORKING_DAYS: dict[str, Schedule] = {}


def due(start: datetime, amount: timedelta, schedules: Sequence[Schedule]) -> datetime:
    """Return the earliest instant (UTC) by which that much open time has run since `start`.

    Raises ValueError for a negative amount, and when nothing opens for fourteen months.
    """
    if amount < _NOTHING:
        raise ValueError(f"{amount} is no amount of working time: give zero or more")
    if not amount:
        return utc(start)
    end = after(amount, running(start, schedules))
    if end is None:
        names = ", ".join(each.name for each in schedules) or "no schedule at all"
        raise ValueError(f"{amount} cannot run after {start}: nothing opens ({names}); add opening hours")
    return end


def after(amount: timedelta, stretches: Iterable[Stretch]) -> datetime | None:
    """Return the instant by which the stretches add up to a positive amount; None if they never do."""
    left = amount
    for opens, closes in stretches:
        if left <= closes - opens:
            return opens + left
        left -= closes - opens
    return None


def counted(start: datetime, end: datetime, schedules: Sequence[Schedule]) -> tuple[Stretch, ...]:
    """Return the stretches (UTC) between the two instants during which the clock runs, joined where they touch."""
    return until(end, running(start, schedules))


def until(end: datetime, stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Return the stretches as far as that instant, joined where they touch."""
    end = utc(end)
    found: list[Stretch] = []
    for opens, closes in stretches:
        if opens >= end:
            break
        since = found.pop()[0] if found and found[-1][1] == opens else opens
        found.append((since, min(closes, end)))
    return tuple(found)


def worked(start: datetime, end: datetime, schedules: Sequence[Schedule]) -> timedelta:
    """Return how much open time runs between the two instants."""
    return total(counted(start, end, schedules))


def total(stretches: Iterable[Stretch]) -> timedelta:
    """Return how long the stretches are together."""
    return sum((closes - opens for opens, closes in stretches), _NOTHING)


def working_days(zone: str) -> Schedule:
    """Return the calendar of targets published in business days: midnight to midnight, Monday to Friday."""
    return _WORKING_DAYS.setdefault(zone, Schedule(f"working days {zone}", zone, (_ALL_DAY,) * 5 + ((),) * 2))


def running(start: datetime, schedules: Sequence[Schedule]) -> Iterator[Stretch]:
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


def less(stretches: Iterable[Stretch], breaks: Sequence[Stretch]) -> Iterator[Stretch]:
    """Yield what is left of the stretches outside the breaks, which are in order and apart.

    It ends where a break that lasts for ever begins, so that what comes after it is never asked for.
    """
    end = breaks[-1][0] if breaks and breaks[-1][1] == FOREVER else FOREVER
    for opens, closes in stretches:
        if opens >= end:
            return
        cursor = opens
        for since, to in breaks:
            if cursor < since < closes:
                yield cursor, since
            if since < closes and to > cursor:
                cursor = max(cursor, to)
        if cursor < closes:
            yield cursor, closes


def merged(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Return stretches given in any order as stretches in order and apart; what has no length is left out."""
    found: list[Stretch] = []
    for since, to in sorted(stretches):
        if found and since <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], to)
        elif since < to:
            found.append((since, to))
    return tuple(found)
