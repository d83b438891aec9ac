"""What is wrong, and how bad it is: the hours preface, the menu, severity, the case number."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from flows.call import Call
from flows.case_number import luhn_ok
from flows.desk import Desk, enquiry_of
from flows.heard import Heard, Keys, Silence
from flows.identify import MINUTE_ALERT, WAITS, forget_partner
from flows.node import (
    ENTRY_WAIT,
    REPEATS,
    Choice,
    Menu,
    Node,
    after_last_star,
    always,
    going_to,
    missed,
    passing,
    patient,
    repeated,
    to_engineer,
)
from flows.said import Gather
from routing.decide import URGENT_AT_MOST

TRIES = 3


def preface(call: Call, desk: Desk, at: datetime) -> Sequence[str]:
    """Say that the home desk is closed, before the menu, so that nobody is surprised after it."""
    decision = desk.decide(call, at)
    if not decision.home_closed:
        return ()
    if decision.facts["elsewhere"] == "closed":
        return ("closed.all",)
    return ("closed.holiday",) if decision.home_closed == "holiday" else ("closed.preface",)


def _certified(call: Call, desk: Desk) -> bool:
    return enquiry_of(call, desk.policy).certified


def _main_menu(call: Call, desk: Desk, at: datetime) -> Sequence[str]:
    """Offer the menu; a repeat says again that the desk is closed, which an early key may have cut off."""
    closed = preface(call, desk, at) if call.again == "repeat" else ()
    return (*closed, "menu.cert" if _certified(call, desk) else "menu.uncert")


def _wants(intent: str, node: str) -> Choice:
    return lambda call, _desk, at: (call.but(intent=intent).note(at, "intent", intent=intent), node)


def _give_up(call: Call, _desk: Desk, at: datetime) -> tuple[Call, str]:
    return to_engineer(call, at, "MENU_GIVEUP")


def to_menu(call: Call, _desk: Desk, _at: datetime) -> tuple[Call, str]:
    """Go back to the first menu of this line, as if nothing had been chosen yet."""
    call = call.but(
        intent="none", severity=None, outage_denied=False, choice="none", existing_case=None, case_asked=False
    )
    return (call, "route") if call.line_kind == "voicemail" else (call, "menu")


def _choose_severity(number: int) -> Choice:
    def choose(call: Call, _desk: Desk, at: datetime) -> tuple[Call, str]:
        if number <= URGENT_AT_MOST:
            return call.note(at, "severity_chosen", severity=number), "sev_confirm"
        return call.but(severity=number).note(at, "severity", severity=number), "route"

    return choose


def _confirmed(call: Call, _desk: Desk, at: datetime) -> tuple[Call, str]:
    return call.but(severity=1).note(at, "severity", severity=1), "route"


def _enter_case(call: Call, heard: Heard | None, desk: Desk, at: datetime) -> tuple[Call, str]:
    keys = heard.keys if isinstance(heard, Keys) else ""
    entered = after_last_star(keys)
    if keys == "*" and call.tally.waits < WAITS:
        return call.but(tally=replace(call.tally, waits=call.tally.waits + 1), again="wait"), "case_ask"
    if entered == "0":
        return to_engineer(call.but(case_asked=True), at)
    if entered == "9" and call.tally.repeats < REPEATS:
        return repeated(call, "case_ask")
    if call.again == "wait" and not keys:
        return call.but(again="alert"), "case_ask"
    if not entered:
        return call.but(case_asked=True).note(at, "case_skipped"), "route"
    return _look_up_case(call, entered, desk, at)


def _look_up_case(call: Call, entered: str, desk: Desk, at: datetime) -> tuple[Call, str]:
    case = desk.directory.case(entered) if luhn_ok(entered) and entered != call.case_number else None
    owner = call.partner.partner_id if call.partner else None
    if case and owner and case.partner_id == owner:
        found = call.but(existing_case=case, case_number=case.number, case_asked=True, typed="")
        return found.note(at, "case_found", case=case.number), "route"
    call = missed(call.but(typed=entered), heard=Keys(entered), at=at, node="case_ask").note(
        at, "case_unknown", keyed=entered
    )
    if call.tally.here_wrong >= TRIES:
        return call.but(case_asked=True, typed=""), "route"
    return call, "case_ask"


def _ask_case(call: Call, _desk: Desk, _at: datetime) -> Sequence[str]:
    return {"wrong": ("case.bad",), "wait": ("case.wait",), "alert": ("case.wait.alert",)}.get(
        call.again, ("case.ask",)
    )


def _say_severity(call: Call, _desk: Desk, _at: datetime) -> Sequence[str]:
    return ("sev.again",) if call.again in ("wrong", "silent", "help") else ("sev.8x8",)


_menu = Menu(
    "menu",
    say=_main_menu,
    keys=always(
        {
            "1": _wants("new", "severity"),
            "2": _wants("existing", "case_ask"),
            "3": _wants("escalation", "route"),  # spoken to certified partners only, but a practised key works
        }
    ),
    give_up=_give_up,
    back=forget_partner,
)
_severity = Menu(
    "severity",
    say=_say_severity,
    keys=always({str(number): _choose_severity(number) for number in (1, 2, 3)}),
    give_up=lambda call, _desk, at: (call.flagged("MENU_GIVEUP").note(at, "severity_given_up"), "sev_giveup"),
    back=to_menu,
)
_sev_confirm = Menu(
    "sev_confirm",
    say=lambda *_: ("sev.confirm",),
    keys=always({"1": _confirmed, "0": _confirmed, "2": going_to("severity")}),
    give_up=_confirmed,
    back=going_to("severity"),
    tries=2,
    zero=False,
)

PREFACES = ("closed.all", "closed.holiday", "closed.preface")

NODES = (
    passing(
        "preface",
        lambda call, _heard, desk, at: (call.but(told_closed=bool(preface(call, desk, at))), "menu"),
        ("menu",),
        preface,
        PREFACES,
    ),
    _menu.node(("severity", "case_ask", "route", "pid"), ("menu.cert", "menu.uncert", *PREFACES)),
    _severity.node(("sev_confirm", "route", "sev_giveup", "menu"), ("sev.8x8", "sev.again")),
    _sev_confirm.node(("route", "severity"), ("sev.confirm",)),
    passing("sev_giveup", lambda call, *_: (call, "route"), ("route",), ("sev.giveup",)),
    Node(
        "case_ask",
        _enter_case,
        ("case_ask", "route"),
        _ask_case,
        ("case.ask", "case.bad", "case.wait", "case.wait.alert"),
        lambda call, _desk: Gather(MINUTE_ALERT if call.again == "wait" else patient(call, ENTRY_WAIT), 0, "#"),
        (Keys, Silence),
    ),
)
