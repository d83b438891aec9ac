"""From entries to the parts of a policy. What an entry says by itself is checked here, and marked on the sheet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from routing import numbers
from routing.levels import Ladder
from routing.policy import Desk, Destination, Line, Provenance, Quotation, Region, Route, Saying, Severity, TargetTable
from routing.policy_aftercare import read_ladders, read_targets
from routing.policy_form import Draft
from routing.policy_hours import is_zone, read_quotation, read_schedule
from routing.policy_model import DestinationEntry, LineEntry, RegionEntry, RouteEntry
from routing.policy_text import Sheet, Trail, known, split_message
from routing.policy_words import Entry, Published, provenance_of
from routing.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a policy, by the names that they have there, before it is known whether they fit together."""

    regions: Mapping[str, Region]
    lines: Mapping[str, Line]
    repeated: tuple[Line, ...]
    destinations: Mapping[str, Destination]
    desks: Mapping[str, Desk]
    on_call: Mapping[str, tuple[tuple[str, ...], ...]]
    ladders: Mapping[str, Ladder]
    severities: Mapping[int, Severity]
    targets: Mapping[str, TargetTable]
    routes: tuple[Route, ...]
    quotations: tuple[Quotation, ...]
    provenances: Mapping[str, Provenance]


def read_parts(draft: Draft, sheet: Sheet) -> Parts:
    """Return every part that can be made; numbers, zones, windows, holidays and names that are not sound are marked."""
    entry = draft.entry
    schedules = {name: read_schedule(name, given, sheet) for name, given in entry.schedules.items()}
    quoted = [read_quotation(given, schedules[name], sheet) for name, given in entry.schedules.items()]
    lines, repeated = _lines(entry.lines, sheet)
    desks = _desks(draft, schedules, sheet)
    return Parts(
        regions={name: _region(name, given, sheet) for name, given in entry.regions.items()},
        lines=lines,
        repeated=repeated,
        destinations={name: _destination(name, given, lines, sheet) for name, given in entry.destinations.items()},
        desks=desks,
        on_call=_on_call(entry.on_call, sheet),
        ladders=read_ladders(entry, schedules, desks, sheet),
        severities={number: Severity(number, given.meaning) for number, given in entry.severities.items()},
        targets=read_targets(entry.targets, sheet),
        routes=tuple(
            _route(given, sheet.line("routes", row)) for row, given in zip(draft.rows, entry.routes, strict=True)
        ),
        quotations=tuple(each for each in quoted if each),
        provenances=dict(_provenances(entry, (), sheet)),
    )


def _provenances(entry: Entry, trail: Trail, sheet: Sheet) -> Iterator[tuple[str, Provenance]]:
    """Yield where every published value comes from, by its place in the file."""
    if isinstance(entry, Published):
        yield ".".join(map(str, trail)), provenance_of(entry, sheet.line(*trail))
    for name in entry.model_fields_set:
        value = getattr(entry, name)
        named = value.items() if isinstance(value, dict) else [(None, value)]
        for key, part in named:
            if isinstance(part, Entry):
                yield from _provenances(part, (*trail, name) if key is None else (*trail, name, key), sheet)


def _region(name: str, given: RegionEntry, sheet: Sheet) -> Region:
    is_zone(given.zone, ("regions", name, "zone"), sheet)
    return Region(name, given.name, given.zone, given.clock, given.loa_required)


def _lines(entries: Mapping[str, LineEntry], sheet: Sheet) -> tuple[dict[str, Line], tuple[Line, ...]]:
    lines: dict[str, Line] = {}
    repeated = []
    for name, given in entries.items():
        trail = ("lines", name)
        known("regions", given.region, (*trail, "region"), sheet)
        number = _number(given.number, (*trail, "number"), sheet)
        if number is None:
            continue
        origin = provenance_of(given, sheet.line(*trail))
        line = Line(name, number, given.kind, given.region, given.locale, origin)
        first = lines.setdefault(number, line)
        if first is not line:
            repeated.append(line)
            _check_role(first, line, sheet)
    return lines, tuple(repeated)


def _check_role(first: Line, line: Line, sheet: Sheet) -> None:
    if (first.kind, first.region, first.locale) != (line.kind, line.region, line.locale):
        roles = f"{first.id} ({first.kind}, {first.region}) and {line.id} ({line.kind}, {line.region})"
        mend = "keep one, of kind shared if it serves two roles"
        sheet.mark("N2", ("lines", line.id, "number"), f"{line.number} is both {roles}", mend)


def _number(text: str, trail: Trail, sheet: Sheet) -> str | None:
    try:
        return numbers.parse(text)
    except numbers.NumberFault as fault:
        sheet.mark("N1", trail, *split_message(fault))
        return None


def _destination(name: str, given: DestinationEntry, lines: Mapping[str, Line], sheet: Sheet) -> Destination:
    trail = ("destinations", name, "number")
    number = _number(given.number, trail, sheet) if given.number else None
    if number and number in lines:
        sheet.mark("N3", trail, f"{name} rings {number}, our own line {lines[number].id}", "name a person's number")
    elif number and (fault := numbers.destination_fault(number)):
        sheet.mark("N5", trail, f"{name} may not be rung: {fault}", "give a landline, mobile or freephone number")
    return Destination(name, given.role, number, sheet.line("destinations", name))


def _desks(draft: Draft, schedules: Mapping[str, Schedule], sheet: Sheet) -> dict[str, Desk]:
    desks = {}
    for name, given in draft.entry.desks.items():
        trail = ("desks", name)
        known("regions", given.region, (*trail, "region"), sheet)
        for place, destination in enumerate(given.ring):
            known("destinations", destination, (*trail, "ring", place), sheet)
        known("schedules", given.hours, (*trail, "hours"), sheet)
        known("schedules", given.escalation_hours, (*trail, "escalation_hours"), sheet)
        hours, escalation = schedules.get(given.hours), schedules.get(given.escalation_hours)
        if hours and escalation:
            ring = tuple(dict.fromkeys(given.ring))
            origin = provenance_of(draft.entry.schedules[given.hours], sheet.line(*trail))
            desks[name] = Desk(name, given.name, given.tier, given.region, hours, ring, escalation, origin)
    return desks


def _on_call(entries: Mapping[str, list[list[str]]], sheet: Sheet) -> dict[str, tuple[tuple[str, ...], ...]]:
    for region, levels in entries.items():
        known("regions", region, ("on_call", region), sheet)
        for place, level in enumerate(levels):
            for rank, destination in enumerate(level):
                known("destinations", destination, ("on_call", region, place, rank), sheet)
    return {region: tuple(tuple(level) for level in levels) for region, levels in entries.items()}


def _route(given: RouteEntry, line: int) -> Route:
    return Route(
        rule=given.rule,
        does=given.does,
        when={fact: frozenset(values) for fact, values in given.when.items()},
        ring=tuple(given.ring),
        offer={str(key): choice for key, choice in given.offer.items()},
        say=tuple(
            Saying(each.prompt, {fact: frozenset(values) for fact, values in each.when.items()}) for each in given.say
        ),
        flags=tuple(given.flags),
        file_line=line,
    )
