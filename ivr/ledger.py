"""The log of calls as the webhooks use it: never waited for longer than a caller can, and left alone while it fails."""

from collections.abc import Callable
from datetime import datetime

from flows.call import Call, Turned
from flows.heard import Heard, Resumed
from ivr.breaker import Breaker
from recordings.log import CallLog
from recordings.rows import TurnKey

TURN_TIMEOUT = 3.0  # seconds; with one second for a look into the directory, a turn takes four at most
NOTICE_TIMEOUT = 3.0
HASTE = 0.25  # seconds, where a caller waits for something that only the log would miss


class Ledger:
    """The log behind the breaker. Every method raises StoreUnavailable when the store cannot be used in time."""

    def __init__(self, log: CallLog, breaker: Breaker) -> None:
        self._log = log
        self.breaker = breaker

    def turn(self, key: TurnKey, take: Callable[[Call | None], tuple[Turned, bytes]]) -> bytes:
        """Return the reply to a turn, written once and then for ever the same; see CallLog.turn."""
        with self.breaker:
            return self._log.turn(key, take, TURN_TIMEOUT)

    def notice(
        self,
        sid: str,
        heard: Heard,
        at: datetime,
        take: Callable[[Call | None], Turned | None],
        timeout: float = NOTICE_TIMEOUT,
    ) -> bool:
        """Take a fact that came by itself, and return whether it was news; see CallLog.notice."""
        with self.breaker:
            return self._log.notice(sid, heard, at, take, timeout)

    def load(self, sid: str) -> Call | None:
        """Return a call as it is stored."""
        with self.breaker:
            return self._log.load(sid, TURN_TIMEOUT)

    def fell_back(self, sid: str) -> bool:
        """Whether the provider has already failed to carry out the answer to the caller's latest turn."""
        with self.breaker:
            rows = self._log.timeline(sid, TURN_TIMEOUT)
        latest = max((at for at, row in enumerate(rows) if row.leg == 0), default=-1)
        return any(isinstance(row.heard, Resumed) for row in rows[latest + 1 :])
