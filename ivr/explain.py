"""Why a call goes where it goes: one decision, told so that a person can check it. No clock, no database.

`ivr explain` and the console's panel print the same text.
"""

import textwrap
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from flows.call import Call
from flows.desk import Desk as View
from flows.desk import certification_of, enquiry_of
from ivr.alternatives import Alternative, alternatives
from ivr.past import Past
from ivr.promise import target, target_sources
from ivr.reasons import because
from ivr.wording import clock_words, grouped, there
from routing.decide import Decision, in_scope
from routing.partner import Certification, Partner
from routing.policy import Desk, Does, Provenance
from routing.schedule import Basis

LABEL = 10  # columns
WIDTH = 110
CHOICES = {
    "customer": "the customer is on the line",
    "how": "how to request a Letter of Agency",
}


class Explanation(msgspec.Struct, frozen=True):
    """One decision and everything that bears on it, each part in words."""

    rule: str
    policy: str
    file: str
    at: datetime
    partner: str
    time: tuple[str, ...]
    desks: tuple[str, ...]
    result: str
    says: tuple[str, ...]
    flags: tuple[str, ...]
    because: tuple[tuple[str, str], ...]
    facts: dict[str, str]
    sources: tuple[str, ...]
    target: str
    change: tuple[Alternative, ...]
    case_number: str = ""
    call_flags: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def explain(call: Call, view: View, decision: Decision, past: Past | None = None) -> Explanation:
    """Explain a decision about a call; of one that has been, also what was decided before, and what came of it."""
    policy = view.policy
    desks = tuple(_desks(call, view, decision))
    return Explanation(
        rule=decision.rule,
        policy=policy.version,
        file=Path(policy.file).name,
        at=decision.at,
        partner=_partner(call, view),
        time=tuple(f"{there(decision.at, region.zone)} ({region.name})" for region in policy.regions.values()),
        desks=tuple(_hours(each, view, decision.at) for each in desks),
        result=result(call, view, decision),
        says=decision.say,
        flags=decision.flags,
        because=because(decision, desks[0].name, enquiry_of(call, policy).severity),
        facts=decision.facts,
        sources=tuple(_sources(call, view, decision)),
        target=target(call, view, decision),
        change=alternatives(call, view, decision, result),
        case_number=call.case_number if past else "",
        call_flags=call.flags if past else (),
        before=past.before if past else (),
        after=past.after if past else (),
    )


def render(told: Explanation) -> str:
    """Return the explanation as text, a paragraph a part."""
    says = f"   says {', '.join(told.says)}" if told.says else ""
    flags = f"   flags {', '.join(told.flags)}" if told.flags else ""
    parts = [
        ("Partner", told.partner),
        ("Time", f"{told.at:%Y-%m-%d %H:%M}Z = {' · '.join(told.time)}"),
        ("Desks", " · ".join(told.desks)),
        ("Call", " · ".join(_own(told))),
        ("Before", " · ".join(told.before)),
        ("Result", f"{told.rule}   {told.result}{says}{flags}"),
        ("After", " · ".join(told.after)),
        ("Because", "   ".join(f"{rules} no: {why}" for rules, why in told.because) or "it is the first rule"),
        ("Sources", " · ".join((f"{told.file}, version {told.policy}", *told.sources))),
        ("Target", told.target),
        ("Change it", " · ".join(f"{each.what} → {each.rule} {each.result}" for each in told.change)),
    ]
    return "\n".join(_paragraph(label, text) for label, text in parts if text)


def _own(told: Explanation) -> Iterable[str]:
    """Return what a call that has been bears: its case number, grouped, and its flags."""
    if told.case_number:
        yield f"case {grouped(told.case_number)}"
    if told.call_flags:
        yield f"flags {', '.join(told.call_flags)}"


def result(call: Call, view: View, decision: Decision) -> str:
    """Return what a decision does, in words."""
    home = view.home(call).name
    if decision.does is Does.RING:
        words = f"rings {_ring(view, decision)}"
    elif decision.does is Does.RECORD:
        words = f"takes an escalation voicemail for {home}"
    elif decision.does is Does.INFORM:
        words = f"logs a case and says when to call again: {_local(decision.reopens, view, call)}"
    else:
        words = "offers " + ", ".join(
            f"{key} {_choice(call, view, decision, choice)}" for key, choice in decision.offer.items()
        )
    return f"asks first whether it is a Severity 1; if not, {words}" if decision.gate else words


def _ring(view: View, decision: Decision) -> str:
    places = dict.fromkeys(target.desk for target in decision.ring)
    names = [view.policy.desks[place].name if place else _ladder(decision) for place in places]
    return ", then ".join(names) or "nobody"


def _ladder(decision: Decision) -> str:
    levels = max(target.level for target in decision.ring)
    return f"the on-call ladder ({levels} levels, round after round)"


def _choice(call: Call, view: View, decision: Decision, choice: str) -> str:
    if choice == "voicemail":
        return f"the {view.home(call).name} escalation voicemail"
    if choice == "live":
        return _ring(view, view.decide(call.but(choice="live"), decision.at)).partition(",")[0]
    return CHOICES.get(choice, choice)


def _partner(call: Call, view: View) -> str:
    partner = call.partner
    if partner is None:
        inactive = "PARTNER_INACTIVE" in call.flags
        return f"{'not active, so treated as unknown' if inactive else 'not identified'} · {view.home(call).name}"
    words = [f"{partner.partner_id} {partner.name}", partner.type.value, view.home(call).name]
    words.append(_certification(partner, certification_of(call, view.policy)))
    if call.loa != "not_required":
        words.append("Letter of Agency on file" if call.loa == "on_file" else "no Letter of Agency")
    return " · ".join(words)


def _certification(partner: Partner, worth: Certification) -> str:
    if worth is Certification.NONE:
        return "not certified"
    if partner.certified_until is None:
        return "certified, open-ended"
    return f"{'certified until' if worth is Certification.VALID else 'certification ended'} {partner.certified_until}"


def _desks(call: Call, view: View, decision: Decision) -> Iterable[Desk]:
    """Return the desks that could answer this caller, the home one first, then westward."""
    tier = 2 if decision.facts.get("certified") == "yes" else 1
    regions = (call.region, *view.policy.neighbours(call.region))
    return (view.policy.desk(region, tier) for region in regions)


def _hours(which: Desk, view: View, at: datetime) -> str:
    hours = which.hours.at(at, in_scope(view.overrides, which))
    change = hours.next_closing if hours.open else hours.next_opening
    local = which.hours.local(change) if change else None
    if hours.open:
        return f"{which.name} open until {clock_words(local)}" if local else f"{which.name} open"
    windows = ", ".join(str(window) for window in which.hours.weekly[which.hours.local(at).weekday()])
    reason = (windows or f"{which.hours.local(at):%A}") if hours.basis is Basis.WEEKLY else hours.reason
    opens = f" opens {local:%a} {clock_words(local)}" if local else ""
    return f"{which.name} closed ({reason}){opens}"


def _local(at: datetime | None, view: View, call: Call) -> str:
    return there(at, view.home(call).zone) if at else "later"


def _sources(call: Call, view: View, decision: Decision) -> Iterable[str]:
    yield f"route {decision.rule} :{decision.file_line}"
    published: dict[str, dict[str, None]] = {}
    for each in _desks(call, view, decision):
        place = view.policy.provenances.get(f"schedules.{each.hours.name}", each.provenance)
        published.setdefault(_published(place), {})[f"{each.hours.name} :{place.file_line}"] = None
    for words, places in published.items():
        yield f"hours {', '.join(places)} {words}".rstrip()
    yield from target_sources(call, view, decision)


def _published(place: Provenance) -> str:
    known = [place.source, f"{place.verified_on}" if place.verified_on else "", "assumed" if place.assumed else ""]
    words = ", ".join(word for word in known if word)
    return f"({words})" if words else ""


def _paragraph(label: str, text: str) -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=f"{label:<{LABEL}}", subsequent_indent=" " * LABEL, break_on_hyphens=False
    )
