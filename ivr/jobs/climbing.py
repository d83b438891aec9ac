"""One step of a page: whom to tell now, on which channels, in which words; as rows that are written all or none."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from ivr.jobs.escalations import is_urgent
from ivr.jobs.page_words import About, alarm_of, note_of, place_of
from ivr.jobs.people import People
from ivr.notify.tell import OPERATORS, Teller
from ivr.tokens import PageToken
from ivr.urls import Urls
from recordings.outbox import Owed, alarm
from recordings.pages import Attempt, Page, Step
from routing.ladder import Climb, Ladder, Level, PersonOf, Tried, broadcast, climb
from routing.policy import Policy

LINK_FOR = timedelta(hours=24)
AGAIN_AFTER = timedelta(seconds=60)  # nobody is told more often than that
LOOK_EVERY = timedelta(seconds=60)  # an escalation: its case may be settled, or may have become urgent
AFTER = "+"  # in a page's ladder: whoever had it before is asked first


class Told(msgspec.Struct, frozen=True):
    """A page as it stands when a step is taken: its ladder, and everything that was tried on it."""

    page: Page
    ladder: Ladder
    attempts: Sequence[Attempt]
    progress_at: datetime | None = None

    @property
    def tried(self) -> tuple[Tried, ...]:
        """Return the attempts as a ladder reads them."""
        people = (each for each in self.attempts if each.destination not in ("", OPERATORS))
        return tuple(Tried(each.level, each.round, each.destination, each.at, each.result) for each in people)


def ladder_of(page: Page, policy: Policy) -> Ladder:
    """Return the ladder that a page climbs; a page about a call whose page somebody had taken asks them first.

    An escalation of Severity 0 or 1 goes to the people on call, who are told at any hour.
    """
    name, _, first = page.ladder.partition(AFTER)
    desk = policy.desks.get(name) if page.kind == "escalation" and not is_urgent(page) else None
    ladder = policy.escalation_ladder(desk.region, desk.tier) if desk else policy.page_ladder(page.region)
    found = policy.destinations.get(first)
    if found is None:
        return ladder
    level = Level(found.role, (first,), ladder.levels[0].wait if ladder.levels else ladder.repeat)
    return Ladder(ladder.id, (level, *ladder.levels), ladder.repeat, ladder.urgent, ladder.zone)


class Climber:
    """Turns what a ladder says into a step: attempts, and what is owed for them."""

    def __init__(self, people: People, teller: Teller, urls: Urls) -> None:
        self._people = people
        self._teller = teller
        self._urls = urls

    def next_step(self, told: Told, about: About, at: datetime, *, at_once: bool = False) -> Step:
        """Return the step that is due at an instant; with `at_once`, the next one whether it is due or not."""
        ladder, page = told.ladder, told.page
        person_of, off = self._people.person_of(page.programme), self._people.off(about.region.zone)
        tried = told.tried or _before(page, ladder, at)
        as_of = _due_at(ladder, tried, at) if at_once or _passed_on(told) else at
        found = climb(ladder, tried, as_of, person_of, off, told.progress_at)
        return self._step(told, about, found, at, found.next_at - (as_of - at))

    def everybody(self, told: Told, about: About, asked_at: datetime, at: datetime) -> Step | None:
        """Return the step of telling everybody at once, because of something that happened at `asked_at`.

        Whoever has been told since, or less than a minute before, is left out; None if that is everybody.
        """
        person_of, off = self._people.person_of(told.page.programme), self._people.off(about.region.zone)
        found = broadcast(told.ladder, at, person_of, off)
        recent = _told_since(told, min(asked_at, at) - AGAIN_AFTER, person_of)  # whoever asked may be ahead of us
        tell = tuple(each for each in found.tell if person_of(each) not in recent)
        if found.tell and not tell:
            return None
        turn = 1 + max((each.round for each in told.attempts), default=0)
        climbed = Climb(found.level, turn, tell, found.skipped, found.next_at)
        return self._step(told, about, climbed, at, found.next_at)

    def _step(self, told: Told, about: About, found: Climb, at: datetime, next_at: datetime) -> Step:
        page, about = told.page, replace(about, place=place_of(found.level, found.round, told.ladder))
        skipped = [(number, why) for number, why in found.skipped if self._is_empty(told, number)]
        rows = [row for each in found.tell for row in self._rows(page, about, found, each, at)]
        if not any(row.kind == "notify" for row in rows) and self._is_for_operators(told, found):
            rows += self._written(page, about, found, OPERATORS, at)
        alarms = tuple(_alarm(page, number, why) for number, why in skipped)
        attempts = (*(self._attempt(page, found, row, at) for row in rows), *_skipped(page, found, at))
        moved = found if found.tell or found.skipped else Climb(page.level, page.round, (), (), next_at)
        look_at = min(next_at, at + LOOK_EVERY) if page.kind == "escalation" else next_at
        return Step(moved.level, moved.round, look_at, attempts, (*rows, *alarms), found.why, next_at)

    def _rows(self, page: Page, about: About, found: Climb, destination: str, at: datetime) -> Iterator[Owed]:
        """Yield what is owed so that one destination is told: in writing on its channels, and by telephone."""
        if self._teller.channels(destination):
            yield from self._written(page, about, found, destination, at)
        if (page.kind != "escalation" or is_urgent(page)) and self._people.number(page.programme, destination):
            detail: dict[str, object] = {"page": page.id, "destination": destination}
            detail |= {"level": found.level, "round": found.round}
            key = f"{_key(page, found)}.{destination}.voice"
            yield Owed("voice_page", key, detail, page.call_sid, page.case_number)

    def _written(self, page: Page, about: About, found: Climb, to: str, at: datetime) -> tuple[Owed, ...]:
        token = PageToken(page.id, found.level, found.round, to, at + LINK_FOR)
        return self._teller.tell(
            to,
            note_of(page, about, self._urls.taking(token)),
            urgent=page.kind != "escalation" or is_urgent(page),
            key=_key(page, found),
            at=at,
            call_sid=page.call_sid,
            case_number=page.case_number,
            page=page.id,
        )

    def _attempt(self, page: Page, found: Climb, row: Owed, at: datetime) -> Attempt:
        spoken = row.kind == "voice_page"
        destination = str(row.detail["destination" if spoken else "to"])
        channel = "voice" if spoken else f"notify.{row.detail['channel']}"
        role = self._people.role(page, destination)
        return Attempt(row.key, page.id, page.case_number, found.level, found.round, destination, role, channel, at)

    def _is_empty(self, told: Told, number: int) -> bool:
        """Whether a level has nobody at all, which is a fault of the contacts; a day off is none."""
        person_of = self._people.person_of(told.page.programme)
        return all(person_of(each) is None for each in told.ladder.levels[number - 1].destinations)

    def _is_for_operators(self, told: Told, found: Climb) -> bool:
        """Whether operators must be told in writing, since nobody else is: at first, and where nobody is left."""
        nobody = not found.tell and bool(found.skipped)
        first = bool(found.tell) and not any(each.channel != "voice" and each.destination for each in told.attempts)
        return nobody or first


def _key(page: Page, found: Climb) -> str:
    return f"{page.id}.{found.level}.{found.round}"


def _before(page: Page, ladder: Ladder, at: datetime) -> tuple[Tried, ...]:
    """Return what stands for the levels below the one that a new page was opened at."""
    if not 0 < page.level < ladder.everybody:
        return ()
    return (Tried(page.level, 1, "", at - ladder.levels[page.level - 1].wait, "sent"),)


def _due_at(ladder: Ladder, tried: Sequence[Tried], at: datetime) -> datetime:
    """Return the instant at which whoever was told last would have had their time."""
    told = [each for each in tried if each.result != "skipped"]
    if not told:
        return at
    turn = max(each.round for each in told)
    level = max(each.level for each in told if each.round == turn)
    wait = ladder.repeat if level >= ladder.everybody else ladder.levels[level - 1].wait
    return max(at, max(each.at for each in told if (each.round, each.level) == (turn, level)) + wait)


def _passed_on(told: Told) -> bool:
    """Whether nobody is left on the level at hand who could take it: each has passed it on, or was not to be had."""
    results: dict[str, set[str]] = {}
    for each in told.attempts:
        here = (each.level, each.round) == (told.page.level, told.page.round)
        if here and each.destination not in ("", OPERATORS):
            results.setdefault(each.destination, set()).add(each.result)
    out = all("passed" in found or found == {"failed"} for found in results.values())
    return bool(results) and out and told.page.level < told.ladder.everybody


def _told_since(told: Told, since: datetime, person_of: PersonOf) -> set[str | None]:
    return {person_of(each.destination) for each in told.attempts if each.result != "skipped" and each.at >= since}


def _alarm(page: Page, number: int, why: str) -> Owed:
    return alarm(f"{page.id}.{number}.empty", alarm_of(page, number, why), page.call_sid, page.case_number)


def _skipped(page: Page, found: Climb, at: datetime) -> Iterator[Attempt]:
    """Yield what is kept of levels that were left out, and why: the reason stands where the role would."""
    for number, why in found.skipped:
        key = f"{page.id}.{number}.{found.round}.skipped"
        attempt = Attempt(key, page.id, page.case_number, number, found.round, "", why, "none", at, "skipped", at)
        yield attempt
