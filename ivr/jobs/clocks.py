"""The round of the clocks: who is warned, which target was missed, and which resolved case is asked about or closed."""

from collections.abc import Iterable
from datetime import datetime

from flows.case_actions import levels_of
from flows.case_clocks import BREACHED, WARNED, CaseClock
from flows.case_rounds import owed_entries
from flows.casework import CaseView
from flows.work import SERVICE, Entry
from ivr.jobs.clock_words import acceptance_note, breach_note, closed_note, promise, warning_note
from ivr.jobs.look import TIMEOUT, due, each
from ivr.notify.tell import OPERATORS, Note, Tell
from recordings import casebook
from recordings.casebook import Kept, PolicyOf
from recordings.outbox import Owed, owe
from recordings.store import Connection, Store
from recordings.work_log import append_new
from routing.decide import URGENT_AT_MOST
from routing.policy import Policy

CASES = "SELECT number, look_at FROM cases WHERE look_at <= ? ORDER BY look_at, number LIMIT ?"
TAKE = "UPDATE cases SET look_at = ? WHERE number = ? AND look_at = ?"  # also puts it off


class Clocks:
    """Goes over the cases whose instant has come. Two workers that do so at once are harmless."""

    def __init__(self, store: Store, policy_of: PolicyOf, tell: Tell) -> None:
        self._store = store
        self._policy_of = policy_of
        self._tell = tell

    def __call__(self, at: datetime) -> None:
        """Go over them. Raises StoreUnavailable."""
        self.go(at)

    def go(self, at: datetime) -> int:
        """Write what every such case is owed, and return how many there were. Raises StoreUnavailable."""
        return each(self._store, due(self._store, CASES, at), self._look, TAKE, at)

    def _look(self, number: str, since: object, at: datetime) -> bool:
        policy = casebook.policy_for(self._store, number, self._policy_of)

        def work(conn: Connection) -> bool:
            params = (self._store.instant(at), number, since)
            if conn.execute(self._store.sql(TAKE), params).rowcount != 1:
                return False  # another worker was here, or somebody has just done something with the case
            self._write(conn, casebook.load(conn, self._store, number), policy, at)
            return True

        return self._store.write(work, TIMEOUT)

    def _write(self, conn: Connection, kept: Kept, policy: Policy, at: datetime) -> None:
        view = kept.view(policy, at)
        written = append_new(conn, self._store, owed_entries(view, policy, at))
        raised = append_new(conn, self._store, _escalation(view, policy, written, at))
        owe(conn, self._store, (row for entry in written for row in self._notices(view, entry, policy, at)), at)
        owe(conn, self._store, (casebook.page_for(kept.case, entry) for entry in raised), at)
        casebook.settle(conn, self._store, kept.with_entries(*written, *raised), policy, at)

    def _notices(self, view: CaseView, entry: Entry, policy: Policy, at: datetime) -> tuple[Owed, ...]:
        """Return what is owed to the desk that has the case because of an entry."""
        clock, case = _clock_of(view, entry), view.case
        urgent = entry.kind == BREACHED and view.severity is not None and view.severity <= URGENT_AT_MOST
        return self._tell(
            _desk_of(view, clock),
            _note(view, entry, clock, policy),
            urgent=urgent,
            key=entry.key,
            at=at,
            call_sid=case.call_sid,
            case_number=case.number,
        )


def _escalation(view: CaseView, policy: Policy, written: Iterable[Entry], at: datetime) -> tuple[Entry, ...]:
    """Return the entry that calls the next level to a case of which something is overdue and still awaited.

    However much is missed at once, it is one level; above the last one there is nobody.
    """
    clocks = [_clock_of(view, entry) for entry in written if entry.kind == BREACHED]
    missed = [clock for clock in clocks if clock and clock.running]
    level = view.level + 1
    if not missed or level > levels_of(view, policy):
        return ()
    why = f"{promise(missed[0].id)} was missed"
    key = f"{view.case.number}.escalation.{level}"
    detail = {"level": level, "reason": why, "desk": _desk_of(view, missed[0])}
    return (Entry(view.case.number, "escalated", at, SERVICE, detail, key, at),)


def _clock_of(view: CaseView, entry: Entry) -> CaseClock | None:
    return next((clock for clock in view.clocks if clock.key == entry.says("clock")), None)


def _desk_of(view: CaseView, clock: CaseClock | None) -> str:
    """Return whom a clock's word goes to: the desk that has its task, else the case's, else the operators."""
    ident = clock.id.partition(".")[2] if clock else ""
    task_desk = next((task.desk for task in view.tasks if task.task.id == ident), "")
    return task_desk or view.case.desk or OPERATORS


def _note(view: CaseView, entry: Entry, clock: CaseClock | None, policy: Policy) -> Note:
    if clock and entry.kind == WARNED:
        return warning_note(view, clock, policy)
    if clock and entry.kind == BREACHED:
        return breach_note(view, clock, policy)
    return acceptance_note(view, entry) if entry.kind == "acceptance_asked" else closed_note(view, entry)
