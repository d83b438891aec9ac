"""Turns for tests of the log: small steps that need no policy, and the rows that they leave."""

from datetime import UTC, datetime, timedelta

from flows.call import Call, Case, Leg, Turned
from flows.heard import Heard, Keys, Rang
from recordings.log import CallLog
from recordings.rows import TurnKey
from recordings.store import Store

AT = datetime(2026, 7, 14, 20, 30, 15, 123456, tzinfo=UTC)
CALLER = "+14085550142"
PATIENCE = 10.0


def key(sid: str, turn: int, leg: int = 0, heard: Heard | None = None) -> TurnKey:
    """Return the key of a delivered turn; each turn comes a second after the one before."""
    return TurnKey(sid, leg, turn, heard or (Keys(str(turn)) if turn else Rang(sid, "+14085550100", CALLER)), at(turn))


def at(turn: int) -> datetime:
    """Return the instant of a turn."""
    return AT + timedelta(seconds=turn)


def new_call(sid: str, **fields: object) -> Call:
    """Return a call that has just been greeted, and waits for turn 1."""
    basics = {"programme": "8x8-partner", "policy": "v1", "line": "+14085550100", "line_id": "us-standard"}
    more = {"line_kind": "standard", "locale": "en-US", "region": "us", "started_at": AT, "caller": CALLER}
    return Call(sid=sid, **{**basics, **more, "turn": 1, **fields})


def begun(sid: str, **fields: object):
    """Return the step that answers a new call."""
    return lambda _call: (Turned(new_call(sid, **fields).note(AT, "rang")), f"<Response>{sid} 1</Response>".encode())


def went_on(**fields: object):
    """Return a step that moves a call on by one turn and changes some fields."""

    def step(call: Call | None) -> tuple[Turned, bytes]:
        assert call is not None
        after = call.but(turn=call.turn + 1, node=f"node{call.turn}", **fields).note(at(call.turn), "heard")
        return Turned(after), f"<Response>{call.sid} {after.turn}</Response>".encode()

    return step


def with_leg(call: Call | None) -> tuple[Turned, bytes]:
    """Ring the first engineer, and so give the call a second conversation."""
    assert call is not None
    leg = Leg("+14085550121", "us-tier2-engineer", "Tier 2 engineer", AT)
    return Turned(call.but(turn=call.turn + 1, legs=(*call.legs, leg))), b"<Response>ringing</Response>"


def case_of(call: Call, **fields: object) -> Case:
    """Return the case of a call."""
    basics = {"number": "48207195", "call_sid": call.sid, "programme": call.programme, "opened_at": call.started_at}
    return Case(**{**basics, "region": "us", "intent": "new", "partner_id": "347109", **fields})


def place_call(log: CallLog, sid: str, turns: int) -> list[bytes]:
    """Take a call through its first turns, and return the replies."""
    replies = [log.turn(key(sid, 0), begun(sid), PATIENCE)]
    return replies + [log.turn(key(sid, turn), went_on(), PATIENCE) for turn in range(1, turns)]


def count(store: Store, table: str) -> int:
    """Return how many rows a table has."""
    return store.read(lambda conn: conn.execute(f"SELECT count(*) FROM {table}").fetchone(), PATIENCE)[0]


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    """Return the rows of a query."""
    return store.read(lambda conn: conn.execute(sql).fetchall(), PATIENCE)
