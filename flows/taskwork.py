"""Work on a task: who has it, which attempts were made, and when it was answered."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from shlex import quote

import msgspec
from msgspec.structs import replace

from flows.task import Task
from flows.work import Action, Already, Entry, Objection, check_instant, entry_from, in_order
from routing.policy import Policy

REACHED = "reached"
OUTCOMES = (REACHED, "left_word", "no_answer")  # of a call back; only the first one ends the wait
AWAITED = ("new", "claimed")  # states of a task that is still owed


class Received(msgspec.Struct, frozen=True):
    """A task as it was received: `since` is when its call came in, `audio` what is known of its recording."""

    task: Task
    since: datetime
    audio: str = "none"


class TaskView(msgspec.Struct, frozen=True):
    """A task as it stands: state new, claimed, answered or closed; who has it; and what was tried."""

    received: Received
    state: str
    desk: str
    holder: str = ""
    held_since: datetime | None = None
    ended_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: str = ""
    attempts: tuple[Entry, ...] = ()
    notes: tuple[Entry, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def task(self) -> Task:
        """Return what is owed, to whom."""
        return self.received.task

    @property
    def awaited(self) -> bool:
        """Whether it is still owed."""
        return self.state in AWAITED


def task_view(received: Received, entries: Iterable[Entry], at: datetime) -> TaskView:
    """Return a task as it stood at an instant. The order in which the entries are given does not matter."""
    task = received.task
    view = TaskView(received, "new", task.desk, flags=task.flags)
    for entry in in_order((entry for entry in entries if entry.subject == task.id), at):
        step = STEPS.get(entry.kind)
        view = step(view, entry) if step else view
    return view


def _claimed(view: TaskView, entry: Entry) -> TaskView:
    holder = entry.says("to") or entry.actor
    return replace(view, state="claimed", holder=holder, held_since=entry.at) if view.awaited else view


def _released(view: TaskView, _entry: Entry) -> TaskView:
    return replace(view, state="new", holder="", held_since=None) if view.awaited else view


def _handed(view: TaskView, entry: Entry) -> TaskView:
    return replace(view, desk=entry.says("to")) if view.awaited else view


def _answered(view: TaskView, entry: Entry) -> TaskView:
    view = replace(view, attempts=(*view.attempts, entry))
    if entry.says("outcome") != REACHED or not view.awaited:
        return view
    return replace(view, state="answered", ended_at=entry.at, answered_at=entry.at, answered_by=entry.actor)


def _closed(view: TaskView, entry: Entry) -> TaskView:
    return replace(view, state="closed", ended_at=entry.at) if view.awaited else view


def _flagged(view: TaskView, entry: Entry) -> TaskView:
    return replace(view, flags=tuple(dict.fromkeys((*view.flags, entry.says("flag")))))


STEPS: dict[str, Callable[[TaskView, Entry], TaskView]] = {
    "claimed": _claimed,
    "reassigned": _claimed,
    "released": _released,
    "handed": _handed,
    "answered": _answered,
    "closed": _closed,
    "flagged": _flagged,
    "note": lambda view, entry: replace(view, notes=(*view.notes, entry)),
}


def task_entry(view: TaskView, action: Action, entries: Sequence[Entry]) -> Entry:
    """Return the entry that an action writes; an answer to what somebody else has says who has it.

    Raises Objection if it cannot be taken as things are, Already if it would change nothing.
    """
    what = f"task {view.task.id} was not {WORDS[action.kind]}"
    check_instant(action, view.received.since, what)
    if action.kind not in ("note", "flagged"):
        _check_awaited(view, what)
    if check := CHECKS.get(action.kind):
        check(view, action, what)
    other = action.kind == "answered" and view.holder not in ("", action.by)
    return entry_from(action, view.task.id, entries, **{"holder": view.holder} if other else {})


WORDS = {
    "claimed": "claimed",
    "released": "released",
    "reassigned": "reassigned",
    "handed": "handed over",
    "answered": "answered",
    "closed": "closed",
    "note": "noted",
    "flagged": "flagged",
}


def _check_awaited(view: TaskView, what: str) -> None:
    if not view.awaited:
        who = f" by {view.answered_by}" if view.answered_by else ""
        raise Objection(
            what, f"it was {view.state}{who} at {view.ended_at:%d %b %Y %H:%MZ}", "add a note to it instead"
        )


def _check_holder(view: TaskView, action: Action, what: str) -> None:
    if view.holder and view.holder != action.by:
        since = f" since {view.held_since:%d %b %Y %H:%MZ}" if view.held_since else ""
        raise Objection(what, f"{view.holder} has it{since}", _freed(view, action))


def _freed(view: TaskView, action: Action) -> str:
    """Return the commands by which a task comes from whoever has it to somebody else."""
    ident, holder, to = view.task.id, quote(view.holder), quote(action.by)
    release = f"`ivr tasks release {ident} --by {holder}`"
    take = f"`ivr tasks reassign {ident} --to {to} --by {to}`"
    return f"ask {view.holder} to release it ({release}), or take it over: {take}"


def _check_claim(view: TaskView, action: Action, what: str) -> None:
    if view.holder == action.by:
        raise Already(what, "you have it already", f"log the call back: `ivr tasks answer {view.task.id} --by NAME`")
    _check_holder(view, action, what)


def _check_held(view: TaskView, action: Action, what: str) -> None:
    if not view.holder:
        raise Objection(what, "nobody has it", "claim it first")
    _check_holder(view, action, what)


def _check_reason(_view: TaskView, action: Action, what: str) -> None:
    if not action.says("reason"):
        raise Objection(what, "no reason is given", "give one with --reason")


def _check_note(_view: TaskView, action: Action, what: str) -> None:
    if not action.says("text"):
        raise Objection(what, "the note is empty", "write something")


def _check_answer(_view: TaskView, action: Action, what: str) -> None:
    """Look at the outcome only: what counts is that somebody has called back, whoever had it."""
    if action.says("outcome") not in OUTCOMES:
        known = ", ".join(OUTCOMES)
        raise Objection(what, f"{action.says('outcome') or 'nothing'!r} is no outcome of a call back", f"give {known}")


def _check_close(view: TaskView, action: Action, what: str) -> None:
    _check_holder(view, action, what)
    _check_reason(view, action, what)


def _check_reassigned(_view: TaskView, action: Action, what: str) -> None:
    if not action.says("to"):
        raise Objection(what, "nobody is named who is to have it", "name somebody with --to")


CHECKS: dict[str, Callable[[TaskView, Action, str], None]] = {
    "claimed": _check_claim,
    "released": _check_held,
    "reassigned": _check_reassigned,
    "answered": _check_answer,
    "closed": _check_close,
    "note": _check_note,
}


def owner_of(task: Task, policy: Policy, at: datetime) -> tuple[str, datetime]:
    """Return the desk whose task it is at an instant if nobody has claimed it, and until when that is certain.

    The home desk has it while its escalation hours are open; else the desk of its tier that is open, in
    follow-the-sun order; else the one that opens first (partner guide, escalation table).
    """
    desk = policy.desks.get(task.desk)
    tier = desk.tier if desk else 1
    desks = [policy.desk(region, tier) for region in (task.region, *policy.neighbours(task.region))]
    hours = [each.escalation_hours.at(at) for each in desks]
    place = next((place for place, each in enumerate(hours) if each.open), None)
    if place is None:
        opening, place = min((each.next_opening or at + _LONG, place) for place, each in enumerate(hours))
        return desks[place].id, opening
    earlier = [each.next_opening for each in hours[:place]]
    changes = [each for each in (hours[place].next_closing, *earlier) if each is not None]
    return desks[place].id, min(changes, default=at + _LONG)


_LONG = timedelta(days=1)  # when to look again at hours that never change
