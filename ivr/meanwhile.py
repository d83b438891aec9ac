"""Something long is found out in a process of its own, while this one goes on with what it has to do anyway."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import msgspec

from ivr.settings import Fault

Faults = list[Fault]


def meanwhile(work: Callable[[], Faults]) -> Callable[[], Faults]:
    """Start looking for faults, and return a function that waits for them.

    To be used before this process has threads. Should the other one come to grief, the work is done here.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _tell(work, writer)
    os.close(writer)

    def outcome() -> Faults:
        with os.fdopen(reader, "rb") as told:
            found = told.read()
        with suppress(ChildProcessError):
            os.waitpid(child, 0)
        return msgspec.json.decode(found, type=Faults) if found else work()

    return outcome


def _tell(work: Callable[[], Faults], writer: int) -> NoReturn:
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with os.fdopen(writer, "wb") as out:
            out.write(msgspec.json.encode(work()))
    finally:
        os._exit(0)
