"""The end of a call: what it was, and what is still owed to whoever has hung up."""

from datetime import datetime

from msgspec.structs import replace

from flows.call import KEYED, Call, Leg
from flows.conversation import NODES
from flows.desk import Desk, is_urgent
from flows.heard import HungUp
from flows.outcome import connected, outcome_of
from flows.ring import owed, why_paged
from flows.route import opened
from flows.voicemail import kept
from routing.aftercare import Abandoned

ABANDONED = ("abandoned_queue", "abandoned_ringing", "no_answer")  # outcomes of callers who wanted a person


def ended(call: Call, heard: HungUp, desk: Desk, at: datetime) -> Call:
    """Return the call as its end leaves it."""
    by = "service" if not NODES[call.node].to else "caller"
    seconds = heard.seconds or max(0, int((at - call.started_at).total_seconds()))
    call = kept(call, desk, at)
    call = call.but(ended_at=at, ended_by=by, last_step=call.node, seconds=seconds, legs=_silenced(call, at))
    return settled(call.note(at, "ended", by=by, result=heard.result), desk, at).owe("ended", "ended")


def settled(call: Call, desk: Desk, at: datetime) -> Call:
    """Say how an ended call ended, and owe what follows from it; whatever became known late is counted in."""
    if is_urgent(call) and not connected(call):
        call = _unreached(call, desk, at)
    return _abandoned(call.but(outcome=outcome_of(call)), desk, at)


def _silenced(call: Call, at: datetime) -> tuple[Leg, ...]:
    """Return the legs with the one that still rang marked as given up; an accepted one keeps its conversation."""
    return tuple(
        leg if leg.result or leg.accepted_at else replace(leg, result="canceled", ended_at=at) for leg in call.legs
    )


def _unreached(call: Call, desk: Desk, at: datetime) -> Call:
    """Nobody spoke to a Severity 1 caller: page, and owe a call back, whatever they chose."""
    call = opened(call.flagged("S1_UNANSWERED"), desk, at)
    if call.paging:
        call = call.owe("page", "page.ended", case=call.case_number, why=why_paged(call) or "caller gone")
    return owed(call, _number(call), "not reached", at) if _unpromised(call) else call


def _abandoned(call: Call, desk: Desk, at: datetime) -> Call:
    """Owe a call back to a known partner who hung up while waiting for a person, if the policy says so."""
    number = _number(call)
    if desk.policy.call_back_when_abandoned is not Abandoned.IDENTIFIED:
        return call
    if call.outcome not in ABANDONED or call.partner is None or not number or not _unpromised(call):
        return call
    return owed(opened(call, desk, at), number, "abandoned", at)


def _unpromised(call: Call) -> bool:
    return call.call_back is None or call.call_back.why == KEYED


def _number(call: Call) -> str:
    """Return where to call back: the number that was keyed for it, else the one that the call came from."""
    return call.call_back.number if call.call_back else call.caller or ""
