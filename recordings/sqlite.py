"""The store on SQLite: a reader for every thread, and one writer for all."""

import os
import sqlite3
import threading
import weakref
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import TypeVar, cast

from recordings.sqlite_file import BUSY, HARMLESS, Opened, code_of, is_trouble, unavailable
from recordings.sqlite_writer import Writer
from recordings.store import Connection, Job, StoreUnavailable, Work
from recordings.tables import from_micros, to_micros

T = TypeVar("T")
LOOK_EVERY = 1.0  # seconds between two looks at whether a reader still has the right file open
CLOSE_WAIT = 5.0


class _Reader(threading.local):
    opened: Opened | None = None
    looked: float = 0.0


class SqliteStore:
    """One file, in WAL mode with synchronous=FULL. After a fork the child opens everything anew."""

    dialect = "sqlite"

    def __init__(self, path: str) -> None:
        self.path = str(Path(path).absolute())
        self._start()
        _stores.add(self)

    def _start(self) -> None:
        self._starting = threading.Lock()
        self._reader = _Reader()
        self._writer: Writer | None = None

    def sql(self, text: str) -> str:
        """Return the statement as it is."""
        return text

    def instant(self, at: datetime) -> int:
        """Return an instant as microseconds."""
        return to_micros(at)

    def moment(self, stored: int) -> datetime:
        """Return the instant of so many microseconds."""
        return from_micros(stored)

    def read(self, work: Work[T], timeout: float) -> T:
        """Run work on this thread's own connection. In WAL mode no writer stands in its way."""
        deadline = monotonic() + timeout
        while True:
            try:
                return work(self._conn())
            except (sqlite3.Error, OSError) as error:
                if not is_trouble(error) and not isinstance(error, OSError):
                    raise
                if code_of(error) not in HARMLESS:
                    self._reader.opened = None
                if code_of(error) not in BUSY or monotonic() >= deadline:
                    raise unavailable(error) from error

    def _conn(self) -> Connection:
        reader = self._reader
        now = monotonic()
        if reader.opened is not None and now - reader.looked > LOOK_EVERY:
            reader.looked = now
            if reader.opened.moved():
                reader.opened = None
        if reader.opened is None:
            reader.opened = Opened(self.path, "query_only=ON")
            reader.looked = now
        return cast("Connection", reader.opened.conn)

    def write(self, work: Work[T], timeout: float) -> T:
        """Run work in the writer's next transaction. It must only use the connection, for it may be run twice."""
        writer = self._writer or self._start_writer()
        job = Job(work, monotonic() + timeout)
        writer.add(job)
        if not job.wait():
            raise StoreUnavailable(f"nothing was written in {timeout:.1f} s: {writer.waits_for}")
        return job.outcome()

    def write_one(self, work: Work[T], timeout: float) -> T:
        """Run work that may be a single statement; here every write is a transaction."""
        return self.write(work, timeout)

    def _start_writer(self) -> Writer:
        with self._starting:
            if self._writer is None:
                self._writer = Writer(self.path)
            return self._writer

    def close(self) -> None:
        """Commit what is queued, and close every connection."""
        writer, self._writer = self._writer, None
        self._reader = _Reader()
        if writer:
            writer.close(CLOSE_WAIT)


_stores: weakref.WeakSet[SqliteStore] = weakref.WeakSet()
_left_by_the_parent: list[object] = []


def _after_fork() -> None:
    """Start anew. What the parent had open is kept and never touched: SQLite forbids even to close it here."""
    for store in _stores:
        _left_by_the_parent.append((store._reader, store._writer))  # noqa: SLF001
        store._start()  # noqa: SLF001


os.register_at_fork(after_in_child=_after_fork)
