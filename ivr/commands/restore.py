"""`ivr restore`: make the database what a backup says."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from ivr.commands.backup import said
from ivr.commands.keeping import Place, as_text, json_option, opened, told

if TYPE_CHECKING:
    from recordings.restore import Restored


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Even if the database holds something. A SQLite file is put aside.")
@json_option
def command(*, file: Path, force: bool, as_json: bool) -> None:
    """Make the database what the backup in FILE says: all of it, or nothing if anything is wrong with the file.

    Stop the service first. The schema is brought up to date, and what was restored is checked as by `ivr fsck`; exits
    with 1 if that finds anything. Then start the worker: it asks the provider for the calls since the backup.
    """
    from ivr.clock import now  # noqa: PLC0415 - a command imports what it needs when it is run
    from recordings.fsck import examine  # noqa: PLC0415

    with opened() as place:
        restored = _restored(place, file, force=force)
    with opened() as place:  # anew: the file is another one
        examined = examine(place.ground(now()))
    if as_json:
        click.echo(as_text({"restored": msgspec.to_builtins(restored), "examined": msgspec.to_builtins(examined)}))
    else:
        click.echo(f"restored {said(restored.manifest)}")
        if restored.aside:
            click.echo(f"what was there is now {restored.aside}: delete it once you no longer need it")
        click.echo("What was erased since then is back: run `ivr erase` for it again.")
        click.echo(told(examined))
    if examined.found:
        raise click.exceptions.Exit(1)


def _restored(place: Place, file: Path, *, force: bool) -> "Restored":
    from recordings.restore import restore  # noqa: PLC0415
    from recordings.restore_checks import RestoreRefused  # noqa: PLC0415
    from recordings.sealed import Unreadable  # noqa: PLC0415

    try:
        return restore(place.settings.database_url, file, place.keyring(), force=force)
    except (RestoreRefused, Unreadable) as refusal:
        raise click.ClickException(f"nothing was restored: {refusal}") from None
    except OSError as error:
        raise click.ClickException(f"nothing was restored: {error.filename or file}: {error.strerror}") from None
