"""What every check stands on: what is examined and as of when, what is found, and reading in batches."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec

from flows.desk import Desk
from recordings.audio_store import AudioStore
from recordings.one_moment import read_whole
from recordings.sealed import Keyring
from recordings.store import Row, Store, Work
from routing.aftercare import Retention

BATCH = 500  # rows that are in memory at once
DeskFor = Callable[[str, str], Desk]  # from a policy's version and its programme


class Finding(msgspec.Struct, frozen=True):
    """Something that should not be: which check found it, about what, what is wrong, and how to mend it."""

    check: str
    subject: str
    what: str
    mend: str


class Ground(msgspec.Struct, frozen=True):
    """What is examined, as of which instant, and what the service knows beside its database.

    `listed_since` is since when the contacts are as they are: a number that was rung before may have been listed then.
    With `audio` and `keyring` every stored file is read and its checksum compared.
    """

    store: Store
    at: datetime
    desk_for: DeskFor
    retention_of: Callable[[str], Retention]  # by programme
    listed_since: datetime | None = None
    audio: AudioStore | None = None
    keyring: Keyring | None = None

    def read(self, work: Work[list[Row]]) -> list[Row]:
        """Run work that reads, all of it as of one moment."""
        return read_whole(self.store, work)

    def rows(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        """Return the rows of one query."""
        text = self.store.sql(sql)
        return self.read(lambda conn: conn.execute(text, params).fetchall())

    def batches(self, sql: str, first: object = 0) -> Iterator[list[Row]]:
        """Yield the rows of a query batch by batch.

        It takes the key after which a batch begins and the size of a batch, orders by that key and gives it first.
        """
        after = first
        while rows := self.rows(sql, (after, BATCH)):
            yield rows
            after = rows[-1][0]

    def moment(self, stored: object) -> datetime | None:
        """Return a stored instant in UTC; None for none."""
        return None if stored is None else self.store.moment(stored)


class Tally:
    """How much was looked at, by what it is."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def add(self, what: str, number: int) -> None:
        """Count what was looked at."""
        self.counts[what] = self.counts.get(what, 0) + number


Check = Callable[[Ground, Tally], Iterator[Finding]]


def marks(values: Sequence[object]) -> str:
    """Return the question marks for a list of values; a list of none matches nothing."""
    return ", ".join("?" for _ in values) or "NULL"
