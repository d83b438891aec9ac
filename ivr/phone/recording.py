"""A message being taken: what the provider asks for afterwards depends on what was said, and how it ended."""

import secrets
from typing import NoReturn

from ivr.phone.clock import CallerGone
from ivr.phone.leg import Leg
from ivr.phone.people import REACTION, Leave, Press, Speak
from ivr.phone.twiml import Record, Verb

BEEP = 1.0  # seconds
READY_AFTER = 2.0  # seconds until the audio can be had


def record(leg: Leg, verb: Record) -> tuple[Verb, ...] | None:
    """Take a message, and return the document that follows.

    None: nobody spoke, and as in older documentation the provider goes on to the next verb without asking for the
    action. A caller who hangs up is still reported to the action; nobody hears what comes back.
    """
    if verb.beep:
        leg.clock.spend(BEEP)
    does = leg.people.caller.at_record(verb)
    match does:
        case Speak():
            return _spoken(leg, verb, does)
        case Leave():
            leg.clock.spend(REACTION)
            _gone(leg, verb, REACTION)
        case Press(keys) if set(keys) & set(verb.finish):
            leg.clock.spend(REACTION)
            leg.note("keyed", keys)
        case _:
            leg.clock.spend(verb.silence)
            leg.note("silent")
    _settle(leg, verb, "", 0)
    return None


def _spoken(leg: Leg, verb: Record, does: Speak) -> tuple[Verb, ...]:
    began = leg.clock.elapsed
    try:
        leg.clock.spend(min(does.seconds, verb.limit))
    except CallerGone:
        _gone(leg, verb, leg.clock.elapsed - began)
    if does.hangs_up:
        _gone(leg, verb, does.seconds)
    ended = "#" if does.seconds < verb.limit and "#" in verb.finish else ""
    return _taken(leg, verb, min(does.seconds, verb.limit), ended)


def _gone(leg: Leg, verb: Record, seconds: float) -> NoReturn:
    """Hang up while the recording goes on. Raises CallerGone, always."""
    _taken(leg, verb, seconds, "hangup")
    raise CallerGone


def _taken(leg: Leg, verb: Record, seconds: float, ended: str) -> tuple[Verb, ...]:
    """Report a take, and after that, as always later, that its audio is there."""
    sid = f"RE{secrets.token_hex(16)}"
    leg.note("recorded", ended, seconds)
    fields = {"RecordingSid": sid, "RecordingUrl": _url(leg, sid), "RecordingDuration": str(int(seconds))}
    if ended:
        fields["Digits"] = ended
    status = "completed" if ended == "hangup" else "in-progress"
    following = leg.fetch(verb.action, CallStatus=status, **fields)
    _settle(leg, verb, sid, int(seconds))
    return following


def _settle(leg: Leg, verb: Record, sid: str, seconds: int) -> None:
    """Tell the recording's own callback what has become of the audio: completed, or absent when nobody spoke."""
    if not verb.callback:
        return
    known = sid or f"RE{secrets.token_hex(16)}"
    fields = {"RecordingDuration": str(seconds)} if sid else {}
    leg.tell(
        verb.callback,
        RecordingSid=known,
        RecordingUrl=_url(leg, known),
        RecordingStatus="completed" if sid else "absent",
        RecordingChannels="1",
        RecordingSource="RecordVerb",
        **fields,
    )


def _url(leg: Leg, sid: str) -> str:
    return f"https://api.twilio.com/2010-04-01/Accounts/{leg.wire.address.account_sid}/Recordings/{sid}"
