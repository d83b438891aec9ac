"""The case as it stands: what its call left, and what people and the service have done since, added up."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from flows.case_clocks import CaseClock, CaseRow, Spans, clocks_of, contacts, severity_at
from flows.taskwork import Received, TaskView, task_view
from flows.work import Entry, in_order
from routing.clock import Pause
from routing.policy import Policy

__all__ = ["CaseClock", "CaseRow", "CaseView", "Entry", "case_view"]

OPEN, RESOLVED, CLOSED = "open", "resolved", "closed"


class CaseView(msgspec.Struct, frozen=True):
    """A case as it stood at an instant.

    `asked` is how often its partner has been asked, since it was resolved, whether the case can be closed. `corrected`
    is whether the severity is no longer the one that the call gave.
    """

    case: CaseRow
    at: datetime
    status: str
    severity: int | None
    corrected: bool
    level: int
    holder: str
    responded_at: datetime | None
    resolved_at: datetime | None
    resolved_key: str
    asked: int
    asked_at: datetime | None
    paused: Pause | None
    pauses: tuple[Pause, ...]
    clocks: tuple[CaseClock, ...]
    tasks: tuple[TaskView, ...]
    escalations: tuple[Entry, ...]
    notes: tuple[Entry, ...]
    flags: tuple[str, ...]
    entries: tuple[Entry, ...]

    def clock(self, ident: str) -> CaseClock | None:
        """Return a clock by its id."""
        return next((each for each in self.clocks if each.id == ident), None)


class Story(msgspec.Struct, frozen=True):
    """What the entries of a case have come to so far."""

    status: str = OPEN
    level: int = 0
    resolved_at: datetime | None = None
    resolved_key: str = ""  # of the entry that says so
    asked: int = 0
    asked_at: datetime | None = None
    pauses: tuple[Pause, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def paused(self) -> Pause | None:
        """Return the pause that nobody has ended yet."""
        return self.pauses[-1] if self.pauses and self.pauses[-1].until is None else None

    def resumed(self, at: datetime) -> "Story":
        """Return the story with its pause ended."""
        if self.paused is None:
            return self
        ended = Pause(self.paused.since, at, self.paused.reason)
        return replace(self, pauses=(*self.pauses[:-1], ended))


def case_view(
    case: CaseRow, tasks: Sequence[Received], entries: Iterable[Entry], policy: Policy, at: datetime
) -> CaseView:
    """Return a case as it stood at an instant, by everything that is known now of what had happened by then.

    Neither the order of the entries matters nor how often each is given.
    """
    known = tuple(entries)
    own = in_order((entry for entry in known if entry.subject == case.number), at)
    story = Story(flags=case.flags)
    for entry in own:
        step = STEPS.get(entry.kind)
        story = step(story, entry) if step else story
    views = tuple(task_view(each, known, at) for each in sorted(tasks, key=lambda each: (each.since, each.task.id)))
    spans = Spans(case, own, story.pauses, views, at)
    told = [instant for instant in contacts(case, own) if instant <= at]
    return CaseView(
        case=case,
        at=at,
        status=story.status,
        severity=severity_at(case, own, at),
        corrected=any(entry.kind == "severity" for entry in own),
        level=story.level,
        holder=next((view.holder for view in reversed(views) if view.awaited and view.holder), ""),
        responded_at=told[0] if told else None,
        resolved_at=story.resolved_at,
        resolved_key=story.resolved_key,
        asked=story.asked,
        asked_at=story.asked_at,
        paused=story.paused,
        pauses=story.pauses,
        clocks=clocks_of(spans, policy),
        tasks=views,
        escalations=tuple(entry for entry in own if entry.kind == "escalated"),
        notes=tuple(entry for entry in own if entry.kind == "note"),
        flags=story.flags,
        entries=own,
    )


def _paused(story: Story, entry: Entry) -> Story:
    if story.paused or story.status != OPEN:
        return story
    return replace(story, pauses=(*story.pauses, Pause(entry.at, None, entry.says("reason"))))


def _resolved(story: Story, entry: Entry) -> Story:
    if story.status != OPEN:
        return story
    story = story.resumed(entry.at)
    return replace(story, status=RESOLVED, resolved_at=entry.at, resolved_key=entry.key, asked=0, asked_at=None)


def _asked(story: Story, entry: Entry) -> Story:
    return replace(story, asked=story.asked + 1, asked_at=entry.at) if story.status == RESOLVED else story


def _closed(story: Story, entry: Entry) -> Story:
    return replace(story.resumed(entry.at), status=CLOSED)


def _reopened(story: Story, _entry: Entry) -> Story:
    return replace(story, status=OPEN, resolved_at=None, resolved_key="", asked=0, asked_at=None)


def _escalated(story: Story, entry: Entry) -> Story:
    level = entry.detail.get("level")
    return replace(story, level=max(story.level, level)) if isinstance(level, int) else story


def _flagged(story: Story, entry: Entry) -> Story:
    return replace(story, flags=tuple(dict.fromkeys((*story.flags, entry.says("flag")))))


STEPS: dict[str, Callable[[Story, Entry], Story]] = {
    "paused": _paused,
    "resumed": lambda story, entry: story.resumed(entry.at),
    "resolved": _resolved,
    "acceptance_asked": _asked,
    "accepted": _closed,
    "closed": _closed,
    "reopened": _reopened,
    "escalated": _escalated,
    "flagged": _flagged,
}
