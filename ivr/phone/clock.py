"""The telephone's clock: a call of minutes is over in a moment, and still every wait counts."""

import re
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ivr.clock import parse_instant

WORDS_PER_MINUTE = 165  # the speed at which the length of every prompt was measured
_LOCAL = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?) ([A-Za-z_]+(?:/[A-Za-z_\-]+)*)")


class CallerGone(Exception):  # noqa: N818 - it happens in every call
    """The caller has hung up."""


class PhoneClock:
    """Time as one call knows it: it moves on by what is said, waited and rung, at once or in real time.

    With `hangs_up_at` the caller hangs up at that second of the call, whatever is going on then.
    """

    def __init__(self, start: datetime, *, real: bool = False, hangs_up_at: float | None = None) -> None:
        self.start = start
        self.elapsed = 0.0
        self._began = time.monotonic() if real else None
        self._end = hangs_up_at

    @property
    def instant(self) -> datetime:
        """Return what time it is in this call, in UTC."""
        return self.start + timedelta(seconds=self.elapsed)

    def spend(self, seconds: float) -> None:
        """Let time pass. Raises CallerGone at the second at which the caller hangs up."""
        gone = self._end is not None and self.elapsed + seconds >= self._end
        self.elapsed = max(self.elapsed, self._end or 0.0) if gone else self.elapsed + seconds
        if self._began is not None:
            self._keep_up(self._began)
        if gone:
            raise CallerGone

    def _keep_up(self, began: float) -> None:
        """Sleep until the real clock is there too; what a person took longer than that counts."""
        time.sleep(max(0.0, began + self.elapsed - time.monotonic()))
        self.elapsed = max(self.elapsed, time.monotonic() - began)


def spoken_seconds(text: str) -> float:
    """Return how long a sentence takes to say."""
    return len(text.split()) * 60 / WORDS_PER_MINUTE


def read_instant(text: str) -> datetime:
    """Return the instant that "2026-07-15T03:30:00Z" or "2026-07-14 20:30 America/Los_Angeles" names, in UTC.

    Of a wall time that comes twice the first is meant. Raises ValueError for one that never comes, and for anything
    that is neither form.
    """
    found = _LOCAL.fullmatch(text)
    if not found:
        return _offset_instant(text)
    try:
        zone = ZoneInfo(found[3])
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{found[3]!r} is no time zone: write it as in America/Los_Angeles") from None
    instant = datetime.fromisoformat(f"{found[1]} {found[2]}").replace(tzinfo=zone).astimezone(UTC)
    if f"{instant.astimezone(zone):%Y-%m-%d %H:%M}" != f"{found[1]} {found[2][:5]}":
        raise ValueError(f"{found[1]} {found[2]} is skipped by the clocks of {found[3]}")
    return instant


def _offset_instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no instant: write 2026-07-15T03:30:00Z, or 2026-07-14 20:30 America/Los_Angeles"
        ) from None
