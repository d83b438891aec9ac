"""What the checks of a call are told: everything that is stored of it, read for a batch of calls at once."""

# ruff: noqa: S608 - the only names that are put into these statements are the columns of this package

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from flows.call import Call
from recordings.fsck_ground import BATCH, Ground, Tally, marks
from recordings.log import read_call
from recordings.rows import CALL, CASE, INDEXED
from recordings.store import Connection, Row

STORED = (*CALL, *INDEXED)
CALLS = f"SELECT id, sid, version, {', '.join(STORED)} FROM calls WHERE id > ? ORDER BY id LIMIT ?"
TURNS = "SELECT sid, at, changes FROM turns WHERE sid IN ({}) ORDER BY id"
CASES = f"SELECT call_sid, {', '.join(CASE)} FROM cases WHERE call_sid IN ({{}}) OR number IN ({{}})"
EFFECTS = "SELECT call_sid, key, state FROM outbox WHERE key IN ({})"
AUDIO_OWED = (
    "SELECT call_sid FROM outbox WHERE state = 'waiting' AND kind IN ('fetch', 'find_audio') AND call_sid IN ({})"
)
TASKS = "SELECT call_sid, kind FROM tasks WHERE call_sid IN ({})"
PAGES = "SELECT call_sid, id FROM pages WHERE call_sid IN ({})"
RECORDINGS = "SELECT call_sid, sid FROM recordings WHERE call_sid IN ({})"
Cells = Mapping[str, object]


class Facts(msgspec.Struct, frozen=True):
    """All that is stored of one call.

    `effects` are the states of those outbox rows that its document lets expect, by key; `audio_owed` is whether audio
    of it is still to be fetched.
    """

    call: Call
    version: int
    stored: Cells
    turns: tuple[tuple[datetime, str], ...]  # when, and what changed
    cases: tuple[Cells, ...]
    effects: Mapping[str, str]
    audio_owed: bool
    tasks: frozenset[str]
    pages: frozenset[str]
    recordings: frozenset[str]


def all_facts(ground: Ground, tally: Tally) -> Iterator[Facts]:
    """Yield the facts of every call, each batch of them read as of one moment."""
    after: object = 0
    while True:
        found: list[Facts] = []
        last = ground.read(lambda conn, after=after, found=found: _batch(conn, ground, after, found))  # type: ignore[misc]
        if not last:
            return
        after = last[0][0]
        tally.add("calls", len(found))
        tally.add("turns", sum(len(facts.turns) for facts in found))
        yield from found


def _batch(conn: Connection, ground: Ground, after: object, found: list[Facts]) -> list[Row]:
    """Add the facts of the calls after a row to what was found; return that row of the last one."""
    rows = conn.execute(ground.store.sql(CALLS), (after, BATCH)).fetchall()
    calls = {row[1]: read_call(row[3 + STORED.index("document")]) for row in rows}
    linked = _Linked(conn, ground, calls)
    found += map(linked.facts, rows)
    return [(row[0],) for row in rows[-1:]]


class _Linked:
    """What hangs on the calls of one batch, by the id of its call."""

    def __init__(self, conn: Connection, ground: Ground, calls: Mapping[str, Call]) -> None:
        self._conn, self._ground, self._calls = conn, ground, calls
        sids = tuple(calls)
        self._turns = self._by_call(TURNS, sids)
        self._cases = self._cases_of(sids)
        self._effects = self._by_call(EFFECTS, [key for call in calls.values() for key in expected(call)])
        self._tasks, self._pages = self._by_call(TASKS, sids), self._by_call(PAGES, sids)
        self._recordings = self._by_call(RECORDINGS, sids)
        self._audio = self._by_call(AUDIO_OWED, [call.sid for call in calls.values() if call.message])

    def _by_call(self, sql: str, values: Sequence[str]) -> Mapping[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        if values:
            for row in self._conn.execute(self._ground.store.sql(sql.format(marks(values))), values).fetchall():
                found[row[0]].append(row[1:])
        return found

    def _cases_of(self, sids: tuple[str, ...]) -> Mapping[str, list[Cells]]:
        """Return the cases of each call: those that name it, and the one that it names."""
        spoken = {call.case_number: sid for sid, call in self._calls.items() if call.case_number}
        sql = self._ground.store.sql(CASES.format(marks(sids), marks(tuple(spoken))))
        found: dict[str, list[Cells]] = defaultdict(list)
        for row in self._conn.execute(sql, (*sids, *spoken)).fetchall():
            for sid in {row[0], spoken.get(row[1])} - {None}:
                found[str(sid)].append(dict(zip(CASE, row[1:], strict=True)))
        return found

    def facts(self, row: Row) -> Facts:
        """Return the facts of the call of a row."""
        sid, moment = row[1], self._ground.store.moment
        return Facts(
            call=self._calls[sid],
            version=row[2],
            stored=dict(zip(STORED, row[3:], strict=True)),
            turns=tuple((moment(at), changes) for at, changes in self._turns.get(sid, ())),
            cases=tuple(self._cases.get(sid, ())),
            effects=dict(self._effects.get(sid, ())),
            audio_owed=sid in self._audio,
            tasks=frozenset(kind for (kind,) in self._tasks.get(sid, ())),
            pages=frozenset(page for (page,) in self._pages.get(sid, ())),
            recordings=frozenset(recording for (recording,) in self._recordings.get(sid, ())),
        )


def page_keys(call: Call) -> tuple[str, ...]:
    """Return the keys under which a call may have had people paged."""
    return (f"{call.sid}.page.ended", *(f"{call.sid}.page.{number}" for number in range(1, call.round + 1)))


def expected(call: Call) -> tuple[str, ...]:
    """Return the keys of those outbox rows that a call may have left and that a check looks for."""
    keys = [f"{call.sid}.never_served", *page_keys(call)]
    if call.call_back:
        keys.append(f"{call.sid}.call_back")
    if call.message:
        keys.append(f"{call.sid}.voicemail")
    return tuple(keys)
