"""The log of calls: a turn goes in once, and whoever delivers it again gets the same reply."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from functools import partial
from threading import Lock
from time import monotonic

import msgspec

from flows.call import Call, Turned
from flows.heard import Event, Heard
from recordings.append import append, append_at_once
from recordings.rows import NOBODY_WAITED, Known, TurnKey, fold, rows_of
from recordings.store import Conflict, Interrupted, Row, Store, StoreUnavailable

ATTEMPTS = 4
READ_TIMEOUT = 3.0
REMEMBERED = 512  # calls a process keeps in memory

LOOK = (
    "SELECT calls.document, calls.version, turns.reply FROM calls "
    "LEFT JOIN turns ON turns.sid = calls.sid AND turns.leg = ? AND turns.turn = ? WHERE calls.sid = ?"
)
TIMELINE = "SELECT id, leg, turn, at, node, heard, events, changes, reply FROM turns WHERE sid = ? ORDER BY id"
CHANGES = "SELECT changes FROM turns WHERE sid = ? ORDER BY id"
NEWEST = "SELECT document FROM calls ORDER BY started_at DESC, id DESC LIMIT ?"

Take = Callable[[Call | None], tuple[Turned, bytes]]
TakeNotice = Callable[[Call | None], Turned | None]
read_call = msgspec.json.Decoder(Call).decode
read_heard = msgspec.json.Decoder(Heard).decode
read_events = msgspec.json.Decoder(tuple[Event, ...]).decode


class UnknownCall(LookupError):  # noqa: N818 - the caller of a call that we have never heard of is no error of ours
    """No call with this id is in the log."""


class TurnRow(msgspec.Struct, frozen=True):
    """One row of a call's log: what was heard, what happened, what changed, and the reply as it was sent.

    Leg 0 is the caller's, leg k that of the k-th engineer; leg -1 is a fact that nobody waited for, and has no reply.
    """

    id: int
    leg: int
    turn: int
    at: datetime
    node: str
    heard: Heard
    events: tuple[Event, ...]
    changes: str
    reply: bytes | None


class Recent:
    """The calls that this process served last. What it says may be out of date: a write finds out."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._calls: OrderedDict[str, Known] = OrderedDict()
        self._lock = Lock()

    def get(self, sid: str) -> Known | None:
        """Return what is remembered of a call."""
        return self._calls.get(sid)

    def put(self, sid: str, known: Known) -> None:
        """Remember a call, and forget the one that was written longest ago."""
        with self._lock:
            self._calls[sid] = known
            self._calls.move_to_end(sid)
            if len(self._calls) > self._most:
                self._calls.popitem(last=False)

    def drop(self, sid: str) -> None:
        """Forget a call."""
        with self._lock:
            self._calls.pop(sid, None)


class CallLog:
    """The calls of a store. One instance serves every thread of a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent = Recent()
        self._append = append_at_once if store.dialect == "postgresql" else append
        self._look_sql = store.sql(LOOK)

    def turn(self, key: TurnKey, take: Take, timeout: float, *, allow_unknown: bool = False) -> bytes:
        """Return the reply to a delivered turn once it is durable; for a turn that was delivered before, its old reply.

        `take` gets the call as it is stored, None if it is new, and returns what follows from the turn, and the reply.
        It may be called up to four times, when others move the call on meanwhile, and must have no effect by itself.
        Raises UnknownCall for a later turn of a call that is not there, unless `allow_unknown`; StoreUnavailable when
        `timeout` seconds are not enough or the store is gone.
        """
        deadline = monotonic() + timeout
        known = self._recent.get(key.sid)
        sure = key.turn == key.leg == 0 if known is None else waited_for(known.call, key.leg) == key.turn
        for _ in range(ATTEMPTS):
            if not sure:
                known, stored = self._look(key, deadline)
                if stored is not None:
                    return stored
                if known is None and key.turn > 0 and not allow_unknown:
                    raise UnknownCall(key.sid)
            turned, reply = take(known.call if known else None)
            if self._write(key, known, (turned, reply), deadline):
                return reply
            sure = False
        raise StoreUnavailable(f"others moved the call on {ATTEMPTS} times")

    def notice(self, sid: str, heard: Heard, at: datetime, take: TakeNotice, timeout: float) -> bool:
        """Take a fact that came by itself, and return whether it was news.

        `take` gets the call as it is stored, None if it is unknown, and returns what follows, None if nothing does.
        """
        deadline = monotonic() + timeout
        for _ in range(ATTEMPTS):
            known, _reply = self._look(TurnKey(sid, NOBODY_WAITED, 0, heard, at), deadline)
            turned = take(known.call if known else None)
            if turned is None:
                return False
            key = TurnKey(sid, NOBODY_WAITED, known.version + 1 if known else 1, heard, at)
            if self._write(key, known, (turned, None), deadline):
                return True
        raise StoreUnavailable(f"others moved the call on {ATTEMPTS} times")

    def load(self, sid: str, timeout: float = READ_TIMEOUT) -> Call | None:
        """Return a call as it is stored."""
        rows = self._rows("SELECT document FROM calls WHERE sid = ?", sid, timeout=timeout)
        return read_call(rows[0][0]) if rows else None

    def timeline(self, sid: str, timeout: float = READ_TIMEOUT) -> list[TurnRow]:
        """Return everything that was written of a call, in the order in which it was written."""
        return [self._turn_row(row) for row in self._rows(TIMELINE, sid, timeout=timeout)]

    def rebuild(self, sid: str, timeout: float = READ_TIMEOUT) -> Call:
        """Return the call that its logged changes add up to. Raises UnknownCall."""
        changes = [changes for (changes,) in self._rows(CHANGES, sid, timeout=timeout)]
        if not changes:
            raise UnknownCall(sid)
        return fold(changes)

    def newest(self, limit: int, timeout: float = READ_TIMEOUT) -> list[Call]:
        """Return the calls that came in last, the newest first."""
        return [read_call(document) for (document,) in self._rows(NEWEST, limit, timeout=timeout)]

    def _rows(self, sql: str, *params: object, timeout: float) -> list[Row]:
        text = self._store.sql(sql)
        return self._store.read(lambda conn: conn.execute(text, params).fetchall(), timeout)

    def _turn_row(self, row: Row) -> TurnRow:
        number, leg, turn, at, node, heard, events, changes, reply = row
        return TurnRow(
            number, leg, turn, self._store.moment(at), node, read_heard(heard), read_events(events), changes, reply
        )

    def _look(self, key: TurnKey, deadline: float) -> tuple[Known | None, bytes | None]:
        """Return the call as it is stored now, and the reply to the turn if it has been given."""
        params = (key.leg, key.turn, key.sid)
        row = self._store.read(lambda conn: conn.execute(self._look_sql, params).fetchone(), deadline - monotonic())
        if row is None:
            return None, None
        known = Known(read_call(row[0]), row[1])
        self._recent.put(key.sid, known)
        return known, row[2]

    def _write(self, key: TurnKey, known: Known | None, outcome: tuple[Turned, bytes | None], deadline: float) -> bool:
        """Write a turn, and return whether that was done; if not, somebody else may have done it."""
        rows = rows_of(key, known, *outcome, self._store.instant)
        try:
            if self._store.write_one(partial(self._append, rows=rows), deadline - monotonic()):
                self._recent.put(key.sid, rows.after)
                return True
        except (Conflict, Interrupted):
            pass
        except StoreUnavailable:
            self._recent.drop(key.sid)
            raise
        self._recent.drop(key.sid)
        return False


def waited_for(call: Call, leg: int) -> int | None:
    """Return the number of the turn that a leg's conversation waits for; None for a leg that was never rung."""
    if leg == 0:
        return call.turn
    return call.legs[leg - 1].turn if 0 < leg <= len(call.legs) else None
