"""What people do with a task: claim it, answer it, give it back. One person has it at a time."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from flows.taskwork import AWAITED, REACHED, TaskView, task_entry, task_view
from flows.work import Action, Entry, Objection, horizon, in_turn
from recordings.casebook import PolicyOf, policy_for, settle
from recordings.casebook import hold as hold_case
from recordings.store import Connection, Store
from recordings.task_rows import COLUMNS, FROM, ONE, TaskRow, hold, put, read_row
from recordings.work_log import append, entries_in

TIMEOUT = 5.0  # seconds
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
CASE_OF = "SELECT cases.number FROM tasks JOIN cases ON cases.number = tasks.case_number WHERE tasks.id = ?"


class Asked(msgspec.Struct, frozen=True):
    """Which tasks are wanted: of these states, of this desk, and no more than so many."""

    states: tuple[str, ...] = AWAITED
    desk: str = ""
    most: int = 500


def listing(store: Store, asked: Asked, at: datetime) -> list[TaskView]:
    """Return tasks as they stand, the one that is due first first."""
    where, params = _where(asked)
    sql = f"SELECT {COLUMNS} {FROM} WHERE {where} ORDER BY tasks.due_at, tasks.id LIMIT ?"

    def work(conn: Connection) -> list[TaskView]:
        rows = [read_row(store, row) for row in conn.execute(store.sql(sql), (*params, asked.most)).fetchall()]
        entries = entries_in(conn, store, [row.received.task.id for row in rows])
        return [task_view(row.received, entries, horizon(entries, at)) for row in rows]

    return sorted(store.read(work, TIMEOUT), key=lambda view: (view.task.due_at or LATEST, view.task.id))


def load(store: Store, task_id: str, at: datetime) -> TaskView:
    """Return a task as it stood at an instant. Raises Objection if there is none; StoreUnavailable."""

    def work(conn: Connection) -> TaskView:
        row = conn.execute(store.sql(ONE), (task_id,)).fetchone()
        if row is None:
            raise _unknown(task_id)
        return task_view(read_row(store, row).received, entries_in(conn, store, (task_id,)), at)

    return store.read(work, TIMEOUT)


def claim(store: Store, task_id: str, action: Action, version: int | None = None) -> TaskView:
    """Take a task for one person. Whoever is second is told who has it.

    With a `version`, nothing is done if anybody has written the task since then.
    """
    return _act(store, task_id, action, version)


def act(store: Store, task_id: str, action: Action, policy_of: PolicyOf) -> TaskView:
    """Do something with a task, and return it as it then is; its case follows in the same transaction.

    Raises Objection, and then nothing has changed, if it cannot be done as things are; StoreUnavailable.
    """
    row = store.read(lambda conn: conn.execute(store.sql(CASE_OF), (task_id,)).fetchone(), TIMEOUT)
    policy = policy_for(store, row[0], policy_of) if row else None

    def work(conn: Connection) -> TaskView:
        view, entry = _write(conn, store, task_id, action)
        if row and policy:
            kept = hold_case(conn, store, row[0])
            answer = _response(entry, kept.case.number)
            if answer and kept.view(policy, entry.at).responded_at is None:
                append(conn, store, (answer,))
                kept = kept.with_entries(answer)
            settle(conn, store, kept, policy, action.logged_at)
        return view

    return store.write(work, TIMEOUT)


def _act(store: Store, task_id: str, action: Action, version: int | None) -> TaskView:
    return store.write(lambda conn: _write(conn, store, task_id, action, version)[0], TIMEOUT)


def _write(
    conn: Connection, store: Store, task_id: str, action: Action, version: int | None = None
) -> tuple[TaskView, Entry]:
    """Write an action into the log and the row. The row is held, so that one of two who come at once is second."""
    row = hold(conn, store, task_id)
    if row is None:
        raise _unknown(task_id)
    if version is not None and row.version != version + 1:
        raise Objection(f"task {task_id} was not {action.kind}", "somebody has changed it since", "look at it again")
    entries = entries_in(conn, store, (task_id,))
    before = task_view(row.received, entries, horizon(entries, action.logged_at))
    entry = task_entry(before, in_turn(action, entries), entries)
    append(conn, store, (entry,))
    after = task_view(row.received, (*entries, entry), horizon((*entries, entry), action.logged_at))
    put(conn, store, after, _look(row, after, action.logged_at))
    return after, entry


def _look(row: TaskRow, after: TaskView, now: datetime) -> datetime | None:
    """Return when a task has to be looked at: it may have to be handed over as long as nobody has it."""
    return (row.look_at or now) if after.state == "new" else None


def _response(entry: Entry, case_number: str) -> Entry | None:
    """Return what an answered task means to its case: its partner has been spoken to."""
    if entry.kind != "answered" or entry.says("outcome") != REACHED:
        return None
    detail: dict[str, object] = {"task": entry.subject}
    key = f"{case_number}.{entry.subject}.response"
    return Entry(case_number, "response", entry.at, entry.actor, detail, key, entry.logged_at)


def _where(asked: Asked) -> tuple[str, Sequence[object]]:
    marks = ", ".join("?" for _ in asked.states)
    clauses: list[str] = [f"tasks.state IN ({marks})"] if asked.states else ["1 = 1"]
    params: list[object] = [*asked.states]
    if asked.desk:
        clauses.append("tasks.desk = ?")
        params.append(asked.desk)
    return " AND ".join(clauses), params


def _unknown(task_id: str) -> Objection:
    return Objection(f"task {task_id} cannot be shown", "there is no task of that id", "see `ivr tasks list`")
