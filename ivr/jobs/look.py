"""Looking at what has an instant at which to be looked at: each thing by one worker, and none stopped by another."""

from collections.abc import Callable
from datetime import datetime, timedelta

from ivr.observe import log
from recordings.store import Row, Store, StoreUnavailable

TIMEOUT = 10.0  # seconds
MOST = 200  # rows of one round
PUT_OFF = timedelta(minutes=1)

Look = Callable[[str, object, datetime], bool]  # id, the instant as it is stored, now -> whether it was ours to look at


def due(store: Store, sql: str, at: datetime) -> list[Row]:
    """Return the ids of what has to be looked at, and since when, as it is stored."""
    text, params = store.sql(sql), (store.instant(at), MOST)
    return store.read(lambda conn: conn.execute(text, params).fetchall(), TIMEOUT)


def each(store: Store, rows: list[Row], look: Look, later: str, at: datetime) -> int:
    """Look at each, and return how many there were. What cannot be looked at is put off by the statement `later`."""
    return sum(_one(store, row, look, later, at) for row in rows)


def _one(store: Store, row: Row, look: Look, later: str, at: datetime) -> bool:
    ident, since = row
    try:
        return look(ident, since, at)
    except StoreUnavailable:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, the next one's clock runs too
        log.exception("%s could not be looked at: it is tried again in a minute.", ident)
        params = (store.instant(at + PUT_OFF), ident, since)
        store.write(lambda conn: conn.execute(store.sql(later), params).rowcount, TIMEOUT)
        return False
