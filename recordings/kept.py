"""The rows of recordings: what became of each one's audio, where it lies, and that it is not asked for again."""

# ruff: noqa: S608 - the only names that are put into these statements are the columns and states of this module

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from recordings.store import Connection, Row, Store

TIMEOUT = 5.0  # seconds
PAGE = 500


class State(StrEnum):
    """What became of a recording's audio. Only the first four can still become anything else but erased."""

    EXPECTED = "expected"
    MISSING = "missing"  # not found in time
    ABSENT = "absent"  # the provider says that nothing was recorded
    FAILED = "failed"  # the provider could not record
    STORED = "stored"
    SILENT = "silent"  # stored, and nothing can be heard in it
    TOO_SHORT = "too_short"  # stored, and shorter than a message
    DISCARDED = "discarded"  # a take that was not sent
    ERASED = "erased"


OPEN = (State.EXPECTED, State.MISSING, State.ABSENT, State.FAILED)
WITH_AUDIO = (State.STORED, State.SILENT, State.TOO_SHORT)
REMOVED = (State.DISCARDED, State.ERASED)
UNHEARD = (State.MISSING, State.ABSENT, State.FAILED, State.SILENT, State.TOO_SHORT)

COLUMNS = (
    "sid, call_sid, kind, state, seconds, bytes, sha256, media_type, name, key_id, sealed_key, received_at, "
    "stored_at, provider_deleted_at, held, transcript, transcript_state"
)
_OPEN = ", ".join(f"'{state}'" for state in OPEN)
FIND = f"SELECT {COLUMNS} FROM recordings WHERE sid = ?"
AFTER = f"SELECT {COLUMNS} FROM recordings WHERE sid > ? ORDER BY sid LIMIT ?"
EXPECT = (
    "INSERT INTO recordings (sid, call_sid, kind, state, seconds, received_at) VALUES (?, ?, ?, 'expected', ?, ?) "
    "ON CONFLICT (sid) DO NOTHING"
)
STORED = (
    "UPDATE recordings SET state = ?, kind = ?, seconds = ?, bytes = ?, sha256 = ?, media_type = ?, name = ?, "
    f"key_id = ?, sealed_key = ?, stored_at = ? WHERE sid = ? AND state IN ({_OPEN})"
)
SETTLED = "UPDATE recordings SET state = ? WHERE sid = ? AND state = 'expected'"
DISCARDED = f"UPDATE recordings SET state = 'discarded' WHERE sid = ? AND state IN ({_OPEN})"
LOST = (
    "UPDATE recordings SET state = 'expected', name = NULL, sealed_key = NULL, key_id = NULL, stored_at = NULL "
    "WHERE sid = ? AND name = ? AND provider_deleted_at IS NULL"
)
GONE = "UPDATE recordings SET provider_deleted_at = ? WHERE sid = ? AND provider_deleted_at IS NULL"
TRANSCRIBED = (
    "UPDATE recordings SET transcript = ?, transcript_state = ? WHERE sid = ? AND state <> 'erased' "
    "AND (transcript_state IS NULL OR transcript_state = 'failed')"
)
REWRAPPED = (
    "UPDATE recordings SET sealed_key = ?, key_id = ?, transcript = ? WHERE sid = ? AND state = ? "
    "AND (key_id = ? OR key_id IS NULL) AND (transcript = ? OR transcript IS NULL)"
)
TASKS = "SELECT id, desk, number, case_number, flags FROM tasks WHERE recording = ? ORDER BY id"
FLAG = (
    "UPDATE tasks SET flags = trim(flags || ' ' || ?), version = version + 1 "
    "WHERE id = ? AND ' ' || flags || ' ' NOT LIKE ?"
)
TASK_AUDIO = "UPDATE tasks SET audio = ?, version = version + 1 WHERE recording = ? AND audio <> ?"


class Recording(msgspec.Struct, frozen=True):
    """One row. `name`, `sealed_key`, `sha256` and `size` are there once the audio is; see State."""

    sid: str
    call_sid: str
    kind: str  # message or call
    state: State
    seconds: int | None
    size: int | None  # bytes of the audio itself
    sha256: str | None  # of the audio itself
    media_type: str | None
    name: str | None
    key_id: str | None
    sealed_key: bytes | None
    received_at: datetime
    stored_at: datetime | None
    provider_deleted_at: datetime | None
    held: str | None
    transcript: bytes | None
    transcript_state: str | None


class Stored(msgspec.Struct, frozen=True):
    """What is written down of audio that has been put into the audio store."""

    state: State
    kind: str
    seconds: int
    size: int
    sha256: str
    media_type: str
    name: str
    key_id: str
    sealed_key: bytes


class Waiting(msgspec.Struct, frozen=True):
    """A task that waits for a recording's audio."""

    id: str
    desk: str
    number: str
    case_number: str
    flags: tuple[str, ...]


def find(store: Store, sid: str) -> Recording | None:
    """Return the row of a recording."""
    row = store.read(lambda conn: conn.execute(store.sql(FIND), (sid,)).fetchone(), TIMEOUT)
    return _recording(store, row) if row else None


def everything(store: Store) -> Iterator[Recording]:
    """Return every row, by id, a page at a time, so that nobody is held up."""
    last, sql = "", store.sql(AFTER)
    while rows := store.read(lambda conn, after=last: conn.execute(sql, (after, PAGE)).fetchall(), TIMEOUT):  # type: ignore[misc]
        yield from (_recording(store, row) for row in rows)
        last = rows[-1][0]


def expect(conn: Connection, store: Store, expected: Sequence[object], at: datetime) -> bool:
    """Write that audio is to come: (id, call, kind, seconds). False if the recording is known already."""
    sid, call_sid, kind, seconds = expected
    row = (sid, call_sid, kind, seconds, store.instant(at))
    return conn.execute(store.sql(EXPECT), row).rowcount == 1


def stored(conn: Connection, store: Store, sid: str, audio: Stored, at: datetime) -> bool:
    """Write that the audio is in the audio store. False if it was there, or must not be there any more."""
    values = (*msgspec.structs.astuple(audio), store.instant(at), sid)
    return conn.execute(store.sql(STORED), values).rowcount == 1


def settle(conn: Connection, store: Store, sid: str, state: State) -> bool:
    """Write that there is no audio, and why. False if more is known of it than that already."""
    if state is State.DISCARDED:
        return conn.execute(store.sql(DISCARDED), (sid,)).rowcount == 1
    return conn.execute(store.sql(SETTLED), (state.value, sid)).rowcount == 1


def lost(conn: Connection, store: Store, sid: str, name: str) -> bool:
    """Write that a stored file cannot be read back, so that the audio is asked for again while it can be had."""
    return conn.execute(store.sql(LOST), (sid, name)).rowcount == 1


def provider_deleted(store: Store, sid: str, at: datetime) -> bool:
    """Write that the provider has no copy any more."""
    row = (store.instant(at), sid)
    return store.write(lambda conn: conn.execute(store.sql(GONE), row).rowcount == 1, TIMEOUT)


def transcribed(conn: Connection, store: Store, sid: str, transcript: bytes | None, state: str) -> bool:
    """Keep a sealed transcript, or that there is none; the first complete one stays. False if nothing was kept."""
    return conn.execute(store.sql(TRANSCRIBED), (transcript, state, sid)).rowcount == 1


def rewrapped(store: Store, row: Recording, wrapped: tuple[bytes | None, str | None, bytes | None]) -> bool:
    """Replace a row's sealed key, its key id and its transcript. False if the row has changed meanwhile."""
    params = (*wrapped, row.sid, row.state.value, row.key_id, row.transcript)
    return store.write(lambda conn: conn.execute(store.sql(REWRAPPED), params).rowcount == 1, TIMEOUT)


def waiting(conn: Connection, store: Store, sid: str) -> list[Waiting]:
    """Return the tasks whose message a recording is."""
    rows = conn.execute(store.sql(TASKS), (sid,)).fetchall()
    return [Waiting(row[0], row[1], row[2] or "", row[3] or "", tuple(row[4].split())) for row in rows]


def tell_tasks(conn: Connection, store: Store, sid: str, state: State) -> None:
    """Write into the tasks whose message a recording is what became of its audio."""
    conn.execute(store.sql(TASK_AUDIO), (state.value, sid, state.value))


def flag(conn: Connection, store: Store, task: Waiting, name: str) -> None:
    """Flag a task, once."""
    conn.execute(store.sql(FLAG), (name, task.id, f"% {name} %"))


def _recording(store: Store, row: Row) -> Recording:
    moments = [store.moment(at) if at is not None else None for at in row[11:14]]
    blobs = [bytes(each) if each is not None else None for each in (row[10], row[15])]
    values = (*row[:3], State(row[3]), *row[4:10], blobs[0], *moments, row[14], blobs[1], row[16])
    return Recording(*values)
