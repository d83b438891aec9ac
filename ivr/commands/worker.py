"""`ivr worker`: the process behind the calls."""

import signal
import sys
from threading import Event

import click

EVERY = 30.0  # seconds between two rounds


@click.command("worker")
def command() -> None:
    """Run what happens after the turns: close calls whose end was never heard of, and watch what waits to be done."""
    from ivr.housekeeping import go_round  # noqa: PLC0415 - a command imports what it needs when it is run
    from ivr.service import assemble  # noqa: PLC0415
    from ivr.settings import SettingsError, survey  # noqa: PLC0415
    from ivr.start import Check  # noqa: PLC0415

    settings, faults = survey()
    try:
        service = assemble(settings, Check(settings, faults, answers_calls=False).outcome())
    except SettingsError as error:
        sys.exit("\n".join(["ivr worker cannot start:", *(f"  {fault}" for fault in error.faults)]))
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    go_round(service, EVERY, stop)
    service.store.close()
