"""Pages: word of an outage, a call back or an escalation, sent up a ladder until somebody takes it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from flows.call import Call
from flows.desk import is_urgent, severity_of
from flows.outcome import connected
from flows.task import id_of
from ivr.jobs.about import about_of, number_of
from ivr.jobs.climbing import AFTER, Climber, Told, ladder_of
from ivr.jobs.escalations import as_it_is, escalation_page, was_carried_out, why_over
from ivr.jobs.job import Handler, Refused
from ivr.jobs.page_words import UNKNOWN
from ivr.jobs.people import People
from ivr.notify.tell import Note, Teller
from ivr.wording import grouped
from recordings import pages
from recordings.log import CallLog
from recordings.outbox import Job, owe_now
from recordings.page_facts import case_of, forgotten, progress_at, tasks_of
from recordings.pages import ACKNOWLEDGED, CLIMBING, Page, Taken
from recordings.store import Store, StoreUnavailable

TRIES = 4
SLACK = timedelta(seconds=60)  # for what is already on its way to page somebody


class Pager:
    """Opens pages, and carries them up their ladders. Two of it at once tell nobody twice."""

    def __init__(self, store: Store, people: People, climber: Climber, teller: Teller) -> None:
        self._store = store
        self._people = people
        self._climber = climber
        self._teller = teller
        self._calls = CallLog(store)

    def handlers(self) -> Mapping[str, Handler]:
        """Return what carries out which kind of row."""
        return {"page": self.page, "call_back": self.call_back}

    def page(self, job: Job, at: datetime) -> None:
        """Page people about a call that reached nobody, or about a case that is escalated. Raises Refused."""
        if job.detail.get("kind") == "escalation":
            self._escalated(job, at)
        else:
            self._of_call(self._call(job), job, at, job.created_at)

    def call_back(self, job: Job, at: datetime) -> None:
        """Tell whoever owes a call back: the desk; or, if it is urgent, everybody on the ladder. Raises Refused."""
        call = self._call(job)
        if is_urgent(call) and call.paging:
            if not any(page.state == CLIMBING for page in pages.of_call(self._store, call.sid)):
                self._of_call(call, job, at, job.created_at)
            return
        told = self._teller.tell(
            self._desk_of(call),
            _call_back_note(call),
            urgent=False,
            key=job.key,
            at=at,
            call_sid=call.sid,
            case_number=call.case_number,
        )
        owe_now(self._store, told, at)

    def round(self, at: datetime) -> None:
        """Carry on every page that is due, and page about call backs that somebody has let go of."""
        for page in pages.look(self._store, at):
            if not self._is_over(page, at):
                self._climb(page, at)
        for sid in forgotten(self._store, at - SLACK):
            call = self._calls.load(sid)
            if call is not None and call.paging and call.ended_at is not None:
                self._climb(self._opened(call, "call_back", at), at)

    def _call(self, job: Job) -> Call:
        call = self._calls.load(job.call_sid)
        if call is None:
            raise Refused(f"call {job.call_sid} is not in the log")
        return call

    def _of_call(self, call: Call, job: Job, at: datetime, asked_at: datetime) -> None:
        """Open the page of a call, or tell everybody again while it climbs.

        Whoever took it while the caller was still waiting has it, until the caller has gone unreached.
        """
        known = pages.of_call(self._store, call.sid)
        page = next((page for page in known if page.state == CLIMBING), None)
        if page is None:
            if self._needs_nobody(call, known, asked_at):
                return
            page = self._opened(call, _kind(job), at)
            if "round" not in job.detail:
                self._climb(page, at)
                return
        if not self._is_over(page, at):
            self._tell_everybody(page, asked_at, at)

    def _opened(self, call: Call, kind: str, at: datetime) -> Page:
        """Open the next page of a call: its first, or one that first asks whoever had the page before."""
        known = pages.of_call(self._store, call.sid)
        if climbing := [page for page in known if page.state == CLIMBING]:
            return climbing[0]
        name = ("page", "ended")[len(known)] if len(known) < 2 else f"again.{len(known)}"
        had = next((page.acknowledged_by for page in reversed(known) if page.state == ACKNOWLEDGED), "")
        policy = self._people.desks.desk_for(call.policy, call.programme).policy
        ladder = policy.page_ladder(call.region).id + (f"{AFTER}{had}" if had in policy.destinations else "")
        page = Page(
            id=id_of(f"{call.sid}.{name}"),
            kind=kind,
            call_sid=call.sid,
            case_number=call.case_number,
            programme=call.programme,
            policy=call.policy,
            region=call.region,
            ladder=ladder,
            severity=severity_of(call),
            why="caller gone" if call.ended_at else "nobody reached",
            opened_at=at,
            look_at=at,
        )
        pages.open_page(self._store, page)
        return pages.load(self._store, page.id) or page

    def _escalated(self, job: Job, at: datetime) -> None:
        """Page about a case: the level asked for, or the one after whoever has been tried."""
        case = case_of(self._store, str(job.detail.get("case") or job.case_number))
        if case is None:
            raise Refused(f"there is no case {job.detail.get('case')}")
        if why_over(self._store, self._people, case.number, at):
            return
        page = escalation_page(case, job, self._people, at)
        pages.open_page(self._store, page)
        for _ in range(TRIES):
            page = pages.load(self._store, page.id) or page
            tried = pages.attempts(self._store, page.id)
            if was_carried_out(job, tried, at):
                return
            if page.state != CLIMBING:
                pages.climb_again(self._store, page, str(job.detail.get("why", "")), at)
                page = pages.load(self._store, page.id) or page
            if self._climb(page, at, at_once=bool(tried)):
                return
        raise StoreUnavailable(f"others moved page {page.id} {TRIES} times")

    def _climb(self, page: Page, at: datetime, *, at_once: bool = False) -> bool:
        """Take the step that is due; False if somebody else has moved the page."""
        told = self._told(page)
        step = self._climber.next_step(told, about_of(self._store, self._people, page), at, at_once=at_once)
        return pages.advance(self._store, page, step, at)

    def _tell_everybody(self, page: Page, asked_at: datetime, at: datetime) -> None:
        """Tell everybody, also if somebody else moves the page at the same moment."""
        for _ in range(TRIES):
            step = self._climber.everybody(self._told(page), about_of(self._store, self._people, page), asked_at, at)
            if step is None or page.state != CLIMBING or pages.advance(self._store, page, step, at):
                return
            page = pages.load(self._store, page.id) or page
        raise StoreUnavailable(f"others moved page {page.id} {TRIES} times")

    def _told(self, page: Page) -> Told:
        page = as_it_is(self._store, page)
        ladder = ladder_of(page, self._people.policy_of(page))
        progress = progress_at(self._store, page.case_number) if page.kind == "escalation" else None
        return Told(page, ladder, pages.attempts(self._store, page.id), progress)

    def _is_over(self, page: Page, at: datetime) -> bool:
        """End a page that nobody has to take any more: the caller was reached, or somebody has the call's task.

        An escalation is over with its case, or once what was overdue has come.
        """
        if not page.call_sid:
            why = why_over(self._store, self._people, page.case_number, at)
            return bool(why) and (pages.close(self._store, page.id, "service", why, at) or True)
        tasks = tasks_of(self._store, page.call_sid)
        holder = next((task.holder for task in tasks if task.state == "claimed" and task.holder), "")
        if holder and not any(task.state == "new" for task in tasks):
            return pages.acknowledge(self._store, page.id, Taken(holder, "task"), at) or True
        call = self._calls.load(page.call_sid)
        if (tasks and not any(task.state == "new" for task in tasks)) or (call and _is_reached(call)):
            return pages.close(self._store, page.id, "service", "the caller was reached", at) or True
        return False

    def _needs_nobody(self, call: Call, known: Sequence[Page], asked_at: datetime) -> bool:
        """Whether nobody has to be paged about a call, though somebody asked for it at an instant."""
        taken = [page for page in known if page.state == ACKNOWLEDGED]
        since = any(page.acknowledged_at and page.acknowledged_at >= asked_at for page in taken)
        return since or bool(taken and call.ended_at is None) or _is_reached(call) or self._somebody_has(call)

    def _somebody_has(self, call: Call) -> bool:
        tasks = tasks_of(self._store, call.sid)
        return bool(tasks) and not any(task.state == "new" for task in tasks)

    def _desk_of(self, call: Call) -> str:
        """Return the desk that owes a call back: the task's, else the Tier 1 desk of the call's region."""
        tasks = tasks_of(self._store, call.sid)
        owing = [task.desk for task in tasks if task.kind == "call_back"]
        policy = self._people.desks.desk_for(call.policy, call.programme).policy
        return owing[0] if owing else policy.desk(call.region, 1).id


def _is_reached(call: Call) -> bool:
    """Whether an outage's caller has spoken to somebody, or is speaking now; a talk that broke off is none."""
    talking = any(leg.accepted_at and not leg.result for leg in call.legs)
    return is_urgent(call) and (talking or (call.ended_at is not None and connected(call)))


def _kind(job: Job) -> str:
    return "call_back" if job.kind == "call_back" else "outage"


def _call_back_note(call: Call) -> Note:
    number = number_of(call)
    partner = call.partner.name if call.partner else UNKNOWN
    case = f", case {grouped(call.case_number)}" if call.case_number else ""
    ending = f", …{number[-4:]}" if number else ""
    return Note(f"Call back owed: {partner}{case}{ending}", f"Call back: {number or 'the number was withheld'}")
