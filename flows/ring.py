"""Reaching a person: one target after another, round after round, until somebody accepts or the caller chooses."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from flows.call import KEYED, Call, CallBack, Leg
from flows.desk import Desk, enquiry_of, is_urgent
from flows.heard import DialEnded, Heard, Keys, Silence
from flows.node import ENTRY_WAIT, REPEATS, Menu, Node, after_last_star, always, missed, passing, patient, repeated
from flows.route import chosen, opened
from flows.said import Gather, Ring
from routing import numbers

TRIES = 3
TOO_SHORT_FOR_AN_OUTAGE = 30  # seconds of talk after which a dropped Severity 1 call is not rung on
PRODUCTION_DOWN = "PRODUCTION_DOWN"  # the flag of a caller who said so after leaving a message
PAUSE = 4  # seconds in which a caller may choose between two rounds
URGENT_PAUSE = 1  # the same in an outage: a key may be pressed while it is spoken, and people are to be rung


def _next_target(call: Call, _heard: Heard | None, desk: Desk, at: datetime) -> tuple[Call, str]:
    """Ring the first number of the ring order that this round has not tried."""
    tried = {leg.number for leg in call.legs if leg.round == call.round}
    for target in call.decision.ring if call.decision else ():
        number = next((n for n in desk.numbers(target) if n not in tried), None)
        if number:
            role = desk.policy.destinations[target.destination].role
            leg = Leg(number, target.destination, role, at, round=call.round)
            return call.but(legs=(*call.legs, leg)).note(
                at, "ringing", destination=target.destination, number=number
            ), "ringing"
    return call, "round_over"


def _rung(call: Call, heard: Heard | None, _desk: Desk, at: datetime) -> tuple[Call, str]:
    """Go on after an attempt: to the end after a conversation, else to the next number.

    A long talk on a leg whose whisper we never saw was accepted while the store was away. It does not count as
    connected, because there is no proof, but nobody else is rung then, unless it may still be an outage.
    """
    if not isinstance(heard, DialEnded):
        return call, "next_target"
    before = call.legs[-1]
    call = leg_ended(call, heard, at)
    leg = call.legs[-1]
    urgent, brief = is_urgent(call), heard.seconds < TOO_SHORT_FOR_AN_OUTAGE
    spoke = leg.result == "connected" and not (urgent and brief)
    unseen = heard.bridged and before.turn == 0 and not urgent and not brief
    return (call, "bye") if spoke or unseen else (call, "next_target")


def leg_ended(call: Call, heard: DialEnded, at: datetime) -> Call:
    """Write down how the last attempt ended. Only an accepted and bridged leg was a conversation."""
    leg = call.legs[-1]
    talked = heard.bridged and leg.accepted_at is not None
    known = leg.result if leg.result != "canceled" else ""
    result = "connected" if talked else known or ("not_accepted" if heard.result == "answered" else heard.result)
    seconds = heard.seconds if talked else 0
    ended = replace(leg, ended_at=at, result=result, bridged=heard.bridged, talk_seconds=seconds)
    call = call.but(legs=(*call.legs[:-1], ended))
    return call.note(at, "leg_ended", destination=leg.destination, result=result, seconds=seconds)


def _round_over(call: Call, _heard: Heard | None, desk: Desk, at: datetime) -> tuple[Call, str]:
    call = call.but(round=call.round + 1).note(at, "round_over", round=call.round + 1)
    if is_urgent(call):
        return _page(call.flagged("S1_UNANSWERED"), at), "s1_choices"
    if call.round < desk.policy.timing.rounds_before_choices:
        return call, "next_target"
    if "R18" not in call.rules:
        call = call.but(rules=(*call.rules, "R18")).note(at, "decided", rule="R18", rounds=call.round)
    return (call, "nobody") if call.round >= desk.policy.timing.rounds_at_most else (call, "hold_choices")


def _page(call: Call, at: datetime) -> Call:
    if not call.paging:
        return call.note(at, "not_paged", why="too many Severity 1 calls from this number in an hour")
    why = {"why": why_paged(call)} if why_paged(call) else {}
    return call.owe("page", f"page.{call.round}", case=call.case_number, round=call.round, **why).note(at, "paged")


def why_paged(call: Call) -> str:
    """Return what the caller said that people must hear first; empty for an outage like any other."""
    return "production down" if PRODUCTION_DOWN in call.flags else ""


def _stay(call: Call, heard: Heard | None, desk: Desk, at: datetime) -> tuple[Call, str]:
    """Between two rounds: a key is a choice, 9 says it again, anything else keeps the caller's place."""
    key = heard.keys[:1] if isinstance(heard, Keys) else ""
    if key == "9" and call.tally.repeats < REPEATS:
        return repeated(call, call.node)
    if key == "1":
        return call, "cb_confirm" if call.caller else "cb_number"
    if key == "2" and not is_urgent(call) and _may_leave_message(call, desk):
        return chosen("voicemail")(call, desk, at)
    return call, "next_target"


def _may_leave_message(call: Call, desk: Desk) -> bool:
    return call.message is None and enquiry_of(call, desk.policy).certified


def _hold_says(call: Call, desk: Desk, _at: datetime) -> Sequence[str]:
    """Offer what there is; a repeat says the case number again too."""
    options = "hold.options" if _may_leave_message(call, desk) else "hold.options.cb"
    return ("hold.first", options) if call.again == "repeat" else (options,)


def _s1_says(call: Call, _desk: Desk, _at: datetime) -> Sequence[str]:
    return ("hold.s1", "s1.noanswer" if call.paging else "s1.noanswer.unpaged")


def owed(call: Call, number: str, why: str, at: datetime) -> Call:
    """Owe the caller a call back. `why` is asked, or says what went wrong."""
    call = call.but(call_back=CallBack(number, at, why)).note(at, "call_back_owed", why=why)
    return call.owe("call_back", "call_back", case=call.case_number, number=number, why=why)


def _confirmed(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    number = call.call_back.number if call.call_back else call.caller or ""
    return owed(opened(call, desk, at), number, "asked", at), "cb_done"


def _other_number(call: Call, _desk: Desk, _at: datetime) -> tuple[Call, str]:
    return call.but(call_back=None), "cb_number"


def _keep_waiting(call: Call, _desk: Desk, _at: datetime) -> tuple[Call, str]:
    """Go on ringing for a caller who thinks better of a call back; a number that was keyed for it is forgotten."""
    return call.but(call_back=None), "next_target"


def _number_keyed(call: Call, heard: Heard | None, _desk: Desk, at: datetime) -> tuple[Call, str]:
    keys = heard.keys if isinstance(heard, Keys) else ""
    if keys == "*":
        return call, "cb_confirm" if call.caller else "next_target"
    if number := _as_number(after_last_star(keys)):
        return call.but(call_back=CallBack(number, at, KEYED)), "cb_confirm"
    call = missed(call, heard, at, "cb_number")
    if call.tally.here_wrong + call.tally.here_silent < TRIES:
        return call, "cb_number"
    return call, "cb_confirm" if call.caller else "next_target"


def _as_number(entered: str) -> str | None:
    """Return an entry as a telephone number: with the country code, perhaps behind the 00 or 011 of a call abroad."""
    digits = entered.removeprefix("00").removeprefix("011")
    try:
        return numbers.parse(f"+{digits}") if digits else None
    except numbers.NumberFault:
        return None


def _nobody(call: Call, _heard: Heard | None, _desk: Desk, at: datetime) -> tuple[Call, str]:
    return (owed(call, call.caller, "nobody accepted", at) if call.caller else call), "bye"


_cb_confirm = Menu(
    "cb_confirm",
    say=lambda *_: ("cb.confirm",),
    keys=always({"1": _confirmed, "2": _other_number}),
    give_up=_confirmed,
    back=_keep_waiting,
    tries=2,
    zero=False,
)

NODES = (
    passing("next_target", _next_target, ("ringing", "round_over")),
    Node(
        "ringing",
        _rung,
        ("next_target", "bye"),
        lambda *_: (),
        (),
        lambda call, desk: Ring(
            len(call.legs), call.legs[-1].number, desk.policy.timing.ring, desk.policy.timing.talk_limit
        ),
        (DialEnded,),
    ),
    passing("round_over", _round_over, ("s1_choices", "next_target", "hold_choices", "nobody")),
    Node(
        "s1_choices",
        _stay,
        ("s1_choices", "cb_confirm", "cb_number", "next_target"),
        _s1_says,
        ("hold.s1", "s1.noanswer", "s1.noanswer.unpaged"),
        lambda *_: Gather(URGENT_PAUSE),
        (Keys, Silence),
    ),
    Node(
        "hold_choices",
        _stay,
        ("hold_choices", "cb_confirm", "cb_number", "next_target", "route"),
        _hold_says,
        ("hold.first", "hold.options", "hold.options.cb"),
        lambda call, _desk: Gather(patient(call, PAUSE)),
        (Keys, Silence),
    ),
    _cb_confirm.node(("cb_done", "cb_number", "next_target"), ("cb.confirm",)),
    Node(
        "cb_number",
        _number_keyed,
        ("cb_number", "cb_confirm", "next_target"),
        lambda call, *_: ("cb.number.bad",) if call.again == "wrong" else ("cb.number",),
        ("cb.number", "cb.number.bad"),
        lambda call, _desk: Gather(patient(call, ENTRY_WAIT), 0, "#"),
        (Keys, Silence),
    ),
    passing("cb_done", lambda call, *_: (call, "bye"), ("bye",), ("cb.done",)),
    passing(
        "nobody",
        _nobody,
        ("bye",),
        lambda call, *_: ("hold.nobody",) if call.caller else ("hold.nobody.withheld",),
        ("hold.nobody", "hold.nobody.withheld"),
    ),
)
