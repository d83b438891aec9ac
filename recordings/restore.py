"""Restoring a backup: all of it or nothing, and nothing at all unless every byte of the file is what was written."""

from pathlib import Path

import msgspec
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from recordings import migrations
from recordings.backup import engine_of
from recordings.backup_file import Manifest, verify
from recordings.restore_checks import RestoreRefused
from recordings.sealed import Keyring


class Restored(msgspec.Struct, frozen=True):
    """What was restored. `aside` is where a database has been put that was there before, if one was kept."""

    manifest: Manifest
    aside: str = ""


def restore(url: str, path: Path, keyring: Keyring, *, force: bool) -> Restored:
    """Make a database what a backup says, and bring it to the schema of this version.

    Raises RestoreRefused for another engine's backup, one of a newer version, and a database that is not empty, unless
    `force` says that it may go; Tampered and UnknownKey for the file; StoreUnavailable; OSError. Whatever it raises,
    the database is as it was.
    """
    parts, manifest = make_url(url), verify(path, keyring)
    _check(manifest, engine_of(parts))
    if engine_of(parts) == "sqlite":
        from recordings.restore_sqlite import restore_file  # noqa: PLC0415 - an engine's parts where it is used

        return Restored(manifest, restore_file(parts.database or "", path, keyring, manifest, force=force))
    from recordings.restore_postgres import restore_database  # noqa: PLC0415

    restore_database(url, path, keyring, manifest, force=force)
    return Restored(manifest)


def _check(manifest: Manifest, engine: str) -> None:
    if manifest.engine != engine:
        raise RestoreRefused(f"it is a backup of {manifest.engine}, and DATABASE_URL names {engine}")
    known = {script.revision for script in ScriptDirectory(str(Path(migrations.__file__).parent)).walk_revisions()}
    if manifest.schema not in known:
        raise RestoreRefused(f"it has the schema {manifest.schema} of a newer version: install that version first")
