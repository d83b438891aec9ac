"""How what is stored differs from what a file says."""

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

import msgspec

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


class Report(msgspec.Struct, frozen=True):
    """What an import did. What was in the directory and is not in the file was deactivated.

    A partner that is deactivated stays in the directory with the status closed; a Letter of Agency is removed.
    """

    added: int
    changed: int
    unchanged: int
    deactivated: int


class Difference(msgspec.Struct, Generic[K, R], frozen=True):
    """How a file differs from the directory."""

    added: list[R]
    changed: list[R]
    unchanged: int
    gone: list[K]

    def report(self) -> Report:
        """Return the numbers."""
        return Report(len(self.added), len(self.changed), self.unchanged, len(self.gone))


def difference(stored: Mapping[K, R], wanted: Mapping[K, R]) -> Difference[K, R]:
    """Return what must be done to what is stored for it to be what is wanted."""
    added = [record for key, record in wanted.items() if key not in stored]
    changed = [record for key, record in wanted.items() if key in stored and stored[key] != record]
    gone = [key for key in stored if key not in wanted]
    return Difference(added, changed, len(wanted) - len(added) - len(changed), gone)
