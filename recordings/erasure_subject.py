"""Whom an erasure is about, and where that shows in what is stored."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from hmac import digest

import msgspec

from recordings.one_moment import read_whole
from recordings.store import Connection, Row, Store
from routing.numbers import national

BATCH = 500
# Of a younger call more may still come, from the provider too, and bring it back.
YOUNG = timedelta(hours=1)
DIGITS = re.compile("[0-9]+")
BY_NUMBER = "SELECT id, sid, document FROM calls WHERE id > ? AND (caller = ? OR document LIKE ?) ORDER BY id LIMIT ?"
KEYED = (
    "SELECT id, sid, heard, events, changes FROM turns WHERE id > ? "
    "AND (heard LIKE ? OR events LIKE ? OR changes LIKE ?) ORDER BY id LIMIT ?"
)
BY_PARTNER = (
    "SELECT sid FROM calls WHERE partner_id = ? UNION SELECT call_sid FROM cases WHERE partner_id = ? "
    "UNION SELECT call_sid FROM tasks WHERE partner_id = ?"
)
ENDED = "SELECT sid FROM calls WHERE sid IN ({}) AND (ended_at IS NULL OR started_at > ?)"


class Subject(msgspec.Struct, frozen=True):
    """A telephone number in E.164, or a Partner ID."""

    number: str = ""
    partner: str = ""

    def keyed_hash(self, secret: str) -> str:
        """Return what stands for the subject in a certificate: nobody without the secret can tell who it is."""
        about = f"number:{self.number}" if self.number else f"partner:{self.partner}"
        return digest(secret.encode(), f"erasure of {about}".encode(), "sha256").hex()

    def digits(self) -> str:
        """Return the digits that are in the number however it is written."""
        return re.sub("[^0-9]", "", national(self.number)).lstrip("0")

    def forms(self) -> frozenset[str]:
        """Return every way in which the number's digits are dialled or written."""
        own, world = self.digits(), self.number.removeprefix("+")
        return frozenset((own, f"0{own}", f"1{own}", world, f"00{world}", f"011{world}", f"0011{world}"))

    def is_in(self, *texts: str) -> bool:
        """Whether one of the texts holds the number, alone or among other things."""
        forms = self.forms()
        return any(found in forms for text in texts for found in DIGITS.findall(text))

    def without(self, text: str) -> str:
        """Return a text with the number blotted out."""
        forms = self.forms()
        blotted = DIGITS.sub(lambda found: "erased" if found[0] in forms else found[0], text)
        return blotted.replace("+erased", "erased")


def calls_of(store: Store, subject: Subject) -> tuple[str, ...]:
    """Return every call of a subject: it came from the number, or holds it, or is the partner's."""
    if subject.partner:
        rows = read_whole(store, lambda conn: conn.execute(store.sql(BY_PARTNER), (subject.partner,) * 3).fetchall())
        return tuple(sorted(sid for (sid,) in rows))
    like = f"%{subject.digits()}%"
    found = {row[1] for row in _batches(store, BY_NUMBER, (subject.number, like)) if subject.is_in(*row[2:])}
    found |= {row[1] for row in _batches(store, KEYED, (like, like, like)) if subject.is_in(*row[2:])}
    return tuple(sorted(found))


def _batches(store: Store, sql: str, params: Sequence[object]) -> Iterator[Row]:
    """Yield the rows of a query, a batch at a time; what is looked through may be long."""
    after, text = 0, store.sql(sql)
    while rows := read_whole(store, partial(_ask, text, (after, *params, BATCH))):
        after = rows[-1][0]
        yield from rows


def _ask(sql: str, params: Sequence[object], conn: Connection) -> list[Row]:
    return conn.execute(sql, params).fetchall()


def young(store: Store, sids: Sequence[str], at: datetime) -> frozenset[str]:
    """Return those calls that go on, or have ended so lately that more of them may still come."""
    if not sids:
        return frozenset()
    sql = store.sql(ENDED.format(", ".join("?" for _ in sids)))
    rows = read_whole(store, lambda conn: conn.execute(sql, (*sids, store.instant(at - YOUNG))).fetchall())
    return frozenset(sid for (sid,) in rows)
