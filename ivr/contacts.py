"""Contacts: who answers at each destination. A policy names destinations by role; here is whom to ring and tell."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from flows.call import Contacts
from ivr.settings import Fault
from routing.numbers import is_fictional
from routing.policy import Policy


class Contact(msgspec.Struct, frozen=True):
    """One destination's numbers in ring order, and where to send word to it. `file_line` is where the file says so.

    An entry may also be a desk's: then it has targets only. `off` are days on which nobody is there, first and last.
    """

    numbers: tuple[str, ...]
    notify: tuple[str, ...] = ()
    off: tuple[tuple[date, date], ...] = ()
    file_line: int = 0


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
    policies = tuple(policies)
    destinations = {name for policy in policies for name in policy.destinations}
    desks = {name for policy in policies for name in policy.desks} - destinations
    for name, contact in contacts.items():
        where = f"{path}:{contact.file_line}"
        if name in desks and contact.numbers:
            yield Fault(
                where, f"{name} is a desk, which rings its destinations.", "Give them the numbers, not the desk."
            )
        elif name not in destinations | desks:
            yield Fault(where, f"no policy has a destination {name}.", "Correct or remove it.")


def persons(reach: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return who is behind each destination: those that share a number or a target are one person.

    `reach` is every way to somebody; a destination without any is not among the answers. A person goes by the name of
    the first of their destinations in the alphabet.
    """
    person: dict[str, str] = {}
    ways: dict[str, set[str]] = {name: set(given) for name, given in reach.items() if given}
    for name in sorted(ways):
        mine = {who for other, who in person.items() if ways[other] & ways[name]} | {name}
        person |= dict.fromkeys([name, *(other for other, who in person.items() if who in mine)], min(mine))
    return person


def person_of(policy: Policy, contacts: Mapping[str, Contact]) -> Callable[[str], str | None]:
    """Return who is behind a destination of a policy; the answer is None where nobody can be reached."""
    reach = {
        name: (*numbers, *(contacts[name].notify if name in contacts else ()))
        for name, numbers in numbers_of(policy, contacts).items()
    }
    return persons(reach).get


def off(contacts: Mapping[str, Contact], zone: str) -> Callable[[str, datetime], bool]:
    """Return whether somebody has a day off at an instant, by the calendar of a zone."""

    def is_off(destination: str, at: datetime) -> bool:
        contact = contacts.get(destination)
        day = at.astimezone(ZoneInfo(zone)).date()
        return contact is not None and any(first <= day <= last for first, last in contact.off)

    return is_off
