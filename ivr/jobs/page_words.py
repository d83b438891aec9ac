"""What a page says in writing: what matters comes first, and nothing that whoever reads it does not need."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from ivr.notify.tell import Note
from ivr.wording import grouped
from recordings.pages import Page
from routing.levels import Ladder
from routing.policy import Region

UNKNOWN = "a caller without a Partner ID"


class About(msgspec.Struct, frozen=True):
    """What a page is about. `number` is where the caller wants to be called, empty if it was withheld."""

    partner: str
    region: Region
    number: str = ""
    waiting: bool = False  # the caller is still on the line
    place: str = ""  # how far up the page is: "level 2 of 4"


def note_of(page: Page, about: About, link: str) -> Note:
    """Return what somebody is told: as a subject, and with a link by which they take it."""
    if page.kind == "escalation":
        lines = (_reason(page), about.place[:1].upper() + about.place[1:], f"Take it: {link}", "", *_facts(page, about))
    else:
        lines = (headline(page, about) + ".", *_facts(page, about), "", f"I have it: {link}")
    return Note(subject(page, about), "\n".join(lines))


def place_of(level: int, turn: int, ladder: Ladder) -> str:
    """Return how far up a ladder a page is: "level 2 of 4", or once all levels were told, "everybody, round 9"."""
    if level >= ladder.everybody:
        return f"everybody, round {turn}"
    return f"level {level} of {len(ladder.levels)}"


def alarm_of(page: Page, level: int, why: str) -> str:
    """Return what operators are told of a level that nobody could be told on."""
    return f"Nobody was paged on level {level} of {page.ladder} ({why}); the next level was told at once."


def subject(page: Page, about: About) -> str:
    """Return a message's subject: "Severity 1, nobody reached: Acme Resale, case 482 071 95, call back ...4403"."""
    case = f", case {grouped(page.case_number)}" if page.case_number else ""
    back = f", call back …{about.number[-4:]}" if about.number and page.kind != "escalation" else ""
    back = ", on the line now" if about.waiting else back
    return f"{headline(page, about)}: {about.partner or UNKNOWN}{case}{back}"


def headline(page: Page, about: About) -> str:
    """Return in a few words what is wrong."""
    severity = f"Severity {page.severity}" if page.severity is not None else ""
    if page.kind == "escalation":
        return f"Escalation{f', {severity}' if severity else ''}"
    if page.kind == "call_back":
        return f"{severity or 'Urgent'}, call back owed"
    if not severity:
        return "Possible outage, from a message"
    return f"{severity}, {'nobody reached yet' if about.waiting else 'nobody reached'}"


def at_home(instant: datetime, region: Region) -> str:
    """Return an instant in a region's own time, with the zone's short name: "14 Jul 10:15 PDT"."""
    return f"{instant.astimezone(ZoneInfo(region.zone)):%d %b %H:%M %Z}"


def _facts(page: Page, about: About) -> tuple[str, ...]:
    who = f"Partner: {about.partner or UNKNOWN}, {about.region.name}"
    case = f"Case: {grouped(page.case_number)}" if page.case_number else "Case: none"
    since = f"Since: {at_home(page.opened_at, about.region)}"
    if page.kind == "escalation":
        return who, case, since
    if about.waiting:
        return who, case, since, "The caller is still on the line, and is being put through to whoever answers."
    return who, case, since, f"Call back: {about.number or 'the number was withheld'}"


def _reason(page: Page) -> str:
    why = page.why or "somebody has asked for it"
    return f"{why[:1].upper()}{why[1:]}."
