"""What a policy says about the time after the call: call backs, acceptance, and how long things are kept."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from routing.clock import Counts, Target

_URGENTLY = Target(timedelta(minutes=15))
_SOON = Target(timedelta(hours=4), Counts.FOLLOW_THE_SUN)
_NEXT_DAY = Target(timedelta(hours=24), Counts.WORKING_DAYS)


class Abandoned(StrEnum):
    """Which callers who hang up before anybody answers are called back."""

    IDENTIFIED = "identified"
    NO = "no"


@dataclass(frozen=True, slots=True)
class CallBackDue:
    """By when a caller who is owed a call back is called: Severity 0 and 1, and the others."""

    urgent: Target = _URGENTLY
    otherwise: Target = _SOON


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How often a customer is asked whether a case is resolved before it closes (partner guide: at most three)."""

    times: int = 3
    every: Target = _NEXT_DAY


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept: recordings, what was understood of them, calls and cases, what was owed and done."""

    recordings: timedelta = timedelta(days=90)
    transcripts: timedelta = timedelta(days=90)
    calls: timedelta = timedelta(days=395)
    outbox: timedelta = timedelta(days=30)
