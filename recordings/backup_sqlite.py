"""A consistent copy of a SQLite file, made while others write to it."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from recordings.backup_file import DATABASE, PIECE, RECORDINGS, Content, Pieces
from recordings.sqlite_file import Opened, unavailable
from recordings.store import Row, StoreUnavailable

TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
KEPT = (
    "SELECT json_object('sid', sid, 'name', name, 'sha256', sha256) FROM recordings WHERE name IS NOT NULL ORDER BY sid"
)


class Snapshot:
    """A copy of the database as of one moment, in a file of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def schema(self) -> str:
        """Return the revision of its schema."""
        return str(self._ask("SELECT version_num FROM alembic_version")[0][0])

    def rows(self) -> dict[str, int]:
        """Return how many rows each table has."""
        names = [name for (name,) in self._ask(TABLES)]
        return {name: self._ask(f'SELECT count(*) FROM "{name}"')[0][0] for name in names}  # noqa: S608 - its own names

    def contents(self) -> Iterator[Content]:
        """Yield what a backup is made of."""
        yield Content(RECORDINGS, self._kept())
        yield Content(DATABASE, self._bytes())

    def _bytes(self) -> Pieces:
        with self._path.open("rb") as source:
            while piece := source.read(PIECE):
                yield piece

    def _kept(self) -> Pieces:
        with closing(self._open()) as conn:
            if not conn.execute("SELECT 1 FROM sqlite_schema WHERE name = 'recordings'").fetchone():
                return
            for (line,) in conn.execute(KEPT):
                yield f"{line}\n".encode()

    def _ask(self, sql: str) -> list[Row]:
        with closing(self._open()) as conn:
            return conn.execute(sql).fetchall()

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(self._path))}?mode=ro&immutable=1", uri=True)


@contextmanager
def snapshot(database: str) -> Iterator[Snapshot]:
    """Copy a SQLite file beside itself, readable to its owner alone, and remove the copy at the end.

    Writers go on meanwhile: only a reader's lock is held. Raises StoreUnavailable.
    """
    path = Path(f"{database}.snapshot")
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"{path}: {error.strerror}") from error
    try:
        _hold(number, path)
        try:
            os.ftruncate(number, 0)  # a process that was killed may have left one
            _copy(database, path)
            yield Snapshot(path)
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(number)


def _hold(number: int, path: Path) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreUnavailable(f"another backup is being made: {path} is in use") from None


def _copy(database: str, path: Path) -> None:
    try:
        source = Opened(str(Path(database).absolute()))
        with closing(source.conn):
            source.conn.execute("VACUUM INTO ?", (str(path),))
    except (sqlite3.Error, OSError) as error:
        raise unavailable(error) from error
