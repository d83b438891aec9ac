"""What the {tokens} of prompts stand for, each computed from the call at hand."""

from collections.abc import Callable
from datetime import datetime

from flows.call import Call, MessageState
from flows.desk import Desk, certification_of
from flows.prompts import NUMBER_WORDS, at_time, catalogue, digits, on_date, tokens_of
from flows.said import Sentence
from routing.partner import Certification, PartnerType


def _time(call: Call, desk: Desk, at: datetime, instant: datetime | None) -> str:
    home = desk.home(call)
    return at_time(instant, at, home.zone, home.clock, call.locale) if instant else "later"


def _reopen(call: Call, desk: Desk, at: datetime) -> str:
    decision = call.decision or desk.decide(call, at)
    return _time(call, desk, at, decision.reopens)


def _other(call: Call, desk: Desk, at: datetime) -> str:
    decision = call.decision or desk.decide(call, at)
    return desk.policy.regions[decision.region or call.region].name


def _since(call: Call, _desk: Desk, at: datetime) -> str:
    """Return how long ago the message was left, in the largest unit of which it is at least two, or in minutes."""
    minutes = max(1, int((at - call.left.received_at).total_seconds() // 60)) if call.left else 0
    for unit, size in (("days", 1440), ("hours", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}"
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _of_message(fact: Callable[[MessageState], datetime | None]) -> Callable[[Call, Desk, datetime], str]:
    """Return a token that is an instant of the message that was left before."""
    return lambda call, desk, at: _time(call, desk, at, fact(call.left) if call.left else None)


def _case(call: Call, _desk: Desk, _at: datetime) -> str:
    return digits(call.case_number or (call.left.reference if call.left else ""))


def _severity(call: Call, _desk: Desk, _at: datetime) -> str:
    case = call.existing_case
    severity = call.severity if call.severity is not None else case.severity if case else None
    return "to be set" if severity is None else str(severity)


def _tier(call: Call, _desk: Desk, _at: datetime) -> str:
    if call.decision is None or not call.decision.tier:
        return "an engineer"
    return f"Tier {call.decision.tier}"


WORTH = {
    Certification.VALID: "certified",
    Certification.EXPIRED: "certification expired",
    Certification.NONE: "not certified",
}
TOLD = {  # the flags that an engineer needs to hear, in words
    "CUSTOMER_PRESENT": "customer on the line",
    "ESCALATION": "escalation",
    "DIRECT_CUSTOMER": "says they buy from us directly",
    "PARTNER_INACTIVE": "keyed an inactive Partner ID",
}


def _standing(call: Call, desk: Desk, _at: datetime) -> str:
    """Who the caller is to us, as an engineer needs to hear it."""
    told = [words for flag, words in TOLD.items() if flag in call.flags]
    if call.partner is None:
        return ", ".join(["no Partner ID", *told])
    words = [call.partner.type.value, WORTH[certification_of(call, desk.policy)]]
    if call.partner.type is PartnerType.AGENCY:
        letters = {"on_file": "Letter of Agency on file, verify the customer", "missing": "no Letter of Agency"}
        words.append(letters.get(call.loa, f"Letter of Agency not required in {desk.home(call).name}"))
    return ", ".join([*words, *told])


def _ended_on(call: Call, _desk: Desk, _at: datetime) -> str:
    until = call.partner.certified_until if call.partner else None
    return on_date(until, call.locale) if until else "an earlier date"


def _last4(call: Call, _desk: Desk, _at: datetime) -> str:
    number = call.call_back.number if call.call_back else call.caller or ""
    return digits(number[-4:]).replace(",", "")


TOKENS: dict[str, Callable[[Call, Desk, datetime], str]] = {
    "brand": lambda _call, desk, _at: desk.policy.brand,
    "portal": lambda _call, desk, _at: desk.policy.portal,
    "notice": lambda _call, desk, _at: desk.policy.notice,
    "hash": lambda call, _desk, _at: catalogue(call.locale)["hash"],
    "length": lambda _call, desk, _at: NUMBER_WORDS.get(desk.policy.partner_id.length, "full"),
    "partner": lambda call, _desk, _at: call.partner.name if call.partner else "Unknown caller",
    "pid": lambda call, _desk, _at: digits(call.partner.partner_id) if call.partner else "",
    "typed": lambda call, _desk, _at: digits(call.typed),
    "region": lambda call, desk, _at: desk.home(call).name,
    "other": _other,
    "reopen": _reopen,
    "date": _ended_on,
    "n": _severity,
    "tier": _tier,
    "case": _case,
    "last4": _last4,
    "deadline": lambda call, desk, at: _time(call, desk, at, call.message_due),
    "minutes": _since,
    "heard": _of_message(lambda left: left.heard_at),
    "promised": _of_message(lambda left: left.due_at),
    "answered": _of_message(lambda left: left.answered_at),
    "standing": _standing,
}


def sentence(key: str, call: Call, desk: Desk, at: datetime) -> Sentence:
    """Return a prompt with its tokens filled in from the call."""
    text = catalogue(call.locale)[key]
    for token in tokens_of(text):
        text = text.replace(f"{{{token}}}", TOKENS[token](call, desk, at))
    return Sentence(key, text)
