"""What can be wrong with a policy file: each fault has a place, a code, a consequence and a mend."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

# Every code, and what it would mean to a caller or to those who answer, if the file were used all the same.
CONSEQUENCES = {
    "Y1": "Nothing of the file can be used.",
    "Y2": "One of the two values would be lost without a word.",
    "Y3": "YAML reads it as a quantity: the plus and leading zeros are gone.",
    "E1": "The level would be told at another time than was meant, or never.",
    "E2": "The same person would be told again, instead of somebody else.",
    "E3": "The level would be skipped every time.",
    "F1": "The programme is incomplete.",
    "F2": "What was meant by it would have no effect.",
    "F3": "The value would not mean what it says.",
    "F4": "Calls would be led to something that does not exist.",
    "F5": "Some callers would have nobody to go to.",
    "H1": "Somebody with an outage might reach nobody.",
    "H2": "The desk would open an hour early or late for half of the year, or never.",
    "H3": "A reader of the published table expects other hours than the desk keeps.",
    "H4": "Calls at that time wait for the next desk; Severity 1 is answered by the on-call ladder.",
    "H5": "On holidays the telephone would ring in an empty office.",
    "H6": "The desk's hours would not be what was meant.",
    "N1": "Callers, or we, could not dial the number.",
    "N2": "The same call would be treated in two ways.",
    "N3": "The call would come back to us and go round in a circle.",
    "N4": "Nobody can answer there.",
    "N5": "Whoever makes us ring it could be paid for the call.",
    "P1": "The key already means an engineer, or hearing it again, in every menu.",
    "P3": "Callers would be told to call back at a time that is not in sight.",
    "RT1": "Callers would be treated by another rule than the one that was written for them, or by none.",
    "RT2": "Somebody with an outage could end at a recording or a goodbye.",
    "RT3": "A Severity 1 outside all hours might reach nobody.",
    "RT4": "Callers who are not entitled would reach Tier 2, or leave an escalation voicemail.",
    "RT5": "Callers would hear the same question again and again.",
    "RT6": "The row could not do what it says.",
    "RT7": "Somebody who asks for an engineer would be asked something else instead.",
    "SV1": "Nobody would know by when to answer.",
    "V1": "The published value may have changed since.",
    "V2": "It holds until somebody confirms it.",
    "X1": "A private number would be spoken or shown.",
}


class Level(StrEnum):
    """How much a finding matters. Only errors keep a policy from being used."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, what, what it would lead to, and how to mend it."""

    file: str
    line: int
    code: str
    what: str
    consequence: str
    mend: str

    def __str__(self) -> str:
        """Return the fault as one line for an editor or a terminal."""
        return f"{self.file}:{self.line}: {self.code} {self.what} — {self.mend}"


class Note(NamedTuple):
    """What a check notes about a line of the file it looks at."""

    level: Level
    line: int
    code: str
    what: str
    mend: str

    def of(self, file: str) -> "Finding":
        """Return the finding that this is about a file."""
        return Finding(self.level, file, self.line, self.code, self.what, self.mend, CONSEQUENCES[self.code])


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check of a policy file has found, and how much it matters."""

    level: Level
    file: str
    line: int
    code: str
    what: str
    mend: str
    consequence: str

    def __str__(self) -> str:
        """Return the finding as one line for an editor or a terminal."""
        return f"{self.file}:{self.line}: {self.level} {self.code} {self.what} — {self.mend}"


class PolicyError(Exception):
    """A policy file cannot be used. `faults` holds everything that is wrong with it, not only the first thing."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))
