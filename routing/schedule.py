"""Opening hours: whether a desk or a line is open at an instant, why, and when that changes.

A schedule is civil time in one zone; every instant in and out is UTC. What decides, first to last: an emergency, an
override, a public holiday, a special date, the weekly hours. Windows belong to the day on which they open.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pendulum

from routing.holidays import HolidayRule, covers, predicted
from routing.timetable import HORIZON, IN_SIGHT, Basis, DayPlan, Hours, Timetable, timetable, utc
from routing.window import Window

__all__ = [
    "Basis",
    "HolidayRule",
    "Hours",
    "Override",
    "Schedule",
    "Window",
    "covers",
    "next_boundary",
    "predicted",
]

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_YEARS_KEPT = 12
_YEARS = range(1970, 2200)  # zones and calendars say nothing sensible about others
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Override:
    """A person's decision that `scope` is open or closed from `starts` until before `ends`, whatever the hours say.

    Raises ValueError when an end is naive, or not after the start: an override without an end is never meant.
    """

    scope: str
    opens: bool
    starts: datetime
    ends: datetime
    reason: str
    emergency: bool = False

    def __post_init__(self) -> None:
        """Keep both instants in UTC, where they compare rightly."""
        object.__setattr__(self, "starts", utc(self.starts))
        object.__setattr__(self, "ends", utc(self.ends))
        if self.ends <= self.starts:
            raise ValueError(
                f"override {self.reason!r} ends at {self.ends}, not after its start {self.starts}: give a later end"
            )

    def rank(self) -> tuple[bool, datetime, timedelta, bool, str]:
        """Order overrides active together, the strongest last: emergency, later start, shorter, opening."""
        return self.emergency, self.starts, self.starts - self.ends, self.opens, self.reason


@dataclass(frozen=True, slots=True)
class Schedule:
    """The hours of one desk or line: `weekly` windows from Monday to Sunday, in the civil time of an IANA `zone`.

    `special` replaces the windows of single dates (none: closed); a holiday closes its day. Raises ValueError for an
    unknown zone or a week that has not seven days.
    """

    name: str
    zone: str
    weekly: tuple[tuple[Window, ...], ...]
    special: Mapping[date, tuple[Window, ...]] = field(default_factory=dict, hash=False)
    holidays: HolidayRule | None = None
    _years: dict[int, Timetable] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a zone without data and a broken week."""
        if len(self.weekly) != len(_WEEKDAYS):
            raise ValueError(f"schedule {self.name!r} has {len(self.weekly)} days: give seven, Monday first")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                f"schedule {self.name!r} has no time zone {self.zone!r}: use an IANA name such as Europe/London"
            ) from None

    def at(self, instant: datetime, overrides: Sequence[Override] = ()) -> Hours:
        """Return the hours in force at an aware instant. The overrides are those of this schedule's scope only.

        Raises ValueError for a naive instant, and for one before 1970 or after 2199.
        """
        if instant.tzinfo is None or overrides:
            return self._overruled(utc(instant), overrides)  # utc() refuses a naive instant
        year = self._years.get(instant.year) or self._lay_out(instant.year)
        return year.hours[bisect_right(year.edges, instant.timestamp()) - 1]

    def is_open(self, instant: datetime, overrides: Sequence[Override] = ()) -> bool:
        """Whether it is open at that instant."""
        return self.at(instant).open if not overrides else self._opened(instant, _ruling(overrides, utc(instant)))

    def openings(
        self, start: datetime, end: datetime, overrides: Sequence[Override] = ()
    ) -> tuple[tuple[datetime, datetime], ...]:
        """Return the stretches between two instants during which it is open, joined where they touch."""
        start, end = utc(start), utc(end)
        if start >= end:
            return ()
        marks = [start] if self.is_open(start, overrides) else []
        marks += self._changes(start, end, overrides)
        return tuple(zip(marks[::2], [*marks[1::2], end], strict=False))

    def boundaries(self, start: datetime, end: datetime, overrides: Sequence[Override] = ()) -> tuple[datetime, ...]:
        """Return in order the instants from `start` until before `end` at which it opens or closes."""
        return tuple(self._changes(utc(start) - _MOMENT, utc(end), overrides))

    def local(self, instant: datetime) -> pendulum.DateTime:
        """Return the instant as the clocks of the zone show it, to be spoken or printed; compare instants in UTC."""
        return pendulum.instance(utc(instant)).in_timezone(self.zone)

    def _overruled(self, instant: datetime, overrides: Sequence[Override]) -> Hours:
        hours, ruling = self.at(instant), _ruling(overrides, instant)
        if ruling is None and all(each.ends <= instant for each in overrides):
            return hours
        opened = self._opened(instant, ruling)
        changes = self._changes(instant, instant + HORIZON, overrides)
        first, second = next(changes, None), next(changes, None)
        opening, closing = (second, first) if opened else (first, second)
        if ruling is None:
            return Hours(opened, hours.basis, hours.reason, opening, closing)
        basis = Basis.EMERGENCY if ruling.emergency else Basis.OVERRIDE
        return Hours(opened, basis, ruling.reason, opening, closing)

    def _opened(self, instant: datetime, ruling: Override | None) -> bool:
        return self.at(instant).open if ruling is None else ruling.opens

    def _changes(self, start: datetime, end: datetime, overrides: Sequence[Override]) -> Iterator[datetime]:
        """Yield the instants after `start` and before `end` at which it opens or closes."""
        turns = {turn for each in overrides for turn in (each.starts, each.ends) if start < turn < end}
        opened = self._opened(start, _ruling(overrides, start))
        for since, until in pairwise((start, *sorted(turns), end)):
            ruling = _ruling(overrides, since)
            if opened != self._opened(since, ruling):
                opened = not opened
                yield since
            for change in self._own_changes(since, until) if ruling is None else ():
                opened = not opened
                yield change

    def _own_changes(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Yield the same where no override rules."""
        while start < end:
            hours = self.at(start)
            change = hours.next_closing if hours.open else hours.next_opening
            if change is not None and change < end:
                yield change
            start = change or start + IN_SIGHT

    def _lay_out(self, year: int) -> Timetable:
        if year not in _YEARS:
            raise ValueError(f"no opening hours are known for the year {year}: ask for one from 1970 to 2199")
        if len(self._years) >= _YEARS_KEPT:
            self._years.clear()
        table = self._years[year] = timetable(self._plan, ZoneInfo(self.zone), year)
        return table

    def _plan(self, day: date) -> DayPlan:
        holiday = self.holidays.on(day) if self.holidays else None
        if holiday is not None:
            return DayPlan((), Basis.HOLIDAY, holiday)
        if day in self.special:
            return DayPlan(self.special[day], Basis.SPECIAL, day.isoformat())
        return DayPlan(self.weekly[day.weekday()], Basis.WEEKLY, _WEEKDAYS[day.weekday()])


def next_boundary(schedule: Schedule, instant: datetime) -> datetime:
    """Return when the schedule next opens or closes; the next local midnight if it does neither in fourteen months."""
    hours = schedule.at(instant)
    change = hours.next_closing if hours.open else hours.next_opening
    return change or utc(schedule.local(instant).add(days=1).start_of("day"))


def _ruling(overrides: Sequence[Override], instant: datetime) -> Override | None:
    active = (each for each in overrides if each.starts <= instant < each.ends)
    return max(active, key=Override.rank, default=None)
