"""Care with targets that hang: one that has just kept a thread waiting for nothing is left alone for a while."""

from collections.abc import Callable
from time import monotonic

from ivr.notify.send import Delivery, Result
from ivr.notify.tell import Note

SLOW = 5.0  # seconds that a failure may take before the target counts as hanging
ALONE = 30.0  # seconds


class Careful:
    """Sends, but not to a target that hangs, so that it cannot keep every thread from those that answer."""

    def __init__(self, send: Callable[[str, Note], Delivery], clock: Callable[[], float] = monotonic) -> None:
        self._send = send
        self._clock = clock
        self._alone_until: dict[str, float] = {}

    def __call__(self, target: str, note: Note) -> Delivery:
        """Send a note to one target, or fail at once while the target is left alone."""
        began, until = self._clock(), self._alone_until.get(target)
        if until is not None and began < until:
            return Delivery(Result.FAILED, "it did not answer a moment ago")
        if until is not None:
            self._alone_until[target] = began + ALONE  # one goes ahead and finds out whether it answers again
        delivery = self._send(target, note)
        if delivery.result != Result.FAILED or self._clock() - began < SLOW:
            self._alone_until.pop(target, None)
        else:
            self._alone_until[target] = self._clock() + ALONE
        return delivery
