"""Levels of a ladder: who is told of somebody in trouble, in which order, and what one step of the climb is.

Levels are counted from 1; everybody together is the level after the last. A round ends when people are told again:
nobody is told twice in one round.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from routing.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Unlock:
    """When a level may be told at all. Either is enough; zero means never by that.

    The level before was tried `attempts` times within `within_days` working days and not reached, or it has had
    `idle_days` working days without progress.
    """

    attempts: int = 0
    within_days: int = 1
    idle_days: int = 0


@dataclass(frozen=True, slots=True)
class Level:
    """People of one role, how long they have before the next level is told, and their hours (None: always)."""

    role: str
    destinations: tuple[str, ...]
    wait: timedelta
    hours: Schedule | None = None
    unlock: Unlock | None = None


@dataclass(frozen=True, slots=True)
class Ladder:
    """Levels in order, and how often everybody is told after the last. An urgent one never waits for hours.

    `zone` is where working days are counted.
    """

    id: str
    levels: tuple[Level, ...]
    repeat: timedelta
    urgent: bool = False
    zone: str = "UTC"

    @property
    def everybody(self) -> int:
        """Return the number of the level that is everybody."""
        return len(self.levels) + 1


@dataclass(frozen=True, slots=True)
class Tried:
    """Somebody who was told, or tried, at a level in a round, when, and what came of it."""

    level: int
    round: int
    destination: str
    at: datetime
    result: str


@dataclass(frozen=True, slots=True)
class Climb:
    """The next step: whom to tell now, which levels were skipped and why, and when to look again.

    Nobody is to be told while a level still has time (`why` says for what the climb waits), or when nobody on the
    whole ladder can be reached: then every level is in `skipped`.
    """

    level: int
    round: int
    tell: tuple[str, ...]
    skipped: tuple[tuple[int, str], ...]
    next_at: datetime
    why: str = ""


def steady(ladder: Ladder, people: Sequence[Sequence[str]], roles: Mapping[str, str]) -> Ladder:
    """Return the ladder with these people as its levels, each with as long as everybody is given in the end."""
    levels = (
        Level(" or ".join(dict.fromkeys(roles[each] for each in level)), tuple(level), ladder.repeat)
        for level in people
    )
    return replace(ladder, levels=tuple(levels))
