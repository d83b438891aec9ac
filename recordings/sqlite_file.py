"""One SQLite file: opening it, knowing it again, and what its errors mean."""

import errno
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from recordings.store import StoreUnavailable

BUSY_WAIT = 0.25  # seconds that SQLite itself waits for a lock, before we look who still waits for us
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
HARMLESS = (*BUSY, sqlite3.SQLITE_FULL)  # what a connection can meet and still be good
PRAGMAS = ("temp_store=MEMORY", "cache_size=-8000")


def code_of(error: BaseException) -> int:
    """Return SQLite's primary result code; 0 for whatever is not an error of the engine."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def is_trouble(error: BaseException) -> bool:
    """Whether an error tells of the state of the engine, and not of the work that met it."""
    return code_of(error) not in (0, sqlite3.SQLITE_CONSTRAINT)


def unavailable(error: BaseException) -> StoreUnavailable:
    """Return the exception for those who wait."""
    if isinstance(error, FileNotFoundError):
        return StoreUnavailable(f"there is no file {error.filename}: run ivr db upgrade")
    hint = ": run ivr db upgrade" if "no such table" in str(error) else ""
    return StoreUnavailable(f"{error}{hint}")


class Opened:
    """A connection, and which file it has open. Raises sqlite3.Error or OSError when that cannot be."""

    def __init__(self, path: str, *pragmas: str) -> None:
        self.path = path
        self.identity = self._look()
        _refuse_if_read_only(path)
        # mode=rw: a file that is gone is not made anew, for an empty one in its place would swallow calls.
        uri = f"file:{quote(path)}?mode=rw"
        self.conn = sqlite3.connect(uri, BUSY_WAIT, isolation_level=None, check_same_thread=False, uri=True)
        for pragma in (*PRAGMAS, *pragmas):
            self.conn.execute(f"PRAGMA {pragma}").close()

    def _look(self) -> tuple[int, int]:
        found = os.stat(self.path)  # noqa: PTH116 - pathlib costs twice as much, and every commit looks
        return found.st_dev, found.st_ino

    def moved(self) -> bool:
        """Whether the name now stands for another file or for none, so that what is written here would be lost."""
        try:
            return self._look() != self.identity
        except OSError:
            return True

    def close(self) -> None:
        """Close the connection, if it is open."""
        conn: sqlite3.Connection | None = self.__dict__.get("conn")
        if conn is not None:
            conn.close()

    __del__ = close  # a thread that ends takes its reader with it


def _refuse_if_read_only(path: str) -> None:
    """Raise OSError for a file that may only be read and that nobody has open.

    SQLite would make its auxiliary files with the same permissions, and they would stay read-only when the file is not
    so any more.
    """
    if not os.access(path, os.W_OK, effective_ids=True) and not Path(f"{path}-shm").exists():
        raise OSError(errno.EROFS, "attempt to write a readonly database", path)
