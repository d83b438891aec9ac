"""The engineer's side: a whisper, and one key that proves a living person. A machine presses nothing."""

from datetime import datetime

from msgspec.structs import replace

from flows.call import Call, Leg
from flows.desk import Desk, is_urgent
from flows.heard import Answered, Heard, Keys
from flows.said import Connect, Gather, HangUp, Said, Sentence
from flows.tokens import sentence

DECIDE_WITHIN = 10  # seconds; no key is a pass
PROMPTS = ("whisper", "whisper.case", "whisper.s1", "agent.late", "agent.passed")


def screen(call: Call, leg: int, heard: Heard, at: datetime) -> Call:
    """Take what an engineer's leg tells us: picked up, accepted, passed on, or asked to hear it again."""
    before = call.legs[leg - 1]
    after = replace(before, turn=before.turn + 1)
    key = heard.keys[:1] if isinstance(heard, Keys) else ""
    if isinstance(heard, Answered):
        return _with(call, leg, after).note(at, "picked_up", destination=before.destination)
    if key == "1" and waits_for(call, leg):
        accepted = replace(after, accepted_at=at)
        return _with(call, leg, accepted).note(at, "accepted", destination=before.destination)
    if key == "9" and after.turn < 5:
        return _with(call, leg, after)
    if before.accepted_at or before.result:
        return _with(call, leg, after)
    return _with(call, leg, replace(after, result="passed")).note(at, "passed", destination=before.destination)


def screened(call: Call, leg: int, heard: Heard, desk: Desk, at: datetime) -> Said:
    """Return what an engineer hears after that; the call is as `screen` left it."""
    this = call.legs[leg - 1]
    if isinstance(heard, Answered) or (isinstance(heard, Keys) and heard.keys[:1] == "9" and not this.result):
        if not waits_for(call, leg):
            return _said(call, (sentence("agent.late", call, desk, at),), HangUp())
        return whisper(call, desk, at)
    if this.accepted_at and not this.result and call.ended_at is None:
        return _said(call, (), Connect())
    late = "agent.passed" if this.result == "passed" else "agent.late"
    return _said(call, (sentence(late, call, desk, at),), HangUp())


def whisper(call: Call, desk: Desk, at: datetime) -> Said:
    """Return what an engineer hears first: the most important word, then who, then the keys."""
    known = "whisper.case" if call.existing_case else "whisper"
    key = "whisper.s1" if is_urgent(call) else known
    return _said(call, (sentence(key, call, desk, at),), Gather(DECIDE_WITHIN))


def waits_for(call: Call, leg: int) -> bool:
    """Whether the caller is still waiting for this leg: it is the newest, not over, and the caller is there."""
    this = call.legs[leg - 1]
    return leg == len(call.legs) and not this.result and call.ended_at is None and call.node == "ringing"


def _with(call: Call, leg: int, changed: Leg) -> Call:
    return call.but(legs=(*call.legs[: leg - 1], changed, *call.legs[leg:]))


def _said(call: Call, sentences: tuple[Sentence, ...], wait: Gather | HangUp | Connect) -> Said:
    return Said(call.locale, sentences, wait)
