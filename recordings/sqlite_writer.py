"""The writer: one thread that commits for all threads of its process, and takes turns with other processes."""

import fcntl
import os
import sqlite3
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, cast

from recordings.failpoint import reach
from recordings.sqlite_file import BUSY, HARMLESS, Opened, code_of, is_trouble, unavailable
from recordings.store import Conflict, Connection, Job, StoreUnavailable

MOST_AT_ONCE = 64  # jobs that share one commit, and so one fsync
GONE = "the database file was deleted or replaced"


class Writer:
    """Takes jobs from a queue, runs all that wait in one transaction, and tells their waiters once it is durable.

    Between processes the writers queue at an advisory lock beside the database: the kernel wakes one after another,
    while SQLite alone would have them poll. The thread may be held up there for as long as another process takes.
    Nobody waits for the thread, only for jobs, and those that have expired meanwhile are dropped before they begin.
    """

    def __init__(self, path: str) -> None:
        self.waits_for = "another process is writing"
        self._path = path
        self._queue: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._opened: Opened | None = None
        self._lock = -1
        self._thread = Thread(target=self._serve, name="store-writer", daemon=True)
        self._thread.start()

    def add(self, job: Job[Any]) -> None:
        """Queue a job."""
        self._queue.put(job)

    def close(self, timeout: float) -> None:
        """Finish what is queued and stop, or leave it after `timeout` seconds."""
        self._queue.put(None)
        self._thread.join(timeout)

    def _serve(self) -> None:
        while (job := self._queue.get()) is not None:
            self._settle([job])
            del job  # not to keep a call's rows until the next one comes
        self._drop()
        if self._lock >= 0:
            os.close(self._lock)

    def _settle(self, jobs: list[Job[Any]]) -> None:
        """Bring the jobs, and those that queue behind them, to an end: each is resolved, failed or expired."""
        try:
            self._enter()
            try:
                if conn := self._begin(jobs):
                    self._run(conn, jobs)
            finally:
                self._leave()
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it, and the thread go on
            self._give_up(jobs, error)

    def _enter(self) -> None:
        if self._lock < 0:
            self._lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def _leave(self) -> None:
        if self._lock >= 0:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _begin(self, jobs: list[Job[Any]]) -> sqlite3.Connection | None:
        """Open a transaction for the jobs that are still waited for; None when there are none left."""
        while True:
            self._gather(jobs)
            if not jobs:
                return None
            try:
                conn = self._conn()
                conn.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                if code_of(error) not in BUSY:
                    raise
                self.waits_for = str(error)
            else:
                return conn

    def _gather(self, jobs: list[Job[Any]]) -> None:
        while len(jobs) < MOST_AT_ONCE and not self._queue.empty():
            job = self._queue.get()
            if job is None:
                self._queue.put(None)
                break
            jobs.append(job)
        jobs[:] = [job for job in jobs if not job.expired()]

    def _conn(self) -> sqlite3.Connection:
        if self._opened is None:
            self._opened = Opened(self._path, "journal_mode=WAL", "synchronous=FULL", "journal_size_limit=67108864")
        return self._opened.conn

    def _run(self, conn: sqlite3.Connection, jobs: list[Job[Any]]) -> None:
        """Run the jobs together; if one of them fails, undo that, and run each by itself."""
        error = self._attempt(conn, jobs)
        if error is None:
            jobs.clear()
        elif len(jobs) == 1:
            jobs.pop().fail(error)
        while jobs:
            conn.execute("BEGIN IMMEDIATE")
            error = self._attempt(conn, jobs[:1])
            job = jobs.pop(0)
            if error:
                job.fail(error)

    def _attempt(self, conn: sqlite3.Connection, jobs: list[Job[Any]]) -> Exception | None:
        """Do the jobs in the open transaction, commit, resolve them. Returns what their work raised, if it raised."""
        try:
            done = [(job, job.work(cast("Connection", conn))) for job in jobs if not job.expired()]
        except Exception as error:
            if is_trouble(error):
                raise
            conn.execute("ROLLBACK")
            return Conflict(str(error)) if isinstance(error, sqlite3.IntegrityError) else error
        reach("tx.before_commit")
        conn.execute("COMMIT")
        reach("tx.after_commit")
        if self._opened is None or self._opened.moved():
            raise StoreUnavailable(GONE)
        for job, value in done:
            job.resolve(value)
        return None

    def _give_up(self, jobs: list[Job[Any]], error: Exception) -> None:
        """Fail the jobs in hand. The connection goes too, unless it is known to be good: the next job opens another."""
        conn = self._opened.conn if self._opened else None
        if conn is not None and code_of(error) in HARMLESS:
            with suppress(sqlite3.Error):
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
        else:
            self._drop()
        for job in jobs:
            job.fail(error if isinstance(error, StoreUnavailable) else unavailable(error))

    def _drop(self) -> None:
        if self._opened is not None:
            with suppress(sqlite3.Error):
                self._opened.close()
        self._opened = None
