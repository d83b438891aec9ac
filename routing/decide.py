"""Where a call goes, and why: Enquiry + Policy + overrides + instant -> Decision."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

import msgspec

from routing.enquiry import FACTS, URGENT_AT_MOST, Enquiry
from routing.policy import Desk, Does, Place, Policy, Route
from routing.schedule import Hours, Override

__all__ = ["FACTS", "URGENT_AT_MOST", "Decision", "Enquiry", "Rejected", "Target", "decide", "in_scope"]


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """One destination in ring order, and the desk or ladder level that it was found in."""

    destination: str
    desk: str = ""
    level: int = 0


class Rejected(msgspec.Struct, frozen=True, array_like=True):
    """A route that did not match, and the fact that it stumbled over."""

    rule: str
    fact: str
    value: str


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a call goes, and why.

    `gate` means that the caller must first be asked whether this is a Severity 1, because the route does not lead
    straight to a living person. `reopens` is the home desk's next opening, or, with every desk closed, the first.
    """

    rule: str
    does: Does
    kind: str
    at: datetime
    policy: str
    tier: int = 0
    region: str = ""
    desk: str = ""
    ring: tuple[Target, ...] = ()
    offer: dict[str, str] = {}
    say: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    gate: bool = False
    home_closed: str = ""
    reopens: datetime | None = None
    file_line: int = 0
    facts: dict[str, str] = {}
    rejected: tuple[Rejected, ...] = ()


def decide(enquiry: Enquiry, policy: Policy, instant: datetime, overrides: Sequence[Override] = ()) -> Decision:
    """Return the first route that matches, whom it rings in which order, and why the earlier ones did not."""
    floor = Floor(enquiry, policy, instant, overrides)
    facts = floor.facts()
    rejected: list[Rejected] = []
    for route, conditions in _rows(policy):
        for fact, refused in conditions:
            stumble = refused.get(facts[fact])
            if stumble is not None:
                rejected.append(stumble)
                break
        else:
            return floor.settle(route, facts, tuple(rejected))
    msg = f"{policy.file}: no route matches {facts}; the check at load makes this impossible"
    raise LookupError(msg)


Conditions = tuple[tuple[str, Mapping[str, Rejected]], ...]


@lru_cache(maxsize=64)
def _rows(policy: Policy) -> tuple[tuple[Route, Conditions], ...]:
    """Return each route with its conditions, and with what is to be said of every value that a condition refuses."""
    return tuple((route, tuple(_conditions(route))) for route in policy.routes)


def _conditions(route: Route) -> Iterable[tuple[str, Mapping[str, Rejected]]]:
    for fact, values in route.when.items():
        yield fact, {value: Rejected(route.rule, fact, value) for value in FACTS[fact] if value not in values}


def in_scope(overrides: Sequence[Override], desk: Desk) -> tuple[Override, ...]:
    """Return the overrides that bear on a desk: its own, its region's and everybody's."""
    return tuple(o for o in overrides if o.scope in (desk.id, desk.region, "all"))


@dataclass(slots=True)
class Floor:
    """The desks of the caller's tier as they stand at one instant."""

    enquiry: Enquiry
    policy: Policy
    instant: datetime
    overrides: Sequence[Override]
    tier: int = field(init=False)
    home: Desk = field(init=False)
    home_hours: Hours = field(init=False)
    others: list[tuple[Desk, Hours]] = field(init=False)  # to the west, one after another
    open_others: list[Desk] = field(init=False)

    def __post_init__(self) -> None:
        """Look at every desk once."""
        self.tier = self.enquiry.tier
        self.home = self.policy.desk(self.enquiry.region, self.tier)
        self.home_hours = self.hours(self.home)
        desks = (self.policy.desk(region, self.tier) for region in self.policy.neighbours(self.enquiry.region))
        self.others = [(desk, self.hours(desk)) for desk in desks]
        self.open_others = [desk for desk, hours in self.others if hours.open]

    def hours(self, desk: Desk) -> Hours:
        """Return whether a desk answers now, why, and when that changes."""
        return desk.hours.at(self.instant, in_scope(self.overrides, desk) if self.overrides else ())

    def facts(self) -> dict[str, str]:
        """Return the value of every fact that routes may ask about."""
        asked = self.enquiry
        return {
            "line": asked.line.value,
            "type": asked.type.value if asked.type else "unknown",
            "certified": "yes" if self.tier == 2 else "no",
            "certification": asked.certification.value,
            "loa": asked.loa,
            "intent": asked.intent,
            "urgent": asked.urgent,
            "home": "open" if self.home_hours.open else "closed",
            "elsewhere": "open" if self.open_others else "closed",
            "case_desk": self._case_desk() if asked.case_desk else "none",
            "choice": asked.choice,
        }

    def _case_desk(self) -> str:
        desk = self.policy.desks.get(self.enquiry.case_desk or "")
        if desk is None or desk.tier > self.tier:
            return "none"
        return "open" if self.hours(desk).open else "closed"

    def settle(self, route: Route, facts: dict[str, str], rejected: tuple[Rejected, ...]) -> Decision:
        """Turn the matching route into a decision: the places become people, in ring order."""
        ring = tuple(dict.fromkeys(target for place in route.ring for target in self._targets(place)))
        first = self.policy.desks.get(ring[0].desk) if ring else None
        return Decision(
            rule=route.rule,
            does=route.does,
            kind=_kind(route, first),
            at=self.instant,
            policy=self.policy.version,
            tier=first.tier if first else self.tier if route.does is Does.OFFER else 0,
            region=first.region if first else self._region(route),
            desk=first.id if first else "",
            ring=ring,
            offer=dict(route.offer),
            say=tuple(said.prompt for said in route.say if not said.when or _holds(said.when, facts)),
            flags=route.flags,
            gate=facts["urgent"] == "unasked" and ends_without_a_person(route, facts["home"]),
            home_closed="" if self.home_hours.open else self.home_hours.basis.value,
            reopens=None if self.home_hours.open else self._reopens(),
            file_line=route.file_line,
            facts=facts,
            rejected=rejected,
        )

    def _region(self, route: Route) -> str:
        """Return the region of the desk that a caller is offered, else the home region."""
        offered = route.does is Does.OFFER and "live" in route.offer.values() and not self.home_hours.open
        return self.open_others[0].region if offered and self.open_others else self.enquiry.region

    def _targets(self, place: Place) -> Sequence[Target]:
        if place is Place.ON_CALL:
            return _ladder(self.policy.on_call[self.enquiry.region])
        return [target for desk in self._desks(place) for target in _ring(desk.id, desk.ring)]

    def _desks(self, place: Place) -> Sequence[Desk]:
        """Return the desks that a place stands for; a closed one is none, except the desk that holds the case."""
        if place is Place.HOME:
            return [self.home] if self.home_hours.open else []
        if place is Place.HOME_TIER_1:
            desk = self.policy.desk(self.enquiry.region, 1)
            return [desk] if self.hours(desk).open else []
        if place is Place.CASE_DESK:
            return [self.policy.desks[self.enquiry.case_desk or ""]]
        return self.open_others[:1] if place is Place.NEXT_OPEN else self.open_others

    def _reopens(self) -> datetime | None:
        every = [self.home_hours] if self.open_others else [self.home_hours, *(hours for _, hours in self.others)]
        return min((hours.next_opening for hours in every if hours.next_opening), default=None)


def ends_without_a_person(route: Route, home: str) -> bool:
    """Whether a route may end in a recording or a goodbye, so that a Severity 1 must not be let into it unasked.

    A caller who does not choose among what is offered is put through only while the home desk is open.
    """
    if route.does is not Does.OFFER:
        return route.does is not Does.RING
    return home == "closed" or "voicemail" in route.offer.values() or "live" not in route.offer.values()


def _holds(when: Mapping[str, frozenset[str]], facts: Mapping[str, str]) -> bool:
    return all(facts[fact] in values for fact, values in when.items())


@lru_cache(maxsize=256)
def _ring(desk: str, destinations: tuple[str, ...]) -> tuple[Target, ...]:
    return tuple(Target(destination, desk) for destination in destinations)


@lru_cache(maxsize=64)
def _ladder(levels: tuple[tuple[str, ...], ...]) -> tuple[Target, ...]:
    return tuple(Target(destination, level=number) for number, level in enumerate(levels, 1) for destination in level)


def _kind(route: Route, first: Desk | None) -> str:
    if route.does is Does.RING:
        return "desk" if first else "on_call"
    return {Does.RECORD: "escalation_voicemail", Does.INFORM: "closed", Does.OFFER: "none"}[route.does]
