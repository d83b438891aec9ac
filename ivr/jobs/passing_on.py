"""Passing on: a message to its desk, the end of a call to other systems, a case number to the caller's mobile."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from flows.call import Call
from flows.desk import Desk
from flows.task import id_of
from flows.work import Entry, Objection
from ivr.events import Shape, call_shape, case_shape, voicemail_shape
from ivr.jobs.job import Handler, Refused
from ivr.jobs.webhooks import Event, Webhooks
from ivr.notify.tell import Teller
from ivr.notify.words import Left, voicemail
from recordings import casebook, news, pages, tasks
from recordings.log import CallLog
from recordings.marks import mark, put_mark
from recordings.outbox import Job, Owed, owe_now
from recordings.store import Store
from routing.numbers import takes_texts
from routing.policy import Policy

FIRST_LOOK = timedelta(minutes=2)  # after which the audio of a message is looked for at the provider
MARK = "events"
REMEMBERED = 5000  # entries of the work log that were passed on

DeskOf = Callable[[str, str], Desk]  # version, programme -> desk; raises StoreUnavailable


class Sources(msgspec.Struct, frozen=True):
    """Where what is passed on comes from, and where it goes."""

    store: Store
    log: CallLog
    desk_of: DeskOf
    teller: Teller
    webhooks: Webhooks

    def policy_of(self, version: str, programme: str) -> Policy:
        """Return a version of a programme's policy. Raises StoreUnavailable."""
        return self.desk_of(version, programme).policy


class PassingOn:
    """Carries out rows of kind `voicemail` and `ended`, and follows the work log for other systems."""

    def __init__(self, sources: Sources) -> None:
        self._from = sources
        self._passed: OrderedDict[str, None] = OrderedDict()

    def handlers(self) -> Mapping[str, Handler]:
        """Return what carries out which kind of row."""
        return {"voicemail": self.voicemail, "ended": self.ended}

    def voicemail(self, job: Job, at: datetime) -> None:
        """Tell a message's desk, and have its audio looked for if nobody brings it."""
        try:
            view = tasks.load(self._from.store, id_of(f"{job.call_sid}.message"), at)
        except Objection as error:
            raise Refused(str(error)) from None
        task = view.task
        left = Left(
            task.partner_name, task.region, task.seconds, task.due_at, task.case_number, task.number, task.severity
        )
        note = voicemail(left, zone_of(self._from.policy_of(task.policy, task.programme), view.desk, task.region))
        about = (job.call_sid, task.case_number)
        told = self._from.teller.tell(
            view.desk, note, urgent=False, key=f"{job.key}.told", at=at, call_sid=about[0], case_number=about[1]
        )
        event = Event("voicemail.received", job.key, task.received_at, voicemail_shape(view), *about)
        look = {"recording": task.recording, "tries": 0}
        find = Owed("find_audio", f"{task.recording}.find", look, *about, not_before=at + FIRST_LOOK)
        owe_now(self._from.store, [*told, *self._from.webhooks.owed(event), find], at)

    def ended(self, job: Job, at: datetime) -> None:
        """Tell other systems of a call that has ended, and of its case; text the case number if that is wanted."""
        call = self._from.log.load(job.call_sid)
        if call is None:
            return
        desk = self._from.desk_of(call.policy, call.programme)
        events = [*self._ended(call, desk), *self._opened(call, at)] if self._from.webhooks.listened_to else []
        owed = [row for event in events for row in self._from.webhooks.owed(event)]
        owe_now(self._from.store, [*owed, *text_owed(call, desk.policy)], at)

    def follow(self, at: datetime) -> None:
        """Tell other systems what has been done with cases and pages since. Two who do so at once are harmless."""
        if not self._from.webhooks.listened_to:
            return
        store = self._from.store
        since = mark(store, MARK)
        if since is None:
            put_mark(store, MARK, at)
            return
        fresh = [entry for entry in news.news(store, MARK, at) if entry.key not in self._passed]
        for entry in fresh:
            event = self._event(entry, at)
            owe_now(store, self._from.webhooks.owed(event) if event else (), at)
            self._remember(entry.key)
        latest = max((entry.logged_at for entry in fresh), default=since)
        if latest > since:
            put_mark(store, MARK, latest)

    def _ended(self, call: Call, desk: Desk) -> list[Event]:
        rows = self._from.log.timeline(call.sid)
        shape = call_shape(call, desk, (event for row in rows for event in row.events))
        at = call.ended_at or call.started_at
        return [Event("call.ended", f"{call.sid}.ended", at, shape, call.sid, call.case_number)]

    def _opened(self, call: Call, at: datetime) -> list[Event]:
        try:
            view = casebook.view(self._from.store, call.case_number, self._from.policy_of, at)
        except Objection:  # the call has none
            return []
        key = f"{call.case_number}.opened"
        return [Event("case.opened", key, view.case.opened_at, case_shape(view), call.sid, call.case_number)]

    def _event(self, entry: Entry, at: datetime) -> Event | None:
        """Return what other systems are told of an entry of the work log; None if it is nothing to them."""
        change = {"kind": entry.kind, "at": entry.at, "by": entry.actor}
        if entry.kind == "acknowledged":
            return self._acknowledged(entry)
        if entry.kind == "warned":
            return None
        try:
            view = casebook.view(self._from.store, entry.subject, self._from.policy_of, at)
        except Objection:  # the subject is no case
            return None
        if entry.kind == "breached":
            shape = {**case_shape(view), "breached": {"clock": entry.says("clock"), "at": entry.at}}
            return Event("clock.breached", entry.key, entry.at, shape, view.case.call_sid, entry.subject)
        shape = {**case_shape(view), "change": change}
        return Event("case.changed", entry.key, entry.at, shape, view.case.call_sid, entry.subject)

    def _acknowledged(self, entry: Entry) -> Event | None:
        page = pages.load(self._from.store, entry.subject)
        if page is None:
            return None
        shape: Shape = {
            "id": page.id,
            "kind": page.kind,
            "case_number": page.case_number or None,
            "call_sid": page.call_sid or None,
            "acknowledged_at": entry.at,
            "acknowledged_by": entry.actor,
            "acknowledged_how": entry.says("how"),
        }
        return Event("page.acknowledged", entry.key, entry.at, shape, page.call_sid, page.case_number)

    def _remember(self, key: str) -> None:
        self._passed[key] = None
        if len(self._passed) > REMEMBERED:
            self._passed.popitem(last=False)


def zone_of(policy: Policy, desk: str, region: str) -> str:
    """Return the zone in which a desk reads times."""
    if desk in policy.desks:
        return policy.desks[desk].hours.zone
    return policy.regions[region].zone if region in policy.regions else "UTC"


def text_owed(call: Call, policy: Policy) -> list[Owed]:
    """Return the text with the case number: once, and only to a mobile that has shown its number."""
    if not (policy.text_case_number and call.case_number and call.caller and takes_texts(call.caller)):
        return []
    detail: dict[str, object] = {"case": call.case_number, "to": call.caller, "from": call.line}
    return [Owed("text", f"{call.case_number}.text", detail, call.sid, call.case_number)]
