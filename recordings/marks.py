"""Marks: how far something that goes on in rounds has come."""

from datetime import datetime

from recordings.store import Store

TIMEOUT = 5.0  # seconds
FIND = "SELECT at FROM marks WHERE name = ?"
PUT = "INSERT INTO marks (name, at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at"


def mark(store: Store, name: str) -> datetime | None:
    """Return how far something has come; None if it has never begun."""
    row = store.read(lambda conn: conn.execute(store.sql(FIND), (name,)).fetchone(), TIMEOUT)
    return store.moment(row[0]) if row else None


def put_mark(store: Store, name: str, at: datetime) -> None:
    """Write down how far something has come."""
    params = (name, store.instant(at))
    store.write(lambda conn: conn.execute(store.sql(PUT), params).rowcount, TIMEOUT)
