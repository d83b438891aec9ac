"""What the service itself owes a case: warnings, breaches, asking for acceptance, closing; and when to look again."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from flows.case_clocks import BREACHED, WARNED, CaseClock
from flows.casework import RESOLVED, CaseView
from flows.work import SERVICE, Entry
from routing.clock import State, read_clock
from routing.policy import Policy

MOMENT = timedelta(microseconds=1)  # a clock that ends at its due instant is met
UNSETTLED = timedelta(seconds=30)  # how often a case is looked at whose call may still change it
SETTLING = timedelta(minutes=10)  # how long after its end something of a call may still arrive


def owed_entries(view: CaseView, policy: Policy, now: datetime) -> tuple[Entry, ...]:
    """Return what the service has to write of a case now. Each has a key of its own: once written it stays so."""
    return (*_of_clocks(view, now), *_of_acceptance(view, policy, now))


def next_look(view: CaseView, policy: Policy) -> datetime | None:
    """Return when there will be something to write next if nobody does anything; None if there will not."""
    settled = view.case.settled_at
    unsettled = settled is not None and view.at < settled + SETTLING
    looks = [view.at + UNSETTLED] if unsettled else []
    looks += [at for clock in view.clocks for at in _looks(clock)]
    acceptance = acceptance_due(view, policy)
    return min([*looks, *([acceptance] if acceptance else [])], default=None)


def acceptance_due(view: CaseView, policy: Policy) -> datetime | None:
    """Return when the partner of a resolved case is to be asked for acceptance, or the case closed after that."""
    if view.status != RESOLVED or view.resolved_at is None:
        return None
    if view.asked_at is None:
        return view.resolved_at
    every = policy.acceptance.every
    schedules = policy.calendar(every.counts, view.case.region, view.case.tier(policy))
    return read_clock(every, view.asked_at, schedules, (), None, view.asked_at).due_at


def _looks(clock: CaseClock) -> Iterator[datetime]:
    due, missed = clock.clock.due_at, clock.clock.state is State.MISSED
    if due is None or clock.breached_at or not (clock.running or missed):
        return
    yield due + MOMENT
    if clock.clock.warn_at and not clock.warned_at and not missed:
        yield clock.clock.warn_at


def _of_clocks(view: CaseView, now: datetime) -> Iterator[Entry]:
    for each in view.clocks:
        clock, due = each.clock, each.clock.due_at
        if each.breached_at or due is None:
            continue
        if clock.state is State.MISSED:
            yield _entry(view, (f"{view.case.number}.{each.key}.{BREACHED}", BREACHED), due, now, _detail(each))
        elif each.running and clock.warn_at and clock.warn_at <= view.at and not each.warned_at:
            yield _entry(view, (f"{view.case.number}.{each.key}.{WARNED}", WARNED), clock.warn_at, now, _detail(each))


def _detail(clock: CaseClock) -> dict[str, object]:
    due = clock.clock.due_at
    return {"clock": clock.key, "name": clock.id, "table": clock.table, "due": due.isoformat() if due else ""}


def _of_acceptance(view: CaseView, policy: Policy, now: datetime) -> Iterator[Entry]:
    """Yield the next request for acceptance, or the end. Its key follows that of the resolution, and sorts after it."""
    due, key = acceptance_due(view, policy), view.resolved_key
    if due is None or due > view.at:
        return
    times, number = policy.acceptance.times, view.asked + 1
    if number <= times:
        detail: dict[str, object] = {"number": number, "of": times}
        yield _entry(view, (f"{key}.asked.{number}", "acceptance_asked"), view.at, now, detail)
    else:
        detail = {"reason": f"asked {times} times, and nobody objected"}
        yield _entry(view, (f"{key}.closed", "closed"), due, now, detail)


def _entry(view: CaseView, what: tuple[str, str], at: datetime, now: datetime, detail: dict[str, object]) -> Entry:
    key, kind = what
    return Entry(view.case.number, kind, at, SERVICE, detail, key, now)
