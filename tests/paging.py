"""A worker that pages, over the service of a test: people with telephones and mailboxes, and a provider on paper."""

from collections import Counter
from datetime import datetime, timedelta

from paper import SATURDAY_NIGHT, shipped
from phone import PUBLIC_BASE_URL
from service import LINE, SECRET, Service

from ivr.contacts import Contact
from ivr.jobs.climbing import Climber
from ivr.jobs.pages import Pager
from ivr.jobs.people import People
from ivr.jobs.voice_pages import VoicePages
from ivr.jobs.work import Regular, Worker
from ivr.notify.tell import Teller
from ivr.rest import Denied
from ivr.tokens import Seal
from ivr.urls import Urls
from recordings import pages
from recordings.outbox import claim, owe_now

SEAL = Seal(SECRET)
URLS = Urls(PUBLIC_BASE_URL, SEAL)
OPERATORS = ("json://operators.example",)
ON_CALL = ("us-oncall-engineer", "us-oncall-lead", "us-oncall-manager", "us-oncall-director")
CONTACTS = {
    each.id: Contact((each.number,), (f"json://{each.id}.example", f"mailto://{each.id}.example"))
    for each in shipped().destinations.values()
}
ELSEWHERE = ("voicemail", "ended", "find_audio", "fetch", "audio", "webhook", "text", "alarm")


class PaperProvider:
    """Keeps what was to be rung. `loses`: how many of its answers get lost after the call was placed; `denies`: whom
    it will not ring."""

    def __init__(self, loses=0, denies=()):
        self.denies = denies
        self.asked = []
        self.placed = []
        self.loses = loses

    def place_call(self, call, since=None, others=()):
        self.asked.append(call.to)
        if call.to in self.denies:
            raise Denied("the provider will not ring that number", 400)
        known = [sid for to, sid in self.rung() if since and to == call.to and sid not in others]
        if known:
            return known[0]
        self.placed.append(call)
        if self.loses:
            self.loses -= 1
            raise TimeoutError("the answer was lost")
        return self.rung()[-1][1]

    def rung(self):
        return [(call.to, f"CA{number:032x}") for number, call in enumerate(self.placed, 1)]


class Paging:
    """Everything that a page needs behind the calls, carried out by hand."""

    def __init__(self, service, contacts=CONTACTS, provider=None):
        self.service, self.store = service, service.parts.store
        self.people = People(service.parts.desks, service.parts.programmes, contacts)
        self.teller = Teller(contacts, {}, OPERATORS)
        self.pager = Pager(self.store, self.people, Climber(self.people, self.teller, URLS), self.teller)
        self.provider = provider or PaperProvider()
        self.told = []
        voice = VoicePages(self.store, self.people, URLS, self.provider)
        handlers = {**dict.fromkeys(ELSEWHERE, lambda *_: None), **self.pager.handlers(), **voice.handlers()}
        handlers["notify"] = self._notify
        self.worker = Worker(self.store, handlers, [Regular("pages", 1.0, self.pager.round)])

    def _notify(self, job, at):
        """Deliver a note, and settle its attempt, as whoever sends for real does."""
        self.told.append((at, job.detail["to"], job.detail["channel"], job.detail["subject"], job.detail["body"]))
        pages.settle_attempt(self.store, job.key, "sent", at)

    def works(self, at):
        self.worker.once(at)
        return self

    def works_until(self, start: datetime, end: datetime, every=timedelta(seconds=20)):
        at = start
        while at <= end:
            self.works(at)
            at += every
        return self

    def owed(self, at, *owed):
        owe_now(self.store, owed, at)
        return self.works(at)

    def claims(self, at):
        return claim(self.store, "another", at, 50)

    def who_was_told(self, since=None):
        """The people who were told, in order, each once an instant."""
        return list(dict.fromkeys((at, to) for at, to, *_ in self.told if since is None or at >= since))

    def page_of(self, call):
        return pages.of_call(self.store, call.sid)[-1]

    def results(self, page):
        return Counter(each.result for each in pages.attempts(self.store, page.id))

    def link(self, number=0):
        """The path of the link in a note, the first by default."""
        return self.told[number][4].rpartition(PUBLIC_BASE_URL)[2]


def an_outage(service: Service, at=SATURDAY_NIGHT, line="us-standard"):
    """A call about an outage, in its first round of ringing."""
    return service.at(at).dials(LINE[line]).presses("1").presses("1").presses("1")


def unreached(service: Service, at=SATURDAY_NIGHT):
    """A call about an outage that hangs up before anybody answers, and the instant of that."""
    call = an_outage(service, at)
    call.hangs_up()
    return call, service.call_of(call).ended_at
