"""What one turn writes: a call's document and columns, the turn's own row, its case, and what must be done after it."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec.structs import astuple

from flows.call import Call, Case, Effect, Task, Turned
from flows.heard import Heard

NOBODY_WAITED = -1  # the leg of a fact that came by itself

CALL = (
    "programme",
    "policy",
    "line",
    "line_id",
    "region",
    "type",
    "intent",
    "severity",
    "rule",
    "kind",
    "desk",
    "node",
    "outcome",
    "flags",
    "case_number",
    "ended_at",
    "message_at",
    "unknown_ids",
    "document",
)
INDEXED = ("caller", "partner_id", "started_at")  # rewritten only when they change, for SQLite would redo each index
TURN = ("sid", "leg", "turn", "at", "node", "heard", "events", "changes", "reply")
CASE = (
    "number",
    "call_sid",
    "programme",
    "opened_at",
    "region",
    "intent",
    "partner_id",
    "partner_name",
    "severity",
    "desk",
    "target_table",
    "response_due",
    "flags",
    "policy",
    "look_at",
)
TASK = (
    *("id", "kind", "call_sid", "case_number", "programme", "policy", "partner_id", "partner_name", "region", "desk"),
    *("number", "severity", "why", "recording", "seconds", "audio", "received_at", "due_at", "look_at", "flags"),
)
OUTBOX = ("key", "kind", "call_sid", "case_number", "detail", "created_at")

Instant = Callable[[datetime], object]
encode = msgspec.json.Encoder().encode
FIELDS = Call.__struct_fields__


class TurnKey(msgspec.Struct, frozen=True):
    """Which turn of which conversation has been delivered, what was heard in it, and when.

    Leg 0 is the caller's, leg k that of the k-th engineer who was rung.
    """

    sid: str
    leg: int
    turn: int
    heard: Heard
    at: datetime


class Known(msgspec.Struct, frozen=True):
    """A call as it is stored, how many writes it has seen, and the case and tasks that were last written for it."""

    call: Call
    version: int
    case: Case | None = None
    tasks: tuple[Task, ...] = ()


class Rows(msgspec.Struct, frozen=True):
    """Everything that one turn writes, ready to be bound, and what is then known of the call.

    `version` is the one that the turn is based on, 0 for a new call.
    """

    sid: str
    version: int
    after: Known
    call: tuple[object, ...]
    indexed: tuple[object, ...] | None  # None: as stored
    turn: tuple[object, ...]
    case: tuple[object, ...] | None  # None: as stored, or there is none
    tasks: tuple[tuple[object, ...], ...]  # those that are not as stored
    outbox: tuple[tuple[object, ...], ...]


def rows_of(key: TurnKey, known: Known | None, turned: Turned, reply: bytes | None, instant: Instant) -> Rows:
    """Return what a turn writes. `instant` turns an aware datetime into what the engine stores."""
    call, before = kept(turned.call), known.call if known else None
    version, filed, due = (known.version, known.case, known.tasks) if known else (0, None, ())
    document, at = encode(call).decode(), instant(key.at)
    changes = changes_between(before, call) if before else document
    case = turned.case if turned.case != filed else None
    return Rows(
        sid=key.sid,
        version=version,
        after=Known(call, version + 1, case or filed, turned.tasks or due),
        call=_call_row(call, document, instant),
        indexed=None if before and _index_keys(before) == _index_keys(call) else _indexed(call, instant),
        turn=_turn_row(key, turned.call, (at, changes, reply)),
        case=_case_row(case, instant) if case else None,
        tasks=tuple(_task_row(task, call, instant) for task in turned.tasks if task not in due),
        outbox=tuple(_outbox_row(effect, call, at) for effect in turned.call.effects),
    )


def kept(call: Call) -> Call:
    """Return the document as it is stored: without what belongs to the turn alone."""
    return call.but(events=(), effects=()) if call.events or call.effects else call


def changes_between(before: Call, after: Call) -> str:
    """Return, as a JSON object, the fields that a turn changed and what they are now."""
    pairs = zip(FIELDS, astuple(before), astuple(after), strict=True)
    return encode({field: new for field, old, new in pairs if new is not old and new != old}).decode()


def fold(changes: list[str]) -> Call:
    """Return the document that a call's changes, in order, add up to."""
    fields: dict[str, msgspec.Raw] = {}
    for each in changes:
        fields.update(msgspec.json.decode(each, type=dict[str, msgspec.Raw]))
    return msgspec.json.decode(encode(fields), type=Call)


def _call_row(call: Call, document: str, instant: Instant) -> tuple[object, ...]:
    decision = call.decision
    return (
        call.programme,
        call.policy,
        call.line,
        call.line_id,
        call.region,
        call.partner.type.value if call.partner else None,
        call.intent,
        call.severity,
        call.rules[-1] if call.rules else None,
        decision.kind if decision else None,
        decision.desk or None if decision else None,
        call.last_step or call.node,
        call.outcome or None,
        " ".join(call.flags),
        call.case_number or None,
        instant(call.ended_at) if call.ended_at else None,
        instant(call.message.at) if call.message else None,
        call.tally.unknown_ids,
        document,
    )


def _index_keys(call: Call) -> tuple[object, ...]:
    return call.caller, call.partner.partner_id if call.partner else None, call.started_at


def _indexed(call: Call, instant: Instant) -> tuple[object, ...]:
    caller, partner_id, _ = _index_keys(call)
    return caller, partner_id, instant(call.started_at)


def _turn_row(key: TurnKey, call: Call, rest: tuple[object, str, bytes | None]) -> tuple[object, ...]:
    at, changes, reply = rest
    heard, events = encode(key.heard).decode(), encode(call.events).decode()
    return key.sid, key.leg, key.turn, at, call.node, heard, events, changes, reply


def _case_row(case: Case, instant: Instant) -> tuple[object, ...]:
    return (
        case.number,
        case.call_sid,
        case.programme,
        instant(case.opened_at),
        case.region,
        case.intent,
        case.partner_id or None,
        case.partner_name or None,
        case.severity,
        case.desk or None,
        case.table or None,
        instant(case.response_due) if case.response_due else None,
        " ".join(case.flags),
        case.policy or None,
        instant(case.opened_at),
    )


def _task_row(task: Task, call: Call, instant: Instant) -> tuple[object, ...]:
    received_at = instant(task.received_at)
    return (
        task.id,
        task.kind,
        task.call_sid,
        task.case_number or None,
        task.programme,
        task.policy,
        task.partner_id or None,
        task.partner_name or None,
        task.region,
        task.desk,
        task.number or None,
        task.severity,
        task.why,
        task.recording or None,
        task.seconds or None,
        _audio_of(task, call),
        received_at,
        instant(task.due_at) if task.due_at else None,
        received_at,
        " ".join(task.flags),
    )


def _audio_of(task: Task, call: Call) -> str:
    """Return what is known of a message's audio when its task is new: what was completed has yet to be fetched."""
    if not task.recording:
        return "none"
    settled = call.message.audio if call.message else ""
    return settled if settled in ("absent", "failed") else "expected"


def _outbox_row(effect: Effect, call: Call, at: object) -> tuple[object, ...]:
    detail = encode(effect.detail).decode()
    return effect.key, effect.kind, call.sid, call.case_number or None, detail, at
