"""The desks of the published contact table, as schedules, and short ways to write instants."""

from collections.abc import Sequence
from datetime import UTC, datetime

from routing.schedule import Basis, HolidayRule, Hours, Override, Schedule, Window


def weekdays(text: str) -> tuple[tuple[Window, ...], ...]:
    """Return a week that is open Monday to Friday."""
    return ((Window.parse(text),),) * 5 + ((), ())


def desk(name: str, zone: str, text: str, holidays: HolidayRule | None = None) -> Schedule:
    """Return a desk that is open Monday to Friday."""
    return Schedule(name, zone, weekdays(text), holidays=holidays)


def z(text: str) -> datetime:
    """Return an instant from "2026-01-12 13:00", in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def spans(schedule: Schedule, start: str, end: str, overrides: Sequence[Override] = ()) -> list[str]:
    """Return openings as "01-12 13:00 - 01-13 02:00", to be read at a glance."""
    found = schedule.openings(z(start), z(end), overrides)
    return [f"{opens:%m-%d %H:%M} - {closes:%m-%d %H:%M}" for opens, closes in found]


def opened(basis: Basis, reason: str, next_opening: datetime | None, next_closing: datetime | None) -> Hours:
    """Return the answer of an open desk."""
    return Hours(open=True, basis=basis, reason=reason, next_opening=next_opening, next_closing=next_closing)


def closed(basis: Basis, reason: str, next_opening: datetime | None, next_closing: datetime | None) -> Hours:
    """Return the answer of a closed desk."""
    return Hours(open=False, basis=basis, reason=reason, next_opening=next_opening, next_closing=next_closing)


US = desk("US", "America/Los_Angeles", "05:00-18:00")
EMEA = desk("EMEA", "Europe/London", "08:00-18:00")
APAC = desk("APAC", "Asia/Singapore", "09:00-18:00")
DESKS = (US, EMEA, APAC)

AROUND_THE_CLOCK = Schedule("24x7", "Europe/London", ((Window.parse("00:00-24:00"),),) * 7)
