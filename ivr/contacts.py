"""Contacts: who answers at each destination. A policy names destinations by role; this file says whom to ring."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from flows.call import Contacts
from ivr.settings import Fault, SettingsError
from routing.numbers import NumberFault, destination_fault, is_fictional, parse
from routing.policy import Policy

PARTS = ("numbers", "notify")
_ID = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,63}")


class Contact(msgspec.Struct, frozen=True):
    """One destination's numbers in ring order, and where to send word to it. `file_line` is where the file says so."""

    numbers: tuple[str, ...]
    notify: tuple[str, ...] = ()
    file_line: int = 0


def read_contacts(path: Path) -> dict[str, Contact]:
    """Read the file. Raises SettingsError with every fault, each with file and line."""
    try:
        document = YAML(typ="rt", pure=True).load(path.read_text("utf-8"))
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SettingsError([Fault(where, f"is no YAML: {error.problem}.")]) from None
    except (YAMLError, UnicodeDecodeError, OSError) as error:
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
            notify = tuple(entry.get("notify") or ())
            contacts[name] = Contact(tuple(parse(n) for n in entry.get("numbers") or ()), notify, line)
    if faults:
        raise SettingsError(faults)
    return contacts


def _entry_faults(name: object, entry: object, where: str) -> Iterable[Fault]:
    if not isinstance(name, str) or not _ID.fullmatch(name):
        yield Fault(where, f"{name!r} is not the id of a destination.", "Ids are written as in the policy: tier1-us.")
    if not isinstance(entry, CommentedMap):
        yield Fault(where, f"{name} has no numbers.", _SHAPE)
        return
    for key in entry:
        if key not in PARTS:
            yield Fault(where, f"{name} has a part {key!r} that means nothing here.", f"Known: {', '.join(PARTS)}.")
    yield from _list_faults(name, "notify", entry.get("notify"), where)
    yield from _list_faults(name, "numbers", entry.get("numbers"), where)
    if isinstance(entry.get("numbers"), CommentedSeq):
        yield from _number_faults(str(name), entry["numbers"], where)


def _list_faults(name: object, part: str, value: object, where: str) -> Iterable[Fault]:
    if value is not None and not isinstance(value, CommentedSeq):
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


def numbers_of(policy: Policy, contacts: Mapping[str, Contact]) -> Contacts:
    """Return whom each of a policy's destinations rings: what the contacts say, else the policy's own number."""
    return {
        destination.id: contacts[destination.id].numbers
        if destination.id in contacts
        else ((destination.number,) if destination.number else ())
        for destination in policy.destinations.values()
    }


def reach_faults(
    policies: Iterable[Policy], contacts: Mapping[str, Contact], our_lines: frozenset[str], *, production: bool
) -> Iterable[Fault]:
    """Find destinations that reach nobody, or ourselves; in production also those that reach only fiction."""
    for policy in policies:
        for name, numbers in numbers_of(policy, contacts).items():
            where = f"{policy.file}:{policy.destinations[name].file_line}"
            if production and not numbers:
                yield Fault(where, f"{name} has no number.", "Give it one in CONTACTS_FILE.")
            for number in numbers:
                yield from _reach_faults(where, f"{name} rings {number}", number, our_lines, production)


def _reach_faults(where: str, who: str, number: str, our_lines: frozenset[str], production: object) -> Iterable[Fault]:
    if number in our_lines:
        yield Fault(where, f"{who}, which is one of our own lines, so that we would call ourselves.", "Name a person.")
    elif production and is_fictional(number):
        yield Fault(where, f"{who}, a number reserved for fiction.", "Give the real one in CONTACTS_FILE.")


def strangers(policies: Iterable[Policy], contacts: Mapping[str, Contact], path: Path) -> Iterable[Fault]:
    """Find contacts that no policy asks for: most likely misspelt, so that somebody would not be rung."""
    known = {name for policy in policies for name in policy.destinations}
    for name, contact in contacts.items():
        if name not in known:
            yield Fault(f"{path}:{contact.file_line}", f"no policy has a destination {name}.", "Correct or remove it.")
