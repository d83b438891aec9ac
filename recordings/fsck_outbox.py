"""Checks of the outbox: nothing waits unseen, and nothing was given up without an alarm."""

from collections.abc import Iterator
from datetime import timedelta

from recordings.fsck_ground import Finding, Ground, Tally

UNSEEN = timedelta(hours=24)
WITHOUT_ALARM = ("alarm", "text")  # an alarm about an alarm goes nowhere, and a text is never relied upon
ROWS = (
    "SELECT id, key, kind, state, attempts, coalesce(not_before, created_at), done_at, "
    "CASE WHEN state = 'dead' AND EXISTS (SELECT 1 FROM outbox AS alarm WHERE alarm.key = outbox.key || '.dead') "
    "THEN 1 ELSE 0 END FROM outbox WHERE id > ? ORDER BY id LIMIT ?"
)


def check_outbox(ground: Ground, tally: Tally) -> Iterator[Finding]:
    """Invariant 23: whatever is owed is tried within a day of its time, and what was given up has its alarm."""
    since = ground.at - UNSEEN
    for rows in ground.batches(ROWS):
        tally.add("outbox", len(rows))
        for _, key, kind, state, attempts, due, done_at, alarmed in rows:
            due_at, done = ground.store.moment(due), ground.moment(done_at)
            if state == "waiting" and due_at < since:
                tried = f"was tried {attempts} times" if attempts else "nobody has tried it"
                what = f"{kind} has been due since {due_at:%Y-%m-%d %H:%MZ}, and {tried}"
                yield Finding("outbox.waiting", key, what, "Start the worker; see `ivr outbox list`.")
            recent = done is None or done > ground.at - ground.retention_of("").outbox
            if state == "dead" and kind not in WITHOUT_ALARM and recent and not alarmed:
                what = f"{kind} was given up, and nobody was told"
                yield Finding("outbox.alarm", key, what, "See what it says, and `ivr outbox replay` it.")
