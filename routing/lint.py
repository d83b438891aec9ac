"""Check a policy that reads: what is wrong with it in the world, what may surprise, and what it assumes."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from itertools import pairwise

from routing import numbers
from routing.claims import Contacts
from routing.fault import Finding, Level, Note
from routing.lint_hours import lint_hours
from routing.policy import Policy
from routing.proof import prove

STALE_AFTER = 180  # days after which a published value is to be compared with its source again
_ORDER = {Level.ERROR: 0, Level.WARNING: 1, Level.INFO: 2}

_DIGITS = re.compile(r"(?:[0-9][ ().\-]*){6,}")
_PERSON = re.compile(r"\b[A-Z][a-z]+ [A-Z][a-z]+\b")


def lint(policy: Policy, today: date, contacts: Contacts | None = None) -> list[Finding]:
    """Return every finding, the gravest first. `contacts` gives the numbers that the policy does not."""
    proof = prove(policy, datetime.combine(today, time(), UTC), contacts=contacts)
    notes = [
        *(Note(Level.ERROR, fault.line, fault.code, fault.what, fault.mend) for fault in proof.faults()),
        *lint_hours(policy, today),
        *_lines(policy),
        *_destinations(policy, contacts or {}),
        *_ladders(policy, contacts or {}),
        *_targets(policy),
        *_provenance(policy, today),
        *_private(policy),
    ]
    return [note.of(policy.file) for note in sorted(notes, key=lambda note: (_ORDER[note.level], note.line, note.code))]


def _lines(policy: Policy) -> Iterator[Note]:
    for line in policy.repeated:
        what = f"{line.id} has the number of {policy.lines[line.number].id} once more"
        yield Note(Level.INFO, line.provenance.file_line, "N1", what, "take one of the two out")
    for line in policy.lines.values():
        if not numbers.diallable_abroad(line.number):
            what = f"{line.id}, {line.number}, cannot be dialled from abroad"
            mend = "publish a geographic number beside it"
            yield Note(Level.WARNING, line.provenance.file_line, "N1", what, mend)


def _destinations(policy: Policy, contacts: Contacts) -> Iterator[Note]:
    owners: dict[str, list[str]] = defaultdict(list)
    fictional = []
    for destination in policy.destinations.values():
        given = contacts.get(destination.id) or ((destination.number,) if destination.number else ())
        if not given:
            what, mend = f"{destination.id} has no number", "give it one in the contacts file"
            yield Note(Level.WARNING, destination.file_line, "N4", what, mend)
        for number in given:
            owners[number].append(destination.id)
        fictional += [destination] if any(map(numbers.is_fictional, given)) else []
    if fictional:
        what = f"{len(fictional)} of {len(policy.destinations)} destinations have a number that is reserved for fiction"
        mend = "name their telephones in the contacts file; production refuses to start without"
        yield Note(Level.INFO, min(each.file_line for each in fictional), "N4", what, mend)
    for number, names in owners.items():
        if len(names) > 1:
            what, mend = f"{number} is listed by {', '.join(names)}", "make sure that one telephone may serve them all"
            yield Note(Level.INFO, policy.destinations[names[1]].file_line, "N1", what, mend)


def _ladders(policy: Policy, contacts: Contacts) -> Iterator[Note]:
    """Find levels that reach nobody, and people who stand on two levels of a ladder."""
    for ladder in policy.ladders.values():
        line = policy.provenances[f"ladders.{ladder.id}"].file_line
        earlier: dict[str, str] = {}
        for level in ladder.levels:
            people = {number or name for name in level.destinations for number in _numbers(policy, contacts, name)}
            if not people - set(level.destinations):
                what = f"nobody can be reached at {level.role} of {ladder.id}"
                yield Note(
                    Level.WARNING, line, "E3", what, "give one of its destinations a number in the contacts file"
                )
            for person in sorted(people & earlier.keys()):
                what = f"{level.role} of {ladder.id} is the same person as {earlier[person]}"
                yield Note(Level.WARNING, line, "E2", what, "name somebody else, or take the level out")
            earlier |= dict.fromkeys(people - earlier.keys(), level.role)


def _numbers(policy: Policy, contacts: Contacts, name: str) -> Sequence[str]:
    """Return the numbers of a destination; an empty one where there is none."""
    return contacts.get(name) or (policy.destinations[name].number or "",)


def _targets(policy: Policy) -> Iterator[Note]:
    for table in policy.targets.values():
        if not table.updates:
            mend = "add updates to it, with `none` for severities that need none"
            what = f"{table.id} does not say how often to update"
            yield Note(Level.WARNING, table.provenance.file_line, "SV1", what, mend)
    for first, second in pairwise(policy.targets.values()):
        apart = [
            f"Severity {number}"
            for number in sorted(first.first_response.keys() & second.first_response.keys())
            if first.first_response[number] != second.first_response[number]
        ]
        if apart:
            what = f"{first.id} and {second.id} promise different responses for {', '.join(apart)}"
            mend = "keep targets off live calls; the case says which table applies"
            yield Note(Level.WARNING, second.provenance.file_line, "SV1", what, mend)


def _provenance(policy: Policy, today: date) -> Iterator[Note]:
    stale: dict[tuple[str, date], list[int]] = defaultdict(list)
    for place, origin in policy.provenances.items():
        if origin.verified_on and (today - origin.verified_on).days > STALE_AFTER:
            stale[origin.source, origin.verified_on].append(origin.file_line)
        if origin.assumed:
            what = f"{place} is our reading of: {origin.source}"
            mend = "confirm it, and take `assumed` out"
            yield Note(Level.INFO, origin.file_line, "V2", what, mend)
    for (source, verified_on), lines in stale.items():
        age = (today - verified_on).days
        what = f"{len(lines)} value(s) from {source} were last verified on {verified_on}, {age} days ago"
        mend = "compare with the source and correct verified_on"
        yield Note(Level.WARNING, min(lines), "V1", what, mend)


def _private(policy: Policy) -> Iterator[Note]:
    """Find what looks like a direct number, or a person's name, in texts that are spoken or shown."""
    texts = {
        "brand": (policy.brand, 1),
        "portal": (policy.portal, 1),
        "notice": (policy.notice, 1),
        **{f"regions.{each.id}": (f"{each.name}; {each.clock}", 1) for each in policy.regions.values()},
        **{f"severities.{each.number}": (each.meaning, 1) for each in policy.severities.values()},
        **{f"desks.{each.id}": (each.name, each.provenance.file_line) for each in policy.desks.values()},
        **{f"destinations.{each.id}": (each.role, each.file_line) for each in policy.destinations.values()},
    }
    for place, (text, line) in texts.items():
        if _DIGITS.search(text):
            what, mend = f"{place} holds what looks like a telephone number", "name a role; numbers go to the contacts"
            yield Note(Level.ERROR, line, "X1", what, mend)
        elif place.startswith("destinations.") and _PERSON.search(text):
            what, mend = f"{place} may name a person: {text}", "name a role, in small letters"
            yield Note(Level.WARNING, line, "X1", what, mend)
