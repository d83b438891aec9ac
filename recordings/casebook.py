"""The casebook: a case with its tasks and entries, and what people do with it, each in one transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from flows.case_actions import case_entry
from flows.case_clocks import CaseRow
from flows.case_rounds import next_look
from flows.casework import CaseView, case_view
from flows.taskwork import Received
from flows.work import Action, Entry, Objection, check_past, horizon, in_turn
from recordings.outbox import Owed, owe
from recordings.store import Connection, Row, Store
from recordings.task_rows import received_of_case
from recordings.work_log import append, entries_in
from routing.policy import Policy

TIMEOUT = 5.0  # seconds
LONGEST_CALL = timedelta(days=1)
COLUMNS = (
    "cases.number, cases.call_sid, cases.programme, coalesce(cases.policy, calls.policy, ''), cases.opened_at, "
    "cases.region, cases.intent, cases.partner_id, cases.partner_name, cases.severity, cases.desk, "
    "cases.target_table, cases.response_due, cases.flags, calls.ended_at, calls.document"
)
CASE = f"SELECT {COLUMNS} FROM cases LEFT JOIN calls ON calls.sid = cases.call_sid WHERE cases.number = ?"  # noqa: S608
VERSION = (
    "SELECT coalesce(cases.policy, calls.policy, ''), cases.programme FROM cases "
    "LEFT JOIN calls ON calls.sid = cases.call_sid WHERE cases.number = ?"
)
HOLD = "UPDATE cases SET level = level WHERE number = ?"  # nobody else writes the case until this transaction is over
SETTLE = "UPDATE cases SET status = ?, severity_now = ?, level = ?, look_at = ? WHERE number = ?"
LIVE = "SELECT started_at, ended_at FROM calls WHERE sid = ?"
LISTING = "SELECT number FROM cases {where} ORDER BY opened_at DESC LIMIT ?"

PolicyOf = Callable[[str, str], Policy]  # version, programme -> policy; raises StoreUnavailable


class _Leg(msgspec.Struct):
    accepted_at: datetime | None = None


class _Document(msgspec.Struct):
    legs: tuple[_Leg, ...] = ()


_read_document = msgspec.json.Decoder(_Document).decode


class Kept(msgspec.Struct, frozen=True):
    """Everything that is stored of a case: its row, its tasks as received, and the entries of all of them."""

    case: CaseRow
    tasks: tuple[Received, ...]
    entries: tuple[Entry, ...]

    def with_entries(self, *entries: Entry) -> "Kept":
        """Return it with entries that have just been written."""
        return msgspec.structs.replace(self, entries=(*self.entries, *entries))

    def view(self, policy: Policy, at: datetime) -> CaseView:
        """Return the case as it stood at an instant."""
        return case_view(self.case, self.tasks, self.entries, policy, at)


def view(store: Store, number: str, policy_of: PolicyOf, at: datetime) -> CaseView:
    """Return a case as it stood at an instant. Raises Objection if there is none of that number; StoreUnavailable."""
    policy = policy_for(store, number, policy_of)
    return store.read(lambda conn: load(conn, store, number), TIMEOUT).view(policy, at)


def numbers(store: Store, status: str = "", most: int = 100) -> list[str]:
    """Return the numbers of cases, the newest first: those of a status, or of any."""
    where, params = ("WHERE status = ?", (status,)) if status else ("", ())
    sql = store.sql(LISTING.format(where=where))
    return [number for (number,) in store.read(lambda conn: conn.execute(sql, (*params, most)).fetchall(), TIMEOUT)]


def policy_for(store: Store, number: str, policy_of: PolicyOf) -> Policy:
    """Return the policy that a case lives by. Raises Objection if there is no such case."""
    row = store.read(lambda conn: conn.execute(store.sql(VERSION), (number,)).fetchone(), TIMEOUT)
    if row is None:
        raise _unknown(number)
    return policy_of(row[0], row[1])


def load(conn: Connection, store: Store, number: str) -> Kept:
    """Return everything that is stored of a case. Raises Objection if there is none of that number."""
    row = conn.execute(store.sql(CASE), (number,)).fetchone()
    if row is None:
        raise _unknown(number)
    tasks = received_of_case(conn, store, number)
    entries = entries_in(conn, store, (number, *(each.task.id for each in tasks)))
    return Kept(_case(store, row), tasks, entries)


def hold(conn: Connection, store: Store, number: str) -> Kept:
    """Do the same, and let nobody else write the case until the transaction is over."""
    conn.execute(store.sql(HOLD), (number,))
    return load(conn, store, number)


def act(store: Store, number: str, action: Action, policy_of: PolicyOf) -> CaseView:
    """Do something with a case, and return it as it then is.

    Raises Objection, and then nothing has changed, if it cannot be done as things are; StoreUnavailable.
    """
    check_past(action, f"nothing was done with case {number}")  # before the clocks are read up to that instant
    policy = policy_for(store, number, policy_of)

    def work(conn: Connection) -> CaseView:
        kept = hold(conn, store, number)
        entry = _entry_of(conn, store, kept, action, policy)
        append(conn, store, (entry,))
        owe(conn, store, _page_of(kept.case, entry), action.logged_at)
        return settle(conn, store, kept.with_entries(entry), policy, action.logged_at)

    return store.write(work, TIMEOUT)


def _entry_of(conn: Connection, store: Store, kept: Kept, action: Action, policy: Policy) -> Entry:
    own = tuple(entry for entry in kept.entries if entry.subject == kept.case.number)
    timely = in_turn(action, own)
    entry = case_entry(kept.view(policy, timely.at), timely, own, policy)
    if entry.kind == "severity" and entry.says("call"):
        _check_live(conn, store, kept.case, entry)
    return entry


def _check_live(conn: Connection, store: Store, case: CaseRow, entry: Entry) -> None:
    """Raise Objection unless the call that an entry names was going on then."""
    row = conn.execute(store.sql(LIVE), (entry.says("call"),)).fetchone()
    going_on = row and store.moment(row[0]) <= entry.at and (row[1] is None or store.moment(row[1]) >= entry.at)
    if not going_on:
        what, why = f"case {case.number} was not corrected", f"no call {entry.says('call')} is going on"
        raise Objection(what, why, "name the call in which the partner says so, while it goes on")


def settle(conn: Connection, store: Store, kept: Kept, policy: Policy, at: datetime) -> CaseView:
    """Write what the entries of a case come to into its row, and when to look at it next; return the case."""
    own = tuple(entry for entry in kept.entries if entry.subject == kept.case.number)
    now = kept.view(policy, horizon(own, at))
    look_at = next_look(now, policy)
    severity = now.severity if now.corrected else None
    params = (now.status, severity, now.level, store.instant(look_at) if look_at else None, kept.case.number)
    conn.execute(store.sql(SETTLE), params)
    return now


def _page_of(case: CaseRow, entry: Entry) -> tuple[Owed, ...]:
    """Return the page that an escalation owes; nothing for any other entry."""
    return (page_for(case, entry),) if entry.kind == "escalated" else ()


def page_for(case: CaseRow, entry: Entry) -> Owed:
    """Return the page that calls the people of a level to a case: those of the desk that has what is overdue."""
    level, desk = entry.detail["level"], entry.says("desk") or case.desk
    detail = {"kind": "escalation", "case": case.number, "level": level, "why": entry.says("reason"), "desk": desk}
    return Owed("page", f"{case.number}.escalation.{level}", detail, case.call_sid, case.number)


def _case(store: Store, row: Row) -> CaseRow:
    *texts, severity, desk, table, due, flags, ended_at, document = row
    number, call_sid, programme, policy, opened_at, region, intent, partner_id, partner_name = texts
    opened = store.moment(opened_at)
    return CaseRow(
        number=number,
        call_sid=call_sid,
        programme=programme,
        policy=policy,
        opened_at=opened,
        region=region,
        intent=intent,
        partner_id=partner_id or "",
        partner_name=partner_name or "",
        severity=severity,
        desk=desk or "",
        table=table or "",
        response_due=store.moment(due) if due is not None else None,
        flags=tuple(flags.split()),
        answered_at=_answered_at(document),
        settled_at=store.moment(ended_at) if ended_at is not None else opened + LONGEST_CALL if document else None,
    )


def _answered_at(document: str | None) -> datetime | None:
    """Return when the first engineer accepted the call."""
    legs: Sequence[_Leg] = _read_document(document).legs if document else ()
    return min((leg.accepted_at for leg in legs if leg.accepted_at), default=None)


def _unknown(number: str) -> Objection:
    return Objection(f"case {number} cannot be shown", "there is no case of that number", "see `ivr cases list`")
