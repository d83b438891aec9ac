"""`ivr outbox`: what waits to be done, what could not be done, and having it done once more."""

from datetime import datetime

import click
import msgspec

from ivr.commands.options import Instant, json_option
from ivr.commands.store import opened_store
from recordings.outbox import Letter, listing, replay


@click.group("outbox")
def command() -> None:
    """See what waits to be done after calls, and have done what could not be done."""


@command.command("list")
@click.option("--state", type=click.Choice(["waiting", "dead", "done"]), help="Default: waiting and dead.")
@click.option("--kind", default="", help="As voicemail, page, notify, fetch or webhook.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@json_option
def listed(state: str | None, *, kind: str, limit: int, as_json: bool) -> None:
    """List what waits and what could not be done, the oldest first. Exit code 1 if there are dead letters."""
    with opened_store() as store:
        states = (state,) if state else ("dead", "waiting")
        letters = [each for one in states for each in listing(store, one, kind, limit)]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(letters), indent=2).decode())
    elif letters:
        click.echo("\n".join(_line(each) for each in letters))
    else:
        click.echo("Nothing waits, and there are no dead letters.")
    raise SystemExit(int(any(each.state == "dead" for each in letters)))


@command.command("replay")
@click.argument("ids", nargs=-1, type=int, metavar="[ID]...")
@click.option("--kind", default="", help="Every dead letter of a kind.")
@click.option("--since", type=Instant(), help="With --kind: what was done since then is done again, too.")
def replayed(ids: tuple[int, ...], *, kind: str, since: datetime | None) -> None:
    """Have rows done once more: those named, or a kind's dead letters, or without either every dead letter."""
    if since and not kind:
        raise click.UsageError("--since needs --kind: everything of every kind would go out again.")
    with opened_store() as store:
        count = replay(store, ids=ids, kind=kind, since=since)
    click.echo(f"{count} of them will be done once more.")
    raise SystemExit(int(bool(ids) and count < len(ids)))


def _line(letter: Letter) -> str:
    job = letter.job
    when = f", not before {letter.not_before:%Y-%m-%d %H:%M:%SZ}" if letter.not_before else ""
    error = f"\n        {letter.last_error}" if letter.last_error else ""
    about = f" case {job.case_number}" if job.case_number else f" call {job.call_sid}" if job.call_sid else ""
    tries = f"{job.attempts} attempt{'' if job.attempts == 1 else 's'}"
    since = f"since {job.created_at:%Y-%m-%d %H:%M:%SZ}, {tries}{when}"
    return f"{job.id:>6}  {letter.state:<7} {job.kind:<10}{about}  {since}{error}"
