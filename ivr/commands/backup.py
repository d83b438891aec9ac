"""`ivr backup`: keep a copy of the database, and look whether a copy is good."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ivr.commands.keeping import Place, as_text, json_option, opened

if TYPE_CHECKING:
    from recordings.backup_file import Manifest

UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
SPAN = re.compile("([1-9][0-9]{0,3})([hdw])")


class Span(click.ParamType[timedelta]):
    """A time span: 12h, 7d, 4w."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the span, or end with what is wrong with it."""
        if isinstance(value, timedelta):
            return value
        found = SPAN.fullmatch(str(value))
        return int(found[1]) * UNITS[found[2]] if found else self.fail(f"{value!r}: write 12h, 7d or 4w", param, ctx)


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--keep", type=Span(), help="Remove older backups beside it: 12h, 7d, 4w. The newest one always stays.")
@click.option("--verify", is_flag=True, help="Write nothing; read FILE whole, and say whether it is a good backup.")
@json_option
def command(*, file: Path | None, keep: timedelta | None, verify: bool, as_json: bool) -> None:
    """Write a backup of the database to FILE, by default under var/backups, while the service goes on.

    It is sealed with the first key of RECORDINGS_KEY: without that key nobody can read it, and you neither. Audio is
    not in it; the names and checksums of the audio files are.
    """
    from ivr.clock import now  # noqa: PLC0415 - a command imports what it needs when it is run
    from recordings.backup import FOLDER, drop_old, name_at  # noqa: PLC0415

    if verify:
        if file is None:
            raise click.UsageError("name the FILE to verify")
        manifest = _verified(file)
        click.echo(as_text(manifest) if as_json else f"{file} is a good backup: {said(manifest)}")
        return
    at = now()
    path = file or FOLDER / name_at(at)
    with opened() as place:
        manifest = _made(place, path, at)
    dropped = drop_old(path.parent, keep, at) if keep else []
    click.echo(as_text(manifest) if as_json else f"{path}: {said(manifest)}")
    for old in dropped:
        click.echo(f"removed {old}", err=True)


def _made(place: Place, path: Path, at: datetime) -> "Manifest":
    from recordings.backup import make  # noqa: PLC0415

    try:
        return make(place.settings.database_url, path, place.keyring(), at)
    except OSError as error:
        raise click.ClickException(f"no backup was written: {error.filename or path}: {error.strerror}") from None


def _verified(file: Path) -> "Manifest":
    from recordings.backup_file import verify  # noqa: PLC0415
    from recordings.sealed import Unreadable  # noqa: PLC0415

    with opened() as place:
        try:
            return verify(file, place.keyring())
        except (Unreadable, OSError) as error:
            raise click.ClickException(f"{file} is not a good backup: {error}") from None


def said(manifest: "Manifest") -> str:
    """Return what a backup holds, in words."""
    rows = sum(manifest.rows.values())
    made, calls = f"{manifest.created_at:%Y-%m-%d %H:%M:%SZ}", manifest.rows.get("calls", 0)
    return f"{manifest.engine}, schema {manifest.schema}, {rows} rows, {calls} calls, as of {made}"
