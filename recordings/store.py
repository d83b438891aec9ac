"""The store: the one place where anything durable is written, and never waited for longer than a deadline."""

from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")
Row = tuple[Any, ...]


class StoreUnavailable(Exception):  # noqa: N818 - a state of affairs, and named so wherever it is dealt with
    """The store did not answer in time, or cannot. The message says why."""


class Interrupted(StoreUnavailable):
    """The connection broke in the middle: what was asked for may have happened or not. Read before trying again."""


class Conflict(Exception):  # noqa: N818 - not a fault: somebody else was first
    """What is stored is no longer what the work was based on. Raised by work, it takes back all that the work did."""


class Cursor(Protocol):
    """The outcome of one statement."""

    @property
    def rowcount(self) -> int:
        """Return how many rows were written."""

    def fetchone(self) -> Row | None:
        """Return the next row."""

    def fetchall(self) -> list[Row]:
        """Return every row that is left."""

    def executemany(self, sql: str, rows: Sequence[Sequence[object]], /) -> object:
        """Execute a statement once for each row of parameters."""


class Connection(Protocol):
    """As much of a driver's connection as the statements of this package need."""

    def execute(self, sql: str, params: Sequence[object] = ..., /) -> Cursor:
        """Execute one statement."""

    def cursor(self) -> Cursor:
        """Return a cursor, for executemany."""


Work = Callable[[Connection], T]


class Store(Protocol):
    """A database behind deadlines. Every method raises StoreUnavailable when the work cannot be done in time or at all.

    A write that was given up before it began is never done later. One that was given up while it was being committed
    may be found done.
    """

    @property
    def dialect(self) -> str:
        """Return "sqlite" or "postgresql"."""

    def read(self, work: Work[T], timeout: float) -> T:
        """Run work that only reads; `timeout` in seconds."""

    def write(self, work: Work[T], timeout: float) -> T:
        """Run work in one transaction and return once it is durable. An exception of the work undoes all of it."""

    def write_one(self, work: Work[T], timeout: float) -> T:
        """Do the same for work that is a single statement on Postgres, where that is a transaction by itself."""

    def sql(self, text: str) -> str:
        """Return a statement, written with a question mark for each parameter, as this engine's driver wants it."""

    def instant(self, at: datetime) -> object:
        """Return an aware instant as this engine stores it."""

    def moment(self, stored: Any) -> datetime:  # noqa: ANN401 - whatever the driver returns for an instant
        """Return a stored instant in UTC."""

    def close(self) -> None:
        """Let go of every connection and thread of this process."""


class Job(Generic[T]):
    """Work that one thread does and another waits for, up to the deadline (monotonic seconds) and no longer."""

    __slots__ = ("_done", "_error", "_value", "deadline", "work")

    def __init__(self, work: Work[T], deadline: float) -> None:
        self.work = work
        self.deadline = deadline
        self._error: BaseException | None = None
        self._done = Lock()  # the lightest thing that can be waited for: held until the job is done
        self._done.acquire()

    def expired(self) -> bool:
        """Whether its waiter has gone. Whoever is about to begin the work must look first."""
        return monotonic() >= self.deadline

    def resolve(self, value: T) -> None:
        """Hand over the outcome."""
        self._value = value
        self._done.release()

    def fail(self, error: BaseException) -> None:
        """Hand over the reason why there is no outcome."""
        self._error = error
        self._done.release()

    def wait(self) -> bool:
        """Wait for the job to be done, and return whether it was done in time."""
        return self._done.acquire(timeout=max(0.0, self.deadline - monotonic()))

    def outcome(self) -> T:
        """Return the work's value, or raise what it raised. Only for a job that is done."""
        if self._error is not None:
            raise self._error
        return self._value
