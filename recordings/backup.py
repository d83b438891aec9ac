"""Backups: the whole database as of one moment, sealed, while the service goes on."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol

from sqlalchemy.engine import URL, make_url

from recordings.backup_file import Content, Manifest, Packer
from recordings.engines import open_store
from recordings.sealed import Keyring
from recordings.store import StoreUnavailable

FOLDER = Path("var/backups")
KEEP = timedelta(days=7)
STAMP = "%Y%m%dT%H%M%SZ"
NAMED = re.compile(r"partnerline-([0-9]{8}T[0-9]{6}Z)\.backup")
MARK = (
    "INSERT INTO marks (name, at) VALUES ('backup', ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at "
    "WHERE marks.at < excluded.at"
)
TIMEOUT = 10.0  # seconds


class Snapshot(Protocol):
    """A database as of one moment."""

    def schema(self) -> str:
        """Return the revision of its schema."""

    def rows(self) -> dict[str, int]:
        """Return how many rows each table has."""

    def contents(self) -> Iterator[Content]:
        """Yield what a backup is made of."""


def name_at(at: datetime) -> str:
    """Return the name of a backup made at an instant."""
    return f"partnerline-{at.astimezone(UTC):{STAMP}}.backup"


def make(url: str, path: Path, keyring: Keyring, at: datetime) -> Manifest:
    """Write a backup of a database to a file that is not there yet, whole or not at all.

    Raises StoreUnavailable when the database cannot be read, OSError when the file cannot be written.
    """
    parts = make_url(url)
    with _written(path) as out, _snapshot(parts) as database:
        packer = Packer(out, keyring)
        schema, rows = database.schema(), database.rows()
        for content in database.contents():
            packer.add(content)
        manifest = Manifest(engine_of(parts), schema, at.astimezone(UTC), rows, packer.members)
        packer.finish(manifest)
    if "marks" in rows:  # not in a database that is about to be upgraded
        _mark(url, at)
    return manifest


def engine_of(url: URL) -> str:
    """Return "sqlite" or "postgresql"."""
    return url.get_backend_name()


def _snapshot(url: URL) -> AbstractContextManager[Snapshot]:
    if engine_of(url) == "sqlite":
        from recordings.backup_sqlite import snapshot  # noqa: PLC0415 - an engine's parts where it is used

        return snapshot(url.database or "")
    from recordings.backup_postgres import snapshot as postgres_snapshot  # noqa: PLC0415

    return postgres_snapshot(url)


@contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write to, readable to its owner alone, that has its name only once all of it is on disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        raise FileExistsError(17, "it is there already", str(path))
    part = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as out:
        try:
            fcntl.flock(out.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreUnavailable(f"another backup is being written to {path}") from None
        try:
            out.truncate(0)
            yield out
            out.flush()
            os.fsync(out.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    _settle(path.parent)


def _settle(folder: Path) -> None:
    """See that a folder's new names are on disk."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _mark(url: str, at: datetime) -> None:
    store = open_store(url)
    try:
        instant = store.instant(at)
        store.write(lambda conn: conn.execute(store.sql(MARK), (instant,)), TIMEOUT)
    finally:
        store.close()


def kept_in(folder: Path) -> dict[Path, datetime]:
    """Return the backups of a folder that have a name of ours, and when each was made."""
    named = {path: NAMED.fullmatch(path.name) for path in sorted(folder.glob("*.backup"))}
    return {path: datetime.strptime(found[1], STAMP).replace(tzinfo=UTC) for path, found in named.items() if found}


def drop_old(folder: Path, keep: timedelta, at: datetime) -> list[Path]:
    """Remove the backups of a folder that are older than that; the newest one stays. Return those that went."""
    backups = kept_in(folder)
    newest = max(backups.values(), default=at)
    old = [path for path, made in backups.items() if made < at - keep and made != newest]
    for path in old:
        path.unlink(missing_ok=True)
    return old
