"""A daily window of opening hours, and what it means on the days when clocks change."""

import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_CLOCK = "([01][0-9]|2[0-3]):([0-5][0-9])"
_WINDOW = re.compile(f"{_CLOCK}-(?:{_CLOCK}|24:00)")

DAY = 24 * 60  # minutes


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Opening hours of one day in minutes after local midnight, half-open: `opens` is open, `closes` is not.

    A window whose closing is not after its opening runs over midnight into the next day; equal ends make 24 hours.
    """

    opens: int
    closes: int

    def __post_init__(self) -> None:
        """Refuse minutes that no day has."""
        if not (0 <= self.opens < DAY and 0 <= self.closes <= DAY):
            raise ValueError(f"a window opens at minute 0-1439 and closes at 0-1440, not {self.opens}-{self.closes}")

    @classmethod
    def parse(cls, text: str) -> "Window":
        """Read "05:00-18:00". Raises ValueError for anything else; only a closing may be 24:00."""
        found = _WINDOW.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r:.40} is no window: write HH:MM-HH:MM, as in 05:00-18:00 or 00:00-24:00")
        opens_h, opens_m, closes_h, closes_m = found.groups(default="")
        return cls(int(opens_h) * 60 + int(opens_m), int(closes_h) * 60 + int(closes_m) if closes_h else DAY)

    def __str__(self) -> str:
        """Return the text that `parse` reads."""
        return f"{self.opens // 60:02}:{self.opens % 60:02}-{self.closes // 60:02}:{self.closes % 60:02}"

    def span(self, day: date, zone: ZoneInfo) -> tuple[int, int]:
        """Return opening and closing, as seconds since the epoch, of the window that opens on that day.

        Where clocks change, callers gain and never lose: it is open from when clocks first show its opening to when
        they last show the minute before its closing. So in a doubled hour it opens at the first pass and closes at
        the second, a time that clocks skip means the end of the gap, and a window inside a gap is empty.
        """
        closes = self.closes if self.closes > self.opens else self.closes + DAY
        return first_pass(day, self.opens, zone), last_pass(day, closes - 1, zone)


def first_pass(day: date, minute: int, zone: ZoneInfo) -> int:
    """Return when clocks first show that minute of the day, or the end of the gap that swallows it."""
    early, late = _readings(day, minute, zone)
    return early if early <= late else _gap_end(late, early, zone)


def last_pass(day: date, minute: int, zone: ZoneInfo) -> int:
    """Return the end of the last time that clocks show that minute, or the end of the gap that swallows it."""
    early, late = _readings(day, minute, zone)
    return late + 60 if early <= late else _gap_end(late, early, zone)


def _readings(day: date, minute: int, zone: ZoneInfo) -> tuple[int, int]:
    """Both meanings of a wall time: in the doubled hour in order, in a gap in reverse, else equal."""
    wall = datetime.combine(day, time(), zone) + timedelta(minutes=minute)
    return int(wall.timestamp()), int(wall.replace(fold=1).timestamp())


def _gap_end(before: int, after: int, zone: ZoneInfo) -> int:
    """Find the second at which the clocks jump, between one before the jump and one after it."""

    def has_jumped(second: int) -> bool:
        return datetime.fromtimestamp(second, zone).utcoffset() != offset

    offset = datetime.fromtimestamp(before, zone).utcoffset()
    return before + bisect_left(range(before, after + 1), x=True, key=has_jumped)
