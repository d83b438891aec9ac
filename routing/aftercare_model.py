"""The form of what a policy file says about the time after the call: targets, ladders, call backs, how long we keep."""

from typing import Annotated, Literal

from pydantic import Field

from routing.policy_words import Aim, Amount, Entry, Name, Published, SeverityNumber, Words, YesNo


class TargetEntry(Published):
    """First-response targets by severity, as in "30 min" or "6 h working days", and how often to update, or none."""

    first_response: dict[SeverityNumber, Aim]
    updates: dict[SeverityNumber, Aim | Literal["none"]] | None = None


class AmountEntry(Published):
    """An amount of time and what counts; "4 h" alone is "4 h follow the sun"."""

    amount: Aim


class UnlockEntry(Entry):
    """When a level may be told: after so many tries within working days, or working days without progress."""

    attempts: Annotated[int, Field(ge=2, le=9)] = 0
    within_days: Annotated[int, Field(ge=1, le=9)] = 1
    idle_days: Annotated[int, Field(ge=1, le=9)] = 0


class LevelEntry(Entry):
    """A level of a ladder. Without hours it keeps the desk's escalation hours."""

    role: Words
    destinations: Annotated[list[Name], Field(min_length=1)]
    wait: Amount
    hours: Name | None = None
    unlock: UnlockEntry | None = None


class LadderEntry(Published):
    """Who is told of a desk's escalations, level by level, and how often everybody is told after the last."""

    levels: Annotated[list[LevelEntry], Field(min_length=1)]
    repeat: Amount
    urgent: YesNo = "no"


class CallBackDueEntry(Published):
    """By when a caller who is owed a call back is called: Severity 0 and 1, and the others."""

    urgent: Aim | None = None
    otherwise: Aim | None = None


class AcceptanceEntry(Published):
    """How often a customer is asked whether the case is resolved, and how long each time is waited."""

    times: Annotated[int, Field(ge=1, le=9)] | None = None
    every: Aim | None = None


class RetentionEntry(Entry):
    """How long things are kept, as in "90 d"."""

    recordings: Amount | None = None
    transcripts: Amount | None = None
    calls: Amount | None = None
    outbox: Amount | None = None
