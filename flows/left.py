"""A partner who dials the voicemail line again: what has become of the message that they left. It is never played."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flows.call import Call, MessageState
from flows.desk import Desk
from flows.node import Menu, passing, to_engineer

REMEMBERED = timedelta(days=7)
JUST_NOW = timedelta(minutes=30)  # a caller who was probably cut off, and need only know that we have it
VOICEMAIL = "voicemail"
STATES = ("vm.state.answered", "vm.state.due", "vm.state.heard", "vm.state.late", "vm.state.waiting")


def with_message_before(call: Call, desk: Desk, at: datetime) -> Call:
    """Return the call with what is known of the message that this caller left from this number, on the voicemail line.

    From another number it takes the case number too: whoever has only guessed a Partner ID learns nothing.
    """
    if call.partner is None or call.line_kind != VOICEMAIL or call.left_told:
        return call
    reference = call.existing_case.number if call.existing_case else ""
    if not reference and not call.caller:
        return call
    since = at - REMEMBERED
    left = desk.directory.message_state(call.partner.partner_id, call.caller or "", since, reference)
    return call.but(left=left) if left and left.received_at <= at else call


def just_left(call: Call, at: datetime) -> bool:
    """Whether the message was left so short a time ago that the caller is not kept from going on."""
    return call.left is not None and at - call.left.received_at <= JUST_NOW


def state_of(left: MessageState, at: datetime) -> Sequence[str]:
    """Return what is said of a message: heard or not, answered or not, and by when it is to be."""
    if left.answered_at:
        return ("vm.state.answered",)
    if left.due_at is None:
        return ("vm.state.heard",) if left.heard_at else ()
    heard = "vm.state.heard" if left.heard_at else "vm.state.waiting"
    return heard, "vm.state.due" if left.due_at > at else "vm.state.late"


def _welcome(call: Call, _desk: Desk, at: datetime) -> Sequence[str]:
    return ("vm.back", *state_of(call.left, at)) if call.left and just_left(call, at) else ()


def _back(call: Call, _heard: object, _desk: Desk, at: datetime) -> tuple[Call, str]:
    return call.but(left_told=just_left(call, at)), "route"


def _says(call: Call, _desk: Desk, at: datetime) -> Sequence[str]:
    return ("vm.state", *(state_of(call.left, at) if call.left else ()), "vm.state.menu")


def _another(call: Call, _desk: Desk, at: datetime) -> tuple[Call, str]:
    return call.but(informed=False).note(at, "another_message"), "route"


_state = Menu(
    "vm_state",
    say=_says,
    keys=lambda _call: {"1": _another, "0": lambda call, _desk, at: to_engineer(call.but(informed=False), at)},
    give_up=lambda call, *_: (call, "bye"),
    back=lambda call, *_: (call, "bye"),
    zero=False,
)


def tell_state(call: Call, at: datetime) -> tuple[Call, str]:
    """Tell what has become of the message; whoever hangs up then has been told what they called for."""
    return call.but(left_told=True, informed=True).note(at, "message_state", reference=_reference(call)), "vm_state"


def _reference(call: Call) -> str:
    return call.left.reference if call.left else ""


NODES = (
    passing("vm_back", _back, ("route",), _welcome, ("vm.back", *STATES)),
    _state.node(("route", "bye"), ("vm.state", *STATES, "vm.state.menu")),
)
