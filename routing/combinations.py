"""Every combination of facts at once: a set of enquiries is one whole number, with a bit for each combination.

Eighty thousand combinations are ten kilobytes, so that "what do the earlier rows leave to this one?" is a handful of
machine operations, and nothing is sampled. Facts that only occur together, such as a certification and what it
entitles to, share an axis.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

from routing.enquiry import FACTS, Enquiry
from routing.partner import Certification, PartnerType
from routing.policy import LineKind, Route

Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as far as routing cares."""

    type: PartnerType | None
    certification: Certification
    loa: str

    def facts(self) -> Facts:
        """Return the facts about the caller, as the engine derives them."""
        asked = Enquiry(LineKind.STANDARD, "", type=self.type, certification=self.certification, loa=self.loa)
        return {
            "type": self.type.value if self.type else "unknown",
            "certified": "yes" if asked.certified else "no",
            "certification": self.certification.value,
            "loa": self.loa,
        }


def callers() -> Iterator[Caller]:
    """Yield every kind of caller: only an identified one has a certification, only an agency needs a letter."""
    yield Caller(None, Certification.NONE, "not_required")
    for kind, certification in product(PartnerType, Certification):
        for loa in FACTS["loa"] if kind is PartnerType.AGENCY else ("not_required",):
            yield Caller(kind, certification, loa)


CALLERS = tuple(callers())
CHOICES = FACTS["choice"]

# The last axis is the finest: neighbouring bits differ in the caller's choice alone.
AXES: tuple[tuple[Facts, ...], ...] = (
    tuple({"line": value} for value in FACTS["line"]),
    tuple(caller.facts() for caller in CALLERS),
    *(tuple({fact: value} for value in FACTS[fact]) for fact in ("intent", "urgent", "home", "elsewhere", "case_desk")),
    tuple({"choice": value} for value in CHOICES),
)


def _sizes() -> tuple[int, ...]:
    sizes = [1]
    for axis in reversed(AXES):
        sizes.append(sizes[-1] * len(axis))
    return tuple(reversed(sizes))


_SIZES = _sizes()  # how many combinations there are from each axis on
ALL = (1 << _SIZES[0]) - 1


@cache
def having(fact: str, value: str) -> int:
    """Return every combination in which a fact has that value."""
    number = next(place for place, axis in enumerate(AXES) if fact in axis[0])
    axis, stride = AXES[number], _SIZES[number + 1]
    block = sum(((1 << stride) - 1) << (place * stride) for place, facts in enumerate(axis) if facts[fact] == value)
    return block * (ALL // ((1 << _SIZES[number]) - 1))  # the block, once for every combination of the axes before


def where(when: Mapping[str, frozenset[str] | str]) -> int:
    """Return every combination that meets the conditions."""
    met = ALL
    for fact, values in when.items():
        choices = [values] if isinstance(values, str) else values
        any_of = 0
        for value in choices:
            any_of |= having(fact, value)
        met &= any_of
    return met


def shares(routes: Sequence[Route]) -> tuple[list[int], int]:
    """Return what each row decides, the earlier rows coming first, and what no row decides."""
    left, decided = ALL, []
    for route in routes:
        decided.append(left & where(route.when))
        left &= ~decided[-1]
    return decided, left


def leading_to(combinations: int, choice: str) -> int:
    """Return every combination that a caller's choice turns into one of these."""
    chosen, target, origins = combinations & having("choice", choice), CHOICES.index(choice), 0
    for place in range(len(CHOICES)):
        origins |= chosen << (place - target) if place >= target else chosen >> (target - place)
    return origins


def one_of(combinations: int) -> Facts:
    """Return the facts of the first combination of a set that is not empty."""
    place = (combinations & -combinations).bit_length() - 1
    found: dict[str, str] = {}
    for axis, stride in zip(AXES, _SIZES[1:], strict=True):
        found |= axis[place // stride % len(axis)]
    return found
