"""From entries to what a policy says about the time after the call; names that lead nowhere are marked."""

from collections.abc import Mapping
from datetime import timedelta

from routing.aftercare import Acceptance, CallBackDue, Retention
from routing.aftercare_model import LevelEntry, TargetEntry
from routing.clock import Counts, Target
from routing.levels import Ladder, Level, Unlock
from routing.policy import Desk, TargetTable
from routing.policy_model import PolicyEntry
from routing.policy_text import Sheet, Trail, known
from routing.policy_words import provenance_of
from routing.schedule import Schedule

_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def amount(text: str) -> timedelta:
    """Return the time that "30 min", "4 h" or "90 d" says."""
    number, unit = text.split()
    return int(number) * _UNITS[unit]


def target(text: str, usual: Counts = Counts.ELAPSED) -> Target:
    """Return the target that "4 h" or "24 h working days" says; `usual` counts where the text does not say."""
    number, unit, *counts = text.split(" ", 2)
    return Target(amount(f"{number} {unit}"), Counts(counts[0]) if counts else usual)


def read_targets(entries: Mapping[str, TargetEntry], sheet: Sheet) -> dict[str, TargetTable]:
    """Return the target tables by name."""
    return {
        name: TargetTable(
            name,
            {number: target(text) for number, text in given.first_response.items()},
            provenance_of(given, sheet.line("targets", name)),
            {number: target(text) for number, text in (given.updates or {}).items() if text != "none"},
        )
        for name, given in entries.items()
    }


def read_ladders(
    entry: PolicyEntry, schedules: Mapping[str, Schedule], desks: Mapping[str, Desk], sheet: Sheet
) -> dict[str, Ladder]:
    """Return the escalation ladders by desk; a level without hours keeps the desk's escalation hours."""
    ladders = {}
    for name, given in entry.ladders.items():
        trail = ("ladders", name)
        for place, level in enumerate(given.levels):
            _check_level(level, (*trail, "levels", place), sheet)
        if known("desks", name, trail, sheet) and name in desks:
            desk = desks[name]
            region = entry.regions.get(desk.region)
            levels = tuple(
                _level(each, schedules.get(each.hours) if each.hours else desk.escalation_hours)
                for each in given.levels
            )
            zone = region.zone if region else "UTC"
            ladders[name] = Ladder(name, levels, amount(given.repeat), given.urgent == "yes", zone)
    return ladders


def aftercare(entry: PolicyEntry) -> dict[str, object]:
    """Return what the file gives; what it leaves out keeps its usual value."""
    given: dict[str, object] = entry.model_dump(include={"call_back_when_abandoned"}, exclude_none=True)
    if entry.escalation_response:
        given["escalation_response"] = target(entry.escalation_response.amount, Counts.FOLLOW_THE_SUN)
    if entry.call_back_due:
        due = entry.call_back_due.model_dump(include={"urgent", "otherwise"}, exclude_none=True)
        given["call_back_due"] = CallBackDue(**{name: target(text) for name, text in due.items()})
    if entry.acceptance:
        given["acceptance"] = _acceptance(entry.acceptance.times, entry.acceptance.every)
    kept = entry.retention.model_dump(exclude_none=True)
    given["retention"] = Retention(**{name: amount(text) for name, text in kept.items()})
    for name in ("text_case_number", "delete_provider_copy"):
        if getattr(entry, name):
            given[name] = getattr(entry, name) == "yes"
    return given


def _acceptance(times: int | None, every: str | None) -> Acceptance:
    usual = Acceptance()
    return Acceptance(times or usual.times, target(every) if every else usual.every)


def _check_level(level: LevelEntry, trail: Trail, sheet: Sheet) -> None:
    for place, destination in enumerate(level.destinations):
        known("destinations", destination, (*trail, "destinations", place), sheet)
    if level.hours:
        known("schedules", level.hours, (*trail, "hours"), sheet)


def _level(given: LevelEntry, hours: Schedule | None) -> Level:
    unlock = Unlock(**given.unlock.model_dump()) if given.unlock else None
    return Level(given.role, tuple(dict.fromkeys(given.destinations)), amount(given.wait), hours, unlock)
