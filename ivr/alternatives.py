"""What would have to be different for a call to go elsewhere: each is the same decision with one thing changed."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from flows.call import Call
from flows.desk import Desk, enquiry_of, is_urgent
from ivr.wording import span_words
from routing.decide import Decision, in_scope
from routing.partner import Partner, PartnerType

IN_SIGHT = timedelta(days=14)
Words = Callable[[Call, Desk, Decision], str]


class Alternative(msgspec.Struct, frozen=True):
    """One change, and the rule and result that it would bring."""

    what: str
    rule: str
    result: str


def alternatives(call: Call, desk: Desk, decision: Decision, words: Words) -> tuple[Alternative, ...]:
    """Return what another severity, a later hour and another certification would bring. `words` tells a decision."""
    found = []
    for what, changed, at in _changes(call, desk, decision):
        other = desk.decide(changed, at)
        found.append(Alternative(what, other.rule, words(changed, desk, other).partition(", then ")[0]))
    return tuple(found)


def _changes(call: Call, desk: Desk, decision: Decision) -> Iterator[tuple[str, Call, datetime]]:
    severity = _other_severity(call, desk)
    if severity is not None:
        yield f"severity {severity}", call.but(severity=severity, choice="none"), decision.at
    later = _later(call, desk, decision)
    if later:
        yield f"{span_words(later - decision.at)} later", call, later
    if call.partner and call.partner.type is not PartnerType.REFERRAL:
        certified = enquiry_of(call, desk.policy).certified
        partner = _recertified(call.partner, call.started_at, certified=not certified)
        yield "certification removed" if certified else "certified", call.but(partner=partner), decision.at


def _other_severity(call: Call, desk: Desk) -> int | None:
    """Return Severity 1 for a call that is not urgent, and the first that is not urgent for one that is."""
    if not is_urgent(call):
        return 1 if 1 in desk.policy.severities else None
    return next((number for number in sorted(desk.policy.severities) if number > 1), None)


def _later(call: Call, desk: Desk, decision: Decision) -> datetime | None:
    """Return the first instant of the coming fortnight at which a desk opens or closes and another rule matches."""
    end = decision.at + IN_SIGHT
    moments = {
        moment
        for each in desk.policy.desks.values()
        for moment in each.hours.boundaries(decision.at, end, in_scope(desk.overrides, each))
        if moment > decision.at
    }
    return next((moment for moment in sorted(moments) if desk.decide(call, moment).rule != decision.rule), None)


def _recertified(partner: Partner, day: datetime, *, certified: bool) -> Partner:
    since = day.date() - timedelta(days=1) if certified else None
    return replace(partner, certified_from=since, certified_until=None)
