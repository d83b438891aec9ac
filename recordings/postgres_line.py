"""One connection to Postgres, opened when it is first needed and anew when it is no longer good."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar, cast

import psycopg

from recordings.store import Conflict, Connection, Interrupted, Job, StoreUnavailable, Work

T = TypeVar("T")
SESSION = "SET TIME ZONE 'UTC'; SET statement_timeout = '10s'; SET synchronous_commit = on"
AGAIN = ("40001", "40P01")  # serialization failure and deadlock: nothing has happened, try again
NOT_THERE = ("42P01", "42703")  # undefined table or column


class Losses:
    """How many connections a store has lost. When a server goes, all connections die, and most do not know it yet."""

    def __init__(self) -> None:
        self.count = 0


class Line:
    """A connection that is made anew after every loss of any connection of its store."""

    def __init__(self, conninfo: Mapping[str, Any], losses: Losses) -> None:
        self._conninfo = conninfo
        self._losses = losses
        self._seen = 0
        self._conn: psycopg.Connection[Any] | None = None

    def settle(self, job: Job[Any]) -> None:
        """Do a job, and hand its outcome to its waiter, whatever it is."""
        try:
            value = self._run(job.work)
        except Interrupted as error:
            self._losses.count += 1
            job.fail(error)
        except psycopg.Error as error:
            hint = ": run ivr db upgrade" if error.sqlstate in NOT_THERE else ""
            job.fail(StoreUnavailable(_first_line(error) + hint))
        except Exception as error:  # noqa: BLE001 - the work's own; its waiter gets it
            job.fail(error)
        else:
            job.resolve(value)

    def _run(self, work: Work[T]) -> T:
        """Raise psycopg.Error if nothing was done, Interrupted if nobody knows, Conflict for a broken constraint."""
        conn = self._open()
        try:
            return work(cast("Connection", conn))
        except psycopg.IntegrityError as error:
            raise Conflict(_first_line(error)) from error
        except psycopg.Error as error:
            if conn.closed or error.sqlstate in AGAIN:
                raise Interrupted(_first_line(error)) from error
            raise

    def _open(self) -> psycopg.Connection[Any]:
        if self._conn is None or self._conn.closed or self._seen != self._losses.count:
            self.close()
            self._seen = self._losses.count
            self._conn = psycopg.connect(**self._conninfo, autocommit=True)
            self._conn.execute(SESSION)
        return self._conn

    def close(self) -> None:
        """Close the connection."""
        if self._conn is not None:
            with suppress(psycopg.Error):
                self._conn.close()
        self._conn = None


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
