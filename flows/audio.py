"""What the provider has said of a call's recordings, in whatever order it comes: a take has the state of its audio."""

from datetime import datetime

from msgspec.structs import replace

from flows.call import Call, Message
from flows.heard import RecordingReady

MISSING = ("absent", "failed")
WORTH = (*MISSING, "completed")  # a later word counts only if it is worth more than an earlier one
FLAG = "RECORDING_MISSING"


def settled(call: Call, heard: RecordingReady, at: datetime) -> Call:
    """Return the call with one more fact about a recording, known to us or not yet; the same call if it is no news."""
    known = {recording: result for recording, result, _ in call.audio}.get(heard.recording)
    if known and WORTH.index(known) >= WORTH.index(heard.result):
        return call
    others = (each for each in call.audio if each[0] != heard.recording)
    audio = tuple(sorted((*others, (heard.recording, heard.result, heard.seconds))))
    call = call.note(at, "audio", recording=heard.recording, result=heard.result, seconds=heard.seconds)
    if heard.result in MISSING:
        call = call.owe("audio", f"{heard.recording}.{heard.result}", recording=heard.recording, result=heard.result)
    else:
        call = call.owe("fetch", f"{heard.recording}.fetch", recording=heard.recording, seconds=heard.seconds)
    return with_audio(call.but(audio=audio))


def with_audio(call: Call) -> Call:
    """Return the call whose take and message have the state of their audio; a message without any is flagged."""
    states = {recording: result for recording, result, _ in call.audio}
    call = call.but(take=_with(call.take, states), message=_with(call.message, states))
    if call.message and call.message.audio in MISSING:
        return call.flagged(FLAG)
    return call.but(flags=tuple(flag for flag in call.flags if flag != FLAG)) if FLAG in call.flags else call


def _with(message: Message | None, states: dict[str, str]) -> Message | None:
    return replace(message, audio=states.get(message.recording, "")) if message else None
