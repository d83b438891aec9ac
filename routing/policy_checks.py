"""Whether the parts of a policy fit together: what a file can only say as a whole."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from routing.combinations import one_of, shares, where
from routing.enquiry import FACTS
from routing.policy import Does, Place, Route
from routing.policy_form import Draft
from routing.policy_model import CHOICES
from routing.policy_parts import Parts
from routing.policy_text import Sheet, Trail

LIVING = 2  # telephones that a Severity 1 must be able to reach; one may be busy, out of coverage or asleep
TIERS = (1, 2)


def check_parts(parts: Parts, draft: Draft, sheet: Sheet) -> None:
    """Mark what does not fit. A section of which entries were set aside is not blamed for being incomplete."""
    if not draft.spoiled & {"regions", "desks", "follow_the_sun", "on_call"}:
        _check_regions(parts, draft, sheet)
    if not draft.spoiled & {"on_call", "destinations"}:
        _check_ladders(parts, sheet)
    if not draft.spoiled & {"severities", "targets"}:
        _check_targets(parts, draft, sheet)
    _check_locks(draft, sheet)
    before = len(sheet.faults)
    for row, route in zip(draft.rows, parts.routes, strict=True):
        _check_route(route, ("routes", row), sheet)
    if len(sheet.faults) == before and "routes" not in draft.spoiled:
        _check_table(parts, draft, sheet)


def _check_regions(parts: Parts, draft: Draft, sheet: Sheet) -> None:
    order = draft.entry.follow_the_sun
    if sorted(order) != sorted(parts.regions):
        mend = f"name each of {', '.join(parts.regions)} once"
        sheet.mark("F5", ("follow_the_sun",), f"the order {', '.join(order) or '(none)'} is no round trip", mend)
    for region in parts.regions:
        for tier in TIERS:
            _check_desk(region, tier, draft, sheet)
        if region not in parts.on_call:
            sheet.mark("F5", ("on_call",), f"{region} has no on-call ladder", f"add {region} to on_call")


def _check_desk(region: str, tier: int, draft: Draft, sheet: Sheet) -> None:
    desks = [name for name, desk in draft.entry.desks.items() if (desk.region, desk.tier) == (region, tier)]
    if not desks:
        sheet.mark("F5", ("desks",), f"{region} has no desk of tier {tier}", "add one to desks")
    for second in desks[1:]:
        what = f"{second} is a second desk of tier {tier} in {region}, beside {desks[0]}"
        sheet.mark("F5", ("desks", second), what, "join their ring lists, or make it another region's")


def _check_ladders(parts: Parts, sheet: Sheet) -> None:
    for region, levels in parts.on_call.items():
        for place, level in enumerate(levels):
            if not level:
                sheet.mark("RT3", ("on_call", region, place), f"level {place + 1} of {region} is empty", "take it out")
        people = {each for level in levels for each in level}
        found = [parts.destinations[each] for each in people if each in parts.destinations]
        if len({each.number or each.id for each in found}) < LIVING and len(found) == len(people):
            what = f"the on-call ladder of {region} reaches {len(found)} telephone(s)"
            sheet.mark("RT3", ("on_call", region), what, f"give it at least {LIVING} with different numbers")


def _check_targets(parts: Parts, draft: Draft, sheet: Sheet) -> None:
    for name, given in draft.entry.targets.items():
        _check_severities(("targets", name, "first_response"), given.first_response.keys(), parts, sheet)
        if given.updates is not None:
            _check_severities(("targets", name, "updates"), given.updates.keys(), parts, sheet)


def _check_severities(trail: Trail, given: AbstractSet[int], parts: Parts, sheet: Sheet) -> None:
    _, name, kind = trail
    what = f"{name} has no {'target' if kind == 'first_response' else 'update target'} for"
    for number in sorted(parts.severities.keys() - given):
        sheet.mark("SV1", trail, f"{what} Severity {number}", f"add {number} to it")
    for number in sorted(given - parts.severities.keys()):
        mend = "declare it under severities, or take it out"
        sheet.mark("SV1", (*trail, number), f"{name} has a target for Severity {number}, which is none here", mend)


def _check_locks(draft: Draft, sheet: Sheet) -> None:
    for name, ladder in draft.entry.ladders.items():
        for place, level in enumerate(ladder.levels):
            trail = ("ladders", name, "levels", place, "unlock")
            if level.unlock and not place:
                what = f"the first level of {name}, {level.role}, is locked"
                sheet.mark("E1", trail, what, "take unlock out: there is no level before it")
            if level.unlock and not (level.unlock.attempts or level.unlock.idle_days):
                what = f"nothing unlocks {level.role} of {name}"
                sheet.mark("E1", trail, what, "give attempts, or idle_days, or take unlock out")


def _check_route(route: Route, trail: Trail, sheet: Sheet) -> None:
    _check_facts(route.when, (*trail, "when"), sheet)
    for place, saying in enumerate(route.say):
        _check_facts(saying.when, (*trail, "say", place, "when"), sheet)
    for key, choice in route.offer.items():
        if key not in "12345678":
            mend = "use the keys 1 to 8: 0 is an engineer and 9 repeats, everywhere"
            sheet.mark("P1", (*trail, "offer", int(key)), f"{route.rule} offers key {key}", mend)
        if choice not in CHOICES:
            mend = f"write one of {', '.join(CHOICES)}"
            sheet.mark("RT6", (*trail, "offer", int(key)), f"{route.rule} offers `{choice}`, which is no choice", mend)
    for what, mend in _contradictions(route):
        sheet.mark("RT6", trail, f"{route.rule} {what}", mend)


def _check_facts(when: Mapping[str, frozenset[str]], trail: Trail, sheet: Sheet) -> None:
    for fact, values in when.items():
        if fact not in FACTS:
            sheet.mark("RT6", (*trail, fact), f"no enquiry has a fact `{fact}`", f"ask about {', '.join(FACTS)}")
            continue
        for value in sorted(values - set(FACTS[fact])):
            mend = f"write one of {', '.join(FACTS[fact])}"
            sheet.mark("RT6", (*trail, fact), f"`{fact}` is never `{value}`", mend)


def _contradictions(route: Route) -> Iterator[tuple[str, str]]:
    if route.does is Does.RING and not route.ring:
        yield "rings, but names no place", "name places under ring"
    if route.ring and route.does is not Does.RING:
        yield "names places to ring, but does not ring", "write does: ring, or take the places out"
    if route.does is Does.OFFER and not (route.offer and route.say):
        yield "offers, but lacks the keys or the prompt that explains them", "give both offer and say"
    if route.offer and route.does is not Does.OFFER:
        yield "has keys, but offers nothing", "write does: offer, or take the keys out"
    if len(set(route.offer.values())) < len(route.offer):
        yield "offers the same choice on two keys", "keep one of the two"
    if Place.CASE_DESK in route.ring and route.when.get("case_desk") != frozenset({"open"}):
        yield "rings the desk of a case that may have none", "ask for case_desk: open in `when`"


def _check_table(parts: Parts, draft: Draft, sheet: Sheet) -> None:
    """Mark rows that nothing is left for, and enquiries that no row decides."""
    decided, left = shares(parts.routes)
    for row, route, share in zip(draft.rows, parts.routes, decided, strict=True):
        if not share:
            what = f"{route.rule} in this row can never match: the rows above it take everything"
            sheet.mark("RT1", ("routes", row), what, "move it up, narrow the rows above, or take it out")
    if left:
        sheet.mark(
            "RT1", ("routes",), f"no row matches {_described(left)}", "end the table with a row that has `when: {}`"
        )


def _described(combinations: int) -> str:
    """Return as few facts as it takes to name some of the combinations, and nothing else."""
    facts = dict(one_of(combinations))
    for fact in tuple(facts):
        fewer = {each: value for each, value in facts.items() if each != fact}
        if not where(fewer) & ~combinations:
            facts = fewer
    return ", ".join(f"{fact}: {value}" for fact, value in facts.items()) or "any enquiry"
