"""Bringing a database to the schema of this version."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from recordings.store import StoreUnavailable

LOCK = 7_023_116  # the advisory lock that migrations of one Postgres database take, one after another
PATIENCE = 60  # seconds that a migration waits for whoever writes to a SQLite file


def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database to a revision, all of it or nothing; a SQLite file is made if it is not there.

    Two that run at once do it one after the other. Raises StoreUnavailable when the database cannot be reached.
    """
    with _file_ready(url), _connected(url) as conn:
        config = _config()
        config.attributes["connection"] = conn
        command.upgrade(config, revision)


def head() -> str | None:
    """Return the newest revision that there is a migration to."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


@contextmanager
def _file_ready(url: str) -> Iterator[None]:
    """See that a SQLite file is there, and keep its other writers in the queue meanwhile."""
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite" or not parts.database:
        yield
        return
    path = Path(parts.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnavailable(f"{path}: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _make_file(path)
        yield
    finally:
        os.close(lock)


def _make_file(path: Path) -> None:
    """Make the file, readable to its owner alone, and switch it to WAL mode, which it then keeps."""
    try:
        if not path.exists():  # to open and close one that is in use would take its locks away from this process
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        conn = sqlite3.connect(path, timeout=PATIENCE)
        conn.execute("PRAGMA journal_mode=WAL").close()
        conn.close()
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(f"{path}: {error}") from error


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = _engine(url)
    try:
        with engine.begin() as conn:
            if engine.dialect.name == "postgresql":
                conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            yield conn
    except DBAPIError as error:
        raise StoreUnavailable(str(error.orig).strip()) from error
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 10})
    arguments = {"timeout": PATIENCE, "isolation_level": None}
    engine = create_engine(url, poolclass=NullPool, connect_args=arguments)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(conn: Connection) -> None:
    """Open a transaction that covers the schema too; left to itself the driver would commit each statement of it."""
    conn.exec_driver_sql("BEGIN IMMEDIATE")
