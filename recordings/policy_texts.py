"""The texts of policies: a call goes on under the version that it started with, even after that is out of force."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from recordings.store import Store

KEEP = (
    "INSERT INTO policies (version, programme, text, loaded_at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (version) DO UPDATE SET loaded_at = excluded.loaded_at"
)
TEXT = "SELECT text FROM policies WHERE version = ?"


class PolicyText(msgspec.Struct, frozen=True):
    """One version of a programme's policy file, word for word."""

    version: str
    programme: str
    text: str


def keep(store: Store, texts: Iterable[PolicyText], at: datetime, timeout: float) -> None:
    """Keep every text, and write down that it was in force at an instant. Raises StoreUnavailable."""
    sql, instant = store.sql(KEEP), store.instant(at)
    rows = [(text.version, text.programme, text.text, instant) for text in texts]
    store.write(lambda conn: conn.cursor().executemany(sql, rows), timeout)


def text_of(store: Store, version: str, timeout: float) -> str | None:
    """Return the text of a version; None if it was never in force here. Raises StoreUnavailable."""
    sql = store.sql(TEXT)
    row = store.read(lambda conn: conn.execute(sql, (version,)).fetchone(), timeout)
    return row[0] if row else None
