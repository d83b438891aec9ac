"""The round of the tasks that nobody has taken: each is handed to the desk whose turn it is, and that desk is told."""

from datetime import datetime

from flows.taskwork import TaskView, owner_of, task_view
from flows.work import SERVICE, Entry
from ivr.jobs.clock_words import handed_note
from ivr.jobs.look import TIMEOUT, due, each
from ivr.notify.tell import Tell
from recordings.casebook import PolicyOf
from recordings.outbox import Owed, owe
from recordings.store import Connection, Store
from recordings.task_rows import hold, put
from recordings.work_log import append_new, entries_in
from routing.decide import URGENT_AT_MOST
from routing.policy import Policy

TASKS = "SELECT id, look_at FROM tasks WHERE look_at <= ? AND state = 'new' ORDER BY look_at, id LIMIT ?"
TAKE = "UPDATE tasks SET look_at = ? WHERE id = ? AND look_at = ? AND state = 'new'"  # also puts it off
VERSION = "SELECT policy, programme FROM tasks WHERE id = ?"


class HandOver:
    """Goes over the tasks whose instant has come. Two workers that do so at once are harmless."""

    def __init__(self, store: Store, policy_of: PolicyOf, tell: Tell) -> None:
        self._store = store
        self._policy_of = policy_of
        self._tell = tell

    def __call__(self, at: datetime) -> None:
        """Go over them. Raises StoreUnavailable."""
        self.go(at)

    def go(self, at: datetime) -> int:
        """Hand over what is not claimed, and return how many tasks were looked at. Raises StoreUnavailable."""
        return each(self._store, due(self._store, TASKS, at), self._look, TAKE, at)

    def _look(self, task_id: str, since: object, at: datetime) -> bool:
        sql = self._store.sql(VERSION)
        version, programme = self._store.read(lambda conn: conn.execute(sql, (task_id,)).fetchall()[0], TIMEOUT)
        policy = self._policy_of(version, programme)

        def work(conn: Connection) -> bool:
            params = (self._store.instant(at), task_id, since)
            if conn.execute(self._store.sql(TAKE), params).rowcount != 1:
                return False
            self._hand(conn, task_id, policy, at)
            return True

        return self._store.write(work, TIMEOUT)

    def _hand(self, conn: Connection, task_id: str, policy: Policy, at: datetime) -> None:
        row = hold(conn, self._store, task_id)
        if row is None:
            return
        entries = entries_in(conn, self._store, (task_id,))
        view = task_view(row.received, entries, at)
        desk, until = owner_of(view.task, policy, at)
        if desk != view.desk:
            handed = _handed(view, desk, len(entries), at)
            append_new(conn, self._store, (handed,))
            view = task_view(row.received, (*entries, handed), at)
            owe(conn, self._store, self._notice(view, handed, policy, at), at)
        put(conn, self._store, view, until if view.state == "new" else None)

    def _notice(self, view: TaskView, handed: Entry, policy: Policy, at: datetime) -> tuple[Owed, ...]:
        task = view.task
        urgent = task.severity is not None and task.severity <= URGENT_AT_MOST
        note = handed_note(view, policy, handed.says("from"))
        return self._tell(
            view.desk, note, urgent=urgent, key=handed.key, at=at, call_sid=task.call_sid, case_number=task.case_number
        )


def _handed(view: TaskView, desk: str, number: int, at: datetime) -> Entry:
    detail: dict[str, object] = {"from": view.desk, "to": desk}
    return Entry(view.task.id, "handed", at, SERVICE, detail, f"{view.task.id}.{number:06d}.handed", at)
