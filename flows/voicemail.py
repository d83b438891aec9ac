"""The escalation voicemail: record, review, send, or think better of it."""

from collections.abc import Sequence
from datetime import datetime

from flows.audio import with_audio
from flows.call import Call, Message
from flows.desk import Desk
from flows.heard import Heard, Keys, MessageLeft, Silence
from flows.node import REPEATS, Menu, Node, always, going_to, passing, repeated, to_engineer
from flows.ring import PRODUCTION_DOWN
from flows.route import opened
from flows.said import Gather, HangUp, Take
from routing.policy import Does

SHORTEST = 2  # seconds; anything shorter is no message
EMPTY_TAKES = 2


def _invite(call: Call, _desk: Desk, _at: datetime) -> Sequence[str]:
    return ("vm.short",) if call.again == "short" else ("vm.record",)


def _taken(call: Call, heard: Heard | None, desk: Desk, at: datetime) -> tuple[Call, str]:
    if not isinstance(heard, MessageLeft) or heard.seconds < SHORTEST:
        return _nothing_taken(call, at)
    take = Message(heard.recording, heard.seconds, at)
    call = call.note(at, "taken", recording=heard.recording, seconds=heard.seconds, ended=heard.ended)
    call = with_audio(call.but(take=take))
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
    escalation desk is open (partner guide, escalation table). A take of which we hear only after the end of the call
    takes the place of the one before it: the caller hung up while speaking.
    """
    take = call.take
    if take is None or call.cancelled:
        return call
    if call.message:
        return _replaced(call, call.message, take, at)
    call = opened(call, desk, at)
    promised = message_due(call, desk)
    call = with_audio(call.but(message=take, message_due=promised))
    call = call.note(at, "message_sent", recording=take.recording, due=promised)
    return call.owe("voicemail", "voicemail", case=call.case_number, due=promised)


def _replaced(call: Call, message: Message, take: Message, at: datetime) -> Call:
    if call.ended_at is None or message.recording == take.recording:
        return call
    return with_audio(call.but(message=take)).note(at, "message_replaced", recording=take.recording)


def message_due(call: Call, desk: Desk) -> datetime:
    """Return the instant by which an escalation voicemail of this call is to be answered."""
    return desk.due(desk.policy.escalation_response, call, call.started_at)


def _send(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    return kept(call, desk, at), "vm_sent"


def _cancel(call: Call, _desk: Desk, at: datetime) -> tuple[Call, str]:
    return call.but(cancelled=True, take=None).note(at, "message_cancelled"), "vm_cancelled"


def _send_and_talk(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    """Send the message, and find a person. Where nobody but an outage can be put through, that is asked once more."""
    call = kept(call, desk, at)
    return to_engineer(call, at) if call.outage_denied and _rings(call, desk, at) else (call, "vm_gate")


def _rings(call: Call, desk: Desk, at: datetime) -> bool:
    return desk.decide(call.but(intent="engineer", choice="none"), at).does is Does.RING


def _outage(call: Call, _desk: Desk, at: datetime) -> tuple[Call, str]:
    return call.but(severity=1).note(at, "severity", severity=1, by="gate"), "route"


def _production_down(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    return _outage(call.flagged(PRODUCTION_DOWN), desk, at)


def _no_outage(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    """Ring an engineer, or offer one elsewhere; where there is none, say again by when we call back."""
    call = call.but(outage_denied=True).note(at, "outage_denied")
    decision = desk.decide(call.but(intent="engineer", choice="none"), at)
    live = decision.does is Does.RING or "live" in decision.offer.values()
    return to_engineer(call, at) if live else (call, "vm_sent")


def _no_answer(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    """Whoever never said that it is no outage may have one; whoever did is believed."""
    return (_no_outage if call.outage_denied else _outage)(call, desk, at)


def _wants_person(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    if _rings(call, desk, at):
        return to_engineer(call, at)
    return repeated(call, "vm_gate") if call.tally.repeats < REPEATS else _no_answer(call, desk, at)


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

_gate = Menu(
    "vm_gate",
    say=lambda *_: ("vm.gate",),
    keys=always({"1": _production_down, "2": _no_outage, "0": _wants_person}),
    give_up=_no_answer,
    tries=2,
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
    _review.node(("vm_sent", "vm_record", "vm_cancelled", "vm_gate", "route"), ("vm.review",)),
    _gate.node(("vm_sent", "route"), ("vm.gate",)),
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
