"""The case: what is kept of a call for those who work on it. Same call, same case."""

from datetime import datetime

from flows.call import Call, Case
from flows.desk import Desk, certification_of, is_urgent
from flows.task import home_desk
from routing.partner import Certification


def case_of(call: Call, desk: Desk) -> Case | None:
    """Return the case that a call opened, or None: it opened none, or is about one that is there already."""
    if not call.case_number or call.existing_case:
        return None
    table = table_of(call, desk)
    partner = call.partner
    return Case(
        number=call.case_number,
        call_sid=call.sid,
        programme=call.programme,
        opened_at=call.started_at,
        region=call.region,
        intent="escalation" if call.message else call.intent,
        partner_id=partner.partner_id if partner else "",
        partner_name=partner.name if partner else "",
        severity=call.severity,
        policy=call.policy,
        desk=_desk_of(call, desk),
        table=table,
        response_due=_due(call, desk, table),
        flags=call.flags,
    )


def _desk_of(call: Call, desk: Desk) -> str:
    """Return the desk that holds the case: the one it was routed to, or for a message the home desk of its tier."""
    if call.message and not is_urgent(call):
        return home_desk(call, desk)
    return call.decision.desk if call.decision else ""


def _due(call: Call, desk: Desk, table: str) -> datetime | None:
    """Return what the caller of a message was told, unless it turned out to be an outage."""
    if call.message_due and not is_urgent(call):
        return call.message_due
    return response_due(call, desk, table)


def table_of(call: Call, desk: Desk) -> str:
    """Return the target table that applies: certified partners with first-line duty have their own (partner guide)."""
    certified = certification_of(call, desk.policy) is Certification.VALID
    first_line = call.partner is not None and call.partner.first_line
    return "partner" if certified and first_line else "premium"


def response_due(call: Call, desk: Desk, table: str) -> datetime | None:
    """Return when the first response is due, counted from the call's arrival; None while the severity is unknown."""
    if call.severity is None:
        return None
    target = desk.policy.targets[table].first_response.get(call.severity)
    return desk.due(target, call, call.started_at) if target else None
