"""The desk: what a conversation may look at while it goes on. Nothing on it changes during a turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flows.call import Call, Contacts, Directory
from routing.clock import Counts, Target
from routing.decide import URGENT_AT_MOST, Decision, Enquiry, decide
from routing.decide import Target as Ringing
from routing.partner import Certification
from routing.policy import LineKind, Policy, Region
from routing.schedule import Override
from routing.worktime import due


@dataclass(frozen=True, slots=True)
class Desk:
    """Policy, contacts, overrides and directory, as one turn sees them.

    `policy` is the version that the call started with; `listed` are the destinations that the policy in force still
    lists: one that is no longer there is not rung, whatever the call's own version says. `our_lines` are never rung.
    """

    policy: Policy
    listed: frozenset[str]
    our_lines: frozenset[str]
    contacts: Contacts
    overrides: Sequence[Override]
    directory: Directory

    def numbers(self, target: Ringing) -> tuple[str, ...]:
        """Return the numbers that may be rung for a target, in order; empty when there is nobody to ring."""
        if target.destination not in self.listed:
            return ()
        return tuple(n for n in self.contacts.get(target.destination, ()) if n not in self.our_lines)

    def home(self, call: Call) -> Region:
        """Return the call's home region."""
        return self.policy.regions[call.region]

    def due(self, target: Target, call: Call, since: datetime) -> datetime:
        """Return by when something about a call is due that has counted since an instant."""
        if target.counts is Counts.ELAPSED:
            return since + target.amount
        schedules = self.policy.calendar(target.counts, call.region, enquiry_of(call, self.policy).tier)
        return due(since, target.amount, schedules or ())

    def decide(self, call: Call, at: datetime) -> Decision:
        """Route a call as it stands."""
        return decide(enquiry_of(call, self.policy), self.policy, at, self.overrides)


def enquiry_of(call: Call, policy: Policy) -> Enquiry:
    """Return what routing needs to know of a call. The case at hand, if open, brings its own severity."""
    case = call.existing_case
    certification = certification_of(call, policy)
    return Enquiry(
        line=LineKind(call.line_kind),
        region=call.region,
        type=call.partner.type if call.partner else None,
        certification=certification,
        loa=call.loa,
        intent=call.intent,
        severity=severity_of(call),
        outage_denied=call.outage_denied,
        case_desk=case.desk if case else None,
        choice=call.choice,
    )


def certification_of(call: Call, policy: Policy) -> Certification:
    """Return what the partner's certification was worth when the call came in, by the home region's calendar."""
    if call.partner is None:
        return Certification.NONE
    day = call.started_at.astimezone(ZoneInfo(policy.regions[call.region].zone)).date()
    return call.partner.certification(day, policy.grace_days)


def severity_of(call: Call) -> int | None:
    """Return the severity of a call: what the caller said, else that of the open case at hand; None if unknown."""
    if call.severity is not None:
        return call.severity
    case = call.existing_case
    return case.severity if case and not case.closed else None


def is_urgent(call: Call) -> bool:
    """Whether this is a Severity 0 or 1 call, by what the caller said or by the open case at hand."""
    severity = severity_of(call)
    return severity is not None and severity <= URGENT_AT_MOST
