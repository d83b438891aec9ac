"""Writing a turn's rows, all or none, and only if the call is still as the turn saw it."""

# ruff: noqa: S608 - the only names that are put into these statements are the columns of this package

from functools import lru_cache

from recordings.rows import CALL, CASE, INDEXED, OUTBOX, TASK, TURN, Rows
from recordings.store import Connection


def _columns(*names: str) -> str:
    return ", ".join(names)


def _marks(*names: str) -> str:
    return ", ".join("?" for _ in names)


def _sets(*names: str) -> str:
    return ", ".join(f"{name} = ?" for name in names)


def _update(*names: str) -> str:
    return f"UPDATE calls SET version = version + 1, {_sets(*names)} WHERE sid = ? AND version = ?"


NEW_CALL = (
    f"INSERT INTO calls (sid, version, {_columns(*CALL, *INDEXED)}) "
    f"VALUES (?, 1, {_marks(*CALL, *INDEXED)}) ON CONFLICT (sid) DO NOTHING"
)
CALL_MOVED = _update(*CALL)
CALL_REINDEXED = _update(*CALL, *INDEXED)
NEW_TURN = f"INSERT INTO turns ({_columns(*TURN)})"
NEW_EFFECTS = f"INSERT INTO outbox ({_columns(*OUTBOX)}, state, attempts)"
ONCE = "ON CONFLICT (key) DO NOTHING"
NEW_CASE = f"INSERT INTO cases ({_columns(*CASE)}, status)"
SAME_CASE = (
    "ON CONFLICT (number) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in CASE if name not in {"number", "call_sid", "opened_at"})
    + " WHERE cases.call_sid = excluded.call_sid"
)
NEW_TASK = f"INSERT INTO tasks ({_columns(*TASK)}, state, version)"
SAME_TASK = (
    "ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(
        f"{name} = excluded.{name}"
        for name in ("number", "why", "case_number", "severity", "flags", "due_at", "look_at", "recording", "seconds")
    )
    # Of audio that is still the same, others may know more by now than the turn does.
    + ", audio = CASE WHEN excluded.recording = tasks.recording OR excluded.recording IS NULL "
    + "THEN tasks.audio ELSE excluded.audio END"
    + " WHERE tasks.state = 'new'"
)
TURN_ROW = f"{NEW_TURN} VALUES ({_marks(*TURN)})"
EFFECT_ROW = f"{NEW_EFFECTS} VALUES ({_marks(*OUTBOX)}, 'waiting', 0) {ONCE}"
CASE_ROW = f"{NEW_CASE} VALUES ({_marks(*CASE)}, 'open') {SAME_CASE}"
TASK_ROW = f"{NEW_TASK} VALUES ({_marks(*TASK)}, 'new', 1) {SAME_TASK}"
EFFECT_TYPES = ("text", "text", "text", "text", "text", "timestamptz")


def append(conn: Connection, rows: Rows) -> bool:
    """Write the rows in the open transaction. False, and nothing written, when the call has moved on meanwhile."""
    sql, params = _call(rows)
    if conn.execute(sql, params).rowcount != 1:
        return False
    conn.execute(TURN_ROW, rows.turn)
    if rows.case:
        conn.execute(CASE_ROW, rows.case)
    for task in rows.tasks:
        conn.execute(TASK_ROW, task)
    for effect in rows.outbox:
        conn.execute(EFFECT_ROW, effect)
    return True


def append_at_once(conn: Connection, rows: Rows) -> bool:
    """Write the rows in one statement, and so in one round trip, which is a transaction by itself (Postgres)."""
    call, params = _call(rows)
    effects = [list(column) for column in zip(*rows.outbox, strict=True)]
    sql = _at_once(call, filed=rows.case is not None, tasks=len(rows.tasks), owed=bool(effects))
    tasks = [value for task in rows.tasks for value in task]
    found = conn.execute(sql, (*params, *rows.turn, *(rows.case or ()), *tasks, *effects)).fetchone()
    return found is not None and found[0] == 1


def _call(rows: Rows) -> tuple[str, tuple[object, ...]]:
    if rows.version == 0:
        return NEW_CALL, (rows.sid, *rows.call, *(rows.indexed or ()))
    if rows.indexed is None:
        return CALL_MOVED, (*rows.call, rows.sid, rows.version)
    return CALL_REINDEXED, (*rows.call, *rows.indexed, rows.sid, rows.version)


@lru_cache(maxsize=64)
def _at_once(call: str, *, filed: bool, tasks: int, owed: bool) -> str:
    """Return the statement that writes the call and, only if that was to be written, everything else."""
    parts = [f"moved AS ({call} RETURNING 1)", f"told AS ({NEW_TURN} SELECT {_marks(*TURN)} FROM moved)"]
    if filed:
        parts.append(f"filed AS ({NEW_CASE} SELECT {_marks(*CASE)}, 'open' FROM moved {SAME_CASE})")
    task = f"{NEW_TASK} SELECT {_marks(*TASK)}, 'new', 1 FROM moved {SAME_TASK}"
    parts += [f"task_{number} AS ({task})" for number in range(tasks)]
    if owed:
        arrays = ", ".join(f"?::{name}[]" for name in EFFECT_TYPES)
        listed = f"SELECT effect.*, 'waiting', 0 FROM moved, unnest({arrays}) effect"
        parts.append(f"owed AS ({NEW_EFFECTS} {listed} {ONCE})")
    return f"WITH {', '.join(parts)} SELECT count(*) FROM moved".replace("?", "%s")
