"""`ivr fsck`: check that what is stored keeps every promise."""

from datetime import datetime

import click

from ivr.commands.keeping import as_text, json_option, opened, told
from ivr.commands.options import at_option


@click.command("fsck")
@click.option("--audio", is_flag=True, help="Read every stored recording, and compare its checksum.")
@at_option
@json_option
def command(*, audio: bool, at: datetime | None, as_json: bool) -> None:
    """Check database and outbox, and with --audio the recordings; change nothing.

    Exits with 1 if anything is found. Every finding says what it is about, what is wrong, and how to mend it. It may be
    run while the service is running.
    """
    from ivr.clock import now  # noqa: PLC0415 - a command imports what it needs when it is run
    from recordings.fsck import examine  # noqa: PLC0415

    with opened() as place:
        examined = examine(place.ground(at or now(), audio=audio))
    click.echo(as_text(examined) if as_json else told(examined))
    if examined.found:
        raise click.exceptions.Exit(1)
