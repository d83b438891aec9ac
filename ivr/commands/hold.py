"""`ivr hold`: keep a recording or a case beyond its time."""

import click

from ivr.commands.options import by_option


@click.command("hold")
@click.argument("subject", metavar="RECORDING|CASE")
@click.option("--reason", help="Why it must be kept.")
@click.option("--release", is_flag=True, help="Let it go when its time is over.")
@by_option
def command(*, subject: str, reason: str | None, release: bool, by: str) -> None:
    """Keep a recording, or a case with its call and recordings, until it is released.

    Neither retention nor erasure touches what is held.
    """
    from flows.work import Objection  # noqa: PLC0415 - a command imports what it needs when it is run
    from ivr.clock import now  # noqa: PLC0415
    from ivr.commands.keeping import opened  # noqa: PLC0415
    from ivr.wording import grouped  # noqa: PLC0415
    from recordings import holds  # noqa: PLC0415

    if release == bool(reason):
        raise click.UsageError("give either --reason or --release")
    subject = "".join(subject.split())  # a case number is printed in groups
    with opened() as place:
        try:
            if reason:
                holds.hold(place.store, subject, reason, by, now())
            else:
                holds.release(place.store, subject, by, now())
        except Objection as objection:
            raise click.ClickException(str(objection)) from None
    click.echo(f"{subject if subject.startswith('RE') else grouped(subject)} is {'held' if reason else 'released'}")
