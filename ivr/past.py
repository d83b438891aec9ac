"""What a call's timeline says of its decisions, in the shape in which they were made, and of what came of them."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from flows.call import Call
from flows.desk import is_urgent
from flows.heard import Event
from flows.outcome import connected
from ivr.reasons import phrase
from ivr.wording import there
from routing.decide import Decision, Rejected
from routing.numbers import masked
from routing.policy import Does, Policy

CALL_BACK = {
    "asked": "the caller asked for it",
    "not reached": "nobody was reached",
    "abandoned": "the caller hung up while waiting",
}

ANSWERS = {
    "severity": "it is one",  # at the question whether it is a Severity 1
    "outage_denied": "it is none",
    "wants_engineer": "wanted an engineer",
    "case_found": "named an existing case",
    "case_skipped": "named no case",
}


class Past(msgspec.Struct, frozen=True):
    """The decision that settled a call, those before it, and what came of it, the last two in words."""

    decision: Decision
    before: tuple[str, ...]
    after: tuple[str, ...]


def past_of(call: Call, events: Iterable[Event], policy: Policy) -> Past | None:
    """Return the decisions of a call from its events, in order; None if none was made.

    `policy` is the version that the call began with.
    """
    events = tuple(events)
    last = max((at for at, event in enumerate(events) if _is_decision(event)), default=None)
    if last is None:
        return None
    after = (*_story(events[last + 1 :]), *_ends(call), *_owed(call, events, policy), call.outcome or "still going on")
    return Past(_decision(call, events[last], policy), tuple(_story(events[:last])), after)


def _is_decision(event: Event) -> bool:
    """Whether the routing table decided; a rule that no table decides leaves no facts."""
    return event.event == "decided" and "facts" in event.detail


def _decision(call: Call, event: Event, policy: Policy) -> Decision:
    """Return a decision as it was made: the document has its outcome, the timeline its reasons."""
    reasons = msgspec.convert(event.detail, _Reasons)
    kept = call.decision
    if kept is None or kept.at != event.at or kept.rule != reasons.rule:
        kept = Decision(
            reasons.rule, _does(reasons, policy), reasons.destination, event.at, call.policy, desk=reasons.desk
        )
    return replace(kept, facts=reasons.facts, rejected=reasons.rejected, file_line=reasons.file_line)


class _Reasons(msgspec.Struct, frozen=True):
    rule: str
    destination: str
    desk: str = ""
    facts: dict[str, str] = {}
    rejected: tuple[Rejected, ...] = ()
    file_line: int = 0


def _does(reasons: _Reasons, policy: Policy) -> Does:
    rows = [route for route in policy.routes if route.rule == reasons.rule]
    row = next((route for route in rows if route.file_line == reasons.file_line), rows[0] if rows else None)
    return row.does if row else Does.RING


def _story(events: Iterable[Event]) -> Sequence[str]:
    """Return the rules and questions in order, each with what the caller did then: "03:30:00Z R10: chose ..."."""
    told: list[str] = []
    for event in events:
        if words := _heading(event):
            told.append(f"{event.at:%H:%M:%S}Z {words}")
        elif told and (answer := _answer(event)):
            told[-1] += f", {answer}" if ": " in told[-1] else f": {answer}"
    return told


def _heading(event: Event) -> str:
    """Return a rule that decided, or what was asked before one; empty for any other event."""
    rule = event.detail.get("rule")
    if event.event == "gate":
        return f"asked about Severity 1 before {rule}"
    if event.event == "rescued":
        return "R0, as the service could not go on"
    if event.event != "decided":
        return ""
    rounds = event.detail.get("rounds", 0)
    return f"{rule}" if _is_decision(event) else f"{rule} after {rounds} rounds without an answer"


def _answer(event: Event) -> str:
    """Return what the caller said or chose; empty for any other event."""
    if event.event == "choice":
        return phrase("choice", str(event.detail.get("choice")), "", None)
    if event.event == "severity" and event.detail.get("by") != "gate":
        return f"severity {event.detail.get('severity')}"
    return ANSWERS.get(event.event, "")


def _ends(call: Call) -> Iterable[str]:
    """Tell whom we rang, and how that ended."""
    ends = Counter(
        f"{leg.destination} {leg.result or ('accepted' if leg.accepted_at else 'rings')}" for leg in call.legs
    )
    yield from (f"{words}, {times} times" if times > 1 else words for words, times in ends.items())


def _owed(call: Call, events: Sequence[Event], policy: Policy) -> Iterable[str]:
    """Tell what was left to do: a message to answer, people paged or not, a call back. A number shows its last four."""
    if call.message:
        due = f", call back due {there(call.message_due, policy.regions[call.region].zone)}" if call.message_due else ""
        yield f"message of {call.message.seconds} s left{due}"
    yield from _paging(call, events)
    if call.call_back and call.call_back.why != "keyed":
        why = CALL_BACK.get(call.call_back.why, call.call_back.why)
        number = masked(call.call_back.number)
        yield f"call back owed{', number withheld' if number == 'withheld' else f' to {number}'}: {why}"


def _paging(call: Call, events: Sequence[Event]) -> Iterable[str]:
    """Tell whether people were paged for a Severity 1, and if not why."""
    paged = any(event.event == "paged" for event in events)
    whys = [str(event.detail.get("why")) for event in events if event.event == "not_paged"]
    if paged or ("S1_UNANSWERED" in call.flags and call.paging):
        yield "paged"
    elif whys or "S1_UNANSWERED" in call.flags:
        yield f"not paged: {whys[0] if whys else 'too many Severity 1 calls from this number in an hour'}"
    elif is_urgent(call) and connected(call):
        yield "not paged: somebody accepted"
