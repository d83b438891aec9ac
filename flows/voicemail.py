"""The escalation voicemail: record, review, send, or think better of it."""

from collections.abc import Sequence
from datetime import datetime

from flows.call import Call, Message
from flows.desk import Desk
from flows.heard import Heard, Keys, MessageLeft, Silence
from flows.node import Menu, Node, always, going_to, passing, to_engineer
from flows.route import opened
from flows.said import Gather, HangUp, Take
from routing.worktime import due

SHORTEST = 2  # seconds; anything shorter is no message
EMPTY_TAKES = 2


def _invite(call: Call, _desk: Desk, _at: datetime) -> Sequence[str]:
    return ("vm.short",) if call.again == "short" else ("vm.record",)


def _taken(call: Call, heard: Heard | None, desk: Desk, at: datetime) -> tuple[Call, str]:
    if not isinstance(heard, MessageLeft) or heard.seconds < SHORTEST:
        return _nothing_taken(call, at)
    take = Message(heard.recording, heard.seconds, at)
    call = call.but(take=take).note(at, "taken", recording=heard.recording, seconds=heard.seconds, ended=heard.ended)
    limit = heard.seconds >= desk.policy.timing.message_limit
    return (call, "vm_limit") if limit else (call, "vm_review")


def _nothing_taken(call: Call, at: datetime) -> tuple[Call, str]:
    call = call.but(empty_takes=call.empty_takes + 1).note(at, "empty_take")
    if call.empty_takes >= EMPTY_TAKES:
        return (call, "vm_review") if call.take else (call, "vm_none")
    return call.but(again="short"), "vm_record"


def kept(call: Call, desk: Desk, at: datetime) -> Call:
    """Send the last complete take: it becomes the message, with a reference and a time by which we call back.

    The call back is aimed at within the policy's escalation response of the call's arrival, counted while any
    escalation desk is open (partner guide, escalation table).
    """
    take = call.take
    if call.message or take is None or call.cancelled:
        return call
    call = opened(call, desk, at)
    promised = message_due(call, desk)
    call = call.but(message=take, message_due=promised)
    call = call.note(at, "message_sent", recording=take.recording, due=promised)
    return call.owe("voicemail", take.recording, case=call.case_number, due=promised)


def message_due(call: Call, desk: Desk) -> datetime:
    """Return the instant by which an escalation voicemail of this call is to be answered."""
    hours = tuple({d.escalation_hours.name: d.escalation_hours for d in desk.policy.desks.values()}.values())
    return due(call.started_at, desk.policy.escalation_response, hours)


def _send(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    return kept(call, desk, at), "vm_sent"


def _cancel(call: Call, _desk: Desk, at: datetime) -> tuple[Call, str]:
    return call.but(cancelled=True, take=None).note(at, "message_cancelled"), "vm_cancelled"


def _send_and_talk(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    return to_engineer(kept(call, desk, at), at)


def _after_sending(call: Call, heard: Heard | None, _desk: Desk, _at: datetime) -> tuple[Call, str]:
    again = isinstance(heard, Keys) and heard.keys[:1] == "9" and call.tally.repeats < 5
    return (call, "vm_sent_again") if again else (call, "bye")


def _no_message(call: Call, _desk: Desk, _at: datetime) -> Sequence[str]:
    closed = call.decision and call.decision.home_closed
    return ("vm.none", "bye") if closed else ("vm.none.open", "bye")


_review = Menu(
    "vm_review",
    say=lambda *_: ("vm.review",),
    keys=always(
        {
            "1": _send,
            "2": lambda call, *_: (call.but(again="hear"), "vm_review"),
            "3": going_to("vm_record"),
            "0": _send_and_talk,
        }
    ),
    give_up=_send,
    back=_cancel,
    zero=False,
)

NODES = (
    Node(
        "vm_record",
        _taken,
        ("vm_record", "vm_review", "vm_limit", "vm_none"),
        _invite,
        ("vm.record", "vm.short"),
        lambda _call, desk: Take(desk.policy.timing.message_limit, desk.policy.timing.message_silence),
        (MessageLeft, Silence),
    ),
    passing("vm_limit", lambda call, *_: (call, "vm_review"), ("vm_review",), ("vm.limit",)),
    _review.node(("vm_sent", "vm_record", "vm_cancelled", "route"), ("vm.review",)),
    passing("vm_sent", lambda call, *_: (call, "vm_end"), ("vm_end",), ("vm.sent",)),
    passing("vm_sent_again", lambda call, *_: (call, "vm_end"), ("vm_end",), ("vm.sent",)),
    Node(
        "vm_end",
        _after_sending,
        ("vm_sent_again", "bye"),
        lambda *_: ("vm.sent2",),
        ("vm.sent2",),
        lambda *_: Gather(6),
        (Keys, Silence),
    ),
    passing("vm_cancelled", lambda call, *_: (call, "bye"), ("bye",), ("vm.cancelled",)),
    Node(
        "vm_none",
        lambda call, *_: (call, "vm_none"),
        (),
        _no_message,
        ("vm.none", "vm.none.open", "bye"),
        lambda *_: HangUp(),
    ),
)
