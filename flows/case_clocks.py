"""The clocks of a case: first response, updates, and one for each task that its partner is owed."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from flows.taskwork import TaskView
from flows.work import Entry
from routing.clock import Clock, Pause, Target, read_clock
from routing.policy import Policy

FIRST_RESPONSE = "first_response"
CONTACTS = ("response", "update")  # what reaches the partner
STOPS = ("resolved", "accepted", "closed")
WARNED, BREACHED = "warned", "breached"
TASK_CLOCKS = {"message": "escalation", "call_back": "call_back"}  # kind of task -> name of its clock and table


class CaseRow(msgspec.Struct, frozen=True):
    """A case as its call left it. `answered_at` is when an engineer accepted that call, the first one who did.

    `settled_at` is when the call ended, or must have: until then severity and desk may still change.
    """

    number: str
    call_sid: str
    programme: str
    policy: str
    opened_at: datetime
    region: str
    intent: str = ""
    partner_id: str = ""
    partner_name: str = ""
    severity: int | None = None
    desk: str = ""
    table: str = ""
    response_due: datetime | None = None
    flags: tuple[str, ...] = ()
    answered_at: datetime | None = None
    settled_at: datetime | None = None  # None: long ago

    def tier(self, policy: Policy) -> int:
        """Return the tier that works on the case."""
        desk = policy.desks.get(self.desk)
        return desk.tier if desk else 1


class CaseClock(msgspec.Struct, frozen=True):
    """One promise with its clock: `id` as people name it, `table` where its target stands.

    `key` stays the same when an entry that is written late moves the clocks after it. `warned_at` and `breached_at` are
    what the log says was written, whatever the clock says now.
    """

    id: str
    key: str
    table: str
    clock: Clock
    warned_at: datetime | None = None
    breached_at: datetime | None = None

    @property
    def running(self) -> bool:
        """Whether what it waits for has not come yet."""
        return self.clock.ended_at is None


class Spans(msgspec.Struct, frozen=True):
    """What the clocks of a case are read from: its entries in order, its pauses, its tasks, and the instant asked."""

    case: CaseRow
    entries: tuple[Entry, ...]
    pauses: tuple[Pause, ...]
    tasks: tuple[TaskView, ...]
    at: datetime


def clocks_of(spans: Spans, policy: Policy) -> tuple[CaseClock, ...]:
    """Return every clock of a case: first response, updates in order, then one for each task."""
    return (*_first_response(spans, policy), *_updates(spans, policy), *_owed(spans, policy))


def severity_at(case: CaseRow, entries: Sequence[Entry], at: datetime) -> int | None:
    """Return the severity in force at an instant: as last corrected, else as the call said."""
    given = [entry.detail.get("severity") for entry in entries if entry.kind == "severity" and entry.at <= at]
    corrected = next((number for number in reversed(given) if isinstance(number, int)), None)
    return case.severity if corrected is None else corrected


def contacts(case: CaseRow, entries: Sequence[Entry]) -> list[datetime]:
    """Return when somebody spoke to the partner or wrote to it: an engineer who accepted the call did."""
    told = [entry.at for entry in entries if entry.kind in CONTACTS]
    return sorted([*told, *([case.answered_at] if case.answered_at else [])])


def _first_response(spans: Spans, policy: Policy) -> Iterator[CaseClock]:
    """Yield the clock from the call's arrival to the first contact; a case that is over needs none any more."""
    case = spans.case
    stops = [entry.at for entry in spans.entries if entry.kind in STOPS]
    end = min((at for at in (*contacts(case, spans.entries), *stops) if at <= spans.at), default=None)
    severity = severity_at(case, spans.entries, end or spans.at)
    table = policy.targets.get(case.table)
    target = table.first_response.get(severity) if table and severity is not None else None
    if target:
        clock = _read(spans, policy, target, case.opened_at, end)
        yield _marked(spans, CaseClock(FIRST_RESPONSE, FIRST_RESPONSE, case.table, clock))


def _updates(spans: Spans, policy: Policy) -> Iterator[CaseClock]:
    """Yield a clock from each contact to the next, while the case is open."""
    table = policy.targets.get(spans.case.table)
    for number, (start, end) in enumerate(_between_contacts(spans), start=1):
        severity = severity_at(spans.case, spans.entries, end or spans.at)
        target = table.updates.get(severity) if table and severity is not None else None
        if target:
            key = f"update.{start:%Y%m%dT%H%M%S.%fZ}"
            clock = _read(spans, policy, target, start, end)
            yield _marked(spans, CaseClock(f"update.{number}", key, spans.case.table, clock))


def _between_contacts(spans: Spans) -> Iterator[tuple[datetime, datetime | None]]:
    """Yield the stretches in which the partner waits for news; the last one may have no end yet."""
    marks = [(at, "contact") for at in contacts(spans.case, spans.entries) if at <= spans.at]
    marks += [(entry.at, entry.kind) for entry in spans.entries if entry.kind in (*STOPS, "reopened")]
    is_open, start = True, None
    for at, kind in sorted(marks, key=lambda mark: mark[0]):
        if start is not None and kind != "reopened":
            yield start, at
        is_open = kind == "reopened" or (is_open and kind not in STOPS)
        start = (start if kind == "reopened" and start else at) if is_open else None
    if start is not None:
        yield start, None


def _owed(spans: Spans, policy: Policy) -> Iterator[CaseClock]:
    """Yield a clock for each task. No pause of the case stops it: what a caller was told stands."""
    for view in spans.tasks:
        name = TASK_CLOCKS.get(view.task.kind)
        clock = task_clock(view, policy, spans.at)
        if name and clock:
            ident = f"{name}.{view.task.id}"
            yield _marked(spans, CaseClock(ident, ident, name.replace("_", " "), clock))


def task_clock(view: TaskView, policy: Policy, at: datetime) -> Clock | None:
    """Return the clock of a task, due as the caller was told; None for one that nobody was promised by an instant.

    Should the policy no longer give that instant, the clock counts every minute until it.
    """
    task, since = view.task, view.received.since
    if task.due_at is None:
        return None
    desk = policy.desks.get(task.desk)
    for target in _targets(policy, task.kind):
        schedules = policy.calendar(target.counts, task.region, desk.tier if desk else 1)
        clock = read_clock(target, since, schedules, (), view.ended_at, at)
        if clock.due_at == task.due_at:
            return clock
    since = min(since, task.due_at)
    return read_clock(Target(task.due_at - since), since, None, (), view.ended_at, at)


def _targets(policy: Policy, kind: str) -> tuple[Target, ...]:
    """Return what a kind of task may aim at."""
    if kind == "message":
        return (policy.escalation_response,)
    return (policy.call_back_due.urgent, policy.call_back_due.otherwise)


def _read(spans: Spans, policy: Policy, target: Target, start: datetime, end: datetime | None) -> Clock:
    schedules = policy.calendar(target.counts, spans.case.region, spans.case.tier(policy))
    return read_clock(target, start, schedules, spans.pauses, end, spans.at)


def _marked(spans: Spans, clock: CaseClock) -> CaseClock:
    """Return the clock with what was written of it."""
    written = {entry.kind: entry.at for entry in spans.entries if entry.says("clock") == clock.key}
    return msgspec.structs.replace(clock, warned_at=written.get(WARNED), breached_at=written.get(BREACHED))
