"""Ringing an engineer for a caller who waits."""

import secrets
from collections.abc import Mapping
from functools import partial
from typing import NoReturn

from ivr.phone.clock import CallerGone
from ivr.phone.engineer import EngineerLeg
from ivr.phone.leg import Leg
from ivr.phone.people import Engineer
from ivr.phone.twiml import Dial, Hangup, Verb, read_whisper
from ivr.phone.wire import WireFault

TALK = 180.0  # seconds that a conversation lasts, until the caller hangs up
UNANSWERED = {Engineer.BUSY: ("busy", "busy")}
DECLINED = {Engineer.PASSES: "passed", Engineer.MACHINE: "machine"}


def dial(leg: Leg, verb: Dial) -> tuple[Verb, ...]:
    """Ring a number, and return the document that follows if nobody took the call.

    Whoever takes it speaks until the caller hangs up: CallerGone is raised then, after the action has been told.
    """
    child = f"CA{secrets.token_hex(16)}"
    leg.note("rang", verb.number)
    does = leg.people.engineers.rung(verb.number)
    began = leg.clock.elapsed
    try:
        status, word = _attempt(leg, verb, child, does)
    except CallerGone:
        _ended(leg, verb, child, CallStatus="completed", DialCallStatus="canceled", DialBridged="false")
        raise
    leg.note(word, verb.number, leg.clock.elapsed - began)
    if word == "accepted":
        _talk(leg, verb, child)
    return _ended(leg, verb, child, DialCallStatus=status, DialBridged="false")


def _attempt(leg: Leg, verb: Dial, child: str, does: Engineer) -> tuple[str, str]:
    """Ring and announce, and return how it ended in the provider's word and in ours."""
    phone = EngineerLeg(does, leg.clock, partial(_fetch, leg, verb, child), leg.note)
    if not phone.rings(verb.timeout):
        return UNANSWERED.get(does, ("no-answer", "no_answer"))
    return "completed", "accepted" if phone.accepts(verb.whisper) else DECLINED.get(does, "turned_away")


def _talk(leg: Leg, verb: Dial, child: str) -> NoReturn:
    """Let the two speak. Raises CallerGone at the end, always."""
    began = leg.clock.elapsed
    try:
        leg.clock.spend(min(TALK, verb.limit))
    finally:
        seconds = str(round(leg.clock.elapsed - began))
        spoke = {"DialCallStatus": "completed", "DialBridged": "true", "DialCallDuration": seconds}
        _ended(leg, verb, child, CallStatus="completed", **spoke)
    raise CallerGone


def _ended(leg: Leg, verb: Dial, child: str, **fields: str) -> tuple[Verb, ...]:
    return leg.fetch(verb.action, DialCallSid=child, **fields)


def _fetch(leg: Leg, verb: Dial, child: str, url: str, fields: Mapping[str, str]) -> tuple[Verb, ...]:
    """Deliver a webhook of the engineer's leg, which shows the dialled line as its caller."""
    shown = verb.caller_id or leg.numbers.caller
    leg_fields = {
        **leg.fields(),
        "CallSid": child,
        "ParentCallSid": leg.sid,
        "Direction": "outbound-dial",
        "CallStatus": "in-progress",
        "From": shown,
        "To": verb.number,
    }
    try:
        return read_whisper(leg.wire.post(url, {**leg_fields, "Caller": shown, "Called": verb.number, **fields}))
    except WireFault as fault:
        leg.note("trouble", str(fault))
        return (Hangup(),)
