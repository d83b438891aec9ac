"""A call that nobody has made: to ask where it would go."""

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from flows.call import Call, CaseRef, Directory, MessageState
from flows.conversation import NODES
from flows.desk import Desk
from flows.heard import Rang
from flows.turn import new_call
from routing.enquiry import FACTS
from routing.partner import Partner, PartnerType, Status
from routing.policy import Line, LineKind, Policy

NO_CALL = f"CA{0:032}"


class Supposed(msgspec.Struct, frozen=True):
    """What is supposed of a call. `intent` None is the usual one of the line; `severity` None is not asked yet."""

    line: Line
    at: datetime
    severity: int | None = None
    intent: str | None = None
    facts: Mapping[str, str] = {}


SUPPOSABLE = ("region", "type", "certification", "loa", "case_desk", "choice", "outage")
CERTIFIED = {"valid": (date(1970, 1, 1), None), "expired": (date(1970, 1, 1), date(1970, 1, 2)), "none": (None, None)}


class NoDirectory:
    """A directory in which nobody is listed."""

    def partner(self, partner_id: str) -> Partner | None:
        """Return nobody."""

    def partners_of(self, number: str) -> tuple[Partner, ...]:  # noqa: ARG002
        """Return nobody."""
        return ()

    def loa_on_file(self, partner_id: str, instant: datetime) -> bool:  # noqa: ARG002
        """Return that there is none."""
        return False

    def case(self, number: str) -> CaseRef | None:
        """Return no case."""

    def message_state(self, partner_id: str, caller: str, since: datetime, reference: str = "") -> MessageState | None:
        """Return no message."""

    def unknown_ids(self, caller: str, since: datetime) -> int:  # noqa: ARG002
        """Return none."""
        return 0

    def severity_1_calls(self, caller: str, since: datetime) -> int:  # noqa: ARG002
        """Return none."""
        return 0

    def new_case_number(self) -> str:
        """Return no number: nothing is opened here."""
        return ""


def supposed_call(supposed: Supposed, partner: Partner | None, desk: Desk) -> Call:
    """Return the call as it would stand when it is to be routed, with the partner identified as in the conversation."""
    call = new_call(Rang(NO_CALL, supposed.line.number, None), desk.policy, supposed.at)
    usual = "none" if supposed.line.kind is LineKind.VOICEMAIL else "new"
    call = call.but(severity=supposed.severity, intent=supposed.intent or usual)
    if partner and partner.status is Status.ACTIVE:
        region = partner.region if partner.region in desk.policy.regions else call.region
        call = call.but(partner=partner, region=region)
    elif partner:
        call = call.flagged("PARTNER_INACTIVE")
    identified, _ = NODES["identified"].step(call, None, desk, supposed.at)
    return _with_facts(identified.but(events=()), supposed.facts)


def read_facts(texts: tuple[str, ...], policy: Policy) -> Mapping[str, str]:
    """Return what `fact=value` texts suppose. Raises ValueError, naming what can be supposed."""
    facts = dict(text.partition("=")[::2] for text in texts)
    known = {**FACTS, "region": tuple(policy.regions), "outage": ("denied", "unasked")}
    known["case_desk"] = ("none", *policy.desks)
    for fact, value in facts.items():
        if fact not in SUPPOSABLE:
            raise ValueError(f"{fact!r} cannot be supposed: write one of {', '.join(SUPPOSABLE)}, as choice=live")
        if value not in known[fact]:
            raise ValueError(f"{fact} is never {value!r}: it is one of {', '.join(known[fact])}")
    return facts


def _with_facts(call: Call, facts: Mapping[str, str]) -> Call:
    call = call.but(region=facts.get("region", call.region), choice=facts.get("choice", call.choice))
    call = call.but(outage_denied=facts.get("outage") == "denied", loa=facts.get("loa", call.loa))
    if facts.get("type", "unknown") != "unknown":
        since, until = CERTIFIED[facts.get("certification", "none")]
        partner = Partner(
            partner_id="",
            name="somebody",
            type=PartnerType(facts["type"]),
            region=call.region,
            certified_from=since,
            certified_until=until,
            first_line=False,
            status=Status.ACTIVE,
            representatives=(),
            programme="",
        )
        call = call.but(partner=partner)
    if facts.get("case_desk", "none") != "none" and call.partner:
        call = call.but(existing_case=CaseRef("", call.partner.partner_id, None, facts["case_desk"]))
    return call


def read_only_desk(policy: Policy, directory: Directory | None = None) -> Desk:
    """Return a desk from which nobody is rung: enough to decide and to explain."""
    return Desk(policy, frozenset(), frozenset(), {}, (), directory or NoDirectory())
