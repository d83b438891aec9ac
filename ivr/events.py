"""Calls, cases and voicemails as other systems see them. Of telephone numbers only the last four digits are shown."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from flows.call import Call, Leg
from flows.casework import CaseClock, CaseView
from flows.desk import Desk, certification_of
from flows.heard import Event
from flows.taskwork import TaskView
from routing.clock import State
from routing.numbers import masked

Shape = dict[str, object]
PRIVATE = ("caller", "number", "numbers", "keys", "keyed", "typed", "sentences")  # what no event's detail shows


def call_shape(call: Call, desk: Desk, timeline: Iterable[Event] = ()) -> Shape:
    """Return a call as it stands."""
    return {
        "call_sid": call.sid,
        "programme": call.programme,
        "line": call.line_id,
        "entry": call.line_kind,
        "from": masked(call.caller),
        "to": call.line,
        "region": call.region,
        "caller_verified": call.attestation == "TN-Validation-Passed-A",
        **_partner(call),
        "certified": str(certification_of(call, desk.policy)),
        "intent": call.intent,
        "severity": call.severity,
        "rule": call.rules[-1] if call.rules else None,
        "destination": _destination(call),
        "outcome": call.outcome or None,
        "last_step": call.last_step or call.node,
        "flags": list(call.flags),
        "case_number": call.case_number or None,
        "policy_version": call.policy,
        **_times(call),
        "timeline": [{"at": event.at, "event": event.event, "detail": _shown(event.detail)} for event in timeline],
    }


def _partner(call: Call) -> Shape:
    """Return the partner as it was at call time."""
    partner = call.partner
    return {
        "partner_id": partner.partner_id if partner else None,
        "partner_name": partner.name if partner else None,
        "partner_type": str(partner.type) if partner else None,
    }


def _destination(call: Call) -> Shape:
    """Return where the call went: a desk, the escalation voicemail, the on-call ladder, closed, or none."""
    decision = call.decision
    if decision is None:
        return {"kind": "none", "tier": None, "region": None, "desk": None}
    kind = "escalation_voicemail" if call.message else decision.kind
    return {
        "kind": kind,
        "tier": decision.tier or None,
        "region": decision.region or None,
        "desk": decision.desk or None,
    }


def _times(call: Call) -> Shape:
    """Return when the call began and ended; and the seconds of the menus, of waiting for a person, and of talking."""
    end = call.ended_at or call.started_at
    rung = min((leg.started_at for leg in call.legs), default=end)
    answered = min((leg.accepted_at for leg in call.legs if leg.accepted_at), default=end)
    talked = sum(_talked(leg, end) for leg in call.legs)
    return {
        "legs": [_leg(leg) for leg in call.legs],
        "started_at": call.started_at,
        "ended_at": call.ended_at,
        "ivr_seconds": _seconds(call.started_at, rung),
        "wait_seconds": _seconds(rung, answered),
        "talk_seconds": talked,
    }


def _talked(leg: Leg, end: datetime) -> int:
    """Return for how long an engineer talked; nobody says so of a leg that ends because the caller hangs up."""
    if leg.talk_seconds or leg.accepted_at is None or leg.result not in ("", "connected"):
        return leg.talk_seconds
    return _seconds(leg.accepted_at, leg.ended_at or end)


def _seconds(start: datetime, end: datetime) -> int:
    return max(0, round((end - start).total_seconds()))


def _leg(leg: Leg) -> Shape:
    return {
        "number": masked(leg.number),
        "role": leg.role,
        "started_at": leg.started_at,
        "ended_at": leg.ended_at,
        "result": leg.result or None,
    }


def _shown(detail: Mapping[str, Any]) -> Shape:
    return {name: value for name, value in detail.items() if name not in PRIVATE}


def case_shape(view: CaseView) -> Shape:
    """Return a case as it stood when it was looked at."""
    case = view.case
    return {
        "number": case.number,
        "programme": case.programme,
        "partner_id": case.partner_id or None,
        "severity": view.severity,
        "intent": case.intent,
        "status": view.status,
        "opened_at": case.opened_at,
        "clocks": [_clock(each) for each in view.clocks],
        "calls": list(dict.fromkeys([case.call_sid, *(task.task.call_sid for task in view.tasks)])),
        "notes": [{"at": note.at, "by": note.actor, "text": note.says("text")} for note in view.notes],
        "escalation_level": view.level,
    }


def _clock(each: CaseClock) -> Shape:
    clock = each.clock
    return {
        "kind": each.id.partition(".")[0],
        "state": str(clock.state),
        "due_at": clock.due_at,
        "met_at": clock.ended_at if clock.state is State.MET else None,
        "table": each.table,
        "paused_reason": clock.why if clock.state is State.PAUSED else None,
    }


def voicemail_shape(view: TaskView) -> Shape:
    """Return an escalation voicemail. What was said in it is not there."""
    task = view.task
    return {
        "id": task.id,
        "case_number": task.case_number or None,
        "partner_id": task.partner_id or None,
        "region": task.region,
        "state": view.state,
        "claimed_by": view.holder or None,
        "duration_seconds": task.seconds,
        "received_at": task.received_at,
        "due_at": task.due_at,
        "transcript": None,
        "recording_id": task.recording or None,
    }
