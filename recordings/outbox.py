"""The outbox: what must still be done, as rows that are claimed, carried out at least once, and then kept for a while.

A row is written in the transaction of its cause. Whoever claims it has a lease; the number of attempts at that moment
is the fence: a worker that was believed dead and comes back finds that its claim is over, and changes nothing.
"""

# ruff: noqa: S608 - the only names that are put into these statements are the columns of this package

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from recordings.store import Connection, Row, Store

TIMEOUT = 5.0  # seconds
LEASE = timedelta(seconds=30)
LONG_LEASE = timedelta(minutes=3)  # for audio, which may take a minute to come
ALARMS = "alarm"  # the lane of all alarms
SHOWN = 500  # characters of an error that are kept
MOST_ALONG = 200  # rows that one message takes along
COLUMNS = "id, key, kind, call_sid, case_number, detail, lane, attempts, created_at"


class Pace(StrEnum):
    """Which rows to claim, so that what takes long never holds up what somebody is waiting for."""

    ANY = "any"
    HOUSE = "house"  # work within the house
    PAGING = "paging"  # word that is urgent, on its way to people
    SLOW = "slow"  # everything else that leaves the house


ENCODE = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(dict[str, object]).decode

NEW = (
    "INSERT INTO outbox (key, kind, call_sid, case_number, detail, created_at, state, attempts, not_before, lane) "
    "VALUES (?, ?, ?, ?, ?, ?, 'waiting', 0, ?, ?) ON CONFLICT (key) DO NOTHING"
)
# Notices whose lane is a digest are not urgent.
_DIGEST = "replace(coalesce(lane, ''), '.digest', '') <> coalesce(lane, '')"
_SLOW = f"(kind IN ('fetch', 'find_audio', 'delete_copy', 'webhook', 'text') OR {_DIGEST})"
_PAGING = f"(kind IN ('notify', 'voice_page', 'alarm') AND NOT {_SLOW})"
_PACES = {
    Pace.ANY: "",
    Pace.HOUSE: f"NOT {_SLOW} AND NOT {_PAGING} AND ",
    Pace.PAGING: f"{_PAGING} AND ",
    Pace.SLOW: f"{_SLOW} AND ",
}
# The oldest row of each lane that waits, if nobody holds a lease on it.
_FREE = (
    "{pace}state = 'waiting' "
    "AND (not_before IS NULL OR not_before <= ?) AND (leased_until IS NULL OR leased_until < ?) "
    "AND (lane IS NULL OR NOT EXISTS (SELECT 1 FROM outbox AS earlier "
    "WHERE earlier.lane = outbox.lane AND earlier.state = 'waiting' AND earlier.id < outbox.id))"
)
DUE = f"SELECT 1 FROM outbox WHERE {_FREE} LIMIT 1".format(pace="")
CLAIM = (
    "UPDATE outbox SET attempts = attempts + 1, leased_by = ?, "
    "leased_until = CASE WHEN kind = 'fetch' THEN ? ELSE ? END "
    f"WHERE id IN (SELECT id FROM outbox WHERE {_FREE} ORDER BY id LIMIT ?{{locked}}) RETURNING {COLUMNS}"
)
_HELD = "WHERE id = ? AND attempts = ? AND state = 'waiting'"
HELD = f"SELECT {COLUMNS} FROM outbox {_HELD} AND leased_until >= ?"
DONE = f"UPDATE outbox SET state = 'done', done_at = ?, leased_until = NULL, last_error = NULL {_HELD}"
FAILED = f"UPDATE outbox SET not_before = ?, leased_until = NULL, last_error = ? {_HELD}"
NOT_YET = f"UPDATE outbox SET not_before = ?, leased_until = NULL, attempts = attempts - 1, last_error = ? {_HELD}"
DEAD = f"UPDATE outbox SET state = 'dead', done_at = ?, leased_until = NULL, last_error = ? {_HELD}"
ALONG = (
    "UPDATE outbox SET attempts = attempts + 1, leased_by = mine.leased_by, leased_until = mine.leased_until "
    "FROM (SELECT leased_by, leased_until FROM outbox WHERE id = ? AND attempts = ? AND leased_until >= ?) AS mine "
    "WHERE id IN (SELECT id FROM outbox WHERE state = 'waiting' AND kind = ? AND coalesce(lane, '') = ? AND id <> ? "
    f"AND (leased_until IS NULL OR leased_until < ?) ORDER BY id LIMIT {MOST_ALONG}{{locked}}) "
    f"RETURNING {COLUMNS}"
)
REPLAY = (
    "UPDATE outbox SET state = 'waiting', attempts = 0, not_before = NULL, leased_until = NULL, done_at = NULL "
    "WHERE state <> 'waiting' AND "
)


class Owed(msgspec.Struct, frozen=True):
    """Something to be done. `key` is stable: what is owed twice under one key is done once.

    Rows of one `lane` are done in order, one at a time. Nothing is done before `not_before`; None means at once.
    """

    kind: str
    key: str
    detail: dict[str, object] = {}
    call_sid: str = ""
    case_number: str = ""
    lane: str = ""
    not_before: datetime | None = None


def alarm(key: str, why: str, call_sid: str = "", case_number: str = "", **about: object) -> Owed:
    """Return what is owed so that the operators are told. Alarms that come together go out as one message."""
    return Owed("alarm", key, {"why": why, **about}, call_sid, case_number, ALARMS)


class Job(msgspec.Struct, frozen=True):
    """A row that somebody has claimed. `attempts` counts this one too and is the fence of the claim."""

    id: int
    key: str
    kind: str
    call_sid: str
    case_number: str
    detail: dict[str, object]
    lane: str
    attempts: int
    created_at: datetime


class Letter(msgspec.Struct, frozen=True):
    """A row of the outbox as an operator sees it. `state` is waiting, done or dead."""

    job: Job
    state: str
    not_before: datetime | None
    last_error: str


def owe(conn: Connection, store: Store, owed: Iterable[Owed], at: datetime) -> None:
    """Write what is owed in the transaction at hand; a key that is there already is left alone."""
    for each in owed:
        before = store.instant(each.not_before) if each.not_before else None
        detail = ENCODE(each.detail).decode()
        row = (each.key, each.kind, each.call_sid, each.case_number or None, detail, store.instant(at), before)
        conn.execute(store.sql(NEW), (*row, each.lane or None))


def owe_now(store: Store, owed: Sequence[Owed], at: datetime, timeout: float = TIMEOUT) -> None:
    """Write what is owed in a transaction of its own."""
    if owed:
        store.write(lambda conn: owe(conn, store, owed, at), timeout)


def is_due(store: Store, at: datetime) -> bool:
    """Whether there is anything to claim. A look that writes nothing, for those who look often."""
    now = store.instant(at)
    return store.read(lambda conn: conn.execute(store.sql(DUE), (now, now)).fetchone(), TIMEOUT) is not None


def claim(store: Store, worker: str, at: datetime, most: int, pace: Pace = Pace.ANY) -> list[Job]:
    """Claim up to so many rows that can be done now, the oldest first. Two workers never claim the same one."""
    now = store.instant(at)
    locked = " FOR UPDATE SKIP LOCKED" if store.dialect == "postgresql" else ""
    sql = store.sql(CLAIM.format(pace=_PACES[pace], locked=locked))
    leases = (worker, store.instant(at + LONG_LEASE), store.instant(at + LEASE))
    params = (*leases, now, now, most)
    rows = store.write(lambda conn: conn.execute(sql, params).fetchall(), TIMEOUT)
    return sorted((_job(store, row) for row in rows), key=lambda job: job.id)


def take_along(store: Store, job: Job, at: datetime) -> list[Job]:
    """Claim whatever else waits in the lane of a claimed job, due or not yet, under its lease; the oldest first."""
    locked = " FOR UPDATE SKIP LOCKED" if store.dialect == "postgresql" else ""
    sql, now = store.sql(ALONG.format(locked=locked)), store.instant(at)
    params = (job.id, job.attempts, now, job.kind, job.lane, job.id, now)
    rows = store.write(lambda conn: conn.execute(sql, params).fetchall(), TIMEOUT)
    return sorted((_job(store, row) for row in rows), key=lambda each: each.id)


def held(store: Store, number: int, fence: int, at: datetime) -> Job | None:
    """Return a claimed row, if the claim still holds."""
    params = (number, fence, store.instant(at))
    row = store.read(lambda conn: conn.execute(store.sql(HELD), params).fetchone(), TIMEOUT)
    return _job(store, row) if row else None


def finish(store: Store, job: Job, at: datetime) -> bool:
    """Mark a job done; False if the claim is over."""
    return _settle(store, DONE, (store.instant(at),), job)


def put_off(store: Store, job: Job, until: datetime, why: str, *, counts: bool = True) -> bool:
    """Have a job tried again at an instant. Unless it `counts`, this attempt is forgotten."""
    return _settle(store, FAILED if counts else NOT_YET, (store.instant(until), why[:SHOWN]), job)


def bury(store: Store, job: Job, at: datetime, why: str, alarm: Owed | None) -> bool:
    """Make a job a dead letter, and owe the alarm in the same transaction."""

    def work(conn: Connection) -> bool:
        params = (store.instant(at), why[:SHOWN], job.id, job.attempts)
        buried = conn.execute(store.sql(DEAD), params).rowcount == 1
        if buried and alarm:
            owe(conn, store, (alarm,), at)
        return buried

    return store.write(work, TIMEOUT)


def _settle(store: Store, sql: str, values: tuple[object, ...], job: Job) -> bool:
    params = (*values, job.id, job.attempts)
    return store.write(lambda conn: conn.execute(store.sql(sql), params).rowcount == 1, TIMEOUT)


def listing(store: Store, state: str, kind: str = "", most: int = 100) -> list[Letter]:
    """Return rows of the outbox in one state, the oldest first."""
    sql = f"SELECT {COLUMNS}, state, not_before, last_error FROM outbox WHERE state = ?"
    sql, params = (f"{sql} AND kind = ?", (state, kind)) if kind else (sql, (state,))
    text = store.sql(f"{sql} ORDER BY id LIMIT ?")
    rows = store.read(lambda conn: conn.execute(text, (*params, most)).fetchall(), TIMEOUT)
    return [_letter(store, row) for row in rows]


def replay(store: Store, *, ids: Sequence[int] = (), kind: str = "", since: datetime | None = None) -> int:
    """Have rows done once more that are dead or done: those with an id, or a kind's dead ones created since then.

    With `since`, those that were done are among them: a receiver that has lost what it was sent gets it again.
    """
    if ids:
        where, params = f"id IN ({', '.join('?' for _ in ids)})", tuple[object, ...](ids)
    elif since:
        where, params = "kind = ? AND created_at >= ?", (kind, store.instant(since))
    else:
        where, params = ("state = 'dead' AND kind = ?", (kind,)) if kind else ("state = 'dead'", ())
    sql = store.sql(REPLAY + where)
    return store.write(lambda conn: conn.execute(sql, params).rowcount, TIMEOUT)


def _job(store: Store, row: Row) -> Job:
    number, key, kind, call_sid, case_number, detail, lane, attempts, created_at = row
    moment = store.moment(created_at)
    return Job(number, key, kind, call_sid, case_number or "", decode(detail), lane or "", attempts, moment)


def _letter(store: Store, row: Row) -> Letter:
    state, not_before, last_error = row[-3:]
    return Letter(_job(store, row[:-3]), state, store.moment(not_before) if not_before else None, last_error or "")
