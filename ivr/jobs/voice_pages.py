"""Pages by telephone: a person on call is rung, is told who is in trouble, and presses 1 to have it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from flows.work import SERVICE, Entry
from ivr.jobs.job import Handler, Later, Refused
from ivr.jobs.people import People
from ivr.provider import Outgoing, Provider
from ivr.rest import Busy, Denied, Gone
from ivr.tokens import PageStep, PageToken
from ivr.urls import Urls
from recordings import pages
from recordings.log import CallLog
from recordings.outbox import TIMEOUT, Job
from recordings.page_facts import others_rung
from recordings.pages import CLIMBING, Page
from recordings.store import Connection, Store
from recordings.work_log import append

WORTH = timedelta(minutes=5)  # after which the next level has been told, and a call would only confuse
ANSWERS_FOR = timedelta(minutes=15)  # how long what is pressed in such a call counts
RINGS = 25  # seconds
LONGEST = 180  # seconds of such a call


class VoicePages:
    """Carries out rows of kind `voice_page`: at most one call each, also where the provider's answer was lost."""

    def __init__(self, store: Store, people: People, urls: Urls, provider: Provider) -> None:
        self._store = store
        self._people = people
        self._urls = urls
        self._provider = provider
        self._calls = CallLog(store)

    def handlers(self) -> Mapping[str, Handler]:
        """Return what carries out which kind of row."""
        return {"voice_page": self.ring}

    def ring(self, job: Job, at: datetime) -> None:
        """Ring one person, unless somebody has the page by now.

        Raises Refused where the provider will never ring that number, and the next person is told then; Later and
        ProviderFault where it is to be tried again.
        """
        page, destination = pages.load(self._store, str(job.detail["page"])), str(job.detail["destination"])
        number = self._people.number(page.programme, destination) if page else ""
        if page is None or page.state != CLIMBING or at - job.created_at > WORTH:
            pages.settle_attempt(self._store, job.key, "skipped", at)
        elif not number:
            self._fails(page, job, at)
        else:
            self._ring(page, number, job, at)

    def _fails(self, page: Page, job: Job, at: datetime) -> None:
        """Note that this person cannot be rung; if nothing else reaches them either, the next one is told at once."""
        pages.settle_attempt(self._store, job.key, "failed", at)
        pages.hurry(self._store, page.id, at)

    def _ring(self, page: Page, number: str, job: Job, at: datetime) -> None:
        token = PageToken(
            page.id,
            int(str(job.detail["level"])),
            int(str(job.detail["round"])),
            str(job.detail["destination"]),
            at + ANSWERS_FOR,
            PageStep.ANSWER,
        )
        call = self._calls.load(page.call_sid) if page.call_sid else None
        ended = PageToken(token.page, token.level, token.round, token.destination, token.expires_at, PageStep.STATUS)
        line = self._people.line(page, call.line if call else "")
        outgoing = Outgoing(number, line, self._urls.page(token), self._urls.page(ended), RINGS, LONGEST)
        try:
            sid = self._placed(outgoing, job)
        except (Denied, Gone) as denial:
            self._fails(page, job, at)
            raise Refused(str(denial)) from None
        except Busy as busy:
            raise Later(busy.retry_after, str(busy)) from None
        if sid:
            self._store.write(lambda conn: self._note(conn, page, job, (sid, at)), TIMEOUT)
        pages.settle_attempt(self._store, job.key, "sent", at)

    def _placed(self, outgoing: Outgoing, job: Job) -> str:
        """Have the call placed. One that may have been placed before is looked for first."""
        if job.attempts == 1:
            return self._provider.place_call(outgoing)
        others = others_rung(self._store, job.created_at, job.key)
        return self._provider.place_call(outgoing, job.created_at, others)

    def _note(self, conn: Connection, page: Page, job: Job, rung: tuple[str, datetime]) -> None:
        """Keep which call of the provider's was this one, so that no other is taken for it."""
        sid, at = rung
        detail: dict[str, object] = {"call": sid, "to": job.detail["destination"]}
        append(conn, self._store, (Entry(page.id, "rung", at, SERVICE, detail, f"{job.key}.rung", at),))
