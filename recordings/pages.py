"""Pages: word that goes up a ladder until somebody takes it; and who was tried on the way, when, how, with what result.

A page moves by `advance`, which changes its row only as its reader saw it: of two who move it at once, one does, and
what is owed to people is written in the same transaction. So nobody is told twice, and nobody is forgotten.
"""

# ruff: noqa: S608 - the only names that are put into these statements are the columns of this package

from collections.abc import Iterable
from datetime import datetime

from flows.work import SERVICE, Entry
from recordings.outbox import TIMEOUT, owe
from recordings.page_rows import (
    ACKNOWLEDGED,
    ATTEMPT,
    CLIMBING,
    CLOSED,
    PAGE,
    Attempt,
    Page,
    Step,
    Taken,
    attempt_from,
    attempt_row,
    page_from,
    page_row,
)
from recordings.store import Connection, Store
from recordings.work_log import append

__all__ = ["ACKNOWLEDGED", "CLIMBING", "CLOSED", "Attempt", "Page", "Step", "Taken"]

WAITS = "waits"  # kind of the entries that say why nobody is told just now
HAVE_TIME = "those who were told still have time"
MOST = 100  # pages that one look takes up

NEW_PAGE = f"INSERT INTO pages ({PAGE}) VALUES ({', '.join('?' * 19)}) ON CONFLICT (id) DO NOTHING"
NEW_ATTEMPT = f"INSERT INTO attempts ({ATTEMPT}) VALUES ({', '.join('?' * 11)}) ON CONFLICT (key) DO NOTHING"
MOVE = (
    "UPDATE pages SET level = ?, round = ?, look_at = ?, version = version + 1 "
    "WHERE id = ? AND version = ? AND state = 'climbing'"
)
TAKE = (
    "UPDATE pages SET state = 'acknowledged', acknowledged_at = ?, acknowledged_by = ?, acknowledged_how = ?, "
    "look_at = NULL, version = version + 1 WHERE id = ? AND state = 'climbing'"
)
CLOSE = "UPDATE pages SET state = 'closed', look_at = NULL, version = version + 1 WHERE id = ? AND state = 'climbing'"
REOPEN = (
    "UPDATE pages SET state = 'climbing', acknowledged_at = NULL, acknowledged_by = NULL, acknowledged_how = NULL, "
    "look_at = ?, why = ?, version = version + 1 WHERE id = ? AND version = ? AND state <> 'climbing'"
)
HURRY = "UPDATE pages SET look_at = ?, version = version + 1 WHERE id = ? AND state = 'climbing'"
CLAIM_TASK = (
    "UPDATE tasks SET state = 'claimed', holder = ?, version = version + 1 "
    "WHERE call_sid = ? AND state = 'new' RETURNING id, version"
)
# What is known of an attempt only grows: a late word that it was sent does not undo that somebody answered.
RANK = {
    "owed": 0,
    "skipped": 1,
    "sent": 1,
    "failed": 2,
    "answered": 2,
    "no_answer": 3,
    "machine": 3,
    "passed": 4,
    "acknowledged": 5,
}


def open_page(store: Store, page: Page) -> bool:
    """Write a new page; False, and nothing written, if there is one with its id."""
    row = page_row(store, page)
    return store.write(lambda conn: conn.execute(store.sql(NEW_PAGE), row).rowcount == 1, TIMEOUT)


def load(store: Store, page_id: str) -> Page | None:
    """Return a page by its id."""
    return next(iter(_pages(store, "WHERE id = ?", page_id)), None)


def look(store: Store, at: datetime, most: int = MOST) -> list[Page]:
    """Return the climbing pages that are to be looked at by an instant, the longest overdue first."""
    where = "WHERE look_at <= ? AND state = 'climbing' ORDER BY look_at, id LIMIT ?"
    return _pages(store, where, store.instant(at), most)


def of_call(store: Store, call_sid: str) -> list[Page]:
    """Return the pages of a call, the oldest first."""
    return _pages(store, "WHERE call_sid = ? ORDER BY opened_at, id", call_sid)


def newest(store: Store, most: int) -> list[Page]:
    """Return the pages opened last: those that climb first, then by age, the youngest first."""
    order = "ORDER BY CASE state WHEN 'climbing' THEN 0 ELSE 1 END, opened_at DESC, id LIMIT ?"
    return _pages(store, order, most)


def attempts(store: Store, page_id: str) -> list[Attempt]:
    """Return who was tried for a page, in order."""
    sql = store.sql(f"SELECT {ATTEMPT} FROM attempts WHERE page = ? ORDER BY at, id")
    rows = store.read(lambda conn: conn.execute(sql, (page_id,)).fetchall(), TIMEOUT)
    return [attempt_from(store, row) for row in rows]


def advance(store: Store, page: Page, step: Step, at: datetime) -> bool:
    """Move a climbing page on, and owe its people the word; False, and nothing done, if it is no longer as it was."""
    look_at = store.instant(step.look_at) if step.look_at else None
    params = (step.level, step.round, look_at, page.id, page.version)

    def work(conn: Connection) -> bool:
        if conn.execute(store.sql(MOVE), params).rowcount != 1:
            return False
        for each in step.attempts:
            conn.execute(store.sql(NEW_ATTEMPT), attempt_row(store, each))
        owe(conn, store, step.owed, at)
        append(conn, store, _wait(page, step, at))
        return True

    return store.write(work, TIMEOUT)


def climbs(store: Store, page_id: str) -> bool:
    """Whether a page is there that nobody has taken yet."""
    page = load(store, page_id)
    return page is not None and page.state == CLIMBING


def wait_of(entries: Iterable[Entry]) -> Entry | None:
    """Return the last of a page's entries that says for what it waits, and until when; None if there is none."""
    return max((each for each in entries if each.kind == WAITS), key=lambda each: (each.at, each.key), default=None)


def acknowledge(store: Store, page_id: str, taken: Taken, at: datetime) -> bool:
    """Give a climbing page to somebody, and the open tasks of its call with it; False if it no longer climbs.

    Of two who take it at once, one has it.
    """

    def work(conn: Connection) -> bool:
        row = (store.instant(at), taken.by, taken.how, page_id)
        if conn.execute(store.sql(TAKE), row).rowcount != 1:
            return False
        found = conn.execute(store.sql("SELECT call_sid, version FROM pages WHERE id = ?"), (page_id,)).fetchone()
        call_sid, version = found or ("", 0)
        key = f"{page_id}.{version:06d}.acknowledged"
        append(conn, store, (Entry(page_id, "acknowledged", at, taken.by, {"how": taken.how}, key, at),))
        if call_sid:
            _claim_tasks(conn, store, call_sid, taken.by, at)
        if taken.attempt:
            _settle(conn, store, "key LIKE ?", (f"{_literal(taken.attempt)}%", "acknowledged", at))
        return True

    return store.write(work, TIMEOUT)


def close(store: Store, page_id: str, by: str, why: str, at: datetime) -> bool:
    """End a climbing page that nobody has to take any more; False if it no longer climbs."""

    def work(conn: Connection) -> bool:
        if conn.execute(store.sql(CLOSE), (page_id,)).rowcount != 1:
            return False
        append(conn, store, (Entry(page_id, "closed", at, by, {"why": why}, f"{page_id}.closed", at),))
        return True

    return store.write(work, TIMEOUT)


def climb_again(store: Store, page: Page, why: str, at: datetime) -> bool:
    """Let a page that was taken or closed climb once more, from where it stood; False if it is no longer as it was."""
    params = (store.instant(at), why, page.id, page.version)
    return store.write(lambda conn: conn.execute(store.sql(REOPEN), params).rowcount == 1, TIMEOUT)


def hurry(store: Store, page_id: str, at: datetime) -> bool:
    """Have a climbing page looked at by an instant, because whoever was asked has passed it on."""
    params = (store.instant(at), page_id)
    return store.write(lambda conn: conn.execute(store.sql(HURRY), params).rowcount == 1, TIMEOUT)


def settle_attempt(store: Store, key: str, result: str, at: datetime) -> bool:
    """Note what came of an attempt, by the key of its outbox row; False if more than that is known already."""
    return store.write(lambda conn: _settle(conn, store, "key = ?", (key, result, at)) > 0, TIMEOUT)


def _settle(conn: Connection, store: Store, where: str, settled: tuple[str, str, datetime]) -> int:
    key, result, at = settled
    lower = [known for known, rank in RANK.items() if rank < RANK[result]]
    marks = ", ".join("?" for _ in lower)
    escape = " ESCAPE '!'" if "LIKE" in where else ""
    sql = f"UPDATE attempts SET result = ?, settled_at = ? WHERE {where}{escape} AND result IN ({marks})"
    return conn.execute(store.sql(sql), (result, store.instant(at), key, *lower)).rowcount


def _wait(page: Page, step: Step, at: datetime) -> tuple[Entry, ...]:
    """Return the entry of a wait, once for each that is another."""
    if not step.next_at or (step.why == "" and not step.attempts):
        return ()
    until = f"{step.next_at:%Y-%m-%dT%H:%M:%SZ}"
    key = f"{page.id}.{step.level}.{step.round}.waits.{until}"
    return (Entry(page.id, WAITS, at, SERVICE, {"why": step.why or HAVE_TIME, "until": until}, key, at),)


def _literal(text: str) -> str:
    """Return text that LIKE takes as it stands."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _claim_tasks(conn: Connection, store: Store, call_sid: str, holder: str, at: datetime) -> None:
    rows = conn.execute(store.sql(CLAIM_TASK), (holder, call_sid)).fetchall()
    claims = (Entry(task, "claimed", at, holder, {"to": holder}, f"{task}.{n}.claimed.page", at) for task, n in rows)
    append(conn, store, claims)


def _pages(store: Store, where: str, *params: object) -> list[Page]:
    sql = store.sql(f"SELECT {PAGE} FROM pages {where}")
    rows = store.read(lambda conn: conn.execute(sql, params).fetchall(), TIMEOUT)
    return [page_from(store, row) for row in rows]
