"""From Twilio's words to ours: what each kind of request can tell us, field by field.

A signature covers the text of all fields run together, not where one ends and the next begins (RFC 2104 signs bytes).
So somebody with one genuine request could cut it elsewhere and still be believed. Hence: each URL takes only the fields
that its wait can cause, each field must match its grammar in full, and a field that has vanished into its neighbour
is looked for.
"""

import re
from collections.abc import Callable

from flows.heard import Answered, DialEnded, Heard, HungUp, Keys, MessageLeft, Rang, RecordingReady, Resumed, Silence
from ivr.form import Form
from ivr.tokens import CALL_SID, Awaits, TurnToken

RECORDING_SID = r"RE[0-9a-f]{32}"
FINAL = {"completed": "completed", "busy": "busy", "failed": "failed", "no-answer": "no_answer", "canceled": "canceled"}
STATUSES = frozenset(FINAL) | {"queued", "initiated", "ringing", "in-progress"}
DIALLED = {
    "completed": "answered",
    "answered": "answered",
    "busy": "busy",
    "no-answer": "no_answer",
    "failed": "failed",
    "canceled": "canceled",
}
# Withheld numbers as older networks spell them on a keypad: ANONYMOUS, RESTRICTED, UNAVAILABLE, BLOCKED, UNKNOWN.
LEGACY = frozenset({"+266696687", "+7378742833", "+86282452253", "+2562533", "+8656696"})
SHOWN = 64  # characters of a caller number that is none
AUDIO = frozenset({"completed", "absent", "failed"})

_sid = re.compile(CALL_SID).fullmatch
_recording_sid = re.compile(RECORDING_SID).fullmatch
_number = re.compile(r"\+[0-9]{1,20}").fullmatch
_e164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
_keys = re.compile(r"[0-9*#]{0,32}").fullmatch
_seconds = re.compile(r"[0-9]{1,6}").fullmatch
_verstat = re.compile(r"[A-Za-z\-]{1,64}").fullmatch
_code = re.compile(r"[0-9]{1,6}").fullmatch
_audio_url = re.compile(rf"https?://\S+/Recordings/({RECORDING_SID})").fullmatch

# What a field looks like when its name has been drawn into the value of the field before it, or has grown.
_HIDDEN = {
    "Digits": re.compile(r"Digits[0-9*#h]"),
    "DialBridged": re.compile(r"DialBridged[tf]"),
    "DialCallDuration": re.compile(r"DialCallDuration[0-9]"),
    "DialCallStatus": re.compile(r"DialCallStatus[a-z]"),
    "RecordingSid": re.compile(r"RecordingSidRE"),
    "RecordingDuration": re.compile(r"RecordingDuration[0-9]"),
    "CallDuration": re.compile(r"CallDuration[0-9]"),
    "ParentCallSid": re.compile(r"ParentCallSidCA"),
}
_OF_A_TAKE = ("RecordingSid", "RecordingDuration", "RecordingUrl")
_OF_A_DIAL = ("DialCallStatus", "DialBridged", "DialCallDuration")


class Strange(Exception):  # noqa: N818 - an anomaly of the request, counted and not acted on
    """A genuine request says something that this URL cannot be told; the message names the field."""


def rang(form: Form) -> Rang:
    """Return the call that has come in. The line is not yet known to be ours."""
    _forbid(form, "Digits", "ParentCallSid", *_OF_A_TAKE, *_OF_A_DIAL)
    if status(form) in FINAL:
        raise Strange("CallStatus")
    line = _match(form, "To", _number)
    verstat = form.fields.get("StirVerstat", "")
    return Rang(call_sid(form), line, *caller(form), verstat if _verstat(verstat) else "")


def heard(form: Form, token: TurnToken) -> Heard:
    """Return what a turn has heard; the token says which call, leg and wait it belongs to."""
    _belongs(form, token)
    return _BY_WAIT[token.awaits](form)


def hung_up(form: Form) -> HungUp | None:
    """Return how the caller's leg has ended; None while it goes on."""
    ended = FINAL.get(status(form))
    return HungUp(ended, _count(form, "CallDuration")) if ended else None


def audio(form: Form, token: TurnToken) -> RecordingReady | None:
    """Return what has become of a take's audio; None while it is in progress."""
    if call_sid(form) != token.sid:
        raise Strange("CallSid")
    result = _required(form, "RecordingStatus")
    recording = _match(form, "RecordingSid", _recording_sid)
    if result == "in-progress":
        return None
    if result not in AUDIO:
        raise Strange("RecordingStatus")
    return RecordingReady(recording, result, _count(form, "RecordingDuration"))


def resumed(form: Form) -> Resumed:
    """Return that our last answer could not be carried out."""
    code = form.fields.get("ErrorCode", "")
    return Resumed(code if _code(code) else "")


def call_sid(form: Form) -> str:
    """Return the call that the request is about."""
    return _match(form, "CallSid", _sid)


def parent_sid(form: Form) -> str | None:
    """Return the call that this one was rung for; None for a caller's own leg."""
    return _match(form, "ParentCallSid", _sid) if "ParentCallSid" in form.fields else None


def status(form: Form) -> str:
    """Return Twilio's word for the state of the leg."""
    word = _required(form, "CallStatus")
    if word not in STATUSES:
        raise Strange("CallStatus")
    return word


def dial_ended(form: Form) -> DialEnded:
    """Return how an engineer's leg has ended."""
    _forbid(form, "Digits")
    result = DIALLED.get(_required(form, "DialCallStatus"))
    bridged = _optional(form, "DialBridged", lambda word: word in ("true", "false"))
    if result is None:
        raise Strange("DialCallStatus")
    return DialEnded(result, bridged == "true", _count(form, "DialCallDuration"), over=status(form) in FINAL)


def keys(form: Form) -> str:
    """Return the keys that were pressed, if any."""
    _forbid(form, *_OF_A_TAKE, *_OF_A_DIAL)
    return _optional(form, "Digits", _keys)


def caller(form: Form) -> tuple[str | None, str]:
    """Return the caller's number; or None, and what is shown in its place."""
    text = _required(form, "From")
    if _e164(text) and text not in LEGACY:
        return text, ""
    if text.startswith("+") and not _number(text):
        raise Strange("From")
    return None, "".join(c for c in text[:SHOWN] if c.isprintable())


def line_of(form: Form) -> str:
    """Return the line that the caller dialled, as far as a form can say: an engineer's leg shows it as its caller."""
    line = form.fields.get("From" if "ParentCallSid" in form.fields else "To", "")
    return line if _number(line) else ""


def _belongs(form: Form, token: TurnToken) -> None:
    owner = parent_sid(form) if token.leg else call_sid(form)
    if owner != token.sid or (token.leg and call_sid(form) == token.sid):
        raise Strange("CallSid")
    if not token.leg and "ParentCallSid" in form.fields:
        raise Strange("ParentCallSid")
    status(form)


def _answered(form: Form) -> Heard:
    _forbid(form, "Digits", *_OF_A_TAKE, *_OF_A_DIAL)
    return Answered()


def _gathered(form: Form) -> Heard:
    pressed = keys(form)
    return Keys(pressed) if pressed else Silence()


def _nothing(form: Form) -> Heard:
    _forbid(form, "Digits", *_OF_A_TAKE, *_OF_A_DIAL)
    return Silence()


def _recorded(form: Form) -> Heard:
    _forbid(form, *_OF_A_DIAL)
    recording = _optional(form, "RecordingSid", _recording_sid) or _recording_of(form.fields.get("RecordingUrl", ""))
    if not recording:
        return _nothing(form)
    seconds = int(_match(form, "RecordingDuration", _seconds))
    return MessageLeft(recording, seconds, _ended_by(_optional(form, "Digits", _ends_a_take)))


def _ended_by(pressed: str) -> str:
    return "hangup" if pressed == "hangup" else "key" if pressed else "silence"


def _ends_a_take(text: str) -> object:
    return text == "hangup" or _keys(text)


def _recording_of(url: str) -> str:
    """Return the recording that a URL names, where its own field is missing. The URL itself is never fetched."""
    found = _audio_url(url)
    return found[1] if found else ""


_BY_WAIT: dict[Awaits, Callable[[Form], Heard]] = {
    Awaits.ANSWER: _answered,
    Awaits.KEYS: _gathered,
    Awaits.MESSAGE: _recorded,
    Awaits.DIAL: dial_ended,
    Awaits.ONWARD: _nothing,
}


def _required(form: Form, name: str) -> str:
    if name in form.repeated:
        raise Strange(name)
    try:
        return form.fields[name]
    except KeyError:
        raise Strange(name) from None


def _match(form: Form, name: str, grammar: Callable[[str], object]) -> str:
    value = _required(form, name)
    if not grammar(value):
        raise Strange(name)
    return value


def _optional(form: Form, name: str, grammar: Callable[[str], object]) -> str:
    """Return a field that may be missing; one that is missing must not be hidden in another."""
    if form.fields.get(name):
        return _match(form, name, grammar)
    if name in form.repeated or _HIDDEN[name].search(form.signed):
        raise Strange(name)
    return ""


def _count(form: Form, name: str) -> int:
    return int(_optional(form, name, _seconds) or 0)


def _forbid(form: Form, *names: str) -> None:
    for name in names:
        if name in form.fields:
            raise Strange(name)
