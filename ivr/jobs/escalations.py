"""Escalations: the page of a case, whose ladder it climbs, whether a call for a level was answered, when it is over."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from flows.casework import OPEN
from flows.task import id_of
from flows.work import SERVICE, Objection
from ivr.jobs.people import People
from recordings import casebook
from recordings.outbox import Job
from recordings.page_facts import CaseFacts, case_of
from recordings.pages import Attempt, Page
from recordings.store import Store
from routing.decide import URGENT_AT_MOST


def is_urgent(page: Page) -> bool:
    """Whether an escalation is told at any hour, to the people on call: one of Severity 0 or 1."""
    return page.severity is not None and page.severity <= URGENT_AT_MOST


def escalation_page(case: CaseFacts, job: Job, people: People, at: datetime) -> Page:
    """Return the page of a case that is escalated, as it is opened below the level asked for."""
    policy = people.desks.desk_for(case.policy, case.programme).policy
    desk = policy.desks.get(str(job.detail.get("desk") or case.desk)) or policy.desk(case.region, 1)
    page = Page(
        id=id_of(f"{case.number}.escalation"),
        kind="escalation",
        call_sid="",
        case_number=case.number,
        programme=case.programme,
        policy=policy.version,
        region=desk.region,
        ladder=desk.id,
        severity=case.severity,
        why=str(job.detail.get("why", "")),
        level=level_of(job) - 1,
        opened_at=at,
        look_at=at,
    )
    return replace(page, ladder=policy.page_ladder(desk.region).id, level=0) if is_urgent(page) else page


def as_it_is(store: Store, page: Page) -> Page:
    """Return a page with the severity that its case has now."""
    case = case_of(store, page.case_number) if page.kind == "escalation" else None
    return replace(page, severity=case.severity) if case else page


def level_of(job: Job) -> int:
    """Return the level that a job asks for, the first if it names none."""
    level = job.detail.get("level")
    return max(1, level) if isinstance(level, int) else 1


def was_carried_out(job: Job, tried: Sequence[Attempt], at: datetime) -> bool:
    """Whether the level asked for, or one above it, has been told since the job was written."""
    since, level = min(job.created_at, at), level_of(job)
    return any(each.at >= since and each.level >= level and each.result != "skipped" for each in tried)


def why_over(store: Store, people: People, case_number: str, at: datetime) -> str:
    """Return why nobody has to take an escalation any more; empty while somebody has to.

    One that somebody has asked for lasts as long as the case is open; one that a missed promise has called for, until
    everything that was missed has come.
    """
    try:
        view = casebook.view(store, case_number, lambda *named: people.desks.desk_for(*named).policy, at)
    except Objection:
        return "the case is no longer there"
    if view.status != OPEN:
        return f"the case is {view.status}"
    by_service = bool(view.escalations) and view.escalations[-1].actor == SERVICE
    overdue = any(clock.breached_at and clock.running for clock in view.clocks)
    return "what was overdue has been answered" if by_service and not overdue else ""
