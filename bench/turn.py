"""P1 and P2: a whole turn against the floor, against a sample that stores nothing and one that stores as it comes."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from bench.contender import floor, phone_tree, survey
from bench.postgres import Postgres, binaries
from bench.run import Bench, Pace, Paddock, count_all
from bench.service import Database, ours, sqlite
from bench.table import Row, middle, missing, ratio

ROOM = 4  # processors from which on two web processes can be free


@dataclass
class Turns:
    """What the race has shown: paces by name, instructions a request by name."""

    paces: Mapping[str, Pace]
    counts: Mapping[str, list[float]] = field(default_factory=dict)

    def rate(self, goal: str, name: str, against: str, least: float | None = None, note: str = "") -> Row:
        """Return the line that compares requests a second."""
        mine, theirs = self.paces[name], self.paces[against]
        measured = f"{middle(mine.rates):.0f} req/s, {middle(mine.costs) * 1e3:.2f} ms of processor"
        times = ratio(mine.rates, theirs.rates)
        return Row(goal, f"{name}: req/s to {against}", measured, times, least=least, note=note)

    def count(self, goal: str, name: str, against: str, most: float | None = None) -> Row:
        """Return the line that compares instructions a request."""
        what = f"{name}: instructions to {against}"
        if name not in self.counts:
            return missing(goal, what, "neither perf nor valgrind can count here")
        times = ratio(self.counts[name], self.counts[against])
        return Row(goal, what, f"{middle(self.counts[name]) / 1e3:,.0f} k a request", times, most=most)


def measure(bench: Bench) -> list[Row]:
    """Return the lines."""
    with ExitStack() as stack:
        databases = [sqlite(bench.folder, "turns"), *_postgres(bench, stack)]
        services = [ours(database) for database in databases]
        services += [ours(database, workers=2) for database in databases[1:]]
        peers = [floor(), phone_tree(), survey(bench.folder)]
        paddock = stack.enter_context(Paddock(bench, [*peers, *services]))
        paces = paddock.race()
    turns = Turns(paces, count_all(bench, [*peers[:2], ours(sqlite(bench.folder, "counted"))]))
    return [*_p1(turns), *_p2(turns)]


def _postgres(bench: Bench, stack: ExitStack) -> list[Database]:
    found = binaries()
    return [stack.enter_context(Postgres(found, bench.folder))] if found else []


def _p1(turns: Turns) -> list[Row]:
    return [
        turns.rate("", "floor", "floor"),
        turns.rate("", "phone tree", "floor"),
        turns.rate("", "survey", "floor"),
        turns.rate("P1", "ours", "floor", least=0.5),
        turns.rate("P1", "ours", "survey", least=8),
        turns.count("", "floor", "floor"),
        turns.count("", "phone tree", "floor"),
        turns.count("P1", "ours", "floor", most=1.8),
        turns.count("P1", "ours", "phone tree", most=1),
    ]


def _p2(turns: Turns) -> list[Row]:
    if "ours, Postgres" not in turns.paces:
        return [missing("P2", "ours, Postgres: req/s to floor", "no postgres and initdb found")]
    free = len(os.sched_getaffinity(0)) >= ROOM
    note = "" if free else "no goal here: client and database need the same two processors"
    return [
        turns.rate("P2", "ours, Postgres", "floor", least=0.4),
        turns.rate("P2", "ours, Postgres, 2 workers", "ours, Postgres", least=1.7 if free else None, note=note),
    ]
