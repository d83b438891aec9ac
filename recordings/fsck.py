"""The checker: whether what is stored keeps every promise that can be checked without asking anybody."""

from collections.abc import Iterator

import msgspec

from recordings.fsck_audio import check_recordings
from recordings.fsck_calls import check_calls
from recordings.fsck_clocks import check_clocks
from recordings.fsck_ground import Check, Finding, Ground, Tally
from recordings.fsck_links import check_links, check_soundness
from recordings.fsck_outbox import check_outbox
from recordings.fsck_retention import check_retention

__all__ = ["Examined", "Finding", "Ground", "examine", "findings"]

SHOWN = 50  # findings of one check that are kept; the others are counted
CHECKS: tuple[Check, ...] = (
    check_soundness,
    check_links,
    check_calls,
    check_recordings,
    check_outbox,
    check_clocks,
    check_retention,
)


class Examined(msgspec.Struct, frozen=True):
    """What was looked at, how much of it; how many findings each check has; and the first of them."""

    checked: dict[str, int]
    found: dict[str, int]
    findings: tuple[Finding, ...]


def findings(ground: Ground, tally: Tally) -> Iterator[Finding]:
    """Yield everything that should not be. Raises StoreUnavailable."""
    for check in CHECKS:
        yield from check(ground, tally)


def examine(ground: Ground) -> Examined:
    """Check everything. Raises StoreUnavailable."""
    tally, found, kept = Tally(), dict[str, int](), list[Finding]()
    for each in findings(ground, tally):
        found[each.check] = found.get(each.check, 0) + 1
        if found[each.check] <= SHOWN:
            kept.append(each)
    return Examined(tally.counts, found, tuple(sorted(kept, key=lambda each: each.check)))
