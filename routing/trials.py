"""What a proof tries: every enquiry at every instant at which a desk opens or closes.

Nothing but the pattern of open desks changes at such an instant, so instants with the same pattern are tried together,
at the first of them. Enquiries of the same urgency that the same row decides for the same desks are tried together too,
as one of them. What was tried is counted as what it covers: enquiries times instants.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product

from routing.combinations import Facts, having, one_of, shares, where
from routing.decide import Decision, Enquiry, Floor, decide, in_scope
from routing.partner import Certification, PartnerType
from routing.policy import Desk, LineKind, Place, Policy, Route
from routing.schedule import Hours, Override

# Severities 0 and 1; 2, 3, 4 and "asked, and it is none of the first two"; not asked yet.
SEVERITIES = {"yes": 2, "no": 4, "unasked": 1}
_STANDING = ("certified", "home", "elsewhere", "case_desk")
_TRIED = {"yes": (1, False), "no": (None, True), "unasked": (None, False)}


@dataclass(frozen=True, slots=True)
class Wait:
    """The longest time until the opening that callers of a closed desk are told of, from a boundary. None: for ever."""

    region: str
    tier: int
    at: datetime
    length: timedelta | None


@dataclass(frozen=True, slots=True)
class Moment:
    """A pattern of open desks: the first instant that shows it, and how many boundary instants do."""

    at: datetime
    instants: int = 1


@dataclass(frozen=True, slots=True)
class View:
    """The floor at a moment, as enquiries of one region and tier see it, alike but for the case that they are about."""

    moment: Moment
    members: int
    alike: tuple[Enquiry, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """Enquiries that one row decides in the same way, one of them, and its decision."""

    route: Route
    enquiry: Enquiry
    decision: Decision
    members: int
    moment: Moment
    alike: int  # how many cases the enquiries may be about, with the same outcome

    def points(self, members: int) -> int:
        """Return how many enquiries, severities counted one by one, at how many instants some of the members cover."""
        severities = SEVERITIES[self.decision.facts["urgent"]]
        return members.bit_count() * severities * self.alike * self.moment.instants


def survey(
    policy: Policy, start: datetime, end: datetime, overrides: Sequence[Override] = ()
) -> tuple[list[Moment], list[Wait]]:
    """Return every pattern of open desks between two instants, and the longest wait of each desk."""
    desks = [(desk, in_scope(overrides, desk)) for desk in policy.desks.values()]
    instants = {start.astimezone(UTC)}
    for desk, scoped in desks:
        instants.update(desk.hours.boundaries(start, end, scoped))
    moments: dict[tuple[bool, ...], Moment] = {}
    waits: dict[tuple[str, int], Wait] = {}
    for at in sorted(instants):
        standing = [(desk, desk.hours.at(at, scoped)) for desk, scoped in desks]
        pattern = tuple(hours.open for _, hours in standing)
        seen = moments.get(pattern)
        moments[pattern] = replace(seen, instants=seen.instants + 1) if seen else Moment(at)
        for wait in _waits(standing, at):
            place = wait.region, wait.tier
            waits[place] = max(waits.get(place, wait), wait, key=_how_long)
    return list(moments.values()), list(waits.values())


def _waits(standing: Sequence[tuple[Desk, Hours]], at: datetime) -> Iterator[Wait]:
    """Yield how long the callers of each closed desk are asked to wait: for it, or with all closed for the first."""
    for desk, hours in standing:
        if not hours.open:
            tier = [peer for other, peer in standing if other.tier == desk.tier]
            awaited = [hours] if any(peer.open for peer in tier) else tier
            opening = min((each.next_opening for each in awaited if each.next_opening), default=None)
            yield Wait(desk.region, desk.tier, at, opening - at if opening else None)


def _how_long(wait: Wait) -> timedelta:
    return timedelta.max if wait.length is None else wait.length


def trials(policy: Policy, moments: Sequence[Moment], overrides: Sequence[Override] = ()) -> Iterator[Trial]:
    """Yield trials that between them cover every enquiry at every moment, as far as some row decides it."""
    decided, _ = shares(policy.routes)
    for view in views(policy, moments, overrides):
        for route, share in zip(policy.routes, decided, strict=True):
            for urgent in SEVERITIES if view.members & share else ():
                some = view.members & share & having("urgent", urgent)
                if some:
                    yield from _tried(view, route, some, policy, overrides)


def _tried(view: View, route: Route, members: int, policy: Policy, overrides: Sequence[Override]) -> Iterator[Trial]:
    """Try the members once, or once for every case where the row rings the desk that holds it."""
    facts, at = one_of(members), view.moment.at
    each = Place.CASE_DESK in route.ring
    for asked in view.alike if each else view.alike[:1]:
        enquiry = enquiry_with(facts, asked)
        decision = decide(enquiry, policy, at, overrides)
        yield Trial(route, enquiry, decision, members, view.moment, 1 if each else len(view.alike))


def views(policy: Policy, moments: Sequence[Moment], overrides: Sequence[Override] = ()) -> Iterator[View]:
    """Yield the floor of every moment, as seen from every region, tier and case."""
    lines = where({"line": frozenset(line.kind.value for line in policy.lines.values())})
    for moment, region, certification in product(moments, policy.regions, (Certification.NONE, Certification.VALID)):
        standings: dict[tuple[str, ...], list[Enquiry]] = {}
        for case_desk in (None, *policy.desks):
            asked = Enquiry(LineKind.STANDARD, region, PartnerType.RESALE, certification, case_desk=case_desk)
            facts = Floor(asked, policy, moment.at, overrides).facts()
            standings.setdefault(tuple(facts[fact] for fact in _STANDING), []).append(asked)
        for standing, alike in standings.items():
            yield View(moment, lines & where(dict(zip(_STANDING, standing, strict=True))), tuple(alike))


def enquiry_with(facts: Facts, asked: Enquiry) -> Enquiry:
    """Return the enquiry that has these facts, in the region and about the case of another."""
    severity, denied = _TRIED[facts["urgent"]]
    return Enquiry(
        line=LineKind(facts["line"]),
        region=asked.region,
        type=None if facts["type"] == "unknown" else PartnerType(facts["type"]),
        certification=Certification(facts["certification"]),
        loa=facts["loa"],
        intent=facts["intent"],
        severity=severity,
        outage_denied=denied,
        case_desk=asked.case_desk,
        choice=facts["choice"],
    )
