"""`ivr partners`: import, list and show partners."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from ivr.commands.store import opened_store
from ivr.wording import number_of

if TYPE_CHECKING:
    from routing.partner import Partner

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
COLUMNS = ("partner_id", "name", "type", "region", "status", "certified_from", "certified_until", "programme")


@click.group("partners")
def command() -> None:
    """Import, list and show the partners of the directory."""


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--loa", is_flag=True, help="The file holds Letters of Agency.")
@as_json
def import_file(*, file: Path, loa: bool, as_json: bool) -> None:
    r"""Make the directory what FILE says: all of it, or nothing if any row is bad.

    A partner that is in the directory and not in FILE is deactivated: it stays, with the status closed. With --loa, a
    letter that is not in FILE is removed. Rows that say what is stored already are left alone.

    \b
    Columns, in any order; others are ignored:
      partner_id,name,type,region,certified_from,certified_until,first_line,status,representatives,programme
      with --loa: partner_id,customer,service_number,valid_from,valid_until
    """
    from ivr.phone.lines import installed_policies  # noqa: PLC0415
    from recordings.partners import ImportRefused, Kind, import_partners  # noqa: PLC0415

    lengths = frozenset(policy.partner_id.length for policy in installed_policies())
    with opened_store() as store:
        try:
            report = import_partners(store, file, Kind.LETTERS if loa else Kind.PARTNERS, lengths)
        except ImportRefused as refused:
            for row in refused.rows:
                click.echo(f"{file}:{row.line}: {row.reason}", err=True)
            raise click.ClickException("nothing was imported") from None
    counts = msgspec.structs.asdict(report)
    click.echo(_json(counts) if as_json else ", ".join(number_of(count, what) for what, count in counts.items()))


@command.command("list")
@as_json
def list_all(*, as_json: bool) -> None:
    """List every partner, by Partner ID."""
    from recordings.directory import SqlDirectory  # noqa: PLC0415

    with opened_store() as store:
        partners = SqlDirectory(store).partners()
    if as_json:
        click.echo(_json(partners))
        return
    rows = [COLUMNS, *(tuple(_text(partner, column) for column in COLUMNS) for partner in partners)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@command.command("show")
@click.argument("pid")
@as_json
def show(*, pid: str, as_json: bool) -> None:
    """Show one partner by its Partner ID."""
    from recordings.directory import SqlDirectory  # noqa: PLC0415

    with opened_store() as store:
        partner = SqlDirectory(store).partner(pid)
    if partner is None:
        raise click.ClickException(f"no partner has the ID {pid}")
    if as_json:
        click.echo(_json(partner))
        return
    for field in partner.__struct_fields__:
        click.echo(f"{field.replace('_', ' '):<16} {_text(partner, field)}".rstrip())


def _text(partner: "Partner", field: str) -> str:
    value = getattr(partner, field)
    if isinstance(value, tuple):
        return " ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
