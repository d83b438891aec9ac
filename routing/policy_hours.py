"""The hours of a policy file: zones, weeks, single days and holidays, checked as they are read."""

from collections.abc import Iterator, Mapping
from datetime import date
from zoneinfo import ZoneInfo

from routing.policy import Quotation
from routing.policy_model import HolidayEntry, ScheduleEntry
from routing.policy_text import Sheet, Trail, split_message
from routing.schedule import HolidayRule, Schedule, Window, covers

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# Abbreviations that people write for zones, and the zone whose clocks they almost always mean.
READINGS = {
    "PT": "America/Los_Angeles",
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "ET": "America/New_York",
    "EST": "America/New_York",
    "GMT": "Europe/London",
    "BST": "Europe/London",
    "CET": "Europe/Paris",
    "CEST": "Europe/Paris",
    "SGT": "Asia/Singapore",
    "AEST": "Australia/Sydney",
    "AEDT": "Australia/Sydney",
}

Week = tuple[tuple[Window, ...], ...]


def is_zone(zone: str, trail: Trail, sheet: Sheet) -> bool:
    """Whether it is a place whose clocks are known. Abbreviations ignore daylight time, so they are none."""
    if zone != "UTC" and "/" not in zone:
        sheet.mark("H2", trail, f"{zone} is no place", f"write {READINGS.get(zone, 'a zone such as Europe/London')}")
        return False
    try:
        ZoneInfo(zone)
    except (LookupError, ValueError, OSError):
        sheet.mark("H2", trail, f"there are no data for time zone {zone}", "check the spelling, or install tzdata")
        return False
    return True


def read_schedule(name: str, given: ScheduleEntry, sheet: Sheet) -> Schedule:
    """Return a schedule; what is unsound in it is marked and left out."""
    trail = ("schedules", name)
    zone = given.zone if is_zone(given.zone, (*trail, "zone"), sheet) else "UTC"
    special = {day: _windows(texts, (*trail, "special", day), sheet) for day, texts in given.special.items()}
    holidays = _holidays(given.holidays, given.verified_on, (*trail, "holidays"), sheet) if given.holidays else None
    return Schedule(name, zone, _weekly(given.weekly, (*trail, "weekly"), sheet), special, holidays)


def read_quotation(given: ScheduleEntry, schedule: Schedule, sheet: Sheet) -> Quotation | None:
    """Return the hours as they were published, if the file quotes them."""
    if given.published is None:
        return None
    trail = ("schedules", schedule.name, "published")
    gmt = _windows([given.published.gmt], (*trail, "gmt"), sheet) if given.published.gmt else ()
    return Quotation(schedule, given.published.hours, gmt[0] if gmt else None, sheet.line(*trail))


def _weekly(weekly: Mapping[str, list[str]], trail: Trail, sheet: Sheet) -> Week:
    week: dict[str, tuple[Window, ...]] = {}
    for days, texts in weekly.items():
        windows = _windows(texts, (*trail, days), sheet)
        for day in _days(days):
            if day in week:
                sheet.mark("H6", (*trail, days), f"{day} has its hours twice", "give each day once")
            week[day] = windows
    return tuple(week.get(day, ()) for day in DAYS)


def _days(text: str) -> Iterator[str]:
    first, _, last = text.partition("-")
    start = DAYS.index(first)
    length = (DAYS.index(last) - start) % len(DAYS) if last else 0
    return ((DAYS + DAYS)[start + step] for step in range(length + 1))


def _windows(texts: list[str], trail: Trail, sheet: Sheet) -> tuple[Window, ...]:
    windows = []
    for place, text in enumerate(texts):
        try:
            windows.append(Window.parse(text))
        except ValueError as fault:
            sheet.mark("H6", (*trail, place), *split_message(fault))
    return tuple(windows)


def _holidays(given: HolidayEntry, verified: date, trail: Trail, sheet: Sheet) -> HolidayRule | None:
    try:
        rule = HolidayRule(given.country, given.subdivision, frozenset(given.remove), given.add)
    except ValueError as fault:
        sheet.mark("H5", trail, *split_message(fault))
        return None
    if not covers(rule, verified.year):
        what = f"there are no holiday data of {given.country} for {verified.year}"
        sheet.mark("H5", trail, what, "update the holidays package, or list the days under add")
    return rule
