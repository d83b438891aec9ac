"""The store on Postgres."""

import os
import weakref
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy.engine import URL

from recordings.postgres_line import Line, Losses
from recordings.postgres_threads import Threads
from recordings.store import Connection, Interrupted, Job, StoreUnavailable, Work

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")
SIZE = 8  # connections that a process holds at most
# A server that hangs acknowledges packets all the same, so none of these bounds a wait: a job's deadline does that.
# They see to it that a thread comes back when the server's machine or the way to it is gone.
NETWORK: dict[str, Any] = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


class PostgresStore:
    """A Postgres database, at which a process has a few connections. After a fork the child opens its own."""

    dialect = "postgresql"

    def __init__(self, url: URL, size: int = SIZE) -> None:
        parts = url.translate_connect_args(username="user", database="dbname")
        self._conninfo: dict[str, Any] = {"application_name": "partnerline", **NETWORK, **parts, **url.query}
        self._size = size
        self._start()
        _stores.add(self)

    def _start(self) -> None:
        losses = Losses()
        self._threads = Threads(self._size, lambda: Line(self._conninfo, losses))

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
        self._threads.add(job)
        if not job.wait():
            raise StoreUnavailable("the database did not answer in time")
        return job.outcome()

    def close(self) -> None:
        """Close the connections as they become idle."""
        threads = self._threads
        self._start()
        threads.close()


_stores: weakref.WeakSet[PostgresStore] = weakref.WeakSet()
_left_by_the_parent: list[Threads] = []


def _after_fork() -> None:
    """Start anew. The parent's threads are not here, and its connections must not be touched from here."""
    for store in _stores:
        _left_by_the_parent.append(store._threads)  # noqa: SLF001
        store._start()  # noqa: SLF001


os.register_at_fork(after_in_child=_after_fork)
