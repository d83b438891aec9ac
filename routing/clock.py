"""Clocks: by when something is due, how much of its time has run, and why it does not run just now.

A clock is read, never kept: the same start, pauses and end give the same clock, in whatever order they became known.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from routing.schedule import Schedule
from routing.timetable import utc
from routing.worktime import FOREVER, Stretch, after, less, merged, running, total, until

WARNED_AT = 3, 4  # the part of the time after which those who answer are warned

_NOTHING = timedelta()


class Counts(StrEnum):
    """Which time counts towards a target."""

    ELAPSED = "elapsed"  # every minute
    WORKING_DAYS = "working days"  # 24-hour days from Monday to Friday, in the region's zone
    DESK_HOURS = "desk hours"  # while the desk's telephone is answered
    FOLLOW_THE_SUN = "follow the sun"  # while any region's escalation desk is open


@dataclass(frozen=True, slots=True)
class Target:
    """An amount of time by which something is aimed at, and which time counts. Raises ValueError below zero."""

    amount: timedelta
    counts: Counts = Counts.ELAPSED

    def __post_init__(self) -> None:
        """Refuse a target that would be due before it starts."""
        if self.amount < _NOTHING:
            raise ValueError(f"{self.amount} is no target: give zero or more")


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch that people took out of a clock, and why. Without an end it lasts until somebody ends it.

    One that ends no later than it starts is none.
    """

    since: datetime
    until: datetime | None
    reason: str

    def span(self) -> Stretch:
        """Return it as a stretch in UTC."""
        return utc(self.since), utc(self.until) if self.until else FOREVER


class State(StrEnum):
    """How a clock stands. One that still runs past its due instant is missed already."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Clock:
    """A target as it stood when asked. Instants are UTC.

    `due_at` and `warn_at` (three quarters counted) are None while a pause without an end leaves them unknown.
    `stretches` are what has counted until then, or until the end; `counted` is their sum, and more than the target
    where it was missed. `why` and `resumes_at` say why it does not run just now, and when it will.
    """

    target: Target
    started_at: datetime
    ended_at: datetime | None
    pauses: tuple[Pause, ...]
    due_at: datetime | None
    warn_at: datetime | None
    counted: timedelta
    state: State
    why: str = ""
    resumes_at: datetime | None = None
    stretches: tuple[Stretch, ...] = ()

    @property
    def left(self) -> timedelta:
        """Return how much time is left to count; below zero, how much has counted beyond the target."""
        return self.target.amount - self.counted


def read_clock(  # noqa: PLR0913, PLR0917 - a clock depends on so much
    target: Target,
    started_at: datetime,
    schedules: tuple[Schedule, ...] | None,
    pauses: Sequence[Pause],
    ended_at: datetime | None,
    at: datetime,
) -> Clock:
    """Return the clock as it stands at an instant; one that has ended stands as it did when it ended.

    It runs while one of the schedules is open (None: always) and no pause covers the instant. It is met if it ended
    no later than it was due. Pauses that lie outside its start and end, and the order and overlaps of pauses, do not
    matter. Raises ValueError for naive instants, and if nothing of the schedules opens for fourteen months.
    """
    course = _Course.of(target, started_at, schedules, pauses, ended_at)
    asked = course.end or max(utc(at), course.start)
    stretches = until(asked, course.stretches())
    done, due_at = total(stretches), course.after(1, 1)
    state, why, resumes_at = _standing(course, due_at, asked)
    return Clock(
        target,
        course.start,
        course.end,
        tuple(pauses),
        due_at,
        course.after(*WARNED_AT),
        done,
        state,
        why,
        resumes_at,
        stretches,
    )


@dataclass(frozen=True, slots=True)
class _Course:
    """Everything that a clock depends on but the instant at which it is asked."""

    target: Target
    start: datetime
    schedules: tuple[Schedule, ...] | None
    pauses: tuple[Pause, ...]
    breaks: tuple[Stretch, ...]
    end: datetime | None

    @classmethod
    def of(
        cls,
        target: Target,
        started_at: datetime,
        schedules: tuple[Schedule, ...] | None,
        pauses: Sequence[Pause],
        ended_at: datetime | None,
    ) -> "_Course":
        """Return it with instants in UTC, and without what happened after the end."""
        start = utc(started_at)
        end = max(utc(ended_at), start) if ended_at else None
        last = end or FOREVER
        spans = [(since, min(to, last)) for since, to in (pause.span() for pause in pauses) if since < last]
        return cls(target, start, schedules, tuple(pauses), merged(span for span in spans if span[1] > start), end)

    def stretches(self, since: datetime | None = None) -> Iterator[Stretch]:
        """Yield what counts, from the start or a later instant on."""
        start = max(since or self.start, self.start)
        opened = iter([(start, FOREVER)]) if self.schedules is None else running(start, self.schedules)
        return less(opened, self.breaks)

    def after(self, part: int, of: int) -> datetime | None:
        """Return when that part of the target has counted; None if an endless pause comes first."""
        amount = self.target.amount * part / of
        if not amount:
            return self.start
        found = after(amount, self.stretches())
        if found is None and not self.endless:
            names = ", ".join(each.name for each in self.schedules or ()) or "no schedule at all"
            msg = f"{amount} cannot run after {self.start}: nothing opens ({names}); add opening hours"
            raise ValueError(msg)
        return found

    @property
    def endless(self) -> bool:
        """Whether it is paused until somebody says otherwise."""
        return bool(self.breaks) and self.breaks[-1][1] == FOREVER

    def pause_at(self, at: datetime) -> Pause | None:
        """Return the pause in force at an instant; of several, the one that ends last."""
        spans = {pause: pause.span() for pause in self.pauses}
        covering = [pause for pause, (since, to) in spans.items() if since <= at < to]
        return max(covering, key=lambda pause: (spans[pause][1], pause.reason), default=None)

    def resumes_after(self, at: datetime) -> datetime | None:
        """Return when it next counts; None if that is not known."""
        return next((opens for opens, _ in self.stretches(at)), None)


def _standing(course: _Course, due_at: datetime | None, at: datetime) -> tuple[State, str, datetime | None]:
    """Return the state, why it is paused if it is, and when it goes on."""
    late = due_at is not None and at > due_at
    if late or course.end:
        return State.MISSED if late else State.MET, "", None
    resumes = course.resumes_after(at)
    if at in (resumes, due_at):
        return State.RUNNING, "", None
    pause = course.pause_at(at)
    return State.PAUSED, pause.reason if pause else _off_duty(course, resumes), resumes


def _off_duty(course: _Course, resumes: datetime | None) -> str:
    """Say in words until when nobody is on duty, by the clocks of whoever begins then."""
    first = next((each for each in course.schedules or () if resumes and each.is_open(resumes)), None)
    if first is None or resumes is None:
        return "nobody is on duty, and it is not known until when"
    local = f"{first.local(resumes):%a %Y-%m-%d %H:%M} in {first.zone}"
    if course.target.counts is Counts.WORKING_DAYS:
        return f"no working day until {local}"
    return f"nobody is on duty until {local}, when {first.name} opens"
