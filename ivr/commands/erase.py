"""`ivr erase`: forget a number or a partner, and print the certificate."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from ivr.commands.keeping import Place, as_text, json_option, opened
from ivr.commands.options import by_option
from ivr.wording import number_of

if TYPE_CHECKING:
    from recordings.erasure import Certificate
    from recordings.erasure_subject import Subject


@click.command("erase")
@click.option("--number", help="The telephone number, in E.164: +14085550142.")
@click.option("--partner", help="The Partner ID.")
@by_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def command(*, number: str | None, partner: str | None, by: str, yes: bool, as_json: bool) -> None:
    """Erase everything of a number or a partner: calls, cases, messages and their audio, here and at the provider.

    What is held stays, and is named; so do calls of the last hour. Exits with 1 if anything stayed. Nothing brings it
    back but a backup: the certificate says until when there may be one.
    """
    from ivr.clock import now  # noqa: PLC0415 - a command imports what it needs when it is run

    if bool(number) == bool(partner):
        raise click.UsageError("give either --number or --partner")
    at = now()
    with opened() as place:
        subject = _subject(place, number or "", partner or "")
        if not yes:
            click.confirm(f"Erase everything of {number or partner} for good?", abort=True)
        certificate = _erased(place, subject, by, at)
        clean = _scrubbed(place, subject, certificate)
    backups = _backups_until(certificate, at)
    click.echo(_json(certificate, clean, backups) if as_json else _words(certificate, backups, clean=clean))
    if certificate.removed.held or certificate.removed.young or not clean:
        raise click.exceptions.Exit(1)


def _subject(place: Place, number: str, partner: str) -> "Subject":
    """Return whom it is about. Ends the command for a number that is none, or one of our own people's."""
    from ivr.programmes import load  # noqa: PLC0415
    from recordings.erasure_subject import Subject  # noqa: PLC0415
    from routing.numbers import NumberFault, parse  # noqa: PLC0415

    if partner:
        return Subject(partner=partner)
    try:
        found = parse(number)
    except NumberFault as fault:
        raise click.UsageError(str(fault)) from None
    listing = load(place.settings, None)
    people = [numbers for policy in listing.policies.values() for numbers in listing.contacts(policy).values()]
    if found in listing.our_lines.union(*people):
        raise click.ClickException(f"{found} is a number of ours: calls of others would go with it")
    return Subject(number=found)


def _erased(place: Place, subject: "Subject", by: str, at: datetime) -> "Certificate":
    from recordings.audio_store import AudioUnavailable  # noqa: PLC0415
    from recordings.erasure import Erasure  # noqa: PLC0415

    try:
        return Erasure(place.store, place.audio(), place.secret()).erase(subject, by, at)
    except AudioUnavailable as error:
        raise click.ClickException(f"the audio store cannot be used: {error}. Run the command again.") from None


def _scrubbed(place: Place, subject: "Subject", certificate: "Certificate") -> bool:
    """Empty the log of a SQLite file, and look whether anything of the subject is left in it."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415

    from recordings.scrub import scrub  # noqa: PLC0415

    url = make_url(place.settings.database_url)
    if place.store.dialect != "sqlite" or not url.database:
        return True
    stays = certificate.removed.held or certificate.removed.young or not subject.number
    place.store.close()
    return scrub(url.database, () if stays else (subject.number.encode(), subject.digits().encode()))


def _backups_until(certificate: "Certificate", at: datetime) -> datetime | None:
    """Return when the last backup that may still hold the subject is due to go; None if there is none."""
    from recordings.backup import FOLDER, KEEP, kept_in  # noqa: PLC0415

    before = certificate.done_at or at
    older = [made for made in kept_in(Path(FOLDER)).values() if made < before]
    return max(older) + KEEP + timedelta(minutes=15) if older else None


def _json(certificate: "Certificate", clean: bool, backups: datetime | None) -> str:  # noqa: FBT001
    return as_text({**msgspec.to_builtins(certificate), "file_clean": clean, "in_backups_until": backups})


def _words(certificate: "Certificate", backups: datetime | None, *, clean: bool) -> str:
    removed = certificate.removed
    counts = ", ".join(number_of(number, what) for what, number in removed.counts.items()) or "nothing"
    done = f"{certificate.done_at:%Y-%m-%d %H:%M:%SZ}" if certificate.done_at else "not done"
    lines = [
        f"certificate {certificate.id}",
        f"subject     {certificate.subject}",
        f"asked by    {certificate.asked_by}, {certificate.began_at:%Y-%m-%d %H:%M:%SZ}",
        f"done        {done}",
        f"removed     {counts}",
    ]
    lines += [f"held        {each}: its call stays" for each in removed.held]
    lines += (
        [f"too young   {number_of(removed.young, 'calls')}: run the command again in an hour"] if removed.young else []
    )
    lines += [] if clean else ["the file still shows it: run the command again once the service has less to do"]
    until = f"may hold it until {backups:%Y-%m-%d %H:%MZ}, if kept for seven days" if backups else "none before this"
    return "\n".join([*lines, f"backups     {until}"])
