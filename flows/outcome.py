"""How a call ended, computed from what is known of it, so that the order in which it became known does not matter."""

from flows.call import Call

SHORT = 5  # seconds
OUTCOMES = (
    "connected",
    "voicemail_left",
    "voicemail_abandoned",
    "callback_requested",
    "cancelled",
    "closed_informed",
    "abandoned_ivr",
    "abandoned_queue",
    "abandoned_ringing",
    "no_answer",
    "short",
    "system_failed",
)
RECORDING = ("vm_record", "vm_review", "vm_none", "vm_limit")
CHOOSING = ("s1_choices", "hold_choices", "cb_confirm", "cb_number")


def connected(call: Call) -> bool:
    """Whether a person accepted and spoke."""
    return any(leg.accepted_at and leg.result in ("", "connected") for leg in call.legs)


def outcome_of(call: Call) -> str:
    """Return the outcome of an ended call, one of OUTCOMES: the best thing that happened in it."""
    happened = {
        "connected": connected(call),
        "voicemail_left": call.message is not None,
        "callback_requested": call.call_back is not None and call.call_back.why == "asked",
        "cancelled": call.cancelled,
        "system_failed": call.rules[-1:] == ("R0",),
        "closed_informed": call.informed,
    }
    return next((outcome for outcome, true in happened.items() if true), "") or _abandoned(call)


def _abandoned(call: Call) -> str:
    """Say where the caller hung up."""
    if call.node in RECORDING:
        return "voicemail_abandoned"
    if call.node == "ringing" and call.round == 0:
        return "abandoned_ringing"
    if call.legs and (call.node in ("ringing", "nobody", "bye") or "S1_UNANSWERED" in call.flags):
        return "no_answer"
    if call.node in CHOOSING:
        return "abandoned_queue"
    return "short" if call.seconds < SHORT else "abandoned_ivr"
