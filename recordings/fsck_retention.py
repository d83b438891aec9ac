"""Checks that nothing is kept for longer than its time, unless it is held."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from recordings.fsck_ground import Finding, Ground, Tally
from recordings.holds import held_calls
from recordings.kept import REMOVED, everything

GRACE = timedelta(days=2)  # what is removed daily may be late by a day, and by another if that went wrong
CALLS = "SELECT id, sid, programme, started_at FROM calls WHERE id > ? ORDER BY id LIMIT ?"
PROGRAMMES = "SELECT sid, programme FROM calls WHERE sid = ?"
DONE = "SELECT id, key, done_at FROM outbox WHERE id > ? AND state = 'done' ORDER BY id LIMIT ?"
MEND = "Start the worker: it removes daily what is over. If it runs, see what it says."


def check_retention(ground: Ground, tally: Tally) -> Iterator[Finding]:
    """Invariant 34: recordings, transcripts, calls and done rows of the outbox go when their time is over."""
    yield from _recordings(ground)
    yield from _calls(ground)
    for rows in ground.batches(DONE):
        tally.add("done rows", len(rows))
        for _, key, done_at in rows:
            if _over(ground.moment(done_at), ground.retention_of("").outbox, ground):
                yield Finding("retention.outbox", key, f"it was done on {_day(ground, done_at)}", MEND)


def _recordings(ground: Ground) -> Iterator[Finding]:
    for each in everything(ground.store):
        if each.held or held_calls(ground.rows, (each.call_sid,)):
            continue
        kept = ground.retention_of(_programme(ground, each.call_sid))
        day = f"{each.received_at:%Y-%m-%d}"
        if each.state not in REMOVED and _over(each.received_at, kept.recordings, ground):
            yield Finding("retention.recordings", each.sid, f"it was received on {day} and is still there", MEND)
        if each.transcript is not None and _over(each.received_at, kept.transcripts, ground):
            yield Finding("retention.transcripts", each.sid, f"it was received on {day} and can still be read", MEND)


def _calls(ground: Ground) -> Iterator[Finding]:
    for rows in ground.batches(CALLS):
        over = {
            sid: started_at
            for _, sid, programme, started_at in rows
            if _over(ground.moment(started_at), ground.retention_of(programme).calls, ground)
        }
        held = held_calls(ground.rows, tuple(over))
        for sid, started_at in over.items():
            if sid not in held:
                yield Finding("retention.calls", sid, f"it came in on {_day(ground, started_at)}", MEND)


def _programme(ground: Ground, sid: str) -> str:
    rows = ground.rows(PROGRAMMES, (sid,))
    return str(rows[0][1]) if rows else ""


def _over(since: datetime | None, kept: timedelta, ground: Ground) -> bool:
    return since is not None and since + kept + GRACE < ground.at


def _day(ground: Ground, stored: object) -> str:
    return f"{ground.store.moment(stored):%Y-%m-%d}"
