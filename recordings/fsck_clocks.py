"""Checks of the clocks: every target that was missed has been written down, once."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from flows.case_clocks import BREACHED
from flows.case_rounds import owed_entries
from recordings.casebook import Kept, load
from recordings.fsck_ground import BATCH, Finding, Ground, Tally
from recordings.store import Connection, Row, StoreUnavailable
from routing.fault import PolicyError

LATE = timedelta(minutes=2)  # a breach is written within a minute of its instant
CASES = "SELECT number FROM cases WHERE number > ? ORDER BY number LIMIT ?"


def check_clocks(ground: Ground, tally: Tally) -> Iterator[Finding]:
    """Invariant 24: exactly one breach entry for each clock that went beyond its due instant."""
    after = ""
    while True:
        found: list[Kept] = []
        last = ground.read(partial(_batch, ground=ground, after=after, found=found))
        if not last:
            return
        after = last[0][0]
        for kept in found:
            tally.add("clocks", 1)
            yield from _breaches(kept, ground)


def _batch(conn: Connection, ground: Ground, after: str, found: list[Kept]) -> list[Row]:
    rows = conn.execute(ground.store.sql(CASES), (after, BATCH)).fetchall()
    found += [load(conn, ground.store, number) for (number,) in rows]
    return rows[-1:]


def _breaches(kept: Kept, ground: Ground) -> Iterator[Finding]:
    case = kept.case
    try:
        policy = ground.desk_for(case.policy, case.programme).policy
    except (PolicyError, StoreUnavailable):
        return  # whoever checks its call says so
    owed = owed_entries(kept.view(policy, ground.at - LATE), policy, ground.at)
    for entry in owed:
        if entry.kind == BREACHED:
            what = f"its clock {entry.says('name')} ran out at {entry.at:%Y-%m-%d %H:%MZ}, and nobody was told"
            yield Finding("clocks.breached", case.number, what, "Start the worker: it writes it down and tells them.")
    written = Counter(entry.says("clock") for entry in kept.entries if entry.kind == BREACHED)
    for clock, times in written.items():
        if times > 1:
            what = f"its clock {clock} has {times} breaches"
            yield Finding("clocks.breached_once", case.number, what, "Find out which process writes without a key.")
