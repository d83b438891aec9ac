"""`ivr rotate`: seal under the first key what was sealed under another."""

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from recordings.sealed import Keyring
    from recordings.store import Store


@click.group("rotate")
def command() -> None:
    """Change the keys under which something is kept."""


@command.command("recordings")
def recordings() -> None:
    """Seal every recording's own key under the first key of RECORDINGS_KEY.

    No audio is touched. It may be stopped and started again at any time; once it has been through, the other keys may
    be taken out of RECORDINGS_KEY.
    """
    from ivr.environment import load  # noqa: PLC0415 - a command imports what it needs when it is run
    from ivr.settings import SettingsError  # noqa: PLC0415
    from recordings.engines import open_store  # noqa: PLC0415
    from recordings.sealed import KeyFault, Keyring  # noqa: PLC0415
    from recordings.store import StoreUnavailable  # noqa: PLC0415

    try:
        settings = load()
        keys = Keyring.parse(settings.recordings_key.get_secret_value(), settings.secret_key.get_secret_value())
    except SettingsError as error:
        raise click.ClickException("\n".join(str(fault) for fault in error.faults)) from None
    except KeyFault as fault:
        raise click.ClickException(f"RECORDINGS_KEY: {fault}") from None
    store = open_store(settings.database_url)
    try:
        sys.exit(_report(store, keys))
    except StoreUnavailable as error:
        raise click.ClickException(f"the database cannot be used: {error}. Start the command again.") from None
    finally:
        store.close()


def _report(store: "Store", keys: "Keyring") -> int:
    """Rotate, say what was done, and return the exit code."""
    from recordings.rotation import rotate  # noqa: PLC0415

    done, unreadable = rotate(store, keys)
    click.echo(f"{done} recordings are now sealed under {keys.first}")
    for sid, why in unreadable.items():
        click.echo(f"{sid}: {why}", err=True)
    if unreadable:
        click.echo("Keep the keys that are in RECORDINGS_KEY until these are mended.", err=True)
    return 1 if unreadable else 0
