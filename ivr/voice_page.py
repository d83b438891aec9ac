"""The telephone call of somebody who is paged: it says who is in trouble, and takes 1 for "I have it".

Only a key counts. A machine that answers presses none, and so takes nothing.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flows.prompts import digits, speak
from flows.said import Gather
from ivr import hearing
from ivr.form import Environ, Refused
from ivr.guard import Guard, Webhook
from ivr.hearing import Strange
from ivr.jobs.about import about_of
from ivr.jobs.page_words import UNKNOWN, About
from ivr.jobs.people import People, people_of
from ivr.observe import ANOMALIES, log
from ivr.signature import Signature
from ivr.tokens import PageStep, PageToken, Seal
from ivr.twiml import CONTENT_TYPE, EMPTY, Writer, document, escaped, gather
from ivr.urls import Urls
from ivr.voice import StartResponse, refuse
from recordings import pages
from recordings.pages import ACKNOWLEDGED, CLIMBING, Page, Taken
from recordings.store import Store, StoreUnavailable

if TYPE_CHECKING:
    from ivr.service import Service

DECIDE_WITHIN = 8  # seconds in which a key must be pressed
REPEATS = 5
ENDED = {"busy": "no_answer", "no_answer": "no_answer", "canceled": "no_answer", "failed": "failed"}


class VoicePage:
    """Answers POST /voice/page/<token>, signed by Twilio."""

    def __init__(self, guard: Guard, store: Store, people: People, urls: Urls, writer: Writer) -> None:
        self._guard = guard
        self._store = store
        self._people = people
        self._urls = urls
        self._writer = writer
        self._steps: dict[PageStep, Callable[[PageToken, Webhook], bytes]] = {
            PageStep.ANSWER: self._answered,
            PageStep.KEYS: self._pressed,
            PageStep.STATUS: self._ended,
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        try:
            webhook = self._guard.admit(environ)
        except Refused as refusal:
            return refuse(refusal, start_response)
        body = self._answer(webhook)
        start_response("200 OK", [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))])
        return (body,)

    def _answer(self, webhook: Webhook) -> bytes:
        try:
            token = self._token(webhook)
            return self._steps[token.step](token, webhook)
        except Strange as strange:
            ANOMALIES.labels(str(strange)).inc()
            return document("<Hangup/>")
        except StoreUnavailable as failure:
            log.error("A page's telephone call was not answered as usual: %s", failure)
            return self._says("en-US", "page.unsaved")

    def _token(self, webhook: Webhook) -> PageToken:
        token = self._urls.seal.read_page(webhook.token)
        if token is None or token.step not in self._steps:
            raise Strange("token")
        return token

    def _answered(self, token: PageToken, webhook: Webhook) -> bytes:
        """Say who is in trouble. That somebody, or a machine, has picked up is no answer yet."""
        if hearing.status(webhook.form) in hearing.FINAL:
            raise Strange("CallStatus")
        page = self._page(token, webhook)
        if page is None or page.state != CLIMBING:
            return self._too_late(page)
        pages.settle_attempt(self._store, key_of(token), "answered", webhook.at)
        return self._asks(page, token)

    def _pressed(self, token: PageToken, webhook: Webhook) -> bytes:
        """Take the key: 1 has it, 2 passes it on, 9 says it again."""
        key, page = hearing.keys(webhook.form)[:1], self._page(token, webhook)
        if page is None:
            return self._too_late(None)
        if key == "1":
            return self._taken(page, token, webhook)
        if page.state != CLIMBING:
            return self._too_late(page)
        if key == "2":
            return self._passed(page, token, webhook)
        return self._asks(page, token) if key == "9" and token.repeats < REPEATS else document("<Hangup/>")

    def _ended(self, token: PageToken, webhook: Webhook) -> bytes:
        """Note how the telephone call ended: nobody pressed anything, or nobody was there."""
        ended = hearing.hung_up(webhook.form)
        if ended is not None:
            pages.settle_attempt(self._store, key_of(token), ENDED.get(ended.result, "no_answer"), webhook.at)
        return EMPTY

    def _page(self, token: PageToken, webhook: Webhook) -> Page | None:
        """Return the page, while what is answered to this call still counts."""
        return pages.load(self._store, token.page) if webhook.at <= token.expires_at else None

    def _taken(self, page: Page, token: PageToken, webhook: Webhook) -> bytes:
        taken = Taken(token.destination, "key", key_of(token))
        won = pages.acknowledge(self._store, page.id, taken, webhook.at)
        page = pages.load(self._store, page.id) or page
        if not won and not (page.state == ACKNOWLEDGED and page.acknowledged_by == token.destination):
            return self._too_late(page)
        about, locale = about_of(self._store, self._people, page), self._locale(page)
        if about.waiting or not about.number:
            return self._says(locale, "page.waiting" if about.waiting else "page.withheld")
        number = f"plus {digits(about.number.removeprefix('+'))}."
        words = (speak("page.yours", locale), number, speak("page.again", locale), number)
        return document(self._writer.spoken(locale, *words), "<Hangup/>")

    def _passed(self, page: Page, token: PageToken, webhook: Webhook) -> bytes:
        """Let the page climb at once, if it still stands where this person was asked."""
        pages.settle_attempt(self._store, key_of(token), "passed", webhook.at)
        if (page.level, page.round) == (token.level, token.round):
            pages.hurry(self._store, page.id, webhook.at)
        return self._says(self._locale(page), "agent.passed")

    def _asks(self, page: Page, token: PageToken) -> bytes:
        locale, about = self._locale(page), about_of(self._store, self._people, page)
        again = PageToken(
            token.page,
            token.level,
            token.round,
            token.destination,
            token.expires_at,
            PageStep.KEYS,
            token.repeats + (token.step is PageStep.KEYS),
        )
        words = (_who(page, about, locale), _case(page, locale), speak("page.keys", locale))
        spoken = self._writer.spoken(locale, *words)
        return document(gather(Gather(DECIDE_WITHIN), spoken, escaped(self._urls.page(again)), of_engineer=True))

    def _too_late(self, page: Page | None) -> bytes:
        if page is None:
            return self._says("en-US", "page.over")
        return self._says(self._locale(page), "page.late" if page.state == ACKNOWLEDGED else "page.over")

    def _says(self, locale: str, key: str) -> bytes:
        return document(self._writer.spoken(locale, speak(key, locale)), "<Hangup/>")

    def _locale(self, page: Page) -> str:
        lines = self._people.policy_of(page).lines.values()
        return next((line.locale for line in lines if line.region == page.region), "en-US")


def voice_page_of(service: "Service") -> VoicePage:
    """Return what answers these telephone calls for a service."""
    settings = service.settings
    signature = Signature(settings.public_base_url, settings.tokens)
    guard = Guard(signature, settings.twilio_account_sid, time_travel=not settings.production)
    urls = Urls(settings.public_base_url, Seal(settings.secret_key.get_secret_value()))
    return VoicePage(guard, service.store, people_of(service), urls, Writer(urls, settings.voice_of))


def key_of(token: PageToken) -> str:
    """Return the key of the attempt by telephone that a token belongs to."""
    return f"{token.page}.{token.level}.{token.round}.{token.destination}.voice"


def _who(page: Page, about: About, locale: str) -> str:
    key = "page.call_back" if page.kind == "call_back" else "page.outage"
    if page.severity is None:
        key = "page.message"
    partner, region = about.partner or UNKNOWN, about.region.name
    return speak(key, locale, n=page.severity, partner=partner, region=region)


def _case(page: Page, locale: str) -> str:
    return speak("page.case", locale, case=digits(page.case_number)) if page.case_number else ""
