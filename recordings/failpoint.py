"""Failpoints: places where a service under test dies, fails or dawdles on purpose, to show that nothing is lost then.

`tx.before_commit:kill9@3` kills the process with signal 9 when it is about to commit for the third time. Nothing is
armed unless the environment says so, and production refuses to start when it does.
"""

import errno
import os
import re
import signal
from collections.abc import Callable
from itertools import count
from time import sleep

PLACES = (
    "recv.verified",
    "tx.before_commit",
    "tx.after_commit",
    "resp.before_send",
    "outbox.claimed",
    "outbox.sent_unmarked",
    "rec.partial",
    "rec.stored_unmarked",
    "rec.before_provider_delete",
    "purge.mid",
)
GRAMMAR = re.compile(r"([a-z_.]+):(kill9|raise|enospc|sleep:[0-9]+(?:\.[0-9]+)?)(?:@([1-9][0-9]{0,3}))?")
_armed: dict[str, Callable[[], None]] = {}


class Failed(Exception):  # noqa: N818 - what a failpoint raises; nobody handles it by name
    """A failpoint was told to raise."""


def arm(text: str) -> None:
    """Arm one failpoint, or with an empty text none. Raises ValueError for a text that names none."""
    _armed.clear()
    if not text:
        return
    found = GRAMMAR.fullmatch(text)
    if found is None or found[1] not in PLACES:
        raise ValueError(f"{text!r} names no failpoint: {', '.join(PLACES)}")
    _armed[found[1]] = _at(int(found[3]), _action(found[2])) if found[3] else _action(found[2])


def reach(place: str) -> None:
    """Pass a place. Does nothing unless it is armed."""
    if _armed and (act := _armed.get(place)):
        act()


def _at(turn: int, act: Callable[[], None]) -> Callable[[], None]:
    passes = count(1)
    return lambda: act() if next(passes) == turn else None


def _action(text: str) -> Callable[[], None]:
    name, _, seconds = text.partition(":")
    return {"kill9": _die, "raise": _fail, "enospc": _no_space}.get(name) or (lambda: sleep(float(seconds)))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _fail() -> None:
    raise Failed


def _no_space() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
