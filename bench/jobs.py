"""The worker: how fast the outbox drains, how soon after its commit a job begins, and what an idle worker costs."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from threading import Event, Thread
from time import perf_counter, sleep

from bench.postgres import Postgres, binaries
from bench.run import Bench
from bench.server import ROOT, cpu_seconds
from bench.service import IVR, Database, environ, sqlite
from bench.table import Row, middle
from ivr.clock import now
from ivr.jobs.work import PULSE, Worker
from ivr.settings import Settings
from recordings.engines import open_store
from recordings.outbox import Job, Owed, owe_now
from recordings.store import Store

COMMITS, DRAINED, ALONE = 200, 2000, 25
READY, WATCHED = 6.0, 8.0  # seconds
IDLE = 0.005  # share of one core: the goal
PATIENCE = 120.0


def measure(bench: Bench) -> list[Row]:
    """Return the lines, for each engine."""
    with ExitStack() as stack:
        found = binaries()
        databases = [sqlite(bench.folder, "jobs")]
        databases += [stack.enter_context(Postgres(found, bench.folder))] if found else []
        return [row for each in databases for row in _of(each, bench)]


def _of(database: Database, bench: Bench) -> list[Row]:
    settings = Settings(**{name.lower(): value for name, value in environ(database.url).items()})
    store, begun = open_store(database.url), list[float]()
    floor = _commits(store)
    owe_now(store, [Owed("letter", f"drained.{n}") for n in range(DRAINED)], now(), PATIENCE)
    with _working(store, settings, lambda _job, _at: begun.append(perf_counter())):
        drained = _drained(begun)
        waits = sorted(_alone(store, begun, n) for n in range(ALONE))
    store.close()
    idle = _idle(database, bench)
    name, median, worst = database.name, middle(waits), waits[-1]
    return [
        Row("", f"{name}: jobs/s to single commits/s", f"{drained:.0f} jobs/s, {floor:.0f} commits/s", drained / floor),
        Row("G13", f"{name}: commit to its job, median, to a look", f"{median * 1e3:.0f} ms", median / PULSE, most=2),
        Row("G13", f"{name}: the slowest of {ALONE}, to 5 s", f"{worst * 1e3:.0f} ms", worst / 5, most=1),
        Row("P9", f"{name}: an idle worker, to 0.5 % of a core", f"{idle:.2%}", idle / IDLE, most=1),
    ]


def _commits(store: Store) -> float:
    began = perf_counter()
    for n in range(COMMITS):
        owe_now(store, [Owed("floor", f"floor.{n}")], now(), PATIENCE)
    rate = COMMITS / (perf_counter() - began)
    store.write(lambda conn: conn.execute("DELETE FROM outbox"), PATIENCE)
    return rate


@contextmanager
def _working(store: Store, settings: Settings, handler: Callable[[Job, datetime], None]) -> Iterator[None]:
    stop = Event()
    thread = Thread(target=Worker(store, {"letter": handler}, ()).run, args=(settings, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _drained(begun: list[float]) -> float:
    _until(lambda: len(begun) >= DRAINED)
    return (DRAINED - 1) / (begun[-1] - begun[0])


def _alone(store: Store, begun: list[float], n: int) -> float:
    """Return how long after its commit one job begins, with nothing else to do."""
    before = len(begun)
    owe_now(store, [Owed("letter", f"alone.{n}")], now(), PATIENCE)
    committed = perf_counter()
    _until(lambda: len(begun) > before)
    return begun[-1] - committed


def _until(reached: Callable[[], bool]) -> None:
    deadline = perf_counter() + PATIENCE
    while not reached():
        if perf_counter() > deadline:
            raise RuntimeError("the worker does not get on")
        sleep(0.002)


def _idle(database: Database, bench: Bench) -> float:
    """Return the share of a core that `ivr worker` uses while there is nothing to do."""
    log = bench.log(f"worker {database.name}").open("wb")
    process = subprocess.Popen(
        [sys.executable, str(IVR), "worker"], cwd=ROOT, env=environ(database.url), stdout=log, stderr=log
    )
    try:
        sleep(READY)
        before = cpu_seconds(process.pid)
        sleep(WATCHED)
        return (cpu_seconds(process.pid) - before) / WATCHED
    finally:
        process.terminate()
        process.wait(30)
        log.close()
