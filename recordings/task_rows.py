"""Tasks as they are stored: reading them, and writing what work has made of them."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from flows.task import Task
from flows.taskwork import Received, TaskView
from recordings.store import Connection, Row, Store

TEXTS = (
    "id",
    "kind",
    "call_sid",
    "case_number",
    "programme",
    "policy",
    "partner_id",
    "partner_name",
    "region",
    "desk",
    "number",
    "why",
    "recording",
)
OTHERS = ("severity", "seconds", "received_at", "due_at", "flags", "audio", "version", "look_at")
COLUMNS = ", ".join([*(f"tasks.{name}" for name in (*TEXTS, *OTHERS)), "calls.started_at"])
FROM = "FROM tasks LEFT JOIN calls ON calls.sid = tasks.call_sid"
OF_CASE = f"SELECT {COLUMNS} {FROM} WHERE tasks.case_number = ? ORDER BY tasks.received_at, tasks.id"
ONE = f"SELECT {COLUMNS} {FROM} WHERE tasks.id = ?"
HOLD = "UPDATE tasks SET version = version + 1 WHERE id = ?"
PUT = (
    "UPDATE tasks SET state = ?, holder = ?, desk = ?, answered_at = ?, answered_by = ?, flags = ?, look_at = ? "
    "WHERE id = ?"
)


class TaskRow(msgspec.Struct, frozen=True):
    """A task as it is stored: how many writes it has seen, and when it has to be looked at next."""

    received: Received
    version: int
    look_at: datetime | None


def received_of_case(conn: Connection, store: Store, number: str) -> tuple[Received, ...]:
    """Return the tasks of a case as they were received, the oldest first."""
    rows = conn.execute(store.sql(OF_CASE), (number,)).fetchall()
    return tuple(read_row(store, row).received for row in rows)


def hold(conn: Connection, store: Store, task_id: str) -> TaskRow | None:
    """Return a task, and let nobody else write it until the transaction is over; None if there is none."""
    conn.execute(store.sql(HOLD), (task_id,))
    row = conn.execute(store.sql(ONE), (task_id,)).fetchone()
    return read_row(store, row) if row else None


def put(conn: Connection, store: Store, view: TaskView, look_at: datetime | None) -> None:
    """Write what work has made of a task."""
    answered = store.instant(view.answered_at) if view.answered_at else None
    work = (view.state, view.holder or None, view.desk, answered, view.answered_by or None, " ".join(view.flags))
    look = store.instant(look_at) if look_at else None
    conn.execute(store.sql(PUT), (*work, look, view.task.id))


def read_row(store: Store, row: Row) -> TaskRow:
    """Return the task of a row. A message's time runs from the arrival of its call, another task's from its own."""
    *head, severity, seconds, received_at, due_at, flags, audio, version, look_at, started_at = row
    moment = store.moment
    received = moment(received_at)
    task = Task(
        **{name: text or "" for name, text in zip(TEXTS, head, strict=True)},
        severity=severity,
        seconds=seconds or 0,
        received_at=received,
        due_at=moment(due_at) if due_at is not None else None,
        flags=tuple(flags.split()),
    )
    since = moment(started_at) if started_at is not None and task.kind == "message" else received
    return TaskRow(Received(task, since, audio), version, moment(look_at) if look_at is not None else None)


def read_rows(store: Store, rows: Iterable[Row]) -> tuple[TaskRow, ...]:
    """Return the tasks of rows, in their order."""
    return tuple(read_row(store, row) for row in rows)
