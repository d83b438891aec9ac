"""Reading much, all of it as of one moment: what moves on meanwhile contradicts nothing."""

from typing import TypeVar

from recordings.store import Connection, Store, Work

T = TypeVar("T")
TIMEOUT = 600.0  # seconds for one batch, of which a slow disk may need many
BEGIN = {
    "sqlite": ("BEGIN",),
    "postgresql": ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SET LOCAL statement_timeout = '10min'"),
}


def read_whole(store: Store, work: Work[T]) -> T:
    """Run work that reads, all of it as of one moment, however long it takes. Raises StoreUnavailable."""

    def whole(conn: Connection) -> T:
        for statement in BEGIN[store.dialect]:
            conn.execute(statement)
        try:
            return work(conn)
        finally:
            conn.execute("ROLLBACK")

    return store.read(whole, TIMEOUT)
