"""P3: how long the slowest wait, when webhooks come whether or not the earlier ones are answered."""

from bench.contender import Contender, floor
from bench.run import Bench, Paddock
from bench.service import ours, sqlite
from bench.table import Row, middle

SHARE = 0.4  # of our own peak
SLICES = 4
SLICE = {"floor": 2.0, "ours": 5.0}  # seconds
LONG, LONG_RATE, WORST = 600.0, 100.0, 0.25  # seconds, webhooks a second, seconds


def measure(bench: Bench) -> list[Row]:
    """Return the lines. Floor and ours take turns, so that both meet the same neighbours on the machine."""
    mine, base = ours(sqlite(bench.folder, "tail")), floor()
    with Paddock(bench, [base, mine]) as paddock:
        peak = middle(paddock.race(rounds=3, seconds=0.7)[mine.name].rates)
        slices: dict[str, list[list[float]]] = {base.name: [], mine.name: []}
        for _ in range(SLICES):
            for each in (base, mine):
                slices[each.name].append(_latencies(bench, paddock, each, SHARE * peak, SLICE[each.name]))
        rows = [_row("", base, slices[base.name], None), _row("P3", mine, slices[mine.name], 8)]
        if bench.full:
            rows.append(_long(_latencies(bench, paddock, mine, LONG_RATE, LONG)))
    return rows


def _latencies(bench: Bench, paddock: Paddock, each: Contender, rate: float, seconds: float) -> list[float]:
    return sorted(bench.client.run(each, paddock.servers[each.name].port, rate=rate, seconds=seconds).latencies)


def _row(goal: str, each: Contender, slices: list[list[float]], most: float | None) -> Row:
    p50 = middle(at(one, 0.5) for one in slices)
    p99 = middle(at(one, 0.99) for one in slices)
    times = middle(at(one, 0.99) / at(one, 0.5) for one in slices)
    measured = f"p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms"
    return Row(goal, f"{each.name}: p99 to p50 at {SHARE:.0%} of our peak", measured, times, most=most)


def _long(latencies: list[float]) -> Row:
    measured = ", ".join(f"{name} {at(latencies, share) * 1e3:.0f} ms" for name, share in _MARKS)
    what = f"ours: slowest of {len(latencies):,} to {WORST * 1e3:.0f} ms"
    return Row("P3", what, measured, latencies[-1] / WORST, most=1)


_MARKS = (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0))


def at(ordered: list[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
