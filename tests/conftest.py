"""Stores for tests: every test that takes `store` runs over SQLite and over a real Postgres, each empty."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import PostgresServer
from redis_server import RedisServer
from service import Service

from recordings.engines import open_store
from recordings.log import CallLog
from recordings.migrations import upgrade
from recordings.store import Store
from recordings.tables import metadata

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running Postgres. Not to have one is an error that names the mend, never a skip."""
    server = PostgresServer()
    try:
        server.create()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A running Redis."""
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema and nothing else."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of the Postgres database that tests use in turn, for to make one takes half a second."""
    url = postgres_server.new_database()
    upgrade(url)
    return url


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a new SQLite file with the schema."""
    path = shutil.copy(sqlite_template, tmp_path / "partnerline.db")
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, migrated_postgres_url: str) -> Iterator[str]:
    """The URL of a Postgres database with the schema and nothing in it."""
    yield migrated_postgres_url
    postgres_server.empty(migrated_postgres_url, [table.name for table in reversed(metadata.sorted_tables)])


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a new database with the schema, on each engine in turn."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A store over a new database, on each engine in turn."""
    store = open_store(database_url)
    yield store
    store.close()


@pytest.fixture
def log(store: Store) -> CallLog:
    """The log of that store."""
    return CallLog(store)


@pytest.fixture
def service(sqlite_url: str) -> Iterator[Service]:
    """The whole service over a new SQLite file, with the partners of the demo and a telephone."""
    service = Service(sqlite_url)
    yield service
    service.close()
