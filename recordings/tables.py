"""Every table, for both engines. The only description of the schema; the migrations are tested to arrive at it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def to_micros(instant: datetime) -> int:
    """Return an instant as microseconds since 1970 in UTC. Raises ValueError if it says nothing of its zone."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    return (instant - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the instant, in UTC, that lies so many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """An aware instant: a timestamp with time zone on Postgres, integer microseconds on SQLite. Both are exact."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column type of an engine."""
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | int | None:
        """Return what is stored. Raises ValueError for an instant that says nothing of its zone."""
        if value is None:
            return None
        micros = to_micros(value)
        return from_micros(micros) if dialect.name == "postgresql" else micros

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401
        """Return an instant in UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if dialect.name == "postgresql" else from_micros(value)


def _row_id() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


calls = Table(
    "calls",
    metadata,
    _row_id(),
    Column("sid", Text, nullable=False),
    Column("version", Integer, nullable=False),  # how many writes the document has seen
    Column("programme", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("line_id", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("caller", Text),
    Column("partner_id", Text),
    Column("type", Text),
    Column("intent", Text, nullable=False),
    Column("severity", Integer),
    Column("rule", Text),
    Column("kind", Text),
    Column("desk", Text),
    Column("node", Text, nullable=False),
    Column("outcome", Text),
    Column("flags", Text, nullable=False),  # separated by single spaces
    Column("case_number", Text),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("message_at", Instant),  # when its escalation voicemail was taken
    Column("unknown_ids", Integer, nullable=False),  # how many Partner IDs were keyed that nobody has
    Column("document", Text, nullable=False),
    UniqueConstraint("sid"),
    Index(None, "started_at"),
    Index(None, "caller", "started_at"),
    Index(None, "partner_id", "started_at"),
    postgresql_with={"fillfactor": "70"},  # room to update a call in place
)

# A turn's row has no foreign key to its call, nor a case to its call: they are written in one statement, and the check
# would cost every turn a look-up.
turns = Table(
    "turns",
    metadata,
    _row_id(),
    Column("sid", Text, nullable=False),
    Column("leg", Integer, nullable=False),  # 0 the caller, k the k-th engineer, -1 a fact that nobody waited for
    Column("turn", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("node", Text, nullable=False),
    Column("heard", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("changes", Text, nullable=False),
    Column("reply", LargeBinary),
    UniqueConstraint("sid", "leg", "turn"),
)

cases = Table(
    "cases",
    metadata,
    Column("number", Text, primary_key=True),
    Column("call_sid", Text, nullable=False),
    Column("programme", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("region", Text, nullable=False),
    Column("intent", Text, nullable=False),
    Column("partner_id", Text),
    Column("partner_name", Text),
    Column("severity", Integer),
    Column("desk", Text),
    Column("target_table", Text),
    Column("response_due", Instant),
    Column("flags", Text, nullable=False),
    Column("status", Text, nullable=False),  # open, resolved or closed
    Column("policy", Text),  # the version that the case lives by
    Column("severity_now", Integer),  # as corrected since the call; empty while it is as the call said
    Column("level", Integer, nullable=False, server_default="0"),  # how far it has been escalated
    Column("look_at", Instant),  # when one of its clocks has to be looked at next
    UniqueConstraint("call_sid"),
    Index(None, "look_at"),
)

outbox = Table(
    "outbox",
    metadata,
    _row_id(),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("call_sid", Text, nullable=False),
    Column("case_number", Text),
    Column("detail", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("state", Text, nullable=False),  # waiting, done or dead
    Column("attempts", Integer, nullable=False),
    Column("not_before", Instant),  # empty: at once
    Column("leased_until", Instant),
    Column("leased_by", Text),
    Column("last_error", Text),
    Column("lane", Text),  # rows of one lane are carried out in order, one at a time
    Column("done_at", Instant),
    UniqueConstraint("key"),
    Index(None, "state", "not_before"),
    Index(None, "lane", "state"),
)

# What people and the service have done after the call, with a case, a task, a page or a recording. Nothing is ever
# changed or removed here but by erasure.
work_log = Table(
    "work_log",
    metadata,
    _row_id(),
    Column("key", Text, nullable=False),
    Column("subject", Text, nullable=False),  # a case number, the id of a task or page, or of a recording
    Column("kind", Text, nullable=False),
    Column("at", Instant, nullable=False),  # when it happened
    Column("logged_at", Instant, nullable=False),  # when it was written down
    Column("actor", Text, nullable=False),
    Column("detail", Text, nullable=False),
    UniqueConstraint("key"),
    Index(None, "subject", "at"),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # message or call_back
    Column("call_sid", Text, nullable=False),
    Column("case_number", Text),
    Column("programme", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("partner_id", Text),
    Column("partner_name", Text),
    Column("region", Text, nullable=False),
    Column("desk", Text, nullable=False),  # the desk that has it now
    Column("number", Text),  # to be called back, from a person's own telephone
    Column("severity", Integer),
    Column("why", Text, nullable=False),
    Column("recording", Text),
    Column("seconds", Integer),
    Column("audio", Text, nullable=False),  # none, expected, or what became of it: see recordings.state
    Column("state", Text, nullable=False),  # new, claimed, answered or closed
    Column("holder", Text),
    Column("received_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("answered_at", Instant),
    Column("answered_by", Text),
    Column("flags", Text, nullable=False),
    Column("version", Integer, nullable=False),  # how many writes it has seen: who is second finds out
    Column("look_at", Instant),
    Index(None, "state", "due_at"),
    Index(None, "look_at"),
    Index(None, "case_number"),
    Index(None, "call_sid"),
    Index(None, "partner_id", "received_at"),
)

pages = Table(
    "pages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # outage, call_back or escalation
    Column("call_sid", Text, nullable=False),
    Column("case_number", Text),
    Column("programme", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("ladder", Text, nullable=False),
    Column("severity", Integer),
    Column("why", Text, nullable=False),
    Column("state", Text, nullable=False),  # climbing, acknowledged or closed
    Column("level", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("acknowledged_at", Instant),
    Column("acknowledged_by", Text),
    Column("acknowledged_how", Text),  # link, key, task, console, api or command
    Column("version", Integer, nullable=False),
    Column("look_at", Instant),
    Index(None, "look_at"),
    Index(None, "call_sid"),
    Index(None, "case_number"),
)

# Who was tried on a ladder, when, how, and what came of it.
attempts = Table(
    "attempts",
    metadata,
    _row_id(),
    Column("key", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("case_number", Text),
    Column("level", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("destination", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("channel", Text, nullable=False),  # notify.0, notify.1, ... or voice
    Column("at", Instant, nullable=False),
    Column("result", Text, nullable=False),  # owed, sent, failed, answered, passed, no_answer, acknowledged or skipped
    Column("settled_at", Instant),
    UniqueConstraint("key"),
    Index(None, "page"),
    Index(None, "case_number"),
)

recordings = Table(
    "recordings",
    metadata,
    Column("sid", Text, primary_key=True),
    Column("call_sid", Text, nullable=False),
    Column("kind", Text, nullable=False),  # message or call
    # expected, stored, absent, failed, silent, too_short, missing, discarded or erased
    Column("state", Text, nullable=False),
    Column("seconds", Integer),
    Column("bytes", Integer),
    Column("sha256", Text),  # of the audio itself
    Column("media_type", Text),
    Column("name", Text),  # in the audio store
    Column("key_id", Text),
    Column("sealed_key", LargeBinary),  # the file's own key; without it nobody can hear the audio again
    Column("received_at", Instant, nullable=False),
    Column("stored_at", Instant),
    Column("provider_deleted_at", Instant),
    Column("held", Text),  # why it may not be removed
    Column("transcript", LargeBinary),  # sealed like the audio
    Column("transcript_state", Text),  # completed or failed
    Index(None, "call_sid"),
    Index(None, "state", "received_at"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, nullable=False),  # a keyed hash of whom it was about
    Column("asked_by", Text, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("removed", Text, nullable=False),  # how much of what
)

# How far something that goes on in rounds has come: the reconciler, the backup.
marks = Table(
    "marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", Instant, nullable=False),
)

partners = Table(
    "partners",
    metadata,
    Column("partner_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("certified_from", Date),
    Column("certified_until", Date),
    Column("first_line", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("programme", Text, nullable=False),
)

representatives = Table(
    "representatives",
    metadata,
    Column("partner_id", Text, ForeignKey("partners.partner_id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("number", Text, nullable=False),
    Index(None, "number"),
)

letters = Table(
    "letters",
    metadata,
    Column("partner_id", Text, ForeignKey("partners.partner_id"), primary_key=True),
    Column("customer", Text, primary_key=True),
    Column("service_number", Text, primary_key=True),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

policies = Table(
    "policies",
    metadata,
    Column("version", Text, primary_key=True),
    Column("programme", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("loaded_at", Instant, nullable=False),
)
