"""Which schema this version of the service wants: known without the migrations, which take long to import."""

from recordings.store import Store

HEAD = "0002"


def is_current(store: Store, timeout: float = 3.0) -> bool:
    """Whether a store has the schema of this version. Raises StoreUnavailable, also where there is no schema at all."""
    rows = store.read(lambda conn: conn.execute("SELECT version_num FROM alembic_version").fetchall(), timeout)
    return rows == [(HEAD,)]
