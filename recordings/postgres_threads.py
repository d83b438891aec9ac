"""A few threads that wait for Postgres, so that nobody else has to wait longer than a deadline."""

from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from recordings.postgres_line import Line
from recordings.store import Job, StoreUnavailable

Box = SimpleQueue[Job[Any] | None]


class Threads:
    """At most `size` threads, each with a line of its own, started when there is work and nobody is idle.

    They are daemons: one that waits for a hung server keeps no process alive.
    """

    def __init__(self, size: int, new_line: Callable[[], Line]) -> None:
        self._size = size
        self._new_line = new_line
        self._lock = Lock()
        self._idle: list[Box] = []
        self._backlog: deque[Job[Any]] = deque()
        self._running: dict[Box, Job[Any] | None] = {}
        self._closed = False

    def add(self, job: Job[Any]) -> None:
        """Hand a job to a thread. Raises StoreUnavailable at once if every thread is stuck with one nobody awaits."""
        with self._lock:
            if self._idle:
                self._idle.pop().put(job)
            elif len(self._running) < self._size:
                box: Box = SimpleQueue()
                self._running[box] = job
                box.put(job)
                Thread(target=self._serve, args=(box,), name=f"store-{len(self._running)}", daemon=True).start()
            elif all(running is not None and running.expired() for running in self._running.values()):
                raise StoreUnavailable(f"all {self._size} connections still wait for an answer from the database")
            else:
                self._backlog.append(job)

    def close(self) -> None:
        """Let every thread finish what it does and end. Does not wait for them."""
        with self._lock:
            self._closed = True
            for box in self._idle:
                box.put(None)

    def _serve(self, box: Box) -> None:
        line = self._new_line()
        while (job := box.get()) is not None:
            if not job.expired():
                self._running[box] = job
                line.settle(job)
            del job
            self._next(box)
        line.close()

    def _next(self, box: Box) -> None:
        """Put the next job into a thread's box, or list the thread as idle."""
        with self._lock:
            self._running[box] = None
            if self._backlog:
                box.put(self._backlog.popleft())
            elif self._closed:
                box.put(None)
            else:
                self._idle.append(box)
