"""The lines that can be called: by their name in a policy, or by their number."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from routing import numbers
from routing.policy import Line, Policy
from routing.policy_file import read_policy, shipped_policies


class NoLine(LookupError):  # noqa: N818 - it is said to a person, with the lines that there are
    """No policy has a line of this name or number; the message lists those that there are."""


def installed_policies(environ: Mapping[str, str] = os.environ) -> tuple[Policy, ...]:
    """Return the policies of POLICY_DIR, and the shipped ones of all other programmes. Raises PolicyError."""
    folder = environ.get("POLICY_DIR")
    own = [read_policy(path) for path in sorted(Path(folder).glob("*.yaml"))] if folder else []
    replaced = {policy.programme for policy in own}
    shipped = (read_policy(path) for path in shipped_policies())
    return (*own, *(policy for policy in shipped if policy.programme not in replaced))


def find_line(text: str, policies: Iterable[Policy]) -> tuple[Policy, Line]:
    """Return the line of that name or number, and its policy. Raises NoLine."""
    lines = [(policy, line) for policy in policies for line in policy.lines.values()]
    number = _number(text)
    for policy, line in lines:
        if text == line.id or number == line.number:
            return policy, line
    known = "\n".join(f"  {line.id:<22} {line.number}" for _, line in lines)
    raise NoLine(f"there is no line {text!r}. Lines:\n{known}")


def names_of(policies: Iterable[Policy]) -> dict[str, str]:
    """Return the destination of each number that a policy itself gives."""
    return {each.number: each.id for policy in policies for each in policy.destinations.values() if each.number}


def _number(text: str) -> str | None:
    try:
        return numbers.parse(text)
    except numbers.NumberFault:
        return None
