"""The parts of a policy: what one programme's file says, as values; `routing.policy_file` reads and checks it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from routing.aftercare import Abandoned, Acceptance, CallBackDue, Retention
from routing.clock import Counts, Target
from routing.levels import Ladder, steady
from routing.schedule import Schedule, Window
from routing.worktime import working_days

ESCALATION_RESPONSE = Target(timedelta(hours=4), Counts.FOLLOW_THE_SUN)


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
    """By when to respond first, and how often to update, by severity: no agreements (partner guide, SLT table)."""

    id: str
    first_response: Mapping[int, Target]
    provenance: Provenance = field(default_factory=Provenance)
    updates: Mapping[int, Target] = field(default_factory=dict)


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
    page_wait: int = 300  # before a page goes up a level, and between two to everybody


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
    escalation_response: Target = ESCALATION_RESPONSE
    ladders: Mapping[str, Ladder] = field(default_factory=dict)  # escalation ladders by the desk that they are of
    call_back_due: CallBackDue = field(default_factory=CallBackDue)
    call_back_when_abandoned: Abandoned = Abandoned.IDENTIFIED
    acceptance: Acceptance = field(default_factory=Acceptance)
    text_case_number: bool = False
    retention: Retention = field(default_factory=Retention)
    delete_provider_copy: bool = True
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

    def calendar(self, counts: Counts, region: str, tier: int) -> tuple[Schedule, ...] | None:
        """Return the schedules during which such time counts for a region's case of a tier; None: every minute."""
        if counts is Counts.ELAPSED:
            return None
        if counts is Counts.WORKING_DAYS:
            return (working_days(self.regions[region].zone),)
        if counts is Counts.DESK_HOURS:
            return (self.desk(region, tier).hours,)
        same = [each.escalation_hours for each in self.desks.values() if each.tier == tier]
        return tuple({each.name: each for each in same}.values())

    def page_ladder(self, region: str) -> Ladder:
        """Return who is told of somebody in trouble in a region: the people on call, whatever the hour."""
        wait = timedelta(seconds=self.timing.page_wait)
        return self._on_call_ladder(f"{region}-on-call", region, wait, urgent=True)

    def escalation_ladder(self, region: str, tier: int) -> Ladder:
        """Return who is told of escalations of a region's desk; the people on call, where no ladder is given."""
        name = self.desk(region, tier).id
        given = self.ladders.get(name)
        return given or self._on_call_ladder(name, region, self.escalation_response.amount, urgent=False)

    def _on_call_ladder(self, name: str, region: str, wait: timedelta, *, urgent: bool) -> Ladder:
        roles = {each.id: each.role for each in self.destinations.values()}
        return steady(Ladder(name, (), wait, urgent, self.regions[region].zone), self.on_call[region], roles)

    def __post_init__(self) -> None:
        """Index the desks by the place they serve."""
        object.__setattr__(self, "_by_place", {(d.region, d.tier): d for d in self.desks.values()})

    _by_place: Mapping[tuple[str, int], Desk] = field(init=False, repr=False, compare=False)
