"""The load client, a process of its own: `python -m bench.load` takes one order a line and answers it with one line.

An order names a server, a script and either how many callers talk at once (closed loop) or how many webhooks a second
are sent, come what may (open loop, latency counted from the instant at which a request was due).
"""

import json
import random
import select
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter

from bench.caller import Script, Talk, talk

LIVE = 100  # calls under way at once in an open loop: ten new ones a second of ten webhooks, one a second
STALL = 20.0  # seconds without any reply that end a run

Next = tuple[Talk, bytes]  # a call and its next request


@dataclass
class Order:
    """What to do: for so many seconds, or, if `calls` is given, until so many calls are over."""

    host: str
    port: int
    script: Script
    callers: list[str]
    seconds: float = 0.0
    calls: int = 0
    clients: int = 8
    rate: float = 0.0
    salt: str = "0"


@dataclass
class Done:
    """What came of it. Latencies in seconds; a call that failed is over too."""

    seconds: float = 0.0
    calls: int = 0
    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass
class Line:
    """One connection, the call that uses it now, and how much of the reply has come in."""

    host: str
    port: int
    talk: Talk | None = None
    since: float = 0.0
    buffer: bytes = b""
    sock: socket.socket | None = None

    def fileno(self) -> int:
        """Return what select waits for."""
        return self.sock.fileno() if self.sock else -1

    def send(self, data: bytes, since: float) -> None:
        """Send a request; a connection that the server has closed meanwhile is opened anew."""
        self.buffer, self.since = b"", since
        if self.sock and select.select([self.sock], [], [], 0)[0]:
            self.close()
        if not self.sock:
            self.sock = socket.create_connection((self.host, self.port), 10)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(data)

    def receive(self) -> tuple[int, bytes] | None:
        """Return status and body once the reply is complete. Raises ConnectionError when it is cut off."""
        part = self.sock.recv(262144) if self.sock else b""
        if not part:
            self.close()
            raise ConnectionError("cut off")
        self.buffer += part
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return None
        low = head.lower()
        at = low.find(b"content-length:")
        if at < 0 and b" 204 " not in head[:16]:
            raise ConnectionError("no length")
        length = int(low[at + 15 :].partition(b"\r\n")[0]) if at >= 0 else 0
        if len(body) < length:
            return None
        if b"connection: close" in low:
            self.close()
        return int(head[9:12]), body

    def close(self) -> None:
        """Let go of the connection."""
        if self.sock:
            self.sock.close()
        self.sock = None


def new_talks(order: Order) -> Iterator[Talk]:
    """Yield fresh calls, each with a CallSid that no other run has and the next of the callers."""
    for number in count():
        sid = "CA" + random.Random(f"{order.salt}.{number}").randbytes(16).hex()
        yield talk(order.script, sid, order.callers[number % len(order.callers)])


def advance(line: Line, done: Done) -> bytes | None:
    """Take what has come in on a line; return the call's next request, b"" at its end, None while a reply is due."""
    try:
        reply = line.receive()
        if reply is None:
            return None
        done.latencies.append(perf_counter() - line.since)
        return _next(line, *reply)
    except StopIteration:
        return b""
    except (OSError, ValueError) as error:
        done.failures.append(str(error))
        line.close()
        return b""


def _next(line: Line, status: int, body: bytes) -> bytes:
    if status not in (200, 204):
        raise ValueError(f"status {status}: {body[:80]!r}")
    return line.talk.send(body) if line.talk else b""


def closed(order: Order) -> Done:
    """Keep every client busy: a request goes out as soon as the reply before it is in."""
    done, talks = Done(), new_talks(order)
    lines = [Line(order.host, order.port) for _ in range(order.clients)]
    start = perf_counter()
    for line in lines:
        line.talk, data = _fresh(talks)
        line.send(data, perf_counter())
    while not _over(order, done, start):
        for line in select.select(lines, [], [], STALL)[0] or _stalled(done):
            data = advance(line, done)
            if data == b"":
                done.calls += 1
                line.talk, data = _fresh(talks)
            if data:
                line.send(data, perf_counter())
    done.seconds = perf_counter() - start
    for line in lines:
        line.close()
    return done


def _over(order: Order, done: Done, start: float) -> bool:
    if order.calls:
        return done.calls >= order.calls
    return perf_counter() - start >= order.seconds


def _stalled(done: Done) -> list[Line]:
    raise TimeoutError(f"no reply in {STALL} s after {len(done.latencies)} replies")


def opened(order: Order) -> Done:
    """Send webhooks at random instants (Poisson), whether or not earlier ones have been answered."""
    done, talks, chance = Done(), new_talks(order), random.Random(order.salt)
    ready: list[Next] = [(one, next(one)) for one, _ in zip(talks, range(LIVE), strict=False)]
    busy: list[Line] = []
    idle: list[Line] = []
    start = due = perf_counter()
    until = start + order.seconds
    while busy or due < until:
        wait = max(0.0, due - perf_counter()) if due < until else STALL
        for line in select.select(busy, [], [], wait)[0] or (_stalled(done) if wait == STALL else ()):
            if _answered(line, done, ready, talks):
                busy.remove(line)
                idle.append(line)
        while due <= perf_counter() and due < until:
            line = idle.pop() if idle else Line(order.host, order.port)
            line.talk, data = _drawn(ready, chance) if ready else _fresh(talks)
            busy.append(line)
            line.send(data, due)
            due += chance.expovariate(order.rate)
    done.seconds = perf_counter() - start
    return done


def _answered(line: Line, done: Done, ready: list[Next], talks: Iterator[Talk]) -> bool:
    """Put the call on a line back among those that wait for their next webhook; False while its reply is due."""
    data = advance(line, done)
    if data is not None:
        ready.append((line.talk, data) if data and line.talk else _fresh(talks))
    return data is not None


def _fresh(talks: Iterator[Talk]) -> Next:
    talk = next(talks)
    return talk, next(talk)


def _drawn(ready: list[Next], chance: random.Random) -> Next:
    pick = chance.randrange(len(ready))
    ready[pick], ready[-1] = ready[-1], ready[pick]
    return ready.pop()


def main() -> None:
    """Answer orders until the input ends."""
    for text in sys.stdin:
        asked = json.loads(text)
        order = Order(**{**asked, "script": Script(**asked["script"])})
        try:
            done = opened(order) if order.rate else closed(order)
        except (OSError, TimeoutError) as error:
            done = Done(failures=[f"{type(error).__name__}: {error}"])
        print(json.dumps(vars(done)), flush=True)


if __name__ == "__main__":
    main()
