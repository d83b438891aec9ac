"""Restoring a Postgres database: tables, rows and migrations in one transaction."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from recordings import migrations
from recordings.backup_file import Manifest, Member, opened
from recordings.backup_postgres import TABLE, Snapshot, copy
from recordings.restore_checks import check_rows, refuse_unless_empty
from recordings.sealed import Keyring
from recordings.store import StoreUnavailable
from recordings.tables import metadata

VERSIONS = "alembic_version"  # written by the migrations themselves
COUNTING = (
    "SELECT table_name, pg_get_serial_sequence(quote_ident(table_name), 'id') FROM information_schema.columns "
    "WHERE table_schema = current_schema() AND column_name = 'id' AND column_default LIKE 'nextval(%'"
)


def restore_database(url: str, path: Path, keyring: Keyring, manifest: Manifest, *, force: bool) -> None:
    """Put the tables of a backup in the place of those of a database. Others wait until it is done."""
    engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 10})
    try:
        with engine.begin() as conn:
            _restore(conn, path, keyring, manifest, force=force)
    except (DBAPIError, psycopg.Error) as error:
        raise StoreUnavailable(str(getattr(error, "orig", error)).strip()) from error
    finally:
        engine.dispose()


def _restore(conn: Connection, path: Path, keyring: Keyring, manifest: Manifest, *, force: bool) -> None:
    raw: psycopg.Connection[Any] = conn.connection.driver_connection  # type: ignore[assignment]
    raw.execute("SELECT pg_advisory_xact_lock(%s)", (migrations.LOCK,))
    if not force:
        refuse_unless_empty(Snapshot(raw).rows())
    names = SQL(", ").join(map(Identifier, (*metadata.tables, VERSIONS)))
    raw.execute(SQL("DROP TABLE IF EXISTS {}").format(names))
    _migrate(conn, manifest.schema)
    with opened(path, keyring) as members:
        for name, pieces in members:
            if name.startswith(TABLE) and name != TABLE + VERSIONS:
                _copy_in(raw, name.removeprefix(TABLE), manifest.members[name], pieces)
    check_rows(manifest, Snapshot(raw).rows())
    _count_on(raw)
    _migrate(conn, "head")


def _migrate(conn: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = conn
    command.upgrade(config, revision)


def _copy_in(raw: "psycopg.Connection[Any]", table: str, member: Member, pieces: Iterator[bytes]) -> None:
    with raw.cursor() as cursor, cursor.copy(copy(table, member.columns, "FROM STDIN")) as copied:
        for piece in pieces:
            copied.write(piece)


def _count_on(raw: "psycopg.Connection[Any]") -> None:
    """Let the rows to come be numbered after those that are there."""
    for table, sequence in raw.execute(COUNTING).fetchall():
        last = SQL("SELECT setval({}, (SELECT coalesce(max(id), 0) + 1 FROM {}), false)")
        raw.execute(last.format(sequence, Identifier(table)))
