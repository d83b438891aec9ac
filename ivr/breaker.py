"""A breaker: after a few failures in a row the store is left alone for a moment, so that no caller waits for it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock
from time import monotonic
from types import TracebackType

from ivr.observe import BREAKER, STORE_FAILURES
from recordings.store import StoreUnavailable

FAILURES = 3  # in a row
REST = 2.0  # seconds


class Breaker(AbstractContextManager[None]):
    """Stands around every use of the store. Entering raises StoreUnavailable while it is open.

    After the rest one user at a time may try; the first success closes it again.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._lock = Lock()
        self._failures = 0
        self._rests_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the store is being left alone."""
        return self._failures >= FAILURES

    def __enter__(self) -> None:
        """Let a user through, or not."""
        if self._failures < FAILURES:
            return
        with self._lock:
            if self._now() < self._rests_until:
                raise StoreUnavailable("the store has failed several times and is left alone for a moment")
            self._rests_until = self._now() + REST

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Learn how it went. Only a store that could not be used counts as a failure."""
        if kind is None or not issubclass(kind, StoreUnavailable):
            if self._failures:
                self._failures = 0
                BREAKER.set(0)
            return
        STORE_FAILURES.inc()
        with self._lock:
            self._failures += 1
            self._rests_until = self._now() + REST
        if self.is_open:
            BREAKER.set(1)
