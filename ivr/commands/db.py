"""`ivr db`: the database and its schema."""

import click


@click.group("db")
def command() -> None:
    """Create or upgrade the database named by DATABASE_URL (a SQLite file under var/ by default)."""


@command.command("upgrade")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 unless the database is up to date.")
def upgrade(*, check: bool) -> None:
    """Bring the database to the schema of this version. Nothing happens to one that has it already."""
    from ivr.settings import database_url  # noqa: PLC0415 - a command imports what it needs when it is run
    from recordings import migrations  # noqa: PLC0415
    from recordings.engines import open_store  # noqa: PLC0415
    from recordings.schema import is_current  # noqa: PLC0415
    from recordings.store import StoreUnavailable  # noqa: PLC0415

    url = database_url()
    try:
        store = open_store(url)
        if not check:
            migrations.upgrade(url)
        current = is_current(store)
        store.close()
    except (StoreUnavailable, ValueError) as error:
        raise click.ClickException(str(error)) from None
    if not current:
        raise click.ClickException("the database has the schema of another version: run ivr db upgrade")
    click.echo("the database is up to date")
