"""`ivr serve`: the web process."""

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from flask import Flask


@click.command("serve")
def command() -> None:
    """Serve the webhooks.

    Refuses to start, and says everything that is wrong, while the environment, a policy, the contacts or the schema of
    the database is not as it must be. SIGHUP reads policies and contacts again, SIGTERM finishes what is in hand.
    """
    from ivr.environment import survey  # noqa: PLC0415
    from ivr.serving import serve, shared_metrics  # noqa: PLC0415 - a command imports what it needs when it is run
    from ivr.settings import SettingsError  # noqa: PLC0415

    settings, faults = survey()

    def application() -> "Flask":
        from ivr.start import Check  # noqa: PLC0415 - after it is known where the figures are kept

        check = Check(settings, faults)
        from ivr.app import create_app  # noqa: PLC0415 - while the policies are being proved

        return create_app(settings, check.outcome())

    with shared_metrics(settings):
        try:
            serve(settings, application)
        except SettingsError as error:
            sys.exit("\n".join(["ivr serve cannot start:", *(f"  {fault}" for fault in error.faults)]))
