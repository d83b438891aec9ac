"""`ivr`: every command by name, each imported only when it is called."""

from importlib import import_module

import click

COMMANDS = {
    "backup": "Back up the database, or verify a backup.",
    "call": "Place one call through the real, signed webhooks.",
    "cases": "List cases, show their clocks, log what was done.",
    "db": "Create or upgrade the database.",
    "demo": "Start the demo: web and worker on SQLite, no account needed.",
    "diagram": "Draw the conversation from its own table.",
    "erase": "Erase everything of a number or a partner, with a certificate.",
    "explain": "Say where a call goes, or went, and why.",
    "fsck": "Check that what is stored keeps its promises.",
    "hold": "Keep a recording or a case from being removed.",
    "lint": "Check policy files: faults, and what each means to a caller.",
    "outbox": "See what waits to be done, and replay what could not be.",
    "pages": "See who is being paged, and take a page.",
    "partners": "Import, list and show partners.",
    "prove": "Prove that no policy lets a caller in trouble fall through.",
    "restore": "Restore a backup.",
    "rotate": "Seal stored recordings under the newest key.",
    "serve": "Serve the webhooks.",
    "tasks": "List what is owed to partners: claim it, log the call back.",
    "test": "Run scenario files against the service.",
    "worker": "Run what happens after the turns.",
}


class Commands(click.Group):
    """A group whose commands live in `ivr.commands`, a module each."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"ivr.commands.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


@click.command(cls=Commands)
@click.version_option(package_name="partnerline", prog_name="ivr")
def main() -> None:
    """Partnerline: an IVR and call-routing service for partner technical support."""
