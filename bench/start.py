"""P9: from the start to the first answered webhook, the memory of a web worker, and what an idle one costs."""

from time import perf_counter, sleep

from bench.contender import Contender
from bench.run import ROUNDS, Bench
from bench.server import cpu_seconds, free_port, pss
from bench.service import ours, sqlite
from bench.table import Row, middle

START, MEMORY, IDLE = 2.0, 80.0, 0.005  # seconds, MB, share of one core: the goals
WATCHED = 6.0  # seconds
USED = 3.0  # seconds of load before memory is read


def measure(bench: Bench) -> list[Row]:
    """Return the lines."""
    service = ours(sqlite(bench.folder, "start"))
    starts = [_start(bench, service) for _ in range(ROUNDS)]
    memory, idle = _used(bench, service)
    started = middle(starts)
    return [
        Row("P9", "start to first answered webhook: to 2 s", f"{started:.2f} s", started / START, most=1),
        Row("P9", "a web worker that has served: to 80 MB", f"{memory:.0f} MB PSS", memory / MEMORY, most=1),
        Row("P9", "an idle web worker: to 0.5 % of a core", f"{idle:.2%}", idle / IDLE, most=1),
    ]


def _start(bench: Bench, service: Contender) -> float:
    port = free_port()
    with service.start(port, bench.log("start")) as server:
        bench.client.run(service, port, calls=1, clients=1)
        return perf_counter() - server.started


def _used(bench: Bench, service: Contender) -> tuple[float, float]:
    """Return the memory of a worker after load, in MB, and its share of a core when nobody calls."""
    port = free_port()
    with service.start(port, bench.log("idle")) as server:
        bench.client.run(service, port, seconds=USED)
        worker = server.workers()[0]
        memory, before = pss(worker), cpu_seconds(worker)
        sleep(WATCHED)
        return memory, (cpu_seconds(worker) - before) / WATCHED
