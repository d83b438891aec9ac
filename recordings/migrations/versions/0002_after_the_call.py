"""What goes on after the call: tasks, pages, attempts, recordings, and the log of all work."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
NEW = ("marks", "erasures", "recordings", "attempts", "pages", "tasks", "work_log")


def upgrade() -> None:
    _cases()
    _outbox()
    _attempts()
    _erasures()
    _marks()
    _pages()
    _recordings()
    _tasks()
    _work_log()


def _cases() -> None:
    with op.batch_alter_table("cases") as batch:
        batch.add_column(sa.Column("policy", sa.Text()))
        batch.add_column(sa.Column("severity_now", sa.Integer()))
        batch.add_column(sa.Column("level", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("look_at", INSTANT))
    op.create_index(op.f("ix_cases_look_at"), "cases", ["look_at"])
    op.execute(
        "UPDATE cases SET look_at = opened_at, "
        "policy = (SELECT calls.policy FROM calls WHERE calls.sid = cases.call_sid) WHERE status = 'open'"
    )


def _outbox() -> None:
    with op.batch_alter_table("outbox") as batch:
        batch.add_column(sa.Column("lane", sa.Text()))
        batch.add_column(sa.Column("done_at", INSTANT))
        batch.alter_column("not_before", existing_type=INSTANT, nullable=True)
    op.create_index(op.f("ix_outbox_lane_state"), "outbox", ["lane", "state"])


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("case_number", sa.Text()),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("settled_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("key", name=op.f("uq_attempts_key")),
    )
    op.create_index(op.f("ix_attempts_case_number"), "attempts", ["case_number"])
    op.create_index(op.f("ix_attempts_page"), "attempts", ["page"])


def _erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("done_at", INSTANT),
        sa.Column("removed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )


def _marks() -> None:
    op.create_table(
        "marks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_marks")),
    )


def _pages() -> None:
    op.create_table(
        "pages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("call_sid", sa.Text(), nullable=False),
        sa.Column("case_number", sa.Text()),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("ladder", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer()),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("acknowledged_at", INSTANT),
        sa.Column("acknowledged_by", sa.Text()),
        sa.Column("acknowledged_how", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("look_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pages")),
    )
    op.create_index(op.f("ix_pages_call_sid"), "pages", ["call_sid"])
    op.create_index(op.f("ix_pages_case_number"), "pages", ["case_number"])
    op.create_index(op.f("ix_pages_look_at"), "pages", ["look_at"])


def _recordings() -> None:
    op.create_table(
        "recordings",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("call_sid", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Integer()),
        sa.Column("bytes", sa.Integer()),
        sa.Column("sha256", sa.Text()),
        sa.Column("media_type", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.Column("key_id", sa.Text()),
        sa.Column("sealed_key", sa.LargeBinary()),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("stored_at", INSTANT),
        sa.Column("provider_deleted_at", INSTANT),
        sa.Column("held", sa.Text()),
        sa.Column("transcript", sa.LargeBinary()),
        sa.Column("transcript_state", sa.Text()),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_recordings")),
    )
    op.create_index(op.f("ix_recordings_call_sid"), "recordings", ["call_sid"])
    op.create_index(op.f("ix_recordings_state_received_at"), "recordings", ["state", "received_at"])


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("call_sid", sa.Text(), nullable=False),
        sa.Column("case_number", sa.Text()),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Text()),
        sa.Column("partner_name", sa.Text()),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("number", sa.Text()),
        sa.Column("severity", sa.Integer()),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("recording", sa.Text()),
        sa.Column("seconds", sa.Integer()),
        sa.Column("audio", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text()),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT),
        sa.Column("answered_at", INSTANT),
        sa.Column("answered_by", sa.Text()),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("look_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index(op.f("ix_tasks_call_sid"), "tasks", ["call_sid"])
    op.create_index(op.f("ix_tasks_case_number"), "tasks", ["case_number"])
    op.create_index(op.f("ix_tasks_look_at"), "tasks", ["look_at"])
    op.create_index(op.f("ix_tasks_partner_id_received_at"), "tasks", ["partner_id", "received_at"])
    op.create_index(op.f("ix_tasks_state_due_at"), "tasks", ["state", "due_at"])


def _work_log() -> None:
    op.create_table(
        "work_log",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("logged_at", INSTANT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_log")),
        sa.UniqueConstraint("key", name=op.f("uq_work_log_key")),
    )
    op.create_index(op.f("ix_work_log_subject_at"), "work_log", ["subject", "at"])


def downgrade() -> None:
    for name in NEW:
        op.drop_table(name)
    op.drop_index(op.f("ix_outbox_lane_state"), "outbox")
    op.execute("UPDATE outbox SET not_before = created_at WHERE not_before IS NULL")
    with op.batch_alter_table("outbox") as batch:
        batch.alter_column("not_before", existing_type=INSTANT, nullable=False)
        batch.drop_column("done_at")
        batch.drop_column("lane")
    op.drop_index(op.f("ix_cases_look_at"), "cases")
    with op.batch_alter_table("cases") as batch:
        for name in ("look_at", "level", "severity_now", "policy"):
            batch.drop_column(name)
