"""The file of contacts: read whole, every fault reported with its line, and no secret of it ever repeated."""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ivr.contacts import Contact
from ivr.settings import Fault, SettingsError
from routing.numbers import NumberFault, destination_fault, parse

PARTS = ("numbers", "notify", "off")
_ID = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,63}")


def read_contacts(path: Path) -> dict[str, Contact]:
    """Read the file. Raises SettingsError with every fault, each with file and line."""
    try:
        document = YAML(typ="rt", pure=True).load(path.read_text("utf-8"))
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SettingsError([Fault(where, f"is no YAML: {error.problem}.")]) from None
    except (YAMLError, ValueError, OSError) as error:  # a date that no calendar has is a ValueError
        raise SettingsError([Fault(str(path), f"cannot be read: {error}.")]) from None
    if document is None:
        return {}
    if not isinstance(document, CommentedMap):
        raise SettingsError([Fault(f"{path}:1", "is not a list of destinations, each with its numbers.", _SHAPE)])
    return _read(document, path)


_SHAPE = 'Write: tier1-us: {numbers: ["+1 408 ..."], notify: [...]}.'


def _read(document: CommentedMap, path: Path) -> dict[str, Contact]:
    contacts: dict[str, Contact] = {}
    faults: list[Fault] = []
    for name, entry in document.items():
        line = int(document.lc.key(name)[0]) + 1
        found = list(_entry_faults(name, entry, f"{path}:{line}"))
        faults += found
        if not found:
            contacts[name] = _contact(entry, line)
    if faults:
        raise SettingsError(faults)
    return contacts


def _contact(entry: CommentedMap, line: int) -> Contact:
    numbers = tuple(parse(number) for number in entry.get("numbers") or ())
    off = tuple(_days(each) for each in entry.get("off") or ())
    return Contact(numbers, tuple(entry.get("notify") or ()), off, line)


def _entry_faults(name: object, entry: object, where: str) -> Iterable[Fault]:
    if not isinstance(name, str) or not _ID.fullmatch(name):
        yield Fault(where, f"{name!r} is not the id of a destination.", "Ids are written as in the policy: tier1-us.")
    if not isinstance(entry, CommentedMap):
        yield Fault(where, f"{name} has no numbers.", _SHAPE)
        return
    for key in entry:
        if key not in PARTS:
            yield Fault(where, f"{name} has a part {key!r} that means nothing here.", f"Known: {', '.join(PARTS)}.")
    for part, faults_of in (("numbers", _number_faults), ("notify", _target_faults), ("off", _off_faults)):
        given = entry.get(part)
        if isinstance(given, CommentedSeq):
            yield from faults_of(str(name), given, where)
        elif given is not None:
            yield Fault(where, f"{name}: {part} is not a list.", 'Put it in brackets: ["..."].')


def _number_faults(name: str, numbers: CommentedSeq, where: str) -> Iterable[Fault]:
    for number in numbers:
        if not isinstance(number, str):
            yield Fault(where, f"{name}: {number!r} was read as a number, without its plus.", 'Quote it: "+1 408 ...".')
        elif problem := _unringable(number):
            yield Fault(where, f"{name}: {problem}")


def _unringable(number: str) -> str | None:
    try:
        return destination_fault(parse(number))
    except NumberFault as fault:
        return str(fault)


def _target_faults(name: str, targets: CommentedSeq, where: str) -> Iterable[Fault]:
    from ivr.notify.targets import target_fault  # noqa: PLC0415 - takes half a second, and few files need it

    for place, target in enumerate(targets, 1):
        if problem := target_fault(target if isinstance(target, str) else ""):
            yield Fault(where, f"{name}: notify, entry {place}, {problem}", "Write it as apprise's pages say.")


def _off_faults(name: str, days: CommentedSeq, where: str) -> Iterable[Fault]:
    for day in days:
        try:
            first, last = _days(day)
        except ValueError:
            yield Fault(
                where, f"{name}: {str(day)!r:.40} is no day off.", "Write 2026-12-24, or 2026-12-24/2026-12-31."
            )
            continue
        if last < first:
            yield Fault(where, f"{name}: {day} ends before it begins.", "Write the first day first.")


def _days(given: object) -> tuple[date, date]:
    """Return the first and the last day of what the file calls a day off. Raises ValueError."""
    first, _, last = str(given).partition("/")
    return date.fromisoformat(first.strip()), date.fromisoformat((last or first).strip())
