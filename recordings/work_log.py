"""The work log: what people and the service have done after the call. It only grows."""

from collections.abc import Iterable

import msgspec

from flows.work import Entry
from recordings.store import Connection, Row, Store

TIMEOUT = 5.0  # seconds
COLUMNS = "subject, kind, at, actor, detail, key, logged_at"
NEW = (
    "INSERT INTO work_log (key, subject, kind, at, logged_at, actor, detail) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (key) DO NOTHING"
)

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(dict[str, object]).decode


def append(conn: Connection, store: Store, entries: Iterable[Entry]) -> int:
    """Write entries in the transaction at hand, and return how many are new; a key that exists is left alone."""
    return len(append_new(conn, store, entries))


def append_new(conn: Connection, store: Store, entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Do the same, and return the entries that are new."""
    sql, instant = store.sql(NEW), store.instant
    written = []
    for each in entries:
        times = instant(each.at), instant(each.logged_at)
        row = (each.key, each.subject, each.kind, *times, each.actor, encode(each.detail).decode())
        if conn.execute(sql, row).rowcount == 1:
            written.append(each)
    return tuple(written)


def entries_of(store: Store, *subjects: str) -> tuple[Entry, ...]:
    """Return what was done with each of the subjects, in the order in which it happened. Raises StoreUnavailable."""
    return store.read(lambda conn: entries_in(conn, store, subjects), TIMEOUT)


def entries_in(conn: Connection, store: Store, subjects: Iterable[str]) -> tuple[Entry, ...]:
    """Do the same in a transaction at hand."""
    wanted = tuple(subjects)
    if not wanted:
        return ()
    marks = ", ".join("?" for _ in wanted)
    sql = f"SELECT {COLUMNS} FROM work_log WHERE subject IN ({marks}) ORDER BY at, key"  # noqa: S608 - marks only
    return tuple(_entry(store, row) for row in conn.execute(store.sql(sql), wanted).fetchall())


def _entry(store: Store, row: Row) -> Entry:
    subject, kind, at, actor, detail, key, logged_at = row
    return Entry(subject, kind, store.moment(at), actor, decode(detail), key, store.moment(logged_at))
