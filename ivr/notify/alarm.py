"""Alarms leave the machine by a way that needs no database: standard error, and the operators' targets directly."""

import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ivr.notify.send import Delivery, Result, cleaned, one_line, send
from ivr.notify.tell import Note
from ivr.settings import Settings

Send = Callable[[str, Note], Delivery]


def alarm_now(settings: Settings, text: str) -> bool:
    """Tell the operators without the outbox: the database may be what is wrong. Return whether anybody was reached."""
    note = Note(f"Alarm: {text}")
    loudly(note)
    return everybody(settings.operators, note)


def everybody(targets: Sequence[str], note: Note, send: Send = send) -> bool:
    """Send a note to every target at once, so that none waits for another. Return whether any took it."""
    if not targets:
        return False
    with ThreadPoolExecutor(len(targets)) as threads:
        deliveries = list(threads.map(lambda target: send(target, note), targets))
    return any(delivery.result == Result.SENT for delivery in deliveries)


def loudly(note: Note) -> None:
    """Write one line of JSON to standard error, whatever the level of the log."""
    line = {"event": "alarm", "level": "ERROR", "message": one_line(note.subject), "detail": cleaned(note.body)[:1000]}
    sys.stderr.write(json.dumps(line) + "\n")
    sys.stderr.flush()
