"""What is new in the work log, for whoever passes it on: read from a mark, which moves on once that is done."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flows.work import Entry
from recordings.store import Connection, Row, Store
from recordings.work_log import COLUMNS, decode

TIMEOUT = 5.0  # seconds
OVERLAP = timedelta(seconds=30)  # what was written down earlier may be seen later: transactions end in any order
OLDEST = timedelta(days=7)  # nobody is interested in older news
MOST = 2000
MARK = "SELECT at FROM marks WHERE name = ?"
SINCE = f"SELECT {COLUMNS} FROM work_log WHERE logged_at >= ? ORDER BY logged_at, id LIMIT {MOST}"  # noqa: S608


def news(store: Store, name: str, at: datetime) -> Sequence[Entry]:
    """Return what was written since the mark, and a little before it; nothing while there is no mark."""

    def work(conn: Connection) -> Sequence[Entry]:
        row = conn.execute(store.sql(MARK), (name,)).fetchone()
        if row is None:
            return ()
        since = max(store.moment(row[0]), at - OLDEST) - OVERLAP
        rows = conn.execute(store.sql(SINCE), (store.instant(since),)).fetchall()
        return [_entry(store, row) for row in rows]

    return store.read(work, TIMEOUT)


def _entry(store: Store, row: Row) -> Entry:
    subject, kind, at, actor, detail, key, logged_at = row
    return Entry(subject, kind, store.moment(at), actor, decode(detail), key, store.moment(logged_at))
