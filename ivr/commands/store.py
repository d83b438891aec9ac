"""The database, as commands open it: with words, not a traceback, where it cannot be used."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from ivr.demo_note import adopt
from ivr.settings import database_url
from recordings.engines import open_store
from recordings.store import Store, StoreUnavailable


@contextmanager
def opened_store() -> Iterator[Store]:
    """Open the database that DATABASE_URL or the demo of this folder names, and close it.

    Ends the command if it cannot be used.
    """
    adopt()
    try:
        store = open_store(database_url())
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    try:
        yield store
    except StoreUnavailable as error:
        raise click.ClickException(f"the database cannot be used: {error}") from None
    finally:
        store.close()
