"""Migrations: they arrive at the schema that the code describes, once, on both engines, and all or nothing."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from children import fork, succeeded
from sqlalchemy import Engine, create_engine, inspect, text

from recordings import migrations
from recordings.engines import open_store
from recordings.migrations import head, upgrade
from recordings.schema import HEAD, is_current
from recordings.store import StoreUnavailable
from recordings.tables import metadata

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that has no schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/var/new.db"
    return request.getfixturevalue("postgres_server").new_database()


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


@pytest.fixture
def engine(new_url: str):
    upgrade(new_url)
    engine = create_engine(new_url)
    yield engine
    engine.dispose()


def test_the_migrated_schema_is_the_one_that_the_code_describes(engine: Engine):
    with engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, metadata) == []


def test_tables_made_by_the_code_and_by_migrations_are_alike(new_url, tmp_path, engine: Engine):
    """What the comparison of Alembic overlooks: constraints by name, what may be null, the order of columns."""
    with engine.begin() as conn:
        migrated = described(engine)
        for table in reversed(metadata.sorted_tables):
            conn.execute(text(f"DROP TABLE {table.name}"))
    metadata.create_all(engine)

    assert described(engine) == migrated


def described(engine: Engine) -> dict[str, object]:
    seen = inspect(engine)
    return {
        table.name: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in seen.get_columns(table.name)],
            seen.get_pk_constraint(table.name),
            sorted(seen.get_unique_constraints(table.name), key=str),
            sorted(seen.get_indexes(table.name), key=str),
            sorted(seen.get_foreign_keys(table.name), key=str),
        )
        for table in metadata.sorted_tables
    }


def test_upgrading_again_changes_nothing(new_url):
    upgrade(new_url)
    with closing(open_store(new_url)) as store:
        sql = store.sql("INSERT INTO counters (name, value) VALUES (?, ?)")
        store.write(lambda conn: conn.execute(sql, ("kept", 1)), 5)
        upgrade(new_url)

        assert is_current(store)
        assert store.read(lambda conn: conn.execute("SELECT name FROM counters").fetchall(), 5) == [("kept",)]


def test_upgrades_at_the_same_time_do_not_meet(new_url):
    """Several hosts are released at once."""
    children = [fork(lambda: upgrade(new_url)) for _ in range(4)]

    assert [succeeded(child) for child in children] == [True] * 4
    assert {table.name for table in metadata.sorted_tables} < tables(new_url)


def test_a_migration_that_fails_half_way_leaves_nothing_behind(new_url, monkeypatch):
    """Whatever stops it, the next one starts from the beginning: also the schema is part of the transaction."""

    def halfway(config: object, revision: str) -> None:
        run(config, revision)
        raise KeyboardInterrupt

    run = command.upgrade
    monkeypatch.setattr(migrations.command, "upgrade", halfway)
    with pytest.raises(KeyboardInterrupt):
        upgrade(new_url)
    assert tables(new_url) == set()
    monkeypatch.undo()
    upgrade(new_url)

    assert "calls" in tables(new_url)


def test_there_is_a_way_back(new_url):
    upgrade(new_url)
    with migrations._connected(new_url) as conn:
        config = migrations._config()
        config.attributes["connection"] = conn
        command.downgrade(config, "base")

    assert tables(new_url) <= {"alembic_version"}


def test_a_database_without_a_schema_is_not_current_and_says_what_to_do(new_url, tmp_path):
    (tmp_path / "var").mkdir()
    sqlite3.connect(tmp_path / "var/new.db").close()
    with closing(open_store(new_url)) as store, pytest.raises(StoreUnavailable, match="run ivr db upgrade"):
        is_current(store)


def test_a_database_of_another_version_is_not_current(new_url):
    upgrade(new_url)
    with closing(open_store(new_url)) as store:
        store.write(lambda conn: conn.execute("UPDATE alembic_version SET version_num = '9999'"), 5)

        assert not is_current(store)


def test_a_new_file_is_its_owners_alone_and_in_wal_mode(tmp_path):
    upgrade(f"sqlite:///{tmp_path}/new.db")
    with closing(sqlite3.connect(tmp_path / "new.db")) as conn:
        mode = conn.execute("PRAGMA journal_mode").fetchone()

    assert mode == ("wal",)
    assert stat.S_IMODE((tmp_path / "new.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("url", ["sqlite:////proc/nowhere/new.db", "postgresql+psycopg://x@127.0.0.1:1/x"])
def test_a_database_that_cannot_be_reached_is_said_to_be_so(url):
    with pytest.raises(StoreUnavailable):
        upgrade(url)


def test_the_service_wants_the_newest_schema_that_there_is_a_migration_to():
    assert head() == HEAD
