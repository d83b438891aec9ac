"""The call: one document, with a timeline to which every turn appends."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec.structs import replace

from flows.heard import Event
from flows.said import Said
from routing.decide import Decision
from routing.partner import Partner


class Leg(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt to reach an engineer. No `result` while it rings; `accepted_at` is the proof of a living person."""

    number: str
    destination: str
    role: str
    started_at: datetime
    round: int = 0
    turn: int = 0  # how far the conversation on this leg has come
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    result: str = ""
    talk_seconds: int = 0
    bridged: bool = False


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """A take of an escalation voicemail, kept or on trial."""

    recording: str
    seconds: int
    at: datetime
    audio: str = ""  # completed, absent or failed, once the provider has said so


KEYED = "keyed"  # why a call back is in the document while its caller has not confirmed the number


class CallBack(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call back that we owe. A person dials it from their own telephone; the service never does."""

    number: str
    since: datetime
    why: str


class CaseRef(msgspec.Struct, frozen=True, omit_defaults=True):
    """As much of a stored case as a conversation needs."""

    number: str
    partner_id: str
    severity: int | None = None
    desk: str = ""
    closed: bool = False


class MessageState(msgspec.Struct, frozen=True, omit_defaults=True):
    """An escalation voicemail that was left before. `heard_at` is when somebody first listened to it, or took it."""

    reference: str
    received_at: datetime
    heard_at: datetime | None = None
    claimed: bool = False
    answered_at: datetime | None = None
    due_at: datetime | None = None  # None once it is moot


class Tally(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the conversation has gone: misses here and in all, silences, repeats, waits."""

    here_wrong: int = 0
    here_silent: int = 0
    misses: int = 0
    silences: int = 0
    repeats: int = 0
    waits: int = 0
    unknown_ids: int = 0
    helped: bool = False


class Call(msgspec.Struct, frozen=True, omit_defaults=True):
    """One visit of one caller: everything that the next turn needs, and nothing that it can look up."""

    sid: str
    programme: str
    policy: str
    line: str
    line_id: str
    line_kind: str
    locale: str
    region: str  # the home region: the partner's, or the dialled line's
    started_at: datetime
    caller: str | None = None
    shown: str = ""
    attestation: str = ""
    node: str = "greet"  # where the caller's conversation waits
    turn: int = 0
    again: str = ""  # why this node speaks once more: silent, wrong, help, repeat, ...
    tally: Tally = Tally()
    typed: str = ""  # keys of an entry that is not yet complete
    partner: Partner | None = None  # as it was at call time
    recognised: bool = False
    loa: str = "not_required"
    intent: str = "none"
    severity: int | None = None
    outage_denied: bool = False
    choice: str = "none"
    decision: Decision | None = None
    rules: tuple[str, ...] = ()  # every rule that decided in this call, in order
    case_number: str = ""
    existing_case: CaseRef | None = None
    case_asked: bool = False
    round: int = 0
    legs: tuple[Leg, ...] = ()
    take: Message | None = None  # the last complete take
    empty_takes: int = 0
    message: Message | None = None  # the take that was sent
    message_due: datetime | None = None
    call_back: CallBack | None = None
    cancelled: bool = False
    told_closed: bool = False  # the caller has heard that the home desk is closed, if it is
    informed: bool = False  # the closed message was spoken
    paging: bool = True  # whether this caller may still have people paged
    flags: tuple[str, ...] = ()
    outcome: str = ""
    last_step: str = ""
    ended_at: datetime | None = None
    ended_by: str = ""  # caller or service
    seconds: int = 0
    audio: tuple[tuple[str, str, int], ...] = ()  # recording, result and seconds, as the provider has settled them
    transcripts: tuple[str, ...] = ()  # recordings whose transcript has come, whatever became of it
    left: MessageState | None = None  # the message that this caller left in an earlier call
    left_told: bool = False  # they have heard what became of it
    events: tuple[Event, ...] = ()  # of this turn only; the log keeps them and empties this
    effects: tuple["Effect", ...] = ()  # of this turn only; the log writes them to the outbox

    def but(self, **changes: object) -> "Call":
        """Return the same call with some fields changed."""
        return replace(self, **changes)

    def note(self, at: datetime, event: str, **detail: object) -> "Call":
        """Return the call with one more event in its timeline."""
        return replace(self, events=(*self.events, Event(at, event, detail)))

    def owe(self, kind: str, key: str, **detail: object) -> "Call":
        """Return the call with one more effect, to be carried out after this turn has committed."""
        return replace(self, effects=(*self.effects, Effect(kind, f"{self.sid}.{key}", detail)))

    def flagged(self, *flags: str) -> "Call":
        """Return the call with flags added, each once."""
        return replace(self, flags=tuple(dict.fromkeys((*self.flags, *flags))))


class Effect(msgspec.Struct, frozen=True):
    """Something that must happen after the turn. `key` is stable, so that carrying it out twice can be seen."""

    kind: str  # page, call_back, voicemail, alarm, fetch, audio, transcript or ended
    key: str
    detail: dict[str, object] = {}


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is kept of a call for those who work on it: a projection of the call, recomputed each turn."""

    number: str
    call_sid: str
    programme: str
    opened_at: datetime
    region: str
    intent: str
    partner_id: str = ""
    partner_name: str = ""
    severity: int | None = None
    policy: str = ""
    desk: str = ""
    table: str = ""  # the target table that applies
    response_due: datetime | None = None
    flags: tuple[str, ...] = ()


class Task(msgspec.Struct, frozen=True):
    """Something owed to a partner that one person takes and answers. `kind` is message or call_back.

    `number` is dialled by a person from their own telephone, never by the service; empty if the caller withheld it.
    """

    id: str
    kind: str
    call_sid: str
    case_number: str
    programme: str
    policy: str
    partner_id: str
    partner_name: str
    region: str
    desk: str
    number: str
    severity: int | None
    why: str
    recording: str
    seconds: int
    received_at: datetime
    due_at: datetime | None = None
    flags: tuple[str, ...] = ()


class Turned(msgspec.Struct, frozen=True):
    """The outcome of one turn: the call as it now is, and what is said. `said` is None where nobody listens."""

    call: Call
    said: Said | None = None
    case: Case | None = None
    tasks: tuple[Task, ...] = ()


class Directory(Protocol):
    """What a conversation may look up. Every method only reads, and answers from what is stored now."""

    def partner(self, partner_id: str) -> Partner | None:
        """Return the partner with this ID, whatever its status."""

    def partners_of(self, number: str) -> tuple[Partner, ...]:
        """Return every partner that lists this E.164 number as an authorised representative's."""

    def loa_on_file(self, partner_id: str, instant: datetime) -> bool:
        """Whether the agency has any Letter of Agency in force."""

    def case(self, number: str) -> CaseRef | None:
        """Return a stored case."""

    def message_state(self, partner_id: str, caller: str, since: datetime, reference: str = "") -> MessageState | None:
        """Return this partner's newest message since then from this number; or, from any, under a case number."""

    def unknown_ids(self, caller: str, since: datetime) -> int:
        """Return how many Partner IDs that nobody has were keyed from this number, in earlier turns of a call too."""

    def severity_1_calls(self, caller: str, since: datetime) -> int:
        """Return how many Severity 0 or 1 calls came from this number, not counting this one if it is new."""

    def new_case_number(self) -> str:
        """Return a number that no case has had, with its check digit."""


Contacts = Mapping[str, tuple[str, ...]]  # destination id -> E.164 numbers in ring order
