"""What several commands take: an instant, policy files, contacts."""

import re
from datetime import date, datetime
from pathlib import Path

import click

from ivr.contacts_file import read_contacts
from ivr.phone.clock import read_instant
from ivr.settings import SettingsError
from routing.claims import Contacts
from routing.policy_file import policy_files


class Instant(click.ParamType[datetime]):
    """An instant: RFC 3339, or a wall time and the zone whose clocks show it."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the instant, or end with what is wrong with it."""
        if isinstance(value, datetime):
            return value
        try:
            return read_instant(str(value))
        except ValueError as fault:
            self.fail(instant_fault(str(value), fault), param, ctx)


DAY = re.compile("([0-9]{4}-[0-9]{2}-[0-9]{2})(.*)")
FORMS = "write 2026-07-15T03:30:00Z, or 2026-07-14 20:30 America/Los_Angeles"


def instant_fault(text: str, fault: ValueError) -> str:
    """Return what is wrong with a text that names no instant, and how one is written."""
    found = DAY.fullmatch(text.strip())
    if found is None:
        return str(fault)
    try:
        date.fromisoformat(found[1])
    except ValueError:
        return f"there is no {found[1]} in the calendar: {FORMS}"
    if not found[2]:
        return f"{text!r} is a day without a time and its zone: {FORMS}"
    return str(fault) if "write" in str(fault) or "skipped" in str(fault) else f"{text!r}: {fault}: {FORMS}"


def _somebody(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("it names nobody. Name whoever it is.")
    return value.strip()


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

files_argument = click.argument("files", nargs=-1, type=FILE, metavar="[FILE]...")
at_option = click.option(
    "--at", type=Instant(), help='"2026-07-14 20:30 America/Los_Angeles", or RFC 3339. Default: now.'
)
by_option = click.option(
    "--by", metavar="NAME", required=True, callback=_somebody, help="Who does it, or has done it: a name or a role."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
contacts_option = click.option("--contacts", type=FILE, envvar="CONTACTS_FILE", help="Whose numbers count, too.")
folder_option = click.option(
    "--dir",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="POLICY_DIR",
    help="More policies, when no FILE is named.",
)


def chosen(files: tuple[Path, ...], folder: Path | None) -> tuple[Path, ...]:
    """Return the named files, else every policy that the service would use; near ones as seen from here."""
    paths = files or policy_files(folder)
    here = Path.cwd()
    return tuple(path.relative_to(here) if path.is_relative_to(here) else path for path in paths)


def numbers_in(contacts: Path | None) -> Contacts:
    """Return the numbers that a contacts file gives. Ends with its faults if it cannot be read."""
    if contacts is None:
        return {}
    try:
        return {name: contact.numbers for name, contact in read_contacts(contacts).items()}
    except SettingsError as fault:
        raise click.UsageError(str(fault)) from None
