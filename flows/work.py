"""Work: what people and the service have done after a call, as entries that add up whatever order they arrive in."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

SERVICE = "service"  # who has done what no person has
SKEW = timedelta(minutes=5)  # by how much the clocks of two machines may differ


class Entry(msgspec.Struct, frozen=True):
    """One thing that was done with a case, a task, a page or a recording, when, and by whom.

    `at` is when it happened and `logged_at` when it was written down. What is written twice under one `key` is there
    once.
    """

    subject: str
    kind: str
    at: datetime
    actor: str
    detail: dict[str, object]
    key: str
    logged_at: datetime

    def says(self, name: str) -> str:
        """Return a text of the detail; empty if there is none."""
        value = self.detail.get(name)
        return value if isinstance(value, str) else ""


class Action(msgspec.Struct, frozen=True):
    """What somebody wants to do: a kind, who, when it happened, when it is written down, and what belongs to it."""

    kind: str
    by: str
    at: datetime
    logged_at: datetime
    detail: dict[str, object] = {}

    def says(self, name: str) -> str:
        """Return a text of the detail, without the blanks around it; empty if there is none."""
        value = self.detail.get(name)
        return value.strip() if isinstance(value, str) else ""


class Objection(Exception):  # noqa: N818 - not a fault of the service: it cannot be done as things are
    """An action that cannot be taken: what did not happen, why, and what to do instead."""

    def __init__(self, what: str, why: str, mend: str) -> None:
        self.what, self.why, self.mend = what, why, mend
        super().__init__(f"{what}: {why}; {mend}")


class Already(Objection):
    """An action that would change nothing: it is so already. Nothing is written."""


def in_order(entries: Iterable[Entry], until: datetime) -> tuple[Entry, ...]:
    """Return the entries of what had happened by an instant, each once, in the one order that decides."""
    known = {entry.key: entry for entry in entries if entry.at <= until}
    return tuple(sorted(known.values(), key=lambda entry: (entry.at, entry.key)))


def horizon(entries: Iterable[Entry], now: datetime) -> datetime:
    """Return now, or the latest of the entries where the clock of whoever wrote it is a little ahead of ours."""
    return max((entry.at for entry in entries if now < entry.at <= now + SKEW), default=now)


def in_turn(action: Action, entries: Iterable[Entry]) -> Action:
    """Return an action with an instant after everything that was known when it was taken.

    One that is written down late keeps its own.
    """
    late = action.at != action.logged_at
    return action if late else replace(action, at=horizon(entries, action.at))


def entry_from(action: Action, subject: str, after: Sequence[Entry], **detail: object) -> Entry:
    """Return the entry of an action. Its key follows on those that are there, so that equal instants keep their order.

    Two entries that are written at once must not have one key: whoever writes holds the row of the subject.
    """
    number = sum(entry.subject == subject for entry in after)
    key = f"{subject}.{number:06d}.{action.kind}"
    return Entry(subject, action.kind, action.at, action.by, {**action.detail, **detail}, key, action.logged_at)


def check_instant(action: Action, since: datetime, what: str) -> None:
    """Raise Objection for an action of nobody, or from before the call, or from later than now."""
    if not action.by.strip():
        raise Objection(what, "nobody is named who did it", "name whoever did it")
    if action.at < since:
        raise Objection(what, f"{_words(action.at)} is before the call of {_words(since)}", "give a later instant")
    check_past(action, what)


def check_past(action: Action, what: str) -> None:
    """Raise Objection for an action from later than now."""
    if action.at > action.logged_at + SKEW:
        raise Objection(what, f"{_words(action.at)} has not come yet", "give an earlier instant")


def _words(at: datetime) -> str:
    return f"{at:%d %b %Y %H:%M:%SZ}"
