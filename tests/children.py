"""Forked children, for what only another process can show."""

import os
import sys
import traceback
from collections.abc import Callable


def fork(work: Callable[[], object]) -> int:
    """Run work in a child, which exits with 0 if nothing was raised. Returns the process id."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - there is nobody above
        traceback.print_exc()
    finally:
        os._exit(status)


def succeeded(child: int) -> bool:
    """Wait for a child, and return whether it exited with 0."""
    return os.waitpid(child, 0)[1] == 0
