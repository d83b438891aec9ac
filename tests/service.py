"""The service under test, its telephone, and what its log says: what stories are told with."""

from datetime import datetime
from functools import cache
from typing import Any, Self

from paper import TUESDAY_MORNING, shipped
from phone import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_BASE_URL, AppWire, Call, Telephone

from flows.call import Call as Document
from ivr import programmes
from ivr.app import create_app
from ivr.settings import Settings
from recordings.fsck import Ground, examine
from recordings.partners import load_demo
from recordings.retention import times_of

LINE = {each.id: each.number for each in shipped().lines.values()}
RINGS = {each.id: each.number for each in shipped().destinations.values()}
SECRET = "a secret of the tests, long enough for anybody"
ENVIRONMENT = {
    "IVR_ENV": "demo",
    "PUBLIC_BASE_URL": PUBLIC_BASE_URL,
    "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
    "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
    "SECRET_KEY": SECRET,
    "LOG_LEVEL": "ERROR",
}


@cache
def listing() -> programmes.Programmes:
    """The shipped policies, read and proved once for the whole suite."""
    return programmes.load(settings_for("sqlite://"), TUESDAY_MORNING)


def settings_for(url: str, **changes: str) -> Settings:
    given = {**ENVIRONMENT, "DATABASE_URL": url, **changes}
    return Settings(**{name.lower(): value for name, value in given.items()})


class Service:
    """The real application over a real store, with a telephone beside it."""

    def __init__(self, url: str, *, transcribe: str = "false", **telephone: Any) -> None:
        self.app = create_app(settings_for(url, TRANSCRIBE=transcribe), listing())
        self.parts = self.app.extensions["partnerline"]
        load_demo(self.parts.store)
        self.parts.keep_policies()
        self.phone = Telephone(AppWire(self.app), at=TUESDAY_MORNING, **telephone)

    def close(self) -> None:
        self.parts.store.close()

    def at(self, instant: datetime) -> Self:
        self.phone.at(instant)
        return self

    def passes(self, seconds: float) -> None:
        self.phone.passes(seconds)

    def dials(self, to: str, from_: str = "+14085550142", **fields: Any) -> Call:
        return self.phone.dials(to, from_, **fields)

    def call_of(self, call: Call) -> Document:
        """What the log keeps of a call; rebuilt from its changes it must be the same."""
        self.phone.settle()
        kept = self.parts.log.load(call.sid)
        assert kept is not None
        assert self.parts.log.rebuild(call.sid) == kept
        return kept

    def case_of(self, call: Call) -> dict[str, Any] | None:
        rows = self.query("SELECT number, intent, severity, partner_id, desk FROM cases WHERE call_sid = ?", call.sid)
        return dict(zip(("number", "intent", "severity", "partner_id", "desk"), rows[0], strict=True)) if rows else None

    def outbox(self, call: Call) -> set[str]:
        """The kinds of effects that wait for a call, but for the one that each has: that it has ended."""
        return {kind for (kind,) in self.query("SELECT kind FROM outbox WHERE call_sid = ?", call.sid)} - {"ended"}

    def tasks(self, call: Call) -> dict[str, dict[str, Any]]:
        """The tasks that a call has left, by kind."""
        rows = self.query(f"SELECT {', '.join(TASK)} FROM tasks WHERE call_sid = ?", call.sid)
        return {row[0]: dict(zip(TASK, row, strict=True)) for row in rows}

    def query(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        store = self.parts.store
        return store.read(lambda conn: conn.execute(store.sql(sql), params).fetchall(), 5.0)

    def everything_stored(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, for asking whether anything has changed."""
        return {table: self.query(f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES}

    def checks_out(self) -> None:
        """Assert that whatever has happened, everything that is stored keeps its promises: what `ivr fsck` asks."""
        rows = self.query("SELECT max(at) FROM turns")
        at = self.parts.store.moment(rows[0][0]) if rows[0][0] is not None else TUESDAY_MORNING
        retention = times_of(self.parts.programmes.policies.values()).of
        found = examine(Ground(self.parts.store, at, self.parts.desks.desk_for, retention)).findings
        assert [each for each in found if each.check not in FOR_A_WORKER] == []
        for (sid,) in self.query("SELECT sid FROM calls"):
            kept = self.parts.log.load(sid)
            assert kept is not None
            assert all(leg.number in RINGS.values() for leg in kept.legs), "a number was rung that nobody listed"

    def case_opened_by(self, caller: str, at: datetime, severity: str) -> str:
        """Let a caller open a case, hang up, and return its number."""
        call = self.at(at).dials(LINE["us-standard"], caller).presses("1")
        for key in severity:
            call.presses(key)
        call.hangs_up()
        return self.call_of(call).case_number

    def says(self, call: Call, **expected: Any) -> bool:
        """Assert what the log says of a call; flags count as a set."""
        kept = self.call_of(call)
        said = what_the_log_says(kept)
        for name, value in expected.items():
            wanted = frozenset(value) if name == "flags" else value
            assert said[name] == wanted, f"{name}: the log says {said[name]!r}, not {wanted!r}"
        return True


TASK = ("kind", "number", "why", "desk", "severity", "recording", "seconds", "audio", "state", "flags", "case_number")
FOR_A_WORKER = frozenset(
    {"outbox.waiting", "clocks.breached", "calls.ended", "recordings.awaited"}
)  # stories without a worker jump in time
TABLES = ("calls", "turns", "cases", "tasks", "outbox", "partners", "representatives", "letters")


def what_the_log_says(kept: Document) -> dict[str, Any]:
    return {
        "rule": kept.rules[-1] if kept.rules else None,
        "rules": kept.rules,
        "outcome": kept.outcome,
        "severity": kept.severity,
        "flags": frozenset(kept.flags),
        "partner": kept.partner and kept.partner.name,
        "caller": kept.caller,
        "intent": kept.intent,
        "desk": kept.decision.desk if kept.decision else "",
        "kind": kept.decision.kind if kept.decision else "",
        "call_back": kept.call_back and kept.call_back.number,
        "case": kept.case_number,
        "audio": kept.message and kept.message.audio,
    }
