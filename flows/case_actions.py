"""What may be done with a case as it stands, and the entry that it leaves. Nothing is refused without a mend."""

from collections.abc import Callable

from flows.casework import CLOSED, OPEN, RESOLVED, CaseView
from flows.work import Action, Entry, Objection, check_instant, entry_from
from routing.decide import URGENT_AT_MOST
from routing.policy import LineKind, Policy

# What people do with a case, and how it is told that it was not done.
DONE = {
    "response": "responded to",
    "update": "updated",
    "paused": "paused",
    "resumed": "resumed",
    "severity": "corrected",
    "escalated": "escalated",
    "resolved": "resolved",
    "accepted": "accepted",
    "reopened": "reopened",
    "closed": "closed",
    "note": "noted",
    "flagged": "flagged",
}
ALWAYS = ("note", "flagged", "reopened")  # what may be done with a closed case, too
WITH_REASON = ("paused", "severity", "escalated", "reopened", "closed")

Check = Callable[[CaseView, Action, Policy], None]


def case_entry(view: CaseView, action: Action, entries: tuple[Entry, ...], policy: Policy) -> Entry:
    """Return the entry that an action writes. `view` is the case at the instant of the action.

    Raises Objection if it cannot be done as things were then.
    """
    what = f"case {view.case.number} was not {DONE[action.kind]}"
    check_instant(action, view.case.opened_at, what)
    if action.kind not in ALWAYS and view.status == CLOSED:
        raise Objection(what, "it is closed", "reopen it first, with a reason")
    if action.kind in WITH_REASON and not action.says("reason"):
        raise Objection(what, "no reason is given", "give one with --reason")
    if check := CHECKS.get(action.kind):
        check(view, action, policy)
    detail = {"level": view.level + 1} if action.kind == "escalated" else {}
    return entry_from(action, view.case.number, entries, **detail)


def _check_paused(view: CaseView, _action: Action, _policy: Policy) -> None:
    if view.paused:
        why = f"it is paused since {view.paused.since:%d %b %H:%MZ}: {view.paused.reason}"
        raise _no(view, "paused", why, "resume it first")
    if view.status != OPEN:
        raise _no(view, "paused", f"it is {view.status}", "reopen it first, with a reason")


def _check_resumed(view: CaseView, _action: Action, _policy: Policy) -> None:
    if not view.paused:
        raise _no(view, "resumed", "it is not paused", "there is nothing to do")


def _check_resolved(view: CaseView, _action: Action, _policy: Policy) -> None:
    if view.status != OPEN:
        raise _no(view, "resolved", f"it is {view.status}", "reopen it first, if it is not solved")


def _check_accepted(view: CaseView, _action: Action, _policy: Policy) -> None:
    if view.status != RESOLVED:
        raise _no(view, "accepted", f"it is {view.status}, not resolved", "resolve it first")


def _check_reopened(view: CaseView, _action: Action, _policy: Policy) -> None:
    if view.status == OPEN:
        raise _no(view, "reopened", "it is open", "there is nothing to do")


def _check_note(view: CaseView, action: Action, _policy: Policy) -> None:
    if not action.says("text"):
        raise _no(view, "noted", "the note is empty", "write something")


def _check_escalated(view: CaseView, _action: Action, policy: Policy) -> None:
    levels = levels_of(view, policy)
    if view.level >= levels:
        raise _no(view, "escalated", f"it is at the last of {levels} levels", "ring whoever has that level")


def _check_severity(view: CaseView, action: Action, policy: Policy) -> None:
    severity = action.detail.get("severity")
    if not isinstance(severity, int) or severity not in policy.severities:
        known = ", ".join(map(str, sorted(policy.severities)))
        raise _no(view, "corrected", f"{policy.programme} has no severity {severity}", f"give one of {known}")
    if severity == view.severity:
        raise _no(view, "corrected", f"its severity is {severity}", "there is nothing to do")
    raised = view.severity is None or severity < view.severity
    if severity <= URGENT_AT_MOST and raised and not action.says("call"):
        mend = f"have the partner ring {phone_in(view, policy)}, and name that call"
        raise _no(view, "corrected", f"severity {severity} is only taken by phone", mend)


CHECKS: dict[str, Check] = {
    "paused": _check_paused,
    "resumed": _check_resumed,
    "resolved": _check_resolved,
    "accepted": _check_accepted,
    "reopened": _check_reopened,
    "escalated": _check_escalated,
    "severity": _check_severity,
    "note": _check_note,
}


def levels_of(view: CaseView, policy: Policy) -> int:
    """Return how many levels the case can be escalated through."""
    return len(policy.escalation_ladder(view.case.region, view.case.tier(policy)).levels)


def phone_in(view: CaseView, policy: Policy) -> str:
    """Return the number on which the partner of a case reaches people (partner guide, contact table)."""
    lines = [line for line in policy.lines.values() if line.kind is not LineKind.VOICEMAIL]
    at_home = [line for line in lines if line.region == view.case.region]
    return next((line.number for line in (*at_home, *lines)), "support")


def _no(view: CaseView, done: str, why: str, mend: str) -> Objection:
    return Objection(f"case {view.case.number} was not {done}", why, mend)
