"""Holds: what must be kept beyond its time, because somebody with a reason has said so."""

from collections.abc import Callable, Sequence
from datetime import datetime

from flows.work import Entry, Objection
from recordings.store import Connection, Row, Store
from recordings.work_log import append, entries_in

TIMEOUT = 5.0  # seconds
HELD, RELEASED = "held", "released"
HELD_RECORDINGS = "SELECT call_sid FROM recordings WHERE held IS NOT NULL AND call_sid IN ({})"
HELD_CASES = (
    "SELECT cases.call_sid, work_log.kind FROM cases JOIN work_log ON work_log.subject = cases.number "
    "WHERE work_log.kind IN ('held', 'released') AND cases.call_sid IN ({}) ORDER BY work_log.at, work_log.id"
)
RECORDING = "SELECT state FROM recordings WHERE sid = ?"
CASE = "SELECT 1 FROM cases WHERE number = ?"
GONE = ("erased", "discarded")  # states of a recording of which nothing is left
MARK = "UPDATE recordings SET held = ? WHERE sid = ?"

Ask = Callable[[str, Sequence[object]], list[Row]]  # a query and its parameters


def held_calls(ask: Ask, sids: Sequence[str]) -> frozenset[str]:
    """Return those of some calls that have a held recording, or whose case is held."""
    if not sids:
        return frozenset()
    marks = ", ".join("?" for _ in sids)
    recordings = {sid for (sid,) in ask(HELD_RECORDINGS.format(marks), sids)}
    last: dict[str, str] = dict(ask(HELD_CASES.format(marks), sids))
    return frozenset(recordings | {sid for sid, kind in last.items() if kind == HELD})


def hold(store: Store, subject: str, reason: str, by: str, at: datetime) -> None:
    """Keep a recording, or a case with its call and its recordings, whatever its time. Raises Objection."""
    _mark(store, subject, HELD, {"reason": reason}, (by, at))


def release(store: Store, subject: str, by: str, at: datetime) -> None:
    """Let a recording or a case go when its time is over. Raises Objection if it is not held."""
    _mark(store, subject, RELEASED, {}, (by, at))


def _mark(store: Store, subject: str, kind: str, detail: dict[str, object], who: tuple[str, datetime]) -> None:
    by, at = who

    def work(conn: Connection) -> None:
        entries = [entry for entry in entries_in(conn, store, (subject,)) if entry.kind in (HELD, RELEASED)]
        _check(conn, store, subject, kind, entries)
        conn.execute(store.sql(MARK), (detail.get("reason"), subject))  # a case has no such row
        key = f"{subject}.{kind}.{len(entries)}"
        append(conn, store, (Entry(subject, kind, at, by, detail, key, at),))

    store.write(work, TIMEOUT)


def _check(conn: Connection, store: Store, subject: str, kind: str, entries: list[Entry]) -> None:
    """Raise Objection for a subject that there is not, or that is so already."""
    rows = [conn.execute(store.sql(sql), (subject,)).fetchone() for sql in (RECORDING, CASE)]
    if not any(rows):
        raise Objection(f"{subject} was not {kind}", "it is no recording and no case", "see `ivr cases list`")
    if kind == HELD and rows[0] and rows[0][0] in GONE:
        raise Objection(f"{subject} was not held", f"its audio is {rows[0][0]}", "there is nothing left of it to keep")
    is_held = bool(entries) and entries[-1].kind == HELD
    if kind == RELEASED and not is_held:
        raise Objection(f"{subject} was not released", "nobody holds it", "it goes when its time is over")
    if kind == HELD and is_held:
        raise Objection(f"{subject} was not held", f"{entries[-1].actor} holds it already", "release it first")
