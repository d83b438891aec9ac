"""P4: whether a turn costs the same on an empty log as after years of calls, with 100,000 partners."""

import csv
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.contender import Contender
from bench.programmes import write_programmes
from bench.run import Bench, Paddock, count_all
from bench.server import free_port
from bench.service import Database, ivr, ours, sqlite
from bench.table import Row, middle, missing, ratio

PARTNERS = 100_000
CALLS, CALLS_FULL = 100_000, 10_000_000
PROGRAMMES = 20  # in the full run; each is read and proved at every start
AREAS = ("201", "206", "212", "303", "305", "312", "404", "408", "415", "503", "512", "602", "617", "650", "702", "713")
FIRST_ID = 100_000  # Partner IDs of six digits, none of them in the demo directory
BATCH = 250_000
HASTE = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-2000000", "temp_store=MEMORY")

COPY_CALLS = """
WITH RECURSIVE numbers(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :end)
INSERT INTO calls (sid, caller, partner_id, started_at, case_number, {shared})
SELECT 'CA' || lower(hex(randomblob(16))), printf('+1408555%04d', 100 + abs(random() % 100)),
       printf('%06d', {first_id} + abs(random() % {partners})), started_at - n * 1000000, printf('0%08d', n), {shared}
FROM calls, numbers WHERE id = :model
"""
COPY_TURNS = """
INSERT INTO turns (sid, {shared}) SELECT copy.sid, {models} FROM calls copy, turns model
WHERE copy.id > :last AND model.sid = :sid AND model.id >= :since
"""
COPY_CASES = """
INSERT INTO cases (number, call_sid, {shared}) SELECT copy.case_number, copy.sid, {models}
FROM calls copy, cases model WHERE copy.id > :last AND model.call_sid = :sid
"""


def measure(bench: Bench) -> list[Row]:
    """Return the lines."""
    calls = CALLS_FULL if bench.full else CALLS
    empty, grown = ours(sqlite(bench.folder, "empty", "empty")), _with_programmes(bench, ours(_grown(bench, calls)))
    with Paddock(bench, [empty, grown]) as paddock:
        paces = paddock.race()
    size = (bench.folder / "grown.db").stat().st_size / 1e9
    what = f"{calls:,} calls logged, {PARTNERS:,} partners" + (f", {PROGRAMMES} programmes" if bench.full else "")
    costs, before = paces[grown.name].costs, paces[empty.name].costs
    measured = f"{middle(costs) * 1e3:.2f} ms of processor, {size:.1f} GB"
    rows = [Row("P4", f"{what}: processor time to an empty log", measured, ratio(costs, before), most=1.1)]
    counts = count_all(bench, [empty, grown])
    if not counts:
        return [*rows, missing("P4", f"{what}: instructions", "neither perf nor valgrind can count here")]
    measured = f"{middle(counts[grown.name]) / 1e3:,.0f} k a request"
    times = ratio(counts[grown.name], counts[empty.name])
    return [*rows, Row("P4", f"{what}: instructions to an empty log", measured, times, most=1.1)]


def _with_programmes(bench: Bench, service: Contender) -> Contender:
    if not bench.full:
        return service
    folder = bench.folder / "policies"
    write_programmes(folder, PROGRAMMES - 1)
    return replace(service, environ={**service.environ, "POLICY_DIR": str(folder)})


def _grown(bench: Bench, calls: int) -> Database:
    """Return a database with many partners, whose log is one real call many times over."""
    plain = sqlite(bench.folder, "grown", "grown")
    directory = bench.folder / "partners.csv"
    callers = _write_directory(directory)
    ivr(plain.url, "partners", "import", str(directory))
    database = Database("grown", plain.url, callers)
    one = ours(database)
    port = free_port()
    with one.start(port, bench.log("model")):
        bench.client.run(one, port, calls=1, clients=1)
    _copy(bench.folder / "grown.db", calls, whole=not bench.full)
    return database


def _write_directory(path: Path) -> tuple[str, ...]:
    """Write the directory as CSV; return the numbers of those representatives who are known by one partner only."""
    numbers = [f"+1{area}55501{last:02d}" for area in AREAS for last in range(100) if area != "408"]
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        heads = "partner_id,name,type,region,certified_from,certified_until,first_line,status,representatives,programme"
        table.writerow(heads.split(","))
        table.writerows(_partners(numbers))
    return tuple(numbers)


def _partners(numbers: list[str]) -> Iterator[tuple[str, ...]]:
    for n in range(PARTNERS):
        number = numbers[n] if n < len(numbers) else ""
        dates = ("2020-01-01", "")
        yield str(FIRST_ID + n), f"Partner {n}", "resale", "us", *dates, "yes", "active", number, "8x8-partner"


def _copy(path: Path, calls: int, *, whole: bool) -> None:
    """Fill the log with copies of its one call; `whole` copies every turn of it, otherwise only the last."""
    conn = sqlite3.connect(path, isolation_level=None)
    for pragma in HASTE:
        conn.execute(f"PRAGMA {pragma}")
    model, sid = conn.execute("SELECT id, sid FROM calls ORDER BY id LIMIT 1").fetchone()
    least = "min" if whole else "max"
    since = conn.execute(f"SELECT {least}(id) FROM turns WHERE sid = ?", (sid,)).fetchone()[0]
    texts = [
        COPY_CALLS.format(shared=_shared(conn, "calls"), first_id=FIRST_ID, partners=PARTNERS),
        COPY_TURNS.format(shared=_shared(conn, "turns"), models=_shared(conn, "turns", "model.")),
        COPY_CASES.format(shared=_shared(conn, "cases"), models=_shared(conn, "cases", "model.")),
    ]
    for first in range(1, calls + 1, BATCH):
        last = conn.execute("SELECT max(id) FROM calls").fetchone()[0]
        values = {"first": first, "end": min(first + BATCH, calls + 1), "model": model, "sid": sid}
        for text in texts:
            conn.execute(text, {**values, "last": last, "since": since})
    conn.close()


OWN = {
    "calls": {"id", "sid", "caller", "partner_id", "started_at", "case_number"},
    "turns": {"id", "sid"},
    "cases": {"number", "call_sid"},
}


def _shared(conn: sqlite3.Connection, table: str, prefix: str = "") -> str:
    """Return the columns of a table that a copy takes over as they are."""
    names = [row[1] for row in conn.execute(f"PRAGMA table_info({table})")]
    return ", ".join(prefix + name for name in names if name not in OWN[table])
