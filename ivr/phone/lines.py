"""The lines that can be called: by their name in a policy, or by their number."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from routing import numbers
from routing.policy import Line, Policy
from routing.policy_file import policy_files, read_policy


class NoLine(LookupError):  # noqa: N818 - it is said to a person, with the lines that there are
    """No policy has a line of this name or number; the message lists those that there are."""


def installed_policies(environ: Mapping[str, str] = os.environ) -> tuple[Policy, ...]:
    """Return the shipped policies and those of POLICY_DIR. Raises PolicyError."""
    folder = environ.get("POLICY_DIR")
    return tuple(read_policy(path) for path in policy_files(Path(folder) if folder else None))


def find_line(text: str, policies: Iterable[Policy]) -> tuple[Policy, Line]:
    """Return the line of that name or number, and its policy. Raises NoLine."""
    lines = [(policy, line) for policy in policies for line in policy.lines.values()]
    number = _number(text)
    for policy, line in lines:
        if text == line.id or number == line.number:
            return policy, line
    known = "\n".join(f"  {line.id:<22} {numbers.national(line.number)}" for _, line in lines)
    raise NoLine(f"there is no line {text!r}. Lines:\n{known}")


def names_of(policies: Iterable[Policy]) -> dict[str, str]:
    """Return who answers at each number that a policy itself gives: the role, and the desk if it rings at one."""
    names = {}
    for policy in policies:
        desks = {destination: desk.name for desk in policy.desks.values() for destination in desk.ring}
        for destination in policy.destinations.values():
            if destination.number:
                where = desks.get(destination.id, destination.id.partition("-")[0].upper())
                names[destination.number] = f"{where}, {destination.role}"
    return names


def _number(text: str) -> str | None:
    try:
        return numbers.parse(text)
    except numbers.NumberFault:
        return None
