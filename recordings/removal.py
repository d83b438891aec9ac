"""Removing for good what retention or an erasure says: audio and its key, transcripts, and calls with all of theirs."""

# ruff: noqa: S608 - only question marks and names of this package are put into these statements

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from recordings.audio_store import AudioStore
from recordings.failpoint import reach
from recordings.kept import REMOVED, Recording
from recordings.outbox import Owed, owe
from recordings.store import Connection, Store

TIMEOUT = 10.0  # seconds
# What is freed is overwritten, so that nobody finds it in the file. Postgres has nothing of the kind.
OVERWRITE = "PRAGMA secure_delete = ON"
SHRED = (
    "UPDATE recordings SET state = 'erased', seconds = NULL, bytes = NULL, sha256 = NULL, media_type = NULL, "
    "name = NULL, key_id = NULL, sealed_key = NULL, transcript = NULL, transcript_state = NULL "
    "WHERE sid = ? AND held IS NULL"
)
SHREDDED = "UPDATE tasks SET audio = 'erased' WHERE recording = ?"
FORGET = "UPDATE recordings SET call_sid = '' WHERE state IN ('erased', 'discarded') AND call_sid IN ({})"
CASES = "SELECT number FROM cases WHERE call_sid IN ({})"
OF_CALLS = "SELECT id FROM {} WHERE call_sid IN ({})"
SIDS = "SELECT sid FROM recordings WHERE call_sid IN ({})"
PARTS = (("turns", "sid"), ("cases", "call_sid"), ("tasks", "call_sid"), ("pages", "call_sid"), ("outbox", "call_sid"))


def shred(store: Store, audio: AudioStore, recordings: Iterable[Recording], at: datetime) -> int:
    """Remove the audio of recordings that are not held, their keys and transcripts; return how many there were.

    The file goes first: whoever is interrupted finds the row as it was and begins again. The row stays, without what
    was said in it, so that nobody fetches the audio again; the provider's copy, if there may be one, is owed to go.
    """
    done = 0
    for each in recordings:
        if each.held or (each.state in REMOVED and each.transcript is None and each.name is None):
            continue
        if each.name:
            audio.delete(each.name)
        reach("purge.mid")
        done += store.write(lambda conn, each=each: _shred(conn, store, each, at), TIMEOUT)  # type: ignore[misc]
    return done


def _shred(conn: Connection, store: Store, each: Recording, at: datetime) -> int:
    overwrite(conn, store)
    shredded = conn.execute(store.sql(SHRED), (each.sid,)).rowcount
    conn.execute(store.sql(SHREDDED), (each.sid,))
    if shredded and each.provider_deleted_at is None:
        owe(conn, store, [Owed("delete_copy", f"{each.sid}.delete_copy.erased", {"recording": each.sid})], at)
    return shredded


def overwrite(conn: Connection, store: Store) -> None:
    """Have the engine overwrite what this transaction frees."""
    if store.dialect == "sqlite":
        conn.execute(OVERWRITE)


def remove_calls(conn: Connection, store: Store, sids: Sequence[str]) -> Counter[str]:
    """Remove calls with their turns, cases, tasks, pages, attempts, work and outbox rows; return how much of what.

    Their recordings must have been shredded; what is left of those no longer says whose they were.
    """
    overwrite(conn, store)
    removed: Counter[str] = Counter()
    if not sids:
        return removed
    numbers = _column(conn, store, CASES.format(_marks(sids)), sids)
    pages = _column(conn, store, OF_CALLS.format("pages", _marks(sids)), sids)
    tasks = _column(conn, store, OF_CALLS.format("tasks", _marks(sids)), sids)
    recordings = _column(conn, store, SIDS.format(_marks(sids)), sids)
    for table, column, values in (
        ("attempts", "page", pages),
        ("attempts", "case_number", numbers),
        ("work_log", "subject", [*numbers, *tasks, *pages, *recordings]),
        ("outbox", "case_number", numbers),
        *((table, column, sids) for table, column in PARTS),
    ):
        removed[table] += _delete(conn, store, table, column, values)
    conn.execute(store.sql(FORGET.format(_marks(sids))), sids)
    removed["calls"] += _delete(conn, store, "calls", "sid", sids)
    return removed


def _delete(conn: Connection, store: Store, table: str, column: str, values: Sequence[str]) -> int:
    if not values:
        return 0
    return conn.execute(store.sql(f"DELETE FROM {table} WHERE {column} IN ({_marks(values)})"), values).rowcount


def _column(conn: Connection, store: Store, sql: str, params: Sequence[object]) -> list[str]:
    return [str(value) for (value,) in conn.execute(store.sql(sql), params).fetchall()]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" for _ in values)
