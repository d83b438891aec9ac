"""What a call's timeline says of its decisions, in the shape in which they were made."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from flows.call import Call
from flows.heard import Event
from routing.decide import Decision, Rejected
from routing.policy import Does, Policy


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
    decided = [event for event in events if event.event == "decided" and "facts" in event.detail]
    if not decided:
        return None
    before = tuple(f"{event.at:%H:%M:%S}Z {event.detail['rule']}" for event in decided[:-1])
    return Past(_decision(call, decided[-1], policy), before, tuple(_after(call, events)))


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


def _after(call: Call, events: Sequence[Event]) -> Iterable[str]:
    """Tell what came of it: the rules that no table decides, whom we rang, and how the call ended."""
    for event in events:
        if event.event == "decided" and "facts" not in event.detail:
            yield f"{event.detail['rule']} after {event.detail.get('rounds', 0)} rounds without an answer"
        elif event.event == "rescued":
            yield "R0, as the service could not go on"
    ends = Counter(
        f"{leg.destination} {leg.result or ('accepted' if leg.accepted_at else 'rings')}" for leg in call.legs
    )
    yield from (f"{words}, {times} times" if times > 1 else words for words, times in ends.items())
    yield call.outcome or "still going on"
