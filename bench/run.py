"""What every part of the benchmark shares: the folder, the client, and running several servers side by side."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bench.contender import Client, Contender
from bench.instructions import Counter, counter
from bench.server import Server, cpu_seconds, free_port

ROUNDS = 7
SECONDS = 1.0  # one contender, one round
WARM_UP = 0.8
COUNTED_CALLS = 1  # whole calls in one count


@dataclass
class Bench:
    """One run of the benchmark."""

    folder: Path
    full: bool
    client: Client = field(default_factory=Client)
    counter: Counter | None = field(default_factory=counter)

    def log(self, name: str) -> Path:
        """Return the file that takes a server's output."""
        return self.folder / f"{name.replace(' ', '-')}.log"


@dataclass
class Pace:
    """How one contender did, round by round: requests a second, and processor seconds a request."""

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)


class Paddock:
    """Contenders that run side by side, each warmed up. A context: all are stopped on the way out."""

    def __init__(self, bench: Bench, contenders: Sequence[Contender]) -> None:
        self._bench = bench
        self._contenders = contenders
        self._stack = ExitStack()
        self.servers: dict[str, Server] = {}

    def __enter__(self) -> Self:
        """Start them and warm them up, so that threads, caches and connections are there."""
        for each in self._contenders:
            server = each.start(free_port(), self._bench.log(each.name))
            self.servers[each.name] = self._stack.enter_context(server)
        for each in self._contenders:
            self._bench.client.run(each, self.servers[each.name].port, seconds=WARM_UP)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop them."""
        self._stack.close()

    def race(self, rounds: int = ROUNDS, seconds: float = SECONDS, clients: int = 8) -> dict[str, Pace]:
        """Let each in turn serve as many requests as it can, again and again."""
        paces = {each.name: Pace() for each in self._contenders}
        for _ in range(rounds):
            for each in self._contenders:
                server = self.servers[each.name]
                workers = server.workers()
                before = sum(map(cpu_seconds, workers))
                done = self._bench.client.run(each, server.port, seconds=seconds, clients=clients)
                paces[each.name].rates.append(len(done.latencies) / done.seconds)
                paces[each.name].costs.append((sum(map(cpu_seconds, workers)) - before) / len(done.latencies))
        return paces


def count_all(bench: Bench, contenders: Sequence[Contender]) -> dict[str, list[float]]:
    """Return instructions a request of each, two contenders at a time; empty if this machine cannot count."""
    if bench.counter is None:
        return {}
    with ThreadPoolExecutor(2) as pool:
        counts = pool.map(lambda each: count(bench, each), contenders)
        return {each.name: found for each, found in zip(contenders, counts, strict=True)}


def count(bench: Bench, contender: Contender) -> list[float]:
    """Return instructions a request, over whole calls, seven times. One caller at a time: no two share a commit."""
    counter, client = bench.counter, Client()
    if counter is None:
        return []
    port, found = free_port(), []
    with contender.start(port, bench.log(f"{contender.name} counted"), counter.prefix(bench.folder)) as server:
        [worker] = server.workers()[:1]
        client.run(contender, port, calls=2, clients=1)
        for _ in range(ROUNDS + 1):
            counter.begin(worker)
            done = client.run(contender, port, calls=COUNTED_CALLS, clients=1)
            found.append(counter.end(worker) / len(done.latencies))
    client.close()
    return found[1:]
