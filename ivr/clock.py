"""The clock: the one place where the service asks what time it is."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return this instant, in UTC."""
    return datetime.now(UTC)  # noqa: TID251


def parse_instant(text: str) -> datetime:
    """Return the instant that an RFC 3339 text names, in UTC. Raises ValueError if it names none, or no zone."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no zone: write it as in 2026-11-21T15:00:00-08:00")
    return instant.astimezone(UTC)
