"""Where the call goes: the decision, the Severity 1 gate, the caller's choice, and the announcement."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from flows.call import Call
from flows.desk import Desk, is_urgent
from flows.heard import Heard
from flows.identify import forget_partner
from flows.left import tell_state, with_message_before
from flows.menu import PREFACES, preface, to_menu
from flows.node import REPEATS, Choice, Menu, Node, always, passing, repeated, to_engineer
from flows.said import HangUp
from routing.decide import Decision
from routing.policy import Does

NEXT = {Does.RING: "announce", Does.OFFER: "offer", Does.INFORM: "closed"}


def _route(call: Call, _heard: Heard | None, desk: Desk, at: datetime) -> tuple[Call, str]:
    """Decide. A caller whom nobody asked about Severity 1 is asked before the call can end without a person."""
    decision = desk.decide(call, at)
    voicemail_line = call.line_kind == "voicemail" and call.intent != "engineer"
    if decision.gate or (voicemail_line and decision.facts["urgent"] == "unasked"):
        return call.but(decision=_slim(decision)).note(at, "gate", rule=decision.rule), "gate"
    call = _decided(call, decision, desk, at)
    if decision.does is Does.RECORD:
        return _to_recording(call, desk, at)
    if decision.does in (Does.RING, Does.INFORM):
        call = opened(call, desk, at)
    return call, NEXT[decision.does]


def _to_recording(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    """Let a message be left, one in a call. Whoever left one before is told first what has become of it."""
    if call.message:
        return call, "vm_sent"
    call = with_message_before(call, desk, at)
    if call.left and not call.left_told:
        return tell_state(call, at)
    asked = call.case_asked or call.case_number
    return call, "vm_record" if asked else "case_ask"


def _decided(call: Call, decision: Decision, desk: Desk, at: datetime) -> Call:
    call = call.note(
        at,
        "decided",
        rule=decision.rule,
        destination=decision.kind,
        desk=decision.desk,
        facts=decision.facts,
        rejected=[(r.rule, r.fact, r.value) for r in decision.rejected],
        file_line=decision.file_line,
    )
    rules = call.rules if call.rules[-1:] == (decision.rule,) else (*call.rules, decision.rule)
    call = call.but(decision=_slim(decision), rules=rules).flagged(*decision.flags)
    return _may_page(call, desk, at) if is_urgent(call) and call.paging else call


def _slim(decision: Decision) -> Decision:
    """Return the decision without its reasons, which the timeline keeps."""
    return replace(decision, facts={}, rejected=())


def _may_page(call: Call, desk: Desk, at: datetime) -> Call:
    """Stop paging for a number that has called too often this hour; its calls are rung all the same."""
    if call.caller is None:
        return call
    before = desk.directory.severity_1_calls(call.caller, at - timedelta(hours=1))
    return call.but(paging=before < desk.policy.pages_per_hour)


def opened(call: Call, desk: Desk, at: datetime) -> Call:
    """Give the call its case number, unless it is about a case that is there already."""
    if call.case_number:
        return call
    number = desk.directory.new_case_number()
    return call.but(case_number=number).note(at, "case_opened", case=number)


def _outage(call: Call, _desk: Desk, at: datetime) -> tuple[Call, str]:
    return call.but(severity=1).note(at, "severity", severity=1, by="gate"), "route"


def _no_outage(call: Call, _desk: Desk, at: datetime) -> tuple[Call, str]:
    return call.but(outage_denied=True).note(at, "outage_denied"), "route"


def _wants_person(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    """Key 0 at the gate: an open home desk is rung; otherwise nobody but an outage can be, so that is asked again."""
    call = call.but(intent="engineer")
    if desk.decide(call, at).does is Does.RING:
        return to_engineer(call, at)
    return repeated(call, "gate") if call.tally.repeats < REPEATS else _outage(call, desk, at)


def _gate_back(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    back = forget_partner if call.line_kind == "voicemail" else to_menu
    return back(call, desk, at)


def chosen(choice: str, *flags: str) -> Choice:
    """Return the step that notes a caller's choice and decides again."""
    return lambda call, _desk, at: (call.but(choice=choice).flagged(*flags).note(at, "choice", choice=choice), "route")


def _offered(call: Call) -> Mapping[str, Choice]:
    offer = call.decision.offer if call.decision else {}
    keys = {key: chosen(choice) for key, choice in offer.items()}
    return {**keys, "0": chosen("live") if "live" in offer.values() else _closed_now}


def _closed_now(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    """Key 0 where nobody can be rung: say that it is closed, and offer again what there is."""
    return repeated(call, "offer") if call.tally.repeats < REPEATS else _not_chosen(call, desk, at)


def _not_chosen(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    """Put a caller who does not choose through to an open home desk; otherwise tell them when to call."""
    decision = call.decision
    live = decision is not None and not decision.home_closed and "live" in decision.offer.values()
    return chosen("live" if live else "declined", "MENU_GIVEUP")(call, desk, at)


def _what_was_decided(call: Call, _desk: Desk, _at: datetime) -> Sequence[str]:
    return call.decision.say if call.decision else ()


def _announcement(call: Call, desk: Desk, at: datetime) -> Sequence[str]:
    """Say where the call goes; the case number is read now, or for a Severity 1 only once nobody was reached."""
    said = _what_was_decided(call, desk, at)
    return said if is_urgent(call) or call.existing_case else (*said, "hold.first")


def _announce(call: Call, _heard: Heard | None, _desk: Desk, _at: datetime) -> tuple[Call, str]:
    """Begin a round of its own, so that nobody counts as tried yet."""
    return call.but(round=call.round + 1 if call.legs else 0), "next_target"


def _offering(call: Call, desk: Desk, at: datetime) -> Sequence[str]:
    """Offer; whoever has not heard that the desk is closed, or asks again, hears that first."""
    said = _what_was_decided(call, desk, at)
    silent_so_far = call.decision is not None and bool(call.decision.home_closed) and not call.told_closed
    return (*preface(call, desk, at), *said) if silent_so_far or call.again == "repeat" else said


_gate = Menu(
    "gate",
    say=lambda *_: ("vm.gate",),
    keys=always({"1": _outage, "2": _no_outage, "0": _wants_person}),
    give_up=_outage,
    back=_gate_back,
    tries=2,
    zero=False,
)
_offer = Menu("offer", _offering, _offered, give_up=_not_chosen, back=to_menu, zero=False)

OFFERS = (
    "closed.offer",
    "closed.offer.cert",
    "closed.vm",
    "esc.cert.open",
    "esc.notcert",
    "loa.how",
    "loa.none",
    "vm.notcert",
)
ANNOUNCEMENTS = (
    "case.ok",
    "hold.first",
    "route.expired",
    "route.notcert",
    "route.s1",
    "route.s1.follow",
    "route.t1",
    "route.t1.ready",
    "route.t1.resale",
    "route.t2",
    "s1.oncall",
    "vm.s1",
)
CLOSINGS = ("closed.all", "closed.logged", "closed.web", "esc.portal", "vm.notcert.closed")

NODES = (
    passing("route", _route, ("gate", "case_ask", "announce", "offer", "vm_state", "vm_record", "vm_sent", "closed")),
    _gate.node(("route", "pid", "menu"), ("vm.gate",)),
    _offer.node(("route", "menu"), (*OFFERS, *PREFACES)),
    passing("announce", _announce, ("next_target",), _announcement, ANNOUNCEMENTS),
    passing(
        "closed",
        lambda call, _heard, _desk, at: (call.but(informed=True).note(at, "informed"), "bye"),
        ("bye",),
        _what_was_decided,
        CLOSINGS,
    ),
    Node("bye", lambda call, *_: (call, "bye"), (), lambda *_: ("bye",), ("bye",), lambda *_: HangUp()),
)
