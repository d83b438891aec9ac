"""Ladders: whom to tell next, when nobody has taken it yet.

A ladder is climbed level by level, each told some time after the one before; then everybody is told, again and again.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from routing.levels import Climb, Ladder, Level, Tried, Unlock
from routing.timetable import utc
from routing.worktime import FOREVER, due, worked, working_days

__all__ = ["Climb", "Ladder", "Level", "Off", "PersonOf", "Tried", "Unlock", "broadcast", "climb"]

DAY = timedelta(days=1)
REACHED = frozenset({"answered", "acknowledged", "reached"})  # results of tries that led to the person
UNTRIED = "skipped"  # the result of a try that was none

PersonOf = Callable[[str], str | None]
Off = Callable[[str, datetime], bool]


def climb(  # noqa: PLR0913, PLR0917 - a step depends on so much
    ladder: Ladder,
    tried: Sequence[Tried],
    at: datetime,
    person_of: PersonOf,
    off: Off,
    progress_at: datetime | None = None,
) -> Climb:
    """Return whom to tell at an instant, given who was tried so far, in any order.

    `person_of` names the person at a destination, None where nobody can be reached; `off` says who has the day off;
    `progress_at` is when the case last went forward. A level of which nobody can be told is skipped at once. One that
    is locked is waited for, while the level before it is tried again. If all levels that are left are merely closed,
    a ladder that is not urgent waits for the first to open. Raises ValueError for naive instants.
    """
    told = tuple(each for each in tried if each.result != UNTRIED and 1 <= each.level <= ladder.everybody)
    step = _Step(ladder, told, utc(at), person_of, off, progress_at)
    if not told:
        return step.up_from(1, 1)
    turn = max(each.round for each in told)
    level = max(each.level for each in told if each.round == turn)
    wait = ladder.repeat if level == ladder.everybody else ladder.levels[level - 1].wait
    due_at = max(utc(each.at) for each in told if (each.round, each.level) == (turn, level)) + wait
    if step.at < due_at:
        return Climb(level, turn, (), (), due_at, "those who were told still have time")
    return step.up_from(level + 1, turn)


def broadcast(ladder: Ladder, at: datetime, person_of: PersonOf, off: Off) -> Climb:
    """Return everybody, each person once, whatever their hours; of one that is not urgent, those who are on duty.

    If that is nobody, those off duty are told, and then even those who have the day off: only where no destination
    reaches anybody is nobody told.
    """
    at = utc(at)
    reached = [(each, level) for level in ladder.levels for each in level.destinations if person_of(each) is not None]
    present = [(each, level) for each, level in reached if not off(each, at)]
    on_duty = [(each, level) for each, level in present if ladder.urgent or _opening(level, at) is None]
    tell = _once((each for each, _ in on_duty or present or reached), person_of, set())
    lost = tuple((number, _unreachable(level)) for number, level in enumerate(ladder.levels, 1)) if not tell else ()
    return Climb(ladder.everybody, 1, tell, lost, at + ladder.repeat)


class _Found(NamedTuple):
    """Whom of a level can be told; if nobody, why, and when that ends if they are merely off duty."""

    tell: tuple[str, ...]
    why: str = ""
    opening: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """What one step depends on."""

    ladder: Ladder
    tried: tuple[Tried, ...]
    at: datetime
    person_of: PersonOf
    off: Off
    progress_at: datetime | None

    def up_from(self, first: int, turn: int) -> Climb:
        """Return the step to the first level, from that one on, of which somebody can be told."""
        told = {self.person_of(each.destination) for each in self.tried if each.round == turn}
        skipped: list[tuple[int, str]] = []
        openings = []
        for number, level in enumerate(self.ladder.levels[first - 1 :], first):
            held = self._held(number, turn)
            if held is not None:
                return replace(held, skipped=tuple(skipped))
            found = self._people(level, told)
            if found.tell:
                return Climb(number, turn, found.tell, tuple(skipped), self.at + level.wait)
            skipped.append((number, found.why))
            openings += [found.opening] if found.opening else []
        if openings and not self.ladder.urgent:
            return Climb(first - 1, turn, (), (), min(openings), "everybody who is left to be told is off duty")
        return self._everybody(turn, skipped)

    def _everybody(self, turn: int, skipped: Sequence[tuple[int, str]]) -> Climb:
        """Return the step to everybody, or a wait while nobody is on duty and nothing is urgent."""
        found = [self._people(level, ()) for level in self.ladder.levels]
        openings = [each.opening for each in found if each.opening]
        if openings and not self.ladder.urgent and not any(each.tell for each in found):
            return Climb(self.ladder.everybody - 1, turn, (), (), min(openings), "everybody is off duty")
        told = broadcast(self.ladder, self.at, self.person_of, self.off)
        return replace(told, round=turn + 1, skipped=tuple(skipped) or told.skipped)

    def _people(self, level: Level, told: Collection[str | None]) -> _Found:
        """Return whom of a level can be told now. A level is merely off duty only if nothing else is in the way."""
        reached = [each for each in level.destinations if self.person_of(each) is not None]
        if not reached:
            return _Found((), _unreachable(level))
        present = [each for each in reached if not self.off(each, self.at)]
        if not present:
            return _Found((), f"{level.role}: everybody has the day off")
        fresh = _once(present, self.person_of, told)
        if not fresh:
            return _Found((), f"{level.role}: whoever it is has been told already")
        opening = _opening(level, self.at)
        if opening is None or level.hours is None:
            return _Found(fresh)
        return _Found((), f"{level.role}: off duty until {level.hours.local(opening):%a %Y-%m-%d %H:%M %Z}", opening)

    def _held(self, number: int, turn: int) -> Climb | None:
        """Return what to do instead of telling a level that is locked; None if it is open.

        A lock asks something of the people before it. Where they can no longer be told, it asks nothing.
        """
        unlock = self.ladder.levels[number - 1].unlock
        if unlock is None or number == 1:
            return None
        before = [each for each in self.tried if each.level == number - 1]
        reached = any(each.result in REACHED for each in before)
        idle_at = self._idle_at(unlock, before)
        if (idle_at and self.at >= idle_at) or (not reached and self._tried_enough(unlock, before)):
            return None
        if idle_at and (reached or not unlock.attempts):
            return Climb(number - 1, turn, (), (), idle_at, f"level {number} opens then, if there is no progress")
        return self._again(number - 1, turn, idle_at, tried=bool(before))

    def _again(self, number: int, turn: int, idle_at: datetime | None, *, tried: bool) -> Climb | None:
        """Return another try of the level before a locked one, or a wait for its hours; None if neither can be."""
        level = self.ladder.levels[number - 1]
        found = self._people(level, ())
        if found.tell and tried:
            return Climb(number, turn + 1, found.tell, (), min(self.at + level.wait, idle_at or FOREVER))
        if found.opening and not self.ladder.urgent:
            return Climb(number, turn, (), (), min(found.opening, idle_at or FOREVER), found.why)
        return None

    def _idle_at(self, unlock: Unlock, before: Sequence[Tried]) -> datetime | None:
        """Return when the level before, if it was told, has had its working days without progress."""
        if not before or not unlock.idle_days:
            return None
        first = min(utc(each.at) for each in before)
        since = max(first, utc(self.progress_at)) if self.progress_at else first
        return due(since, unlock.idle_days * DAY, (working_days(self.ladder.zone),))

    def _tried_enough(self, unlock: Unlock, before: Sequence[Tried]) -> bool:
        """Whether somebody of the level before was tried so often within so many working days."""
        days, calendar = unlock.within_days * DAY, (working_days(self.ladder.zone),)
        for destination in {each.destination for each in before} if unlock.attempts else ():
            tries = sorted({utc(each.at) for each in before if each.destination == destination})
            runs = zip(tries, tries[unlock.attempts - 1 :], strict=False)
            if any(worked(first, last, calendar) <= days for first, last in runs):
                return True
        return False


def _once(destinations: Iterable[str], person_of: PersonOf, told: Collection[str | None]) -> tuple[str, ...]:
    """Return the destinations of people who were not told, the first of each person."""
    first: dict[str | None, str] = {}
    for each in destinations:
        first.setdefault(person_of(each), each)
    return tuple(each for person, each in first.items() if person not in told)


def _opening(level: Level, at: datetime) -> datetime | None:
    """Return when a level that is off duty is on duty again; None if it is, or if that is not in sight."""
    if level.hours is None:
        return None
    hours = level.hours.at(at)
    return None if hours.open else hours.next_opening


def _unreachable(level: Level) -> str:
    return f"{level.role}: nobody can be reached there"
