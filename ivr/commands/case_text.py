"""A case and a task as they are printed: words for people, one document for programs."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from flows.case_clocks import CaseClock
from flows.casework import CaseView
from flows.taskwork import TaskView
from flows.work import Entry
from ivr.jobs.clock_words import promise
from ivr.wording import counted_words, grouped, left_words, number_of, span_words, there
from routing.clock import Clock
from routing.policy import Policy


def as_document(value: object) -> str:
    """Return a value as one JSON document."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def facts(view: CaseView) -> dict[str, object]:
    """Return a case for programs: amounts of time in seconds, instants in UTC."""
    return {
        "number": view.case.number,
        "status": view.status,
        "severity": view.severity,
        "corrected": view.corrected,
        "partner": view.case.partner_name,
        "desk": view.case.desk,
        "level": view.level,
        "holder": view.holder,
        "opened_at": view.case.opened_at,
        "responded_at": view.responded_at,
        "acceptance_asked": view.asked,
        "flags": view.flags,
        "clocks": [clock_facts(clock) for clock in view.clocks],
        "tasks": [task_facts(task) for task in view.tasks],
        "log": view.entries,
    }


def clock_facts(each: CaseClock) -> dict[str, object]:
    """Return a clock for programs."""
    clock = each.clock
    return {
        "id": each.id,
        "state": clock.state.value,
        "table": each.table,
        "counts": clock.target.counts.value,
        "target_seconds": clock.target.amount.total_seconds(),
        "left_seconds": clock.left.total_seconds(),
        "started_at": clock.started_at,
        "due_at": clock.due_at,
        "ended_at": clock.ended_at,
        "why": clock.why,
        "breached_at": each.breached_at,
        "counted": [{"from": since, "to": to} for since, to in clock.stretches],
    }


def task_facts(view: TaskView) -> dict[str, object]:
    """Return a task for programs."""
    changed = {"state": view.state, "desk": view.desk, "holder": view.holder, "flags": view.flags}
    done = {"answered_at": view.answered_at, "answered_by": view.answered_by, "attempts": view.attempts}
    return {**msgspec.structs.asdict(view.task), "audio": view.received.audio, **changed, **done, "notes": view.notes}


def line(view: CaseView, policy: Policy) -> str:
    """Return a case in one line, with the clock that is due first."""
    running = [each for each in view.clocks if each.running]
    first = min(running, key=lambda each: each.clock.due_at or view.at, default=None)
    clock = f"{promise(first.id)} {state_words(first, view, policy)}" if first else ""
    severity = "severity unknown" if view.severity is None else f"S{view.severity}"
    name = view.case.partner_name or "unknown"
    return f"{grouped(view.case.number):<12} {severity} {view.status:<9} {name:<24} {clock}".rstrip()


def page(view: CaseView, policy: Policy) -> str:
    """Return a case as a page of text."""
    return "\n".join(_page(view, policy))


def _page(view: CaseView, policy: Policy) -> Iterator[str]:
    zone = zone_of(view, policy)
    severity = "unknown" if view.severity is None else f"{view.severity}{' (corrected)' if view.corrected else ''}"
    yield f"Case      {grouped(view.case.number)} · {view.status} · severity {severity} · level {view.level}"
    yield f"Partner   {f'{view.case.partner_id} {view.case.partner_name}'.strip() or 'unknown'}"
    yield f"Opened    {there(view.case.opened_at, zone, view.at)}, desk {view.case.desk or 'none'}"
    if view.holder:
        yield f"Held by   {view.holder}"
    for each in view.clocks:
        yield f"Clock     {promise(each.id)}: {state_words(each, view, policy)}"
        yield from (f"          {text}" for text in _arithmetic(each, zone, view.at))
    for task in view.tasks:
        yield f"Task      {task_line(task, policy, view.at)}"
    for entry in view.entries:
        yield f"Log       {logged(entry, zone, view.at)}"


def state_words(each: CaseClock, view: CaseView, policy: Policy) -> str:
    """Return how a clock stands: state, time left or over, due instant with its zone, table, why it is paused."""
    clock, zone = each.clock, zone_of(view, policy)
    due = f"due {there(clock.due_at, zone, view.at)}" if clock.due_at else "due when it is resumed"
    breach = ", breach was written" if each.breached_at and clock.state.value == "met" else ""
    why = f": {clock.why}" if clock.why else ""
    return f"{clock.state.value}{why}, {_left(clock, view.at)}, {due} ({each.table} table){breach}"


def _left(clock: Clock, at: datetime) -> str:
    """Return how much time is left or over; of a finished clock, how long it took."""
    if clock.ended_at is not None:
        return f"took {counted_words(clock.counted)}"
    over = clock.due_at is not None and at > clock.due_at
    return f"{span_words(-clock.left)} over" if over else f"{left_words(clock.left)} left"


def _arithmetic(each: CaseClock, zone: str, at: datetime) -> Iterator[str]:
    """Yield what has counted, stretch by stretch."""
    clock = each.clock
    target = f"target {span_words(clock.target.amount)} {clock.target.counts.value}"
    yield f"{target}, started {there(clock.started_at, zone, at)}, counted {counted_words(clock.counted)}"
    for since, to in clock.stretches:
        yield f"  {there(since, zone, at)} to {there(to, zone, at)}: {counted_words(to - since)}"


def task_line(view: TaskView, policy: Policy, at: datetime) -> str:
    """Return a task in one line."""
    task, zone = view.task, policy.regions[view.task.region].zone
    due = f"due {there(task.due_at, zone, at)}" if task.due_at else "no due instant"
    held = f", {view.holder} has it" if view.holder and view.awaited else ""
    held = f", by {view.answered_by}" if view.answered_by else held
    tried = f", tried {number_of(len(view.attempts), 'times')}" if view.attempts else ""
    what = f"{task.kind.replace('_', ' ')} of {task.partner_name or 'unknown'}"
    return (
        f"{task.id} {view.state:<8} {what}, {view.desk}, {due}{held}{tried}, call {task.number or 'a withheld number'}"
    )


def logged(entry: Entry, zone: str, at: datetime) -> str:
    """Return one line of the log, as it is read at an instant."""
    said = ", ".join(f"{name} {value}" for name, value in entry.detail.items())
    return f"{there(entry.at, zone, at)} {entry.kind.replace('_', ' ')} by {entry.actor}{f': {said}' if said else ''}"


def zone_of(view: CaseView, policy: Policy) -> str:
    """Return the zone of a case's home region."""
    return policy.regions[view.case.region].zone
