"""The virtual time of a story: it advances by what is spoken, awaited and rung, never by itself."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime, formatdate


def whole(seconds: float) -> int:
    """Give the whole seconds that have passed, as Twilio counts durations."""
    return int(seconds + 0.001)


class Clock:
    """Seconds since the story began and, if it has a beginning, the instant; may be shared by several telephones."""

    def __init__(self, at: datetime | None = None) -> None:
        self.seconds = 0.0
        self._start: datetime | None = None
        self._alarms: list[tuple[float, Callable[[], None]]] = []
        if at is not None:
            self.moves_to(at)

    def moves_to(self, instant: datetime) -> None:
        """Make it that instant now, forwards or backwards; the seconds of the story go on."""
        if instant.tzinfo is None:
            raise ValueError("an instant has a time zone")
        self._start = instant - timedelta(seconds=self.seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass, ringing the alarms that fall into it, each at its own moment."""
        end = self.seconds + seconds
        while due := [alarm for alarm in self._alarms if alarm[0] <= end]:
            alarm = min(due, key=lambda one: one[0])
            self._alarms.remove(alarm)
            self.seconds = max(self.seconds, alarm[0])
            alarm[1]()
        self.seconds = max(self.seconds, end)

    def rings_at(self, seconds: float, alarm: Callable[[], None]) -> None:
        """Call `alarm` once when the story reaches that second."""
        self._alarms.append((seconds, alarm))

    @property
    def instant(self) -> datetime | None:
        """The virtual instant, or None if the story runs in real time."""
        return None if self._start is None else self._start + timedelta(seconds=self.seconds)

    @property
    def timestamp(self) -> str:
        """The instant as Twilio writes it in callbacks, RFC 2822; real time if the story has no instant."""
        return formatdate() if self.instant is None else format_datetime(self.instant)
