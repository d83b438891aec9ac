"""Restoring a SQLite file: made ready beside the old one, which then steps aside for it."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from recordings import migrations
from recordings.backup_file import DATABASE, Manifest, opened
from recordings.backup_sqlite import Snapshot
from recordings.restore_checks import RestoreRefused, check_rows, refuse_unless_empty
from recordings.sealed import Keyring, Tampered
from recordings.sqlite_file import unavailable

PARTS = ("", "-wal", "-shm")  # a WAL that is left behind would be taken for one of the new file


def restore_file(database: str, path: Path, keyring: Keyring, manifest: Manifest, *, force: bool) -> str:
    """Put the database of a backup in the place of a file; return where the old one is now, empty if it was empty."""
    target = Path(database).absolute()
    try:
        if not force:
            refuse_unless_empty(_rows(target))
        ready = _made_ready(target, path, keyring, manifest)
        return _put(ready, target, f"{manifest.created_at:%Y%m%dT%H%M%SZ}", keep=bool(force and target.exists()))
    except sqlite3.Error as error:
        raise unavailable(error) from error
    finally:
        _remove(target.with_name(f"{target.name}.restoring"))


def _rows(target: Path) -> dict[str, int]:
    """Return how many rows a database has; none if it is not there or cannot be read."""
    if not target.exists():
        return {}
    with closing(sqlite3.connect(f"file:{quote(str(target))}?mode=ro", uri=True)) as conn:
        names = conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return {name: conn.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in names.fetchall()}  # noqa: S608


def _made_ready(target: Path, path: Path, keyring: Keyring, manifest: Manifest) -> Path:
    """Unpack the database beside its place, check it, and bring it to the schema of this version."""
    ready = target.with_name(f"{target.name}.restoring")
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove(ready)
    _unpack(ready, path, keyring, manifest)
    check_rows(manifest, Snapshot(ready).rows())
    with closing(sqlite3.connect(ready)) as conn:
        said = conn.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if said != "ok":
        raise RestoreRefused(f"the database in the backup is not sound: {said}")
    migrations.upgrade(f"sqlite:///{ready}")
    return ready


def _unpack(ready: Path, path: Path, keyring: Keyring, manifest: Manifest) -> None:
    digest = sha256()
    with opened(path, keyring) as members, _new(ready) as number:
        for name, pieces in members:
            for piece in pieces if name == DATABASE else ():
                digest.update(piece)
                os.write(number, piece)
        os.fsync(number)
    if digest.hexdigest() != manifest.members[DATABASE].sha256:
        raise Tampered("the backup has changed while it was read")


@contextmanager
def _new(path: Path) -> Iterator[int]:
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        yield number
    finally:
        os.close(number)


def _put(ready: Path, target: Path, stamp: str, *, keep: bool) -> str:
    """Move the new file into its place, while no writer of ours is in a transaction."""
    aside = _free(target.with_name(f"{target.name}.before-{stamp}"))
    lock = os.open(f"{target}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for part in PARTS:  # from here to the last line the service finds no file, and lets callers through without it
            with suppress(FileNotFoundError):
                Path(f"{target}{part}").replace(f"{aside}{part}")
        ready.replace(target)
        _settle(target.parent)
    finally:
        os.close(lock)
    if not keep:
        _remove(aside)
    return str(aside) if keep else ""


def _free(path: Path) -> Path:
    """Return a name that nothing has yet."""
    number, found = 0, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}.{number}")
    return found


def _settle(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _remove(path: Path) -> None:
    for part in (*PARTS, ".lock", "-journal"):
        Path(f"{path}{part}").unlink(missing_ok=True)
