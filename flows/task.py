"""What a call leaves to be answered by a person: its message, and the call back that is owed. Same call, same tasks."""

from datetime import datetime
from hashlib import blake2s

from msgspec.structs import replace

from flows.call import KEYED, Call, Task
from flows.desk import Desk, enquiry_of, is_urgent, severity_of

__all__ = ["Task", "call_back_due", "home_desk", "id_of", "tasks_of"]

ID_BYTES = 10


def id_of(key: str) -> str:
    """Return the id of a task or a page: 20 hex digits that follow from its key, such as "CA....message"."""
    return blake2s(key.encode(), digest_size=ID_BYTES).hexdigest()


def tasks_of(call: Call, desk: Desk) -> tuple[Task, ...]:
    """Return the tasks that a call leaves behind, as it now stands."""
    if call.message is None and call.call_back is None:
        return ()
    return (*_message(call, desk), *_call_back(call, desk))


def home_desk(call: Call, desk: Desk) -> str:
    """Return the home region's desk of the caller's tier."""
    return desk.policy.desk(call.region, enquiry_of(call, desk.policy).tier).id


def call_back_due(call: Call, desk: Desk, since: datetime) -> datetime:
    """Return by when a call back that is owed since an instant is to be made."""
    targets = desk.policy.call_back_due
    return desk.due(targets.urgent if is_urgent(call) else targets.otherwise, call, since)


def _message(call: Call, desk: Desk) -> tuple[Task, ...]:
    message = call.message
    if message is None:
        return ()
    task = _task(call, "message", home_desk(call, desk), message.at)
    return (
        replace(
            task,
            number=call.caller or "",
            why="escalation voicemail",
            recording=message.recording,
            seconds=message.seconds,
            due_at=call.message_due,
        ),
    )


def _call_back(call: Call, desk: Desk) -> tuple[Task, ...]:
    """Return the call back that is owed for real: a number that is still being confirmed is no promise yet."""
    owed = call.call_back
    if owed is None or owed.why == KEYED:
        return ()
    routed = call.decision.desk if call.decision else ""
    task = _task(call, "call_back", routed or home_desk(call, desk), owed.since)
    return (replace(task, number=owed.number, why=owed.why, due_at=call_back_due(call, desk, owed.since)),)


def _task(call: Call, kind: str, desk: str, received_at: datetime) -> Task:
    partner = call.partner
    return Task(
        id=id_of(f"{call.sid}.{kind}"),
        kind=kind,
        call_sid=call.sid,
        case_number=call.case_number,
        programme=call.programme,
        policy=call.policy,
        partner_id=partner.partner_id if partner else "",
        partner_name=partner.name if partner else "",
        region=call.region,
        desk=desk,
        number="",
        severity=severity_of(call),
        why="",
        recording="",
        seconds=0,
        received_at=received_at,
        flags=call.flags,
    )
