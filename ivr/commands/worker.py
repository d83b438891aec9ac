"""`ivr worker`: the process behind the calls."""

import signal
import sys
from contextlib import suppress
from datetime import datetime
from threading import Event

import click

from ivr.commands.options import at_option
from ivr.demo_note import adopt


@click.command("worker")
@click.option("--once", is_flag=True, help="Do all that is due, and end. With --at: as though it were that time.")
@at_option
def command(*, once: bool, at: datetime | None) -> None:
    """Run what happens after the calls: fetch audio, watch the clocks, page, notify, and tidy up.

    Any number of workers may run at once; each job is claimed in the database, and what one that dies had begun is
    taken up by another.
    """
    from ivr.clock import now  # noqa: PLC0415 - a command imports what it needs when it is run
    from ivr.environment import survey  # noqa: PLC0415
    from ivr.jobs.assembly import worker_for  # noqa: PLC0415
    from ivr.service import assemble  # noqa: PLC0415
    from ivr.settings import SettingsError  # noqa: PLC0415
    from ivr.start import Check  # noqa: PLC0415
    from recordings.store import StoreUnavailable  # noqa: PLC0415

    if at and not once:
        raise click.UsageError("--at needs --once: a worker that stays lives by the clock.")
    if once:
        adopt()
    settings, faults = survey()
    try:
        service = assemble(settings, Check(settings, faults, answers_calls=False).outcome())
    except SettingsError as error:
        sys.exit("\n".join(["ivr worker cannot start:", *(f"  {fault}" for fault in error.faults)]))
    worker = worker_for(service)
    with suppress(StoreUnavailable):  # the web process keeps them too
        service.know_policies()
    if once:
        done = worker.once(at or now())
        click.echo(f"{done} job{'' if done == 1 else 's'} taken up.")
    else:
        worker.run(settings, _until_told())
    service.store.close()


def _until_told() -> Event:
    """Return what is set once the process is told to stop."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
