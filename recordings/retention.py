"""Retention: what is over goes, a little at a time, and whoever is interrupted goes on where it was."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from recordings.audio_store import AudioStore
from recordings.failpoint import reach
from recordings.holds import held_calls
from recordings.kept import REMOVED, Recording, everything, find
from recordings.removal import TIMEOUT, overwrite, remove_calls, shred
from recordings.store import Connection, Row, Store
from routing.aftercare import Retention
from routing.policy import Policy

BATCH = 50  # calls that go in one transaction, so that nobody has to wait for it
ROWS = 500
CALLS = "SELECT id, sid, programme, started_at FROM calls WHERE id > ? AND started_at < ? ORDER BY id LIMIT ?"
OF_CALLS = "SELECT sid FROM recordings WHERE call_sid IN ({})"
NAMED = "SELECT 1 FROM recordings WHERE name = ?"
ONE_DAY = timedelta(days=1)
PROGRAMME = "SELECT programme FROM calls WHERE sid = ?"
MUTE = "UPDATE recordings SET transcript = NULL, transcript_state = NULL WHERE sid = ? AND held IS NULL"
OLD_DONE = "SELECT id FROM outbox WHERE state = 'done' AND done_at < ? ORDER BY id LIMIT ?"
OLD_DEAD = "SELECT id FROM outbox WHERE state = 'dead' AND done_at < ? ORDER BY id LIMIT ?"
DROP = "DELETE FROM outbox WHERE id = ? AND state <> 'waiting'"
# The provider has no copy any more, and nobody could find one by this id.
OLD_TOMBS = (
    "DELETE FROM recordings WHERE state = 'erased' AND call_sid = '' AND provider_deleted_at IS NOT NULL "
    "AND received_at < ?"
)


class Times(msgspec.Struct, frozen=True):
    """How long each programme's policy keeps what, and what holds for what belongs to none: the longest of them."""

    by_programme: Mapping[str, Retention]

    def of(self, programme: str) -> Retention:
        """Return how long a programme keeps what it stores."""
        return self.by_programme.get(programme) or self.longest()

    def longest(self) -> Retention:
        """Return the longest times of all."""
        every = tuple(self.by_programme.values()) or (Retention(),)
        names = ("recordings", "transcripts", "calls", "outbox")
        return Retention(**{name: max(getattr(each, name) for each in every) for name in names})


def times_of(policies: Iterable[Policy]) -> Times:
    """Return how long the policies in force keep what."""
    return Times({policy.programme: policy.retention for policy in policies})


def purge(store: Store, audio: AudioStore, times: Times, at: datetime) -> Counter[str]:
    """Remove everything whose time is over and that nobody holds, and return how much of what.

    Harmless when two do it at once. Raises StoreUnavailable and AudioUnavailable; the next round goes on from there.
    """
    removed = Counter(recordings=0, transcripts=0)
    for each, kept in _recordings(store, times, at):
        if each.received_at + kept.recordings < at:
            removed["recordings"] += shred(store, audio, [each], at)
        elif each.transcript is not None and each.received_at + kept.transcripts < at:
            removed["transcripts"] += store.write(lambda conn, sid=each.sid: _mute(conn, store, sid), TIMEOUT)  # type: ignore[misc]
    for sids in _calls_over(store, times, at):
        shred(store, audio, recordings_of(store, sids), at)
        reach("purge.mid")
        removed += store.write(lambda conn, sids=sids: remove_calls(conn, store, sids), TIMEOUT)  # type: ignore[misc]
    removed["strays"] += _strays(store, audio, at - ONE_DAY)
    removed["outbox"] += _drop(store, OLD_DONE, at - times.longest().outbox)
    removed["outbox"] += _drop(store, OLD_DEAD, at - times.longest().calls)
    old = store.instant(at - times.longest().calls)
    store.write(lambda conn: conn.execute(store.sql(OLD_TOMBS), (old,)), TIMEOUT)
    return removed


def _recordings(store: Store, times: Times, at: datetime) -> Iterator[tuple[Recording, Retention]]:
    """Yield recordings that are neither young nor gone nor held, and how long each may stay."""
    ask = asking(store)
    soonest = min(min(each.recordings, each.transcripts) for each in (*times.by_programme.values(), times.longest()))
    for each in everything(store):
        young = each.received_at + soonest >= at
        if young or (each.state in REMOVED and each.transcript is None):
            continue
        if each.held or held_calls(ask, (each.call_sid,)):
            continue
        found = ask(PROGRAMME, (each.call_sid,))
        yield each, times.of(found[0][0] if found else "")


def _strays(store: Store, audio: AudioStore, before: datetime) -> int:
    """Remove files that no row names, left by a process that was killed when it had just written them."""
    audio.sweep(before)
    sql, count = store.sql(NAMED), 0
    for each in audio.files():
        name = each.name
        if each.since >= before or store.read(lambda conn, name=name: conn.execute(sql, (name,)).fetchone(), TIMEOUT):  # type: ignore[misc]
            continue
        audio.delete(name)
        count += 1
    return count


def _mute(conn: Connection, store: Store, sid: str) -> int:
    overwrite(conn, store)
    return conn.execute(store.sql(MUTE), (sid,)).rowcount


def _calls_over(store: Store, times: Times, at: datetime) -> Iterator[tuple[str, ...]]:
    """Yield calls whose time is over and that nobody holds, a batch at a time."""
    ask, after = asking(store), 0
    newest = max((at - each.calls for each in times.by_programme.values()), default=at - times.longest().calls)
    while rows := ask(CALLS, (after, store.instant(newest), BATCH)):
        after = rows[-1][0]
        over = [sid for _, sid, of, started in rows if store.moment(started) + times.of(of).calls < at]
        held = held_calls(ask, over)
        if going := tuple(sid for sid in over if sid not in held):
            yield going


def recordings_of(store: Store, sids: Sequence[str]) -> list[Recording]:
    """Return the recordings of some calls."""
    rows = asking(store)(OF_CALLS.format(", ".join("?" for _ in sids)), sids) if sids else []
    return [found for (sid,) in rows if (found := find(store, sid))]


def _drop(store: Store, sql: str, before: datetime) -> int:
    """Remove rows of the outbox that are settled, a few at a time."""
    total, text = 0, store.sql(sql)
    instant = store.instant(before)

    def work(conn: Connection) -> int:
        overwrite(conn, store)
        found = conn.execute(text, (instant, ROWS)).fetchall()
        for row in found:
            conn.execute(store.sql(DROP), row)
        return len(found)

    while dropped := store.write(work, TIMEOUT):
        total += dropped
    return total


def asking(store: Store) -> Callable[..., list[Row]]:
    """Return what asks the store one question."""
    return lambda sql, params=(): store.read(lambda conn: conn.execute(store.sql(sql), params).fetchall(), TIMEOUT)
