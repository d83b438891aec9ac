"""Cases for tests: a case row, entries and actions in few words, and the shipped policy with known targets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import msgspec
from paper import shipped

from flows.case_clocks import CaseRow
from flows.task import Task
from flows.taskwork import Received
from flows.work import Action, Entry
from routing.clock import Counts, Target
from routing.policy import Policy

NUMBER = "48207195"
TUESDAY = datetime(2026, 7, 14, 9, 0, tzinfo=UTC)  # EMEA and APAC are open
FRIDAY_17_55_PT = datetime(2026, 7, 18, 0, 55, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
CASE = CaseRow(
    number=NUMBER,
    call_sid="CA" + "1" * 32,
    programme="8x8-partner",
    policy="v1",
    opened_at=TUESDAY,
    region="emea",
    intent="new",
    partner_id="518820",
    partner_name="Cobalt",
    severity=2,
    desk="emea-tier2",
    table="partner",
)


@cache
def policy() -> Policy:
    """The shipped policy, with the published targets of certified partners written out here."""
    table = replace(
        shipped().targets["partner"],
        first_response={1: Target(HOUR), 2: Target(4 * HOUR), 3: Target(6 * HOUR, Counts.WORKING_DAYS)},
        updates={1: Target(4 * HOUR), 2: Target(24 * HOUR, Counts.WORKING_DAYS)},
    )
    return replace(shipped(), targets={**shipped().targets, "partner": table})


def policy_of(_version: str, _programme: str) -> Policy:
    return policy()


def case(**changes) -> CaseRow:
    return msgspec.structs.replace(CASE, **changes)


def entry(kind: str, at: datetime, key: str = "", subject: str = NUMBER, actor: str = "ada", **detail) -> Entry:
    return Entry(subject, kind, at, actor, detail, key or f"{subject}.{kind}.{at.isoformat()}", at)


def action(kind: str, at: datetime, by: str = "ada", *, logged: datetime | None = None, **detail) -> Action:
    return Action(kind, by, at, logged or at, detail)


def message(since: datetime, due: datetime, **changes) -> Received:
    """A voicemail message of a certified partner of the US, left on a call that came in at an instant."""
    task = Task(
        id="a1" * 10,
        kind="message",
        call_sid=CASE.call_sid,
        case_number=NUMBER,
        programme="8x8-partner",
        policy="v1",
        partner_id="347109",
        partner_name="Acme Resale",
        region="us",
        desk="us-tier2",
        number="+14085550142",
        severity=None,
        why="escalation voicemail",
        recording="RE" + "2" * 32,
        seconds=40,
        received_at=since + MINUTE,
        due_at=due,
    )
    return Received(msgspec.structs.replace(task, **changes), since)


def put_case(store, row: CaseRow, *, look_at: datetime | None = None, ended_at: datetime | None = None) -> CaseRow:
    """Store a case and its call, as a turn would."""
    at = store.instant
    ended = ended_at or row.opened_at + MINUTE
    call = (row.call_sid, row.programme, row.policy, row.region, row.intent, at(row.opened_at), at(ended), legs_of(row))
    kept = (row.number, row.call_sid, row.programme, row.policy, at(row.opened_at), row.region, row.intent)
    kept += (row.partner_id, row.partner_name, row.severity, row.desk, row.table, at(look_at) if look_at else None)

    def work(conn):
        conn.execute(store.sql(PUT_CALL), call)
        conn.execute(store.sql(PUT_CASE), kept)

    store.write(work, 5.0)
    return row


def legs_of(row: CaseRow) -> str:
    legs = [{"accepted_at": row.answered_at}] if row.answered_at else []
    return msgspec.json.encode({"sid": row.call_sid, "legs": legs}).decode()


def put_task(store, received: Received, *, look_at: datetime | None = None) -> Received:
    """Store a task, as a turn would."""
    task, at = received.task, store.instant
    row = (task.id, task.kind, task.call_sid, task.case_number, task.programme, task.policy, task.partner_id)
    row += (task.partner_name, task.region, task.desk, task.number, task.severity, task.why, task.recording)
    row += (task.seconds, at(task.received_at), at(task.due_at), at(look_at) if look_at else None)
    store.write(lambda conn: conn.execute(store.sql(PUT_TASK), row).rowcount, 5.0)
    return received


def query(store, sql: str, *params):
    return store.read(lambda conn: conn.execute(store.sql(sql), params).fetchall(), 5.0)


PUT_CALL = (
    "INSERT INTO calls (sid, version, programme, policy, line, line_id, region, intent, node, flags, started_at, "
    "ended_at, unknown_ids, document) VALUES (?, 1, ?, ?, '', '', ?, ?, 'bye', '', ?, ?, 0, ?) ON CONFLICT DO NOTHING"
)
PUT_CASE = (
    "INSERT INTO cases (number, call_sid, programme, policy, opened_at, region, intent, partner_id, partner_name, "
    "severity, desk, target_table, look_at, flags, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 'open')"
)
PUT_TASK = (
    "INSERT INTO tasks (id, kind, call_sid, case_number, programme, policy, partner_id, partner_name, region, desk, "
    "number, severity, why, recording, seconds, received_at, due_at, look_at, audio, state, flags, version) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'expected', 'new', '', 0)"
)
