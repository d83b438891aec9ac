"""A consistent copy of a Postgres database: every table out of one snapshot, over one connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy.engine import URL

from recordings.backup_file import RECORDINGS, Content, Pieces
from recordings.store import StoreUnavailable
from recordings.tables import metadata

ONE_MOMENT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
COLUMNS = (
    "SELECT c.table_name, c.column_name FROM information_schema.columns c "
    "JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name "
    "WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' "
    "ORDER BY c.table_name, c.ordinal_position"
)
KEPT = (
    "COPY (SELECT json_build_object('sid', sid, 'name', name, 'sha256', sha256) FROM recordings "
    "WHERE name IS NOT NULL ORDER BY sid) TO STDOUT"
)
TABLE = "table/"  # what the members that hold a table's rows begin with
ORDER = [table.name for table in metadata.sorted_tables]  # a table comes after those that it refers to


class Snapshot:
    """The database as of one moment, for as long as the connection is open."""

    def __init__(self, conn: "psycopg.Connection[Any]") -> None:
        self._conn = conn
        self._columns: dict[str, list[str]] = {}
        for table, column in conn.execute(COLUMNS).fetchall():
            self._columns.setdefault(table, []).append(column)

    def schema(self) -> str:
        """Return the revision of its schema."""
        row = self._conn.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else ""

    def rows(self) -> dict[str, int]:
        """Return how many rows each table has."""
        counted = {table: self._conn.execute(_count(table)).fetchone() for table in self._columns}
        return {table: row[0] for table, row in counted.items() if row}

    def contents(self) -> Iterator[Content]:
        """Yield what a backup is made of."""
        if "recordings" in self._columns:
            yield Content(RECORDINGS, self._copied(SQL(KEPT)))
        for table in sorted(self._columns, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name)):
            columns = tuple(self._columns[table])
            yield Content(TABLE + table, self._copied(copy(table, columns, "TO STDOUT")), columns)

    def _copied(self, statement: SQL | Composed) -> Pieces:
        with self._conn.cursor() as cursor, cursor.copy(statement) as copied:
            yield from map(bytes, copied)


def copy(table: str, columns: tuple[str, ...], way: str) -> Composed:
    """Return the statement that copies a table's rows, in or out."""
    names = SQL(", ").join(map(Identifier, columns))
    return SQL("COPY {} ({}) " + way).format(Identifier(table), names)


def _count(table: str) -> Composed:
    return SQL("SELECT count(*) FROM {}").format(Identifier(table))


@contextmanager
def snapshot(url: URL) -> Iterator[Snapshot]:
    """Hold one snapshot of a database. Raises StoreUnavailable."""
    parts: dict[str, Any] = {**url.translate_connect_args(username="user", database="dbname"), **url.query}
    try:
        with psycopg.connect(**{"connect_timeout": 10, **parts}, autocommit=True) as conn:
            conn.execute("SET TIME ZONE 'UTC'")
            conn.execute(ONE_MOMENT)
            yield Snapshot(conn)
    except psycopg.Error as error:
        raise StoreUnavailable(str(error).strip()) from error
