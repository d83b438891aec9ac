"""Where a call goes, and why: Enquiry + Policy + overrides + instant -> Decision."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import msgspec

from routing.partner import Certification, PartnerType
from routing.policy import Desk, Does, LineKind, Place, Policy, Route
from routing.schedule import Hours, Override

# The closed set of facts that a route may ask about, and every value that each can have.
FACTS: dict[str, tuple[str, ...]] = {
    "line": ("standard", "certified", "shared", "voicemail"),
    "type": ("agency", "resale", "wholesale", "referral", "unknown"),
    "certified": ("yes", "no"),
    "certification": ("valid", "expired", "none"),
    "loa": ("on_file", "missing", "not_required"),
    "intent": ("new", "existing", "escalation", "engineer", "none"),
    "urgent": ("yes", "no", "unasked"),
    "home": ("open", "closed"),
    "elsewhere": ("open", "closed"),
    "case_desk": ("open", "closed", "none"),
    "choice": ("none", "live", "voicemail", "customer", "how", "declined"),
}
URGENT_AT_MOST = 1  # Severity 0 and 1


@dataclass(frozen=True, slots=True)
class Enquiry:
    """All that is known of a call when it is to be routed.

    An unidentified caller has no type. `severity` is None until it is known; `outage_denied` says that the caller
    was asked and that it is no Severity 1.
    """

    line: LineKind
    region: str
    type: PartnerType | None = None
    certification: Certification = Certification.NONE
    loa: str = "not_required"
    intent: str = "none"
    severity: int | None = None
    outage_denied: bool = False
    case_desk: str | None = None
    choice: str = "none"

    @property
    def certified(self) -> bool:
        """Whether Tier 2 is open to the caller: a valid certification of any type but referral."""
        return self.certification is Certification.VALID and self.type not in (None, PartnerType.REFERRAL)

    @property
    def urgent(self) -> str:
        """Whether this is a Severity 0 or 1; one that nobody asked about may be."""
        if self.severity is None:
            return "no" if self.outage_denied else "unasked"
        return "yes" if self.severity <= URGENT_AT_MOST else "no"

    @property
    def tier(self) -> int:
        """The tier that the caller is entitled to."""
        return 2 if self.certified else 1


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
    for route in policy.routes:
        stumble = _stumble(route, facts)
        if stumble is None:
            return floor.settle(route, facts, tuple(rejected))
        rejected.append(Rejected(route.rule, stumble, facts[stumble]))
    msg = f"{policy.file}: no route matches {facts}; the proof at load makes this impossible"
    raise LookupError(msg)


def _stumble(route: Route, facts: dict[str, str]) -> str | None:
    for fact, values in route.when.items():
        if facts[fact] not in values:
            return fact
    return None


def in_scope(overrides: Sequence[Override], desk: Desk) -> tuple[Override, ...]:
    """Return the overrides that bear on a desk: its own, its region's and everybody's."""
    return tuple(o for o in overrides if o.scope in (desk.id, desk.region, "all"))


@dataclass(slots=True)
class Floor:
    """The desks as they stand at one instant, seen by one enquiry."""

    enquiry: Enquiry
    policy: Policy
    instant: datetime
    overrides: Sequence[Override]

    def hours(self, desk: Desk) -> Hours:
        """Return whether a desk answers now, why, and when that changes."""
        return desk.hours.at(self.instant, in_scope(self.overrides, desk) if self.overrides else ())

    def open_desks(self, regions: Iterable[str]) -> list[Desk]:
        """Return the open desks of the caller's tier, in the order of the regions."""
        desks = (self.policy.desk(region, self.enquiry.tier) for region in regions)
        return [desk for desk in desks if self.hours(desk).open]

    def facts(self) -> dict[str, str]:
        """Return the value of every fact that routes may ask about."""
        asked = self.enquiry
        home = self.policy.desk(asked.region, asked.tier)
        others = self.policy.neighbours(asked.region)
        return {
            "line": asked.line.value,
            "type": asked.type.value if asked.type else "unknown",
            "certified": "yes" if asked.certified else "no",
            "certification": asked.certification.value,
            "loa": asked.loa,
            "intent": asked.intent,
            "urgent": asked.urgent,
            "home": "open" if self.hours(home).open else "closed",
            "elsewhere": "open" if self.open_desks(others) else "closed",
            "case_desk": self._case_desk(),
            "choice": asked.choice,
        }

    def _case_desk(self) -> str:
        desk = self.policy.desks.get(self.enquiry.case_desk or "")
        if desk is None or desk.tier > self.enquiry.tier:
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
            tier=first.tier if first else self.enquiry.tier if route.does is Does.OFFER else 0,
            region=first.region if first else self._region(route),
            desk=first.id if first else "",
            ring=ring,
            offer=dict(route.offer),
            say=tuple(said.prompt for said in route.say if _holds(said.when, facts)),
            flags=route.flags,
            gate=self.enquiry.urgent == "unasked" and ends_without_a_person(route),
            home_closed=self._home_closed(),
            reopens=self._reopens(facts),
            file_line=route.file_line,
            facts=facts,
            rejected=rejected,
        )

    def _region(self, route: Route) -> str:
        if route.does is Does.OFFER and "live" in route.offer.values():
            return next((desk.region for desk in self._offered()), self.enquiry.region)
        return self.enquiry.region

    def _offered(self) -> list[Desk]:
        return self.open_desks((self.enquiry.region, *self.policy.neighbours(self.enquiry.region)))

    def _targets(self, place: Place) -> Iterable[Target]:
        home, others = self.enquiry.region, self.policy.neighbours(self.enquiry.region)
        if place is Place.ON_CALL:
            return _ladder(self.policy, home)
        if place is Place.HOME_TIER_1:
            return _desk_targets(desk for desk in [self.policy.desk(home, 1)] if self.hours(desk).open)
        if place is Place.CASE_DESK:
            return _desk_targets([self.policy.desks[self.enquiry.case_desk or ""]])
        open_desks = self.open_desks([home] if place is Place.HOME else others)
        return _desk_targets(open_desks[:1] if place is Place.NEXT_OPEN else open_desks)

    def _home_closed(self) -> str:
        hours = self.hours(self.policy.desk(self.enquiry.region, self.enquiry.tier))
        return "" if hours.open else hours.basis.value

    def _reopens(self, facts: dict[str, str]) -> datetime | None:
        everywhere = [self.policy.desk(region, self.enquiry.tier) for region in self.policy.follow_the_sun]
        home = self.policy.desk(self.enquiry.region, self.enquiry.tier)
        if facts["home"] == "open":
            return None
        desks = [home] if facts["elsewhere"] == "open" else everywhere
        return min((at for desk in desks if (at := self.hours(desk).next_opening)), default=None)


def ends_without_a_person(route: Route) -> bool:
    """Whether a route may end in a recording or a goodbye, so that a Severity 1 must not be let into it unasked."""
    if route.does is Does.OFFER:
        return "voicemail" in route.offer.values() or "live" not in route.offer.values()
    return route.does is not Does.RING


def _holds(when: Mapping[str, frozenset[str]], facts: dict[str, str]) -> bool:
    return all(facts[fact] in values for fact, values in when.items())


def _desk_targets(desks: Iterable[Desk]) -> list[Target]:
    return [Target(destination, desk.id) for desk in desks for destination in desk.ring]


@lru_cache(maxsize=64)
def _ladder_of(levels: tuple[tuple[str, ...], ...]) -> tuple[Target, ...]:
    return tuple(Target(destination, level=number) for number, level in enumerate(levels, 1) for destination in level)


def _ladder(policy: Policy, region: str) -> tuple[Target, ...]:
    return _ladder_of(policy.on_call[region])


def _kind(route: Route, first: Desk | None) -> str:
    if route.does is Does.RING:
        return "desk" if first else "on_call"
    return {Does.RECORD: "escalation_voicemail", Does.INFORM: "closed", Does.OFFER: "none"}[route.does]
