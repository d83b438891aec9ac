"""By when a caller is to be answered, in words: what was promised for a message, or else the first-response target."""

from collections.abc import Iterable
from datetime import datetime

from flows.call import Call
from flows.case import response_due, table_of
from flows.desk import Desk, enquiry_of
from flows.voicemail import message_due
from ivr.wording import span_words, there
from routing.clock import Counts
from routing.decide import Decision
from routing.policy import Does

_COUNTS = {
    Counts.ELAPSED: "by the clock",
    Counts.WORKING_DAYS: "of working days",
    Counts.DESK_HOURS: "while the desk is open",
    Counts.FOLLOW_THE_SUN: "while an escalation desk is open",
}


def target(call: Call, view: Desk, decision: Decision) -> str:
    """Return what applies, from which table it is, and what the other ones would say."""
    promised = _call_back_by(call, view, decision)
    if promised:
        amount = span_words(view.policy.escalation_response.amount)
        by = there(promised, view.home(call).zone)
        return f"call back by {by} (escalation response, {amount} {_COUNTS[view.policy.escalation_response.counts]})"
    severity = enquiry_of(call, view.policy).severity
    return "none until the severity is known" if severity is None else _first_response(call, view, severity)


def target_sources(call: Call, view: Desk, decision: Decision) -> Iterable[str]:
    """Return the line of the policy file that the target is from; nothing where the file leaves it to us."""
    if _call_back_by(call, view, decision):
        origin = view.policy.provenances.get("escalation_response")
        yield from [f"escalation response :{origin.file_line}"] if origin else []
    elif enquiry_of(call, view.policy).severity is not None:
        table = table_of(call, view)
        yield f"targets {table} :{view.policy.targets[table].provenance.file_line}"


def _call_back_by(call: Call, view: Desk, decision: Decision) -> datetime | None:
    """Return when a message is to be answered; for one that can still be left, as it would be promised."""
    awaited = decision.does is Does.RECORD and call.ended_at is None
    return call.message_due or (message_due(call, view) if awaited else None)


def _first_response(call: Call, view: Desk, severity: int) -> str:
    table = table_of(call, view)
    aim = view.policy.targets[table].first_response.get(severity)
    if aim is None:
        return f"the {table} table has none for severity {severity}"
    others = [
        f"{name} would be {span_words(other.first_response[severity].amount)}"
        for name, other in view.policy.targets.items()
        if name != table and severity in other.first_response
    ]
    by = _by(call, view, table)
    return f"first response in {span_words(aim.amount)}{by} ({'; '.join([f'{table} table', *others])})"


def _by(call: Call, view: Desk, table: str) -> str:
    """Return by when; an existing case's own time began with that case, of whose start this call knows nothing."""
    due = response_due(call, view, table)
    return f", by {there(due, view.home(call).zone)}" if due else " of the existing case's opening"
