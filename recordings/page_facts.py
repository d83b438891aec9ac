"""What a page needs to know of its case and of its call's tasks: whose it is, whether somebody has it, what goes on."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from recordings.outbox import TIMEOUT
from recordings.page_rows import Page
from recordings.store import Row, Store
from recordings.work_log import decode

CASE = (
    "SELECT number, call_sid, programme, policy, region, desk, partner_name, coalesce(severity_now, severity) "
    "FROM cases WHERE number = ?"
)
TASKS = "SELECT kind, state, holder, desk, id FROM tasks WHERE call_sid = ? ORDER BY received_at, id"
TASKS_OF_CASE = "SELECT kind, state, holder, desk, id FROM tasks WHERE case_number = ? ORDER BY received_at, id"
PROGRESS = "SELECT max(at) FROM work_log WHERE subject = ? AND kind IN ('update', 'response')"
RUNG = "SELECT detail FROM work_log WHERE kind = 'rung' AND at >= ? AND key <> ?"
# Call backs of outages that nobody has taken, for which nobody is being paged either.
FORGOTTEN = (
    "SELECT DISTINCT call_sid FROM tasks WHERE kind = 'call_back' AND state = 'new' AND severity <= 1 "
    "AND received_at <= ? AND NOT EXISTS (SELECT 1 FROM pages WHERE pages.call_sid = tasks.call_sid "
    "AND pages.state = 'climbing') ORDER BY call_sid LIMIT 20"
)


class CaseFacts(msgspec.Struct, frozen=True):
    """As much of a case as a page about it needs."""

    number: str
    call_sid: str
    programme: str
    policy: str
    region: str
    desk: str
    partner: str
    severity: int | None


class TaskFacts(msgspec.Struct, frozen=True):
    """Whether somebody has a task, and whose it is while nobody has."""

    kind: str
    state: str
    holder: str
    desk: str
    id: str


def case_of(store: Store, number: str) -> CaseFacts | None:
    """Return what is known of a case."""
    row = _one(store, CASE, number)
    if row is None:
        return None
    number, call_sid, programme, policy, region, desk, partner, severity = row
    return CaseFacts(number, call_sid, programme, policy or "", region, desk or "", partner or "", severity)


def tasks_of(store: Store, call_sid: str) -> list[TaskFacts]:
    """Return a call's tasks, the oldest first."""
    return [_task(row) for row in _all(store, TASKS, call_sid)]


def tasks_about(store: Store, page: Page) -> list[TaskFacts]:
    """Return the tasks that a page is about, the oldest first: those of its call, or of the case that is escalated."""
    if page.call_sid:
        return tasks_of(store, page.call_sid)
    return [_task(row) for row in _all(store, TASKS_OF_CASE, page.case_number)]


def progress_at(store: Store, case_number: str) -> datetime | None:
    """Return when a case's partner was last answered or told how it stands."""
    row = _one(store, PROGRESS, case_number)
    return store.moment(row[0]) if row and row[0] is not None else None


def forgotten(store: Store, before: datetime) -> list[str]:
    """Return the calls that are owed an urgent call back since an instant, with nobody who has it or is paged."""
    return [sid for (sid,) in _all(store, FORGOTTEN, store.instant(before))]


def others_rung(store: Store, since: datetime, key: str) -> frozenset[str]:
    """Return the provider's ids of calls that were placed since an instant for other attempts than the one at hand."""
    rows = _all(store, RUNG, store.instant(since), f"{key}.rung")
    return frozenset(str(decode(detail).get("call", "")) for (detail,) in rows)


def _task(row: Row) -> TaskFacts:
    kind, state, holder, desk, ident = row
    return TaskFacts(kind, state, holder or "", desk, ident)


def _one(store: Store, sql: str, *params: object) -> Row | None:
    return store.read(lambda conn: conn.execute(store.sql(sql), params).fetchone(), TIMEOUT)


def _all(store: Store, sql: str, *params: object) -> Sequence[Row]:
    return store.read(lambda conn: conn.execute(store.sql(sql), params).fetchall(), TIMEOUT)
