"""The form of a policy file: its sections and entries, and what kind of value each may have.

Editors read the same form as JSON Schema. What entries mean to each other is checked in `routing.policy_checks`.
"""

import json
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from routing.aftercare import Abandoned
from routing.aftercare_model import (
    AcceptanceEntry,
    AmountEntry,
    CallBackDueEntry,
    LadderEntry,
    RetentionEntry,
    TargetEntry,
)
from routing.enquiry import FACTS
from routing.policy import Does, LineKind, Place
from routing.policy_words import (
    COUNTRY,
    FLAG,
    LOCALE,
    RULE,
    SUBDIVISION,
    Days,
    Entry,
    Name,
    Prompt,
    Published,
    SeverityNumber,
    Words,
    YesNo,
)

CHOICES = tuple(choice for choice in FACTS["choice"] if choice not in ("none", "declined"))


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _prompted(value: object) -> object:
    return {"prompt": value} if isinstance(value, str) else value


def _values(choices: tuple[str, ...]) -> dict[str, Any]:
    one = {"enum": list(choices)}
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


_WHEN_SCHEMA = {
    "type": "object",
    "properties": {fact: _values(values) for fact, values in FACTS.items()},
    "additionalProperties": False,
}
When = Annotated[
    dict[str, Annotated[list[str], BeforeValidator(_listed)]],
    WithJsonSchema(_WHEN_SCHEMA),
]


class RegionEntry(Entry):
    """A part of the world, its zone, and how its time of day is spoken."""

    name: Words
    zone: Words
    clock: Words
    loa_required: bool = False


class LineEntry(Published):
    """A number that callers dial."""

    number: Words
    kind: Annotated[LineKind, Field(strict=False)]
    region: Name
    locale: Annotated[str, Field(pattern=LOCALE)]


class HolidayEntry(Entry):
    """A country's public holidays, less the days that are worked, and with those that the office adds."""

    country: Annotated[str, Field(pattern=COUNTRY)] | None = None
    subdivision: Annotated[str, Field(pattern=SUBDIVISION)] | None = None
    remove: list[date] = Field(default_factory=list)
    add: dict[date, Words] = Field(default_factory=dict)


class QuotedEntry(Entry):
    """The hours as the source writes them, and its own column of GMT, if it has one."""

    hours: Words
    gmt: Words | None = None


class ScheduleEntry(Published):
    """Opening hours in local time."""

    zone: Words
    weekly: dict[Days, list[str]]
    special: dict[date, list[str]] = Field(default_factory=dict)
    holidays: HolidayEntry | None = None
    published: QuotedEntry | None = None


class DeskEntry(Entry):
    """A team, its two schedules by name, and whom it rings, by name and in order."""

    name: Words
    tier: Literal[1, 2]
    region: Name
    hours: Name
    escalation_hours: Name
    ring: Annotated[list[Name], Field(min_length=1)]


class DestinationEntry(Entry):
    """Somebody whom we ring, by role. Without a number, the contacts must give one."""

    role: Words
    number: Words | None = None


class SeverityEntry(Published):
    """What a severity means."""

    meaning: Words


class PartnerIdEntry(Published):
    """How many digits a Partner ID has."""

    length: Annotated[int, Field(ge=2, le=12)]


class TimingEntry(Entry):
    """Seconds that we ring, talk, record and wait, and rounds of ringing."""

    ring: Annotated[int, Field(ge=5, le=60)] | None = None
    rounds_before_choices: Annotated[int, Field(ge=1, le=9)] | None = None
    rounds_at_most: Annotated[int, Field(ge=1, le=99)] | None = None
    talk_limit: Annotated[int, Field(ge=60, le=14_400)] | None = None
    message_limit: Annotated[int, Field(ge=10, le=300)] | None = None
    message_silence: Annotated[int, Field(ge=2, le=30)] | None = None
    page_wait: Annotated[int, Field(ge=30, le=3600)] | None = None


class SayingEntry(Entry):
    """A prompt, and the facts on which it depends."""

    prompt: Prompt
    when: When = Field(default_factory=dict)


Said = Annotated[SayingEntry, BeforeValidator(_prompted, json_schema_input_type=Prompt | SayingEntry)]


class RouteEntry(Entry):
    """One row of the routing table: for which enquiries, and what is done with them."""

    rule: Annotated[str, Field(pattern=RULE)]
    when: When
    does: Annotated[Does, Field(strict=False)]
    ring: list[Annotated[Place, Field(strict=False)]] = Field(default_factory=list)
    offer: Annotated[
        dict[int, str],
        WithJsonSchema({"type": "object", "patternProperties": {"^[1-8]$": {"enum": list(CHOICES)}}}),
    ] = Field(default_factory=dict)
    say: list[Annotated[SayingEntry, BeforeValidator(_prompted, json_schema_input_type=Prompt | SayingEntry)]] = Field(
        default_factory=list
    )
    flags: list[Annotated[str, Field(pattern=FLAG)]] = Field(default_factory=list)


class PolicyEntry(Published):
    """One programme's rules."""

    programme: Name
    brand: Words
    portal: Words
    regions: Annotated[dict[Name, RegionEntry], Field(min_length=1)]
    follow_the_sun: list[Name]
    lines: Annotated[dict[Name, LineEntry], Field(min_length=1)]
    schedules: dict[Name, ScheduleEntry]
    desks: dict[Name, DeskEntry]
    destinations: dict[Name, DestinationEntry]
    on_call: dict[Name, list[list[Name]]]
    severities: Annotated[dict[SeverityNumber, SeverityEntry], Field(min_length=1)]
    targets: Annotated[dict[Name, TargetEntry], Field(min_length=1)]
    escalation_response: AmountEntry | None = None
    ladders: dict[Name, LadderEntry] = Field(default_factory=dict)
    call_back_due: CallBackDueEntry | None = None
    call_back_when_abandoned: Annotated[Abandoned, Field(strict=False)] | None = None
    acceptance: AcceptanceEntry | None = None
    text_case_number: YesNo | None = None
    retention: RetentionEntry = RetentionEntry()
    delete_provider_copy: YesNo | None = None
    partner_id: PartnerIdEntry | None = None
    timing: TimingEntry = TimingEntry()
    grace_days: Annotated[int, Field(ge=0, le=366)] | None = None
    pages_per_hour: Annotated[int, Field(ge=1, le=60)] | None = None
    unknown_ids_per_hour: Annotated[int, Field(ge=1, le=100)] | None = None
    notice: Annotated[str, Field(max_length=200)] | None = None
    call_example_hours: Annotated[int, Field(ge=1, le=240)] | None = None
    routes: Annotated[list[RouteEntry], Field(min_length=1)]


def json_schema() -> str:
    """Return the form as JSON Schema, for editors that help while a policy is written."""
    return json.dumps(PolicyEntry.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
