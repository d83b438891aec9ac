"""Erasure: everything of a number or a partner goes, a little at a time, and a certificate says what went."""

# ruff: noqa: S608 - the only names that are put into these statements are the tables and columns of this module

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2s

import msgspec

from recordings.audio_store import AudioStore
from recordings.erasure_subject import Subject, calls_of, young
from recordings.failpoint import reach
from recordings.holds import held_calls
from recordings.removal import TIMEOUT, overwrite, remove_calls, shred
from recordings.retention import asking, recordings_of
from recordings.store import Connection, Row, Store

BATCH = 20  # calls that go in one transaction
OPEN = "SELECT id, asked_by, began_at, done_at, removed FROM erasures WHERE subject = ? ORDER BY began_at DESC LIMIT 1"
BEGIN = (
    "INSERT INTO erasures (id, subject, asked_by, began_at, removed) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)
COUNTED = "UPDATE erasures SET removed = ? WHERE id = ?"
REMOVED = "SELECT removed FROM erasures WHERE id = ?"
DONE = "UPDATE erasures SET done_at = ?, removed = ? WHERE id = ?"
HELD = "SELECT sid FROM recordings WHERE held IS NOT NULL AND call_sid IN ({}) ORDER BY sid"
BLOTTED = (("work_log", "detail"), ("outbox", "detail"), ("outbox", "last_error"))
DIRECTORY = {
    "number": (("representatives", "number"),),
    "partner": (("letters", "partner_id"), ("representatives", "partner_id"), ("partners", "partner_id")),
}
NEXT_VERSION = (
    "INSERT INTO counters (name, value) VALUES ('directory', 1) "
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + 1"
)


class Removed(msgspec.Struct, frozen=True):
    """How much of what has gone; held recordings, whose calls stay; and how many calls were too young to go."""

    counts: dict[str, int] = {}
    held: tuple[str, ...] = ()
    young: int = 0


class Certificate(msgspec.Struct, frozen=True):
    """What was erased, when, and at whose word. `subject` is a keyed hash: the certificate itself names nobody."""

    id: str
    subject: str
    asked_by: str
    began_at: datetime
    done_at: datetime | None
    removed: Removed


class Erasure:
    """Erases subjects from a store and its audio. Whoever is interrupted does it again and goes on where it was."""

    def __init__(self, store: Store, audio: AudioStore, secret: str) -> None:
        self._store, self._audio, self._secret = store, audio, secret

    def erase(self, subject: Subject, by: str, at: datetime) -> Certificate:
        """Erase everything of a subject that is neither held nor young; return the certificate.

        Where there is nothing left, the last certificate is returned. Raises StoreUnavailable and AudioUnavailable.
        """
        calls = calls_of(self._store, subject)
        last = self._last(subject)
        if last and last.done_at and not calls and not self._elsewhere(subject):
            return last
        begun = last if last and not last.done_at else self._begin(subject, by, at)
        held, fresh = held_calls(asking(self._store), calls), young(self._store, calls, at)
        going = [sid for sid in calls if sid not in held and sid not in fresh]
        for start in range(0, len(going), BATCH):
            self._remove(begun.id, going[start : start + BATCH], at)
        self._store.write(lambda conn: self._forget(conn, begun.id, subject), TIMEOUT)
        return self._finish(begun, held, fresh, at)

    def _last(self, subject: Subject) -> Certificate | None:
        rows = asking(self._store)(OPEN, (subject.keyed_hash(self._secret),))
        return self._certificate(subject, rows[0]) if rows else None

    def _certificate(self, subject: Subject, row: Row) -> Certificate:
        ident, asked_by, began_at, done_at, removed = row
        moment = self._store.moment
        done = moment(done_at) if done_at is not None else None
        what = msgspec.json.decode(removed, type=Removed)
        return Certificate(ident, subject.keyed_hash(self._secret), asked_by, moment(began_at), done, what)

    def _begin(self, subject: Subject, by: str, at: datetime) -> Certificate:
        hashed = subject.keyed_hash(self._secret)
        ident = blake2s(f"{hashed}.{at.isoformat()}".encode(), digest_size=10).hexdigest()
        row = (ident, hashed, by, self._store.instant(at), _text(Removed()))
        self._store.write(lambda conn: conn.execute(self._store.sql(BEGIN), row), TIMEOUT)
        return Certificate(ident, hashed, by, at, None, Removed())

    def _remove(self, ident: str, sids: Sequence[str], at: datetime) -> None:
        """Shred the recordings of some calls, and then remove the calls, counting both."""
        shredded = shred(self._store, self._audio, recordings_of(self._store, sids), at)
        reach("purge.mid")

        def work(conn: Connection) -> None:
            self._count(conn, ident, Counter(recordings=shredded) + remove_calls(conn, self._store, sids))

        self._store.write(work, TIMEOUT)

    def _count(self, conn: Connection, ident: str, more: Counter[str]) -> None:
        row = conn.execute(self._store.sql(REMOVED), (ident,)).fetchone()
        known = msgspec.json.decode(row[0], type=Removed) if row else Removed()
        counts = dict(sorted((Counter(known.counts) + more).items()))
        conn.execute(self._store.sql(COUNTED), (_text(msgspec.structs.replace(known, counts=counts)), ident))

    def _forget(self, conn: Connection, ident: str, subject: Subject) -> None:
        """Remove the subject from the directory, and blot its number out where others wrote it down."""
        overwrite(conn, self._store)
        kind, value = ("number", subject.number) if subject.number else ("partner", subject.partner)
        counts: Counter[str] = Counter()
        for table, column in DIRECTORY[kind]:
            sql = self._store.sql(f"DELETE FROM {table} WHERE {column} = ?")
            counts[table] += conn.execute(sql, (value,)).rowcount
        if sum(counts.values()):
            conn.execute(NEXT_VERSION)
        for table, column, number, text in self._written(conn, subject):
            sql = self._store.sql(f"UPDATE {table} SET {column} = ? WHERE id = ?")
            counts["blotted out"] += conn.execute(sql, (subject.without(text), number)).rowcount
        self._count(conn, ident, +counts)

    def _written(self, conn: Connection, subject: Subject) -> list[tuple[str, str, int, str]]:
        """Return where the number stands in what belongs to others: table, column, row and text."""
        if not subject.number:
            return []
        like = f"%{subject.digits()}%"
        found = []
        for table, column in BLOTTED:
            sql = self._store.sql(f"SELECT id, {column} FROM {table} WHERE {column} LIKE ?")
            rows = conn.execute(sql, (like,)).fetchall()
            found += [(table, column, number, text) for number, text in rows if subject.is_in(text)]
        return found

    def _elsewhere(self, subject: Subject) -> bool:
        """Whether the subject is in the directory, or in what others wrote down."""
        kind, value = ("number", subject.number) if subject.number else ("partner", subject.partner)
        ask = asking(self._store)
        listed = any(
            ask(f"SELECT 1 FROM {table} WHERE {column} = ? LIMIT 1", (value,)) for table, column in DIRECTORY[kind]
        )
        return listed or bool(self._store.read(lambda conn: self._written(conn, subject), TIMEOUT))

    def _finish(self, begun: Certificate, held: frozenset[str], fresh: frozenset[str], at: datetime) -> Certificate:
        """Say in the certificate what had to stay, and that the rest has gone."""
        ask, sids = asking(self._store), tuple(held)
        recordings = [sid for (sid,) in ask(HELD.format(", ".join("?" for _ in sids) or "NULL"), sids)]
        counts = msgspec.json.decode(ask(REMOVED, (begun.id,))[0][0], type=Removed).counts
        removed = Removed(counts, tuple(recordings or sorted(held)), len(fresh - held))
        row = (self._store.instant(at), _text(removed), begun.id)
        self._store.write(lambda conn: conn.execute(self._store.sql(DONE), row), TIMEOUT)
        return msgspec.structs.replace(begun, done_at=at, removed=removed)


def _text(removed: Removed) -> str:
    return msgspec.json.encode(removed).decode()
