"""The store on Postgres: a few threads with a connection each, so that whoever waits can stop waiting."""

import os
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, TypeVar, cast

import psycopg
from sqlalchemy.engine import URL

from recordings.store import Conflict, Connection, Interrupted, Job, StoreUnavailable, Work

T = TypeVar("T")
SIZE = 8  # connections a process holds at most
# A server that hangs acknowledges packets all the same, so none of these bounds a wait: a job's deadline does that.
# They see to it that a thread comes back when the server's machine or the way to it is gone.
NETWORK: dict[str, Any] = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
SESSION = "SET TIME ZONE 'UTC'; SET statement_timeout = '10s'; SET synchronous_commit = on"
AGAIN = ("40001", "40P01")  # serialization failure and deadlock: nothing has happened, try again
NOT_THERE = ("42P01", "42703")  # undefined table or column


class _Line:
    """One connection, opened when it is first needed and again when it is no longer good."""

    def __init__(self, conninfo: Mapping[str, Any]) -> None:
        self._conninfo = conninfo
        self._conn: psycopg.Connection[Any] | None = None
        self._losses = 0

    def run(self, work: Work[T], losses: int) -> T:
        """Run work. `losses` counts the connections that the store has lost; one from before the last is not trusted.

        Raises psycopg.Error if nothing was done, Interrupted if that is not known, Conflict for a broken constraint.
        """
        if self._conn is None or self._conn.closed or self._losses != losses:
            self.close()
            self._losses = losses
            self._conn = psycopg.connect(**self._conninfo, autocommit=True)
            self._conn.execute(SESSION)
        try:
            return work(cast("Connection", self._conn))
        except psycopg.IntegrityError as error:
            raise Conflict(_first_line(error)) from error
        except psycopg.Error as error:
            if self._conn.closed or error.sqlstate in AGAIN:
                raise Interrupted(_first_line(error)) from error
            raise

    def close(self) -> None:
        """Close the connection."""
        if self._conn is not None:
            with suppress(psycopg.Error):
                self._conn.close()
        self._conn = None


class PostgresStore:
    """A Postgres database. Its threads are daemons: one that waits for a hung server keeps no process alive."""

    dialect = "postgresql"

    def __init__(self, url: URL, size: int = SIZE) -> None:
        parts = url.translate_connect_args(username="user", database="dbname")
        self._conninfo: dict[str, Any] = {"application_name": "partnerline", **NETWORK, **parts, **url.query}
        self._size = size
        self._start()
        _stores.add(self)

    def _start(self) -> None:
        self._growing = threading.Lock()
        self._queue: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._idle: list[None] = []  # one entry for each thread that waits for work; append and pop are atomic
        self._running: dict[int, Job[Any] | None] = {}  # by thread
        self._losses = 0

    def sql(self, text: str) -> str:
        """Return the statement with the driver's own marks for parameters."""
        return text.replace("?", "%s")

    def instant(self, at: datetime) -> datetime:
        """Return an instant as it is. Raises ValueError if it says nothing of its zone."""
        if at.tzinfo is None:
            raise ValueError(f"{at} has no time zone")
        return at

    def moment(self, stored: datetime) -> datetime:
        """Return the instant in UTC."""
        return stored.astimezone(UTC)

    def read(self, work: Work[T], timeout: float) -> T:
        """Run work that only reads; once more if its connection turns out to be dead."""
        deadline = monotonic() + timeout
        try:
            return self._do(work, deadline)
        except Interrupted:
            return self._do(work, deadline)

    def write_one(self, work: Work[T], timeout: float) -> T:
        """Run work that is a single statement, which commits by itself."""
        return self._do(work, monotonic() + timeout)

    def write(self, work: Work[T], timeout: float) -> T:
        """Run work in one transaction."""

        def whole(conn: Connection) -> T:
            with cast("psycopg.Connection[Any]", conn).transaction():
                return work(conn)

        return self._do(whole, monotonic() + timeout)

    def _do(self, work: Work[T], deadline: float) -> T:
        job = Job(work, deadline)
        try:
            self._idle.pop()
        except IndexError:
            self._grow()
        self._queue.put(job)
        if not job.wait():
            raise StoreUnavailable("the database did not answer in time")
        return job.outcome()

    def _grow(self) -> None:
        """Start another thread, if there may be one. With all of them stuck, fail at once and not after the timeout."""
        with self._growing:
            if len(self._running) < self._size:
                number = len(self._running)
                self._running[number] = None
                threading.Thread(target=self._serve, args=(number,), name=f"store-{number}", daemon=True).start()
                return
        if all(job is not None and job.expired() for job in list(self._running.values())):
            raise StoreUnavailable(f"all {self._size} connections still wait for an answer from the database")

    def _serve(self, number: int) -> None:
        queue, line = self._queue, _Line(self._conninfo)
        while (job := self._next(queue)) is not None:
            if not job.expired():
                self._running[number] = job
                self._settle(line, job)
                self._running[number] = None
            del job
        line.close()
        queue.put(None)

    def _next(self, queue: "SimpleQueue[Job[Any] | None]") -> Job[Any] | None:
        try:
            return queue.get_nowait()
        except Empty:
            self._idle.append(None)
            return queue.get()

    def _settle(self, line: _Line, job: Job[Any]) -> None:
        try:
            value = line.run(job.work, self._losses)
        except Interrupted as error:
            self._losses += 1
            job.fail(error)
        except psycopg.Error as error:
            hint = ": run ivr db upgrade" if error.sqlstate in NOT_THERE else ""
            job.fail(StoreUnavailable(_first_line(error) + hint))
        except Exception as error:  # noqa: BLE001 - the work's own; its waiter gets it
            job.fail(error)
        else:
            job.resolve(value)

    def close(self) -> None:
        """Let every thread finish what it does and end. Does not wait for them."""
        queue = self._queue
        self._start()
        queue.put(None)


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


_stores: weakref.WeakSet[PostgresStore] = weakref.WeakSet()
_left_by_the_parent: list[object] = []


def _after_fork() -> None:
    """Start anew. The parent's threads are not here, and its connections, which are, must not be closed from here."""
    for store in _stores:
        _left_by_the_parent.append((store._queue, store._running))  # noqa: SLF001
        store._start()  # noqa: SLF001


os.register_at_fork(after_in_child=_after_fork)
