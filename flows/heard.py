"""Everything that can be heard: what a webhook tells us, in our own words."""

from datetime import datetime

import msgspec


class Rang(msgspec.Struct, frozen=True, tag=True):
    """A call has come in. `caller` is None when the number is withheld or no number; `shown` is what was displayed."""

    sid: str
    line: str
    caller: str | None
    shown: str = ""
    attestation: str = ""


class Keys(msgspec.Struct, frozen=True, tag=True):
    """Keys were pressed: 0-9, * and #, without the key that ended the entry."""

    keys: str


class Silence(msgspec.Struct, frozen=True, tag=True):
    """The wait ran out, or the entry was ended with nothing in it."""


class DialEnded(msgspec.Struct, frozen=True, tag=True):
    """An engineer's leg is over. `result` is answered, busy, no_answer, failed or canceled; only `bridged` means talk.

    `over` says that the caller's own leg has ended too, so that there is nobody left to speak to.
    """

    result: str
    bridged: bool
    seconds: int = 0
    over: bool = False


class MessageLeft(msgspec.Struct, frozen=True, tag=True):
    """A take has been recorded. `ended` is key, hangup or silence."""

    recording: str
    seconds: int
    ended: str = "key"


class Answered(msgspec.Struct, frozen=True, tag=True):
    """An engineer's telephone was picked up, perhaps by a machine."""


class HungUp(msgspec.Struct, frozen=True, tag=True):
    """The caller's leg is over. `result` is completed, busy, failed, no_answer or canceled."""

    result: str = "completed"
    seconds: int = 0


class RecordingReady(msgspec.Struct, frozen=True, tag=True):
    """The provider has settled a take's audio. `result` is completed, absent or failed."""

    recording: str
    result: str
    seconds: int = 0


class Transcribed(msgspec.Struct, frozen=True, tag=True):
    """The provider has tried to write down what a take says. `result` is completed or failed, the text elsewhere."""

    recording: str
    result: str


class Resumed(msgspec.Struct, frozen=True, tag=True):
    """The provider could not carry out our last answer, and asks how to go on."""

    code: str = ""


Heard = Rang | Keys | Silence | DialEnded | MessageLeft | Answered | HungUp | RecordingReady | Transcribed | Resumed


class Event(msgspec.Struct, frozen=True, array_like=True):
    """One thing that happened in a call, for its timeline."""

    at: datetime
    event: str
    detail: dict[str, object] = {}
