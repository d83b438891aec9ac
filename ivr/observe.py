"""What can be seen from outside: one line a turn, and the figures of /metrics. No number and no ID is there in full."""

import hmac
import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from ivr.answer import Answer
from recordings.backlog import Backlog
from routing.numbers import masked

LINE_LIMIT = 4000  # bytes: what a pipe takes in one piece
HASHES = 4096  # how many hashed Partner IDs are remembered

disable_created_metrics()  # type: ignore[no-untyped-call]  # when a count began interests nobody here

TURNS = Histogram(
    "partnerline_turn_seconds",
    "Time from a webhook's arrival to its answer, by the node that answered",
    ["node"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
REPLIES = Counter(
    "partnerline_replies", "Answers to webhooks: fresh, repeated, again, rescue, noted, refused", ["kind"]
)
FORGED = Counter("partnerline_signature_failures", "Requests that Twilio did not sign")
ANOMALIES = Counter("partnerline_anomalies", "Genuine requests with something that their URL cannot be told", ["field"])
STORE_FAILURES = Counter("partnerline_store_failures", "Times that the store did not answer in time, or at all")
BREAKER = Gauge("partnerline_breaker_open", "1 while the store is left alone", multiprocess_mode="livemax")
UNKNOWN_LINES = Counter("partnerline_unknown_lines", "Calls to a number that no policy lists")

BACKLOG = Gauge(
    "partnerline_backlog",
    "Jobs waiting and dead, pages that nobody has taken, tasks open and overdue",
    ["what"],
    multiprocess_mode="mostrecent",
)
OLDEST = Gauge(
    "partnerline_oldest_job_seconds", "Age of the job that should have been done first", multiprocess_mode="mostrecent"
)

log = logging.getLogger("ivr")


class TurnLine(msgspec.Struct, frozen=True, tag_field="event", tag="turn", omit_defaults=True):
    """One webhook, as its line in the log. `caller` is the last four digits and `partner` a keyed hash."""

    at: datetime
    call_sid: str
    reply: str
    leg: int
    turn: int
    heard: str
    ms: float
    node: str = ""
    rule: str = ""
    outcome: str = ""
    case: str = ""
    caller: str = ""
    partner: str = ""
    field: str = ""


_encode = msgspec.json.Encoder().encode


def to_stdout(line: bytes) -> None:
    """Write one line in one piece, so that lines of several threads and processes never mix."""
    os.write(1, line[:LINE_LIMIT] + b"\n")


class Witness:
    """Writes the line of each turn and counts it."""

    def __init__(self, secret: str, level: str = "INFO", write: Callable[[bytes], None] = to_stdout) -> None:
        self._key = hmac.digest(secret.encode(), b"partner ids in the log", "sha256")
        self._hashes: dict[str, str] = {}
        self._write = write
        self._quiet = level in ("WARNING", "ERROR")
        self._turns: dict[str, Histogram] = {}
        self._replies: dict[str, Counter] = {}

    def saw(self, answer: Answer, at: datetime, ms: float) -> None:
        """Write and count one webhook that was answered at an instant, after so many milliseconds."""
        node = answer.call.node if answer.call else answer.reply
        self._time(node).observe(ms / 1000)
        self._count(answer.reply).inc()
        if not self._quiet:
            self._write(_encode(self._line(answer, at, ms)))

    def _line(self, answer: Answer, at: datetime, ms: float) -> TurnLine:
        call = answer.call
        line = TurnLine(
            at, answer.sid, answer.reply, answer.leg, answer.turn, answer.heard, round(ms, 1), field=answer.field
        )
        if call is None:
            return line
        return replace(
            line,
            node=call.node,
            rule=call.rules[-1] if call.rules else "",
            outcome=call.outcome,
            case=call.case_number,
            caller=masked(call.caller),
            partner=self.hashed(call.partner.partner_id) if call.partner else "",
        )

    def hashed(self, partner_id: str) -> str:
        """Return what stands for a Partner ID in the log: the same for the same ID, and no way back."""
        if partner_id not in self._hashes:
            if len(self._hashes) >= HASHES:
                self._hashes.clear()
            self._hashes[partner_id] = hmac.digest(self._key, partner_id.encode(), "sha256").hex()[:12]
        return self._hashes[partner_id]

    def _time(self, node: str) -> Histogram:
        if node not in self._turns:
            self._turns[node] = TURNS.labels(node)
        return self._turns[node]

    def _count(self, reply: str) -> Counter:
        if reply not in self._replies:
            self._replies[reply] = REPLIES.labels(reply)
        return self._replies[reply]


def note_backlog(found: Backlog) -> None:
    """Write down what there is to do, to be shown with the other figures."""
    for what in ("waiting", "dead", "pages", "tasks", "overdue"):
        BACKLOG.labels(what).set(getattr(found, what))
    OLDEST.set(found.oldest)


def exposition() -> bytes:
    """Return every figure in Prometheus' text format, summed over the processes where there are several."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


class JsonLines(logging.Formatter):
    """Everything else that is worth a line, as JSON too. ASCII only, so that no text can end or disguise a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of at most four kilobytes."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "event": "log",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage()[:1000],
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)[-1500:]
        text = json.dumps(line)
        return text if len(text) <= LINE_LIMIT else json.dumps({**line, "message": line["message"][:300], "trace": ""})


def set_up_logging(level: str) -> None:
    """Send every logger's lines to standard output."""
    lines = logging.StreamHandler(sys.stdout)
    lines.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[lines], force=True)
