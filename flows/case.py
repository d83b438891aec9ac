"""The case: what is kept of a call for those who work on it. Same call, same case."""

from datetime import datetime

from flows.call import Call, Case
from flows.desk import Desk, certification_of, enquiry_of, is_urgent
from routing.partner import Certification
from routing.schedule import Schedule, Window
from routing.worktime import due

ALL_DAY = (Window(0, 1440),)
ELAPSED_UP_TO = 2  # Severity 0 to 2 count elapsed time, the others 24-hour days from Monday to Friday


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
        desk=_desk_of(call, desk),
        table=table,
        response_due=call.message_due or response_due(call, desk, table),
        flags=call.flags,
    )


def _desk_of(call: Call, desk: Desk) -> str:
    """Return the desk that holds the case: the one it was routed to, or for a message the home desk of its tier."""
    if call.message:
        return desk.policy.desk(call.region, enquiry_of(call, desk.policy).tier).id
    return call.decision.desk if call.decision else ""


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
    if target is None or is_urgent(call) or call.severity <= ELAPSED_UP_TO:
        return call.started_at + target if target else None
    return due(call.started_at, target, (working_days(desk.home(call).zone),))


def working_days(zone: str) -> Schedule:
    """Return the calendar of targets published in business days: midnight to midnight, Monday to Friday."""
    return _WORKING_DAYS.setdefault(zone, Schedule(f"working days {zone}", zone, (ALL_DAY,) * 5 + ((),) * 2, {}, None))


_WORKING_DAYS: dict[str, Schedule] = {}
