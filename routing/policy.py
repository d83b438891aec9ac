"""The parts of a policy: what one programme's file says, as values.

`routing.policy_file` reads and checks the file; here is only what the rest of the house needs to know.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from routing.schedule import Schedule, Window


class LineKind(StrEnum):
    """What a number that callers dial is for. A shared line serves everyone: the Partner ID decides the tier."""

    STANDARD = "standard"
    CERTIFIED = "certified"
    SHARED = "shared"
    VOICEMAIL = "voicemail"


class Does(StrEnum):
    """What a route does with a call."""

    RING = "ring"  # ring people, one after another
    OFFER = "offer"  # let the caller choose
    RECORD = "record"  # take an escalation voicemail
    INFORM = "inform"  # log a case and say when to call again


class Place(StrEnum):
    """Where a route looks for people to ring."""

    HOME = "home"  # the home region's desk of the caller's tier
    HOME_TIER_1 = "home_tier1"  # the home region's Tier 1 desk
    NEXT_OPEN = "next_open"  # the next open desk of the caller's tier, to the west
    OTHERS_OPEN = "others_open"  # every other open desk of the caller's tier, in the same order
    CASE_DESK = "case_desk"  # the desk that holds the case
    ON_CALL = "on_call"  # the home region's on-call ladder


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value was published, when somebody last checked it, and whether it is our reading of a silent source."""

    source: str = ""
    verified_on: date | None = None
    assumed: bool = False
    file_line: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A number that callers dial. It is never rung."""

    id: str
    number: str
    kind: LineKind
    region: str
    locale: str
    provenance: Provenance = field(default_factory=Provenance)


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the world with its own desks. `clock` is how its time of day is spoken: "Pacific"."""

    id: str
    name: str
    zone: str
    clock: str
    loa_required: bool = False


@dataclass(frozen=True, slots=True)
class Destination:
    """Somebody whom we ring, by role. The contacts give the number; the policy's own is one reserved for fiction."""

    id: str
    role: str
    number: str | None = None
    file_line: int = 0


@dataclass(frozen=True, slots=True)
class Desk:
    """A team of one tier in one region, the hours of its telephone, and whom it rings in order."""

    id: str
    name: str
    tier: int
    region: str
    hours: Schedule
    ring: tuple[str, ...]
    escalation_hours: Schedule
    provenance: Provenance = field(default_factory=Provenance)


@dataclass(frozen=True, slots=True)
class Severity:
    """How bad it is, as this programme defines it."""

    number: int
    meaning: str


@dataclass(frozen=True, slots=True)
class TargetTable:
    """First-response targets by severity. They are targets, not agreements (partner guide, SLT table)."""

    id: str
    first_response: Mapping[int, timedelta]
    provenance: Provenance = field(default_factory=Provenance)


@dataclass(frozen=True, slots=True)
class Saying:
    """A prompt that a route speaks, if all of its conditions hold."""

    prompt: str
    when: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the routing table. The first row whose conditions all hold decides."""

    rule: str
    does: Does
    when: Mapping[str, frozenset[str]]
    ring: tuple[Place, ...] = ()
    offer: Mapping[str, str] = field(default_factory=dict)  # key -> choice
    say: tuple[Saying, ...] = ()
    flags: tuple[str, ...] = ()
    file_line: int = 0


@dataclass(frozen=True, slots=True)
class Quotation:
    """Hours as their source writes them, beside the schedule that we read into it. `gmt` is its own column of GMT."""

    schedule: Schedule
    hours: str
    gmt: Window | None = None
    file_line: int = 0


@dataclass(frozen=True, slots=True)
class PartnerIdFormat:
    """How a Partner ID is keyed."""

    length: int = 6


@dataclass(frozen=True, slots=True)
class Timing:
    """How long we ring, wait and record, in seconds, and how often a hunt goes round."""

    ring: int = 20
    rounds_before_choices: int = 2
    rounds_at_most: int = 20
    talk_limit: int = 14_400
    message_limit: int = 180
    message_silence: int = 5


@dataclass(frozen=True, eq=False)  # known by identity: one object a version
class Policy:
    """One programme's rules, read and checked."""

    programme: str
    version: str
    brand: str
    portal: str
    regions: Mapping[str, Region]
    follow_the_sun: tuple[str, ...]  # each region is followed by the next one to the west, the last by the first
    lines: Mapping[str, Line]  # by E.164 number
    desks: Mapping[str, Desk]
    destinations: Mapping[str, Destination]
    on_call: Mapping[str, tuple[tuple[str, ...], ...]]  # region -> levels -> destination ids
    severities: Mapping[int, Severity]
    targets: Mapping[str, TargetTable]
    routes: tuple[Route, ...]
    escalation_response: timedelta = timedelta(hours=4)
    partner_id: PartnerIdFormat = field(default_factory=PartnerIdFormat)
    timing: Timing = field(default_factory=Timing)
    grace_days: int = 0
    pages_per_hour: int = 3
    unknown_ids_per_hour: int = 10
    notice: str = ""  # spoken before a recorded call; empty when engineer calls are not recorded
    call_example_hours: int = 24
    provenance: Provenance = field(default_factory=Provenance)
    provenances: Mapping[str, Provenance] = field(default_factory=dict)  # by place in the file: "lines.us-standard"
    quotations: tuple[Quotation, ...] = ()
    repeated: tuple[Line, ...] = ()  # lines whose number an earlier line already has
    file: str = ""

    def desk(self, region: str, tier: int) -> Desk:
        """Return the desk of a tier in a region; every region has one of each (the reader checks that)."""
        return self._by_place[region, tier]

    def neighbours(self, region: str) -> tuple[str, ...]:
        """Return the other regions in follow-the-sun order, the next one to the west first."""
        at = self.follow_the_sun.index(region)
        return self.follow_the_sun[at + 1 :] + self.follow_the_sun[:at]

    def __post_init__(self) -> None:
        """Index the desks by the place they serve."""
        object.__setattr__(self, "_by_place", {(d.region, d.tier): d for d in self.desks.values()})

    _by_place: Mapping[tuple[str, int], Desk] = field(init=False, repr=False, compare=False)
