"""`ivr demo`: web and worker on this machine, with fictional partners and nobody to ring."""

import sys

import click


@click.command("demo")
@click.option("--empty", is_flag=True, help="Leave the directory as it is: no fictional partners.")
def command(*, empty: bool) -> None:
    """Start web and worker on SQLite under var/: no account, no key, no server needed.

    Every variable of the environment is honoured; what is not set gets a value that suits a demo. Ctrl-C stops both.
    """
    from ivr.demo import DemoFault, run  # noqa: PLC0415 - a command imports what it needs when it is run

    try:
        sys.exit(run(fictional_partners=not empty))
    except DemoFault as fault:
        sys.exit(f"ivr demo: {fault}")
