"""A year of opening hours laid out in UTC, so that asking costs one bisection."""

import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from routing.window import Window, first_pass

HORIZON = timedelta(days=426)  # fourteen months: how far ahead an opening or closing is looked for
IN_SIGHT = HORIZON - timedelta(days=3)  # hours are laid out by the day, so only this much of it is certain

_MARGIN = timedelta(days=5)  # a year in any zone, and the windows that run over its ends, lie within it
_NEAR = timedelta(days=40)  # far enough for every desk that opens more than once a month


class Basis(StrEnum):
    """What decided that a desk is open or closed; the first that applies wins."""

    EMERGENCY = "emergency"
    OVERRIDE = "override"
    HOLIDAY = "holiday"
    SPECIAL = "special"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Hours:
    """Open or closed at an instant, why, and when that changes (UTC; None when not within fourteen months).

    While open, `next_closing` ends the present opening and `next_opening` is the one after it. While closed,
    `next_opening` is the coming one and `next_closing` its end.
    """

    open: bool
    basis: Basis
    reason: str
    next_opening: datetime | None
    next_closing: datetime | None


def utc(instant: datetime) -> datetime:
    """Return the instant in plain UTC, where two instants compare as they should. Raises ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone: give an aware instant")
    return datetime.fromtimestamp(instant.timestamp(), UTC)


class DayPlan(NamedTuple):
    """The windows that open on a local day, and what decided them."""

    windows: tuple[Window, ...]
    basis: Basis
    label: str

    def closed_reason(self) -> str:
        """Say why it is closed in the rest of the day."""
        if self.basis is Basis.HOLIDAY:
            return self.label
        if not self.windows:
            return f"closed all day on {self.label}"
        return f"outside the hours of {self.label}, {', '.join(map(str, self.windows))}"


Plan = Callable[[date], DayPlan]


class Timetable(NamedTuple):
    """From each edge (seconds since the epoch) until the next, the same hours hold."""

    edges: list[float]
    hours: list[Hours]


class _Span(NamedTuple):
    opens: int
    closes: int
    basis: Basis
    reason: str


class _Openings(NamedTuple):
    opens: list[int]
    closes: list[int]

    def after(self, edge: int) -> tuple[datetime | None, datetime | None]:
        """Return the next opening and the next closing."""
        coming = bisect_right(self.opens, edge)
        present = coming - 1 if coming and edge < self.closes[coming - 1] else coming
        return _in_sight(self.opens, coming, edge), _in_sight(self.closes, present, edge)


def timetable(plan: Plan, zone: ZoneInfo, year: int) -> Timetable:
    """Lay out every instant that lies in that calendar year somewhere on Earth."""
    first, last = date(year, 1, 1) - _MARGIN, date(year, 12, 31) + _MARGIN
    days = {first_pass(day, 0, zone): plan(day) for day in _days(first, last)}
    spans, openings = _spans_ahead(plan, zone, first, last)
    starting = {span.opens: span for span in spans}
    end = max(days)
    edges = sorted(mark for mark in {*days, *starting, *(span.closes for span in spans)} if mark <= end)
    hours, today, span = [], plan(first), None
    for edge in edges:
        today, span = days.get(edge, today), starting.get(edge, span)
        if span is not None and edge < span.closes:
            hours.append(Hours(True, span.basis, span.reason, *openings.after(edge)))  # noqa: FBT003
        else:
            hours.append(Hours(False, today.basis, today.closed_reason(), *openings.after(edge)))  # noqa: FBT003
    return Timetable([float(edge) for edge in edges], hours)


def _spans_ahead(plan: Plan, zone: ZoneInfo, first: date, last: date) -> tuple[list[_Span], _Openings]:
    """Return the spans of the days, and of as many later days as the next openings and closings need."""
    for reach in (_NEAR, HORIZON):
        spans = list(_spans(plan, zone, _days(first, last + reach + _MARGIN)))
        openings = _joined(spans)
        settled = [opens for opens in openings.opens if opens >= first_pass(last, 0, zone)]
        if len(settled) > 1:  # the end of the range may cut the last one short, and the first is all that is needed
            break
    return spans, openings


def _spans(plan: Plan, zone: ZoneInfo, days: Iterable[date]) -> Iterator[_Span]:
    """Yield disjoint spans in order; where two windows overlap, the one that opened first keeps the time."""
    taken = -sys.maxsize
    for day in days:
        windows, basis, label = plan(day)
        for window in sorted(windows):
            opens, closes = window.span(day, zone)
            if max(opens, taken) < closes:
                yield _Span(max(opens, taken), closes, basis, f"{label} {window}")
                taken = closes


def _joined(spans: Iterable[_Span]) -> _Openings:
    """Join the spans that touch."""
    joined = _Openings([], [])
    for span in spans:
        if joined.closes and joined.closes[-1] == span.opens:
            joined.closes[-1] = span.closes
        else:
            joined.opens.append(span.opens)
            joined.closes.append(span.closes)
    return joined


def _in_sight(marks: list[int], index: int, edge: int) -> datetime | None:
    if index >= len(marks) or marks[index] - edge > HORIZON.total_seconds():
        return None
    return datetime.fromtimestamp(marks[index], UTC)


def _days(first: date, last: date) -> Iterator[date]:
    return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))
