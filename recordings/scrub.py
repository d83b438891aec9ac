"""The SQLite file after an erasure: emptied of its log, and written anew if what was erased still shows in it."""

import fcntl
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep

from recordings.sqlite_file import Opened, unavailable

PATIENCE = 10.0  # seconds that readers have to let go of the log
BETWEEN = 0.1
PIECE = 1024 * 1024
FILES = ("", "-wal")


def scrub(database: str, needles: Iterable[bytes]) -> bool:
    """Empty the log, and write the file anew if one of the needles is still in it; False if one stays all the same.

    Writers wait while the file is written. Raises StoreUnavailable.
    """
    path, sought = str(Path(database).absolute()), tuple(needles)
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        opened = Opened(path)  # which closes its connection when it goes
        with closing(opened.conn) as conn:
            _empty_log(conn)
            if shows(path, sought):
                conn.execute("VACUUM")
                _empty_log(conn)
    except (sqlite3.Error, OSError) as error:
        raise unavailable(error) from error
    finally:
        os.close(lock)
    return not shows(path, sought)


def _empty_log(conn: sqlite3.Connection) -> None:
    """Move the log into the file and truncate it, once no reader needs it any more."""
    deadline = monotonic() + PATIENCE
    while conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] and monotonic() < deadline:
        sleep(BETWEEN)


def shows(path: str, needles: Iterable[bytes]) -> bool:
    """Whether a database file or its log holds one of the needles."""
    return any(_is_in(Path(f"{path}{part}"), needle) for needle in needles for part in FILES)


def _is_in(path: Path, needle: bytes) -> bool:
    if not path.exists():
        return False
    with path.open("rb") as source:
        last = b""
        while piece := source.read(PIECE):
            if needle in last + piece:
                return True
            last = piece[-len(needle) :]
    return False
