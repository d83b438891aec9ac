"""The people on a simulated call: what a caller and the engineers do, and who watches."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec

from ivr.phone.twiml import Gather, Record

REACTION = 1.0  # seconds into the last sentence at which a caller who knows the way presses a key


@dataclass(frozen=True, slots=True)
class Press:
    """Keys are pressed, the first one `after` seconds into the last sentence. A comma waits; no keys are silence."""

    keys: str
    after: float = REACTION


@dataclass(frozen=True, slots=True)
class Speak:
    """A message is spoken, and then ended with the finish key, or by hanging up."""

    seconds: float
    hangs_up: bool = False


@dataclass(frozen=True, slots=True)
class Leave:
    """The caller hangs up."""


Does = Press | Speak | Leave


class Engineer(StrEnum):
    """What happens at an engineer's telephone."""

    ANSWERS = "answer"  # picks up, listens, presses 1
    PASSES = "pass"  # picks up, listens, presses 2
    BUSY = "busy"
    NOBODY = "none"  # nobody picks up
    MACHINE = "machine"  # a mailbox picks up, and presses nothing


class ScriptFault(Exception):  # noqa: N818 - the fault is in what somebody was told to do
    """Somebody was told to do what cannot be done at that point of the call."""


class Step(msgspec.Struct, frozen=True):
    """One thing that happened, `at` seconds into the call: said, keyed, silent, rang, accepted, hung_up ..."""

    at: float
    kind: str
    text: str = ""
    seconds: float = 0

    def plain(self) -> dict[str, object]:
        """Return the step as a JSON object, its kind being the name of what it says."""
        more = {"seconds": round(self.seconds, 1)} if self.seconds else {}
        return {"at": round(self.at, 1), self.kind: self.text, **more}


class Caller(Protocol):
    """Whoever holds the caller's telephone."""

    def at_gather(self, gather: Gather, seconds: float) -> Does:
        """Answer a prompt whose last sentence takes so many seconds."""

    def at_record(self, record: Record) -> Does:
        """Speak after the tone, or do not."""


class Engineers(Protocol):
    """Whoever holds the engineers' telephones."""

    def rung(self, number: str) -> Engineer:
        """Say what happens at a telephone that rings now."""


class Face(Protocol):
    """Whoever watches the call."""

    def show(self, step: Step) -> None:
        """Take one more thing that has happened."""


@dataclass(frozen=True, slots=True)
class People:
    """Everybody on one call."""

    caller: Caller
    engineers: Engineers
    face: Face
