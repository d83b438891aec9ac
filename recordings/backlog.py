"""The backlog: how much waits to be done, for how long, and what nobody has taken yet."""

from datetime import datetime

import msgspec

from recordings.store import Connection, Store

WAITING = "SELECT count(*), min(coalesce(not_before, created_at)) FROM outbox WHERE state = 'waiting'"
DEAD = "SELECT count(*) FROM outbox WHERE state = 'dead'"
PAGES = "SELECT count(*) FROM pages WHERE look_at IS NOT NULL AND state = 'climbing'"
TASKS = "SELECT count(*), count(CASE WHEN due_at < ? THEN 1 END) FROM tasks WHERE state IN ('new', 'claimed')"


class Backlog(msgspec.Struct, frozen=True):
    """Counts, and the age in seconds of the job that should have been done first."""

    waiting: int
    oldest: float
    dead: int
    pages: int
    tasks: int
    overdue: int


def backlog(store: Store, at: datetime, timeout: float) -> Backlog:
    """Return what there is to do at an instant. Raises StoreUnavailable."""

    def work(conn: Connection) -> Backlog:
        waiting, since = conn.execute(WAITING).fetchone() or (0, None)
        tasks, overdue = conn.execute(store.sql(TASKS), (store.instant(at),)).fetchone() or (0, 0)
        dead, pages = (conn.execute(sql).fetchone() or (0,) for sql in (DEAD, PAGES))
        oldest = max(0.0, (at - store.moment(since)).total_seconds()) if since is not None else 0.0
        return Backlog(waiting, oldest, dead[0], pages[0], tasks, overdue)

    return store.read(work, timeout)
