"""One piece of work that a turn, or other work, has left to be done, and how it says that it could not be done."""

from collections.abc import Callable
from datetime import datetime

from recordings.outbox import Job

Handler = Callable[[Job, datetime], None]
Round = Callable[[datetime], object]


class Later(Exception):  # noqa: N818 - not a fault: it is not yet time
    """The job cannot be done yet. It is put off by `seconds`, which does not count as an attempt."""

    def __init__(self, seconds: float, why: str) -> None:
        self.seconds = seconds
        super().__init__(why)


class Refused(Exception):  # noqa: N818 - a state of affairs, told to whoever reads the dead letters
    """The job will never be done, however often it is tried. It becomes a dead letter at once, with an alarm."""
