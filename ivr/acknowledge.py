"""The signed link of a page: what is wrong, who has been tried, and one button that says "I have it".

To look changes nothing, so that a scanner of mail may follow the link; only the button takes the page.
"""

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from shlex import quote
from typing import Any

import msgspec
from flask import Blueprint, Response, make_response, render_template_string

from flows.taskwork import AWAITED
from ivr.acknowledge_html import STYLE, TEMPLATE
from ivr.clock import now
from ivr.jobs.about import about_of
from ivr.jobs.page_words import UNKNOWN, About, at_home, headline
from ivr.jobs.people import People
from ivr.observe import log
from ivr.tokens import PageStep, PageToken, Seal
from ivr.wording import grouped
from recordings import pages
from recordings.page_facts import tasks_about
from recordings.pages import ACKNOWLEDGED, CLIMBING, Attempt, Page, Taken
from recordings.store import Store, StoreUnavailable

STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
RESULTS = {
    "owed": "on its way",
    "sent": "sent",
    "failed": "failed",
    "answered": "picked up",
    "no_answer": "no answer",
    "machine": "machine",
    "passed": "passed on",
    "acknowledged": "has it",
    "skipped": "left out",
}
Clock = Callable[[], datetime]


class Told(msgspec.Struct, frozen=True):
    """One answer: its status, its headline, a sentence, and what else the page shows."""

    status: int
    title: str
    text: str
    shown: dict[str, Any] = {}


def blueprint(store: Store, people: People, seal: Seal, clock: Clock = now) -> Blueprint:
    """Return the routes of the link."""
    taking = Blueprint("taking", __name__)
    link = Link(store, people, seal)

    @taking.get("/p/<token>")
    def look(token: str) -> Response:
        """Show what is wrong. Nothing changes."""
        return _answer(link.look, token, clock())

    @taking.post("/p/<token>")
    def take(token: str) -> Response:
        """Take the page, if nobody has it yet."""
        return _answer(link.take, token, clock())

    return taking


class Link:
    """Reads links, and takes pages by them."""

    def __init__(self, store: Store, people: People, seal: Seal) -> None:
        self._store = store
        self._people = people
        self._seal = seal

    def look(self, text: str, at: datetime) -> Told:
        """Return what a link shows. Raises StoreUnavailable."""
        token, page = self._read(text)
        if token is None or page is None:
            return FOREIGN if token is None else GONE
        if at > token.expires_at:
            return EXPIRED
        if page.state != CLIMBING:
            return self._over(page, token)
        about = about_of(self._store, self._people, page)
        shown = self._shown(page, about) | {"role": self._people.role(page, token.destination), "button": True}
        return Told(200, headline(page, about), "Nobody has it yet.", shown)

    def take(self, text: str, at: datetime) -> Told:
        """Take the page of a link, and return what there is to do now. Raises StoreUnavailable."""
        token, page = self._read(text)
        if token is None or page is None:
            return FOREIGN if token is None else GONE
        if at > token.expires_at:
            return EXPIRED
        key = f"{token.page}.{token.level}.{token.round}.{token.destination}."
        pages.acknowledge(self._store, page.id, Taken(token.destination, "link", key), at)
        return self._over(pages.load(self._store, page.id) or page, token, refused=409)

    def _read(self, text: str) -> tuple[PageToken | None, Page | None]:
        token = self._seal.read_page(text)
        if token is None or token.step is not PageStep.LINK:
            return None, None
        return token, pages.load(self._store, token.page)

    def _over(self, page: Page, token: PageToken, refused: int = 200) -> Told:
        """Return what is said of a page that climbs no more: it is yours, somebody else's, or settled."""
        about = about_of(self._store, self._people, page)
        if page.state == ACKNOWLEDGED and page.acknowledged_by == token.destination:
            shown = self._shown(page, about) | {"number": about.number, **self._to_do(page)}
            return Told(200, "You have it", _next(page, about), shown)
        if page.state == ACKNOWLEDGED and page.acknowledged_at:
            who = self._people.role(page, page.acknowledged_by)
            since = at_home(page.acknowledged_at, about.region)
            text = f"{who[:1].upper()}{who[1:]} has had it since {since}. There is nothing for you to do."
            return Told(refused, "Somebody has it", text, self._shown(page, about))
        return Told(refused, "Settled", "Nobody has to take this any more.", self._shown(page, about))

    def _to_do(self, page: Page) -> dict[str, Any]:
        """Return what is still owed, and the command that logs it once it is done."""
        task = next((each for each in tasks_about(self._store, page) if each.state in AWAITED), None)
        by = quote(page.acknowledged_by)
        if task is not None:
            command = f"ivr tasks answer {task.id} --outcome reached --by {by}"
            return {"task": f"{task.kind.replace('_', ' ')} {task.id}", "command": command}
        command = f"ivr cases log {page.case_number} response --by {by}" if page.case_number else ""
        return {"command": command}

    def _shown(self, page: Page, about: About) -> dict[str, Any]:
        facts = [
            ("Partner", f"{about.partner or UNKNOWN}, {about.region.name}"),
            ("Case", grouped(page.case_number) or "none"),
            ("Paged since", at_home(page.opened_at, about.region)),
        ]
        if about.number and page.kind != "escalation":
            facts.append(("Call back", f"…{about.number[-4:]}"))
        if page.kind == "escalation" and page.why:
            facts.append(("Why", page.why))
        return {"facts": facts, "tried": [_tried(each, about) for each in pages.attempts(self._store, page.id)]}


FOREIGN = Told(403, "This link is not ours", "It is incomplete, or somebody has changed it. Open it from the message.")
GONE = Told(404, "There is no such page", "It may have been removed since the message was sent.")
EXPIRED = Told(410, "This link has expired", "Links count for a day. A newer message has a newer link.")
AWAY = Told(503, "Not possible just now", "Please try again in a moment. Until somebody has it, others are told.")


def _answer(step: Callable[[str, datetime], Told], token: str, at: datetime) -> Response:
    try:
        told = step(token, at)
    except StoreUnavailable as failure:
        log.error("A page's link was not answered as usual: %s", failure)
        told = AWAY
    shown: dict[str, Any] = {
        "facts": (),
        "tried": (),
        "button": False,
        "number": "",
        "role": "",
        "task": "",
        "command": "",
    }
    words = render_template_string(TEMPLATE, style=STYLE, title=told.title, text=told.text, **shown | told.shown)
    response = make_response(words, told.status)
    response.headers.update(HEADERS)
    return response


def _next(page: Page, about: About) -> str:
    if page.kind == "escalation":
        return "Please tell the partner how it stands, and log it on the case."
    if about.waiting:
        return "The caller is still on the line, and is being put through to whoever answers."
    if about.number:
        return "Please call them back from your own telephone, and log it on the case."
    return "Their number was withheld. What we know is in the case."


def _tried(attempt: Attempt, about: About) -> tuple[str, str, str, str]:
    how = {"voice": "telephone", "none": ""}.get(attempt.channel, "message")
    return at_home(attempt.at, about.region), attempt.role, how, RESULTS.get(attempt.result, attempt.result)
