"""The engines that a store can run on, by the URL of the database."""

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from recordings.store import Store


def open_store(url: str) -> Store:
    """Return the store at a database URL: sqlite:///FILE or postgresql+psycopg://... Raises ValueError for any other.

    Nothing is opened until it is used.
    """
    try:
        parts = make_url(url)
    except ArgumentError:
        raise ValueError("DATABASE_URL is no database URL: write sqlite:///FILE or postgresql+psycopg://...") from None
    if parts.get_backend_name() == "postgresql":
        from recordings.postgres import PostgresStore  # noqa: PLC0415 - the driver is loaded only where it is used

        return PostgresStore(parts)
    if parts.get_backend_name() == "sqlite" and parts.database and parts.database != ":memory:":
        from recordings.sqlite import SqliteStore  # noqa: PLC0415

        return SqliteStore(parts.database)
    raise ValueError(f"{parts.drivername} cannot be the store: write sqlite:///FILE or postgresql+psycopg://...")
