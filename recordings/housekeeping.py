"""Calls whose end was never heard of."""

from datetime import datetime, timedelta

from recordings.store import Store

LOOK_BACK = timedelta(days=7)
MOST = 200
SILENT = (
    "SELECT sid FROM calls WHERE started_at >= ? AND started_at < ? AND ended_at IS NULL "
    "AND NOT EXISTS (SELECT 1 FROM turns WHERE turns.sid = calls.sid AND turns.at >= ?) LIMIT ?"
)


def silent_since(store: Store, instant: datetime, timeout: float) -> list[str]:
    """Return calls of the last week that have not ended, and of which nothing was heard since an instant."""
    at, sql = store.instant, store.sql(SILENT)
    params = (at(instant - LOOK_BACK), at(instant), at(instant), MOST)
    rows = store.read(lambda conn: conn.execute(sql, params).fetchall(), timeout)
    return [sid for (sid,) in rows]
