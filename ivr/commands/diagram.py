"""`ivr diagram`: the conversation, drawn from its own table."""

from pathlib import Path

import click

from flows.conversation import NODES
from flows.prompts import catalogue
from ivr.diagram import page

LOCALE = "en-US"


@click.command()
@click.option("--write", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write it there.")
def command(file: Path | None) -> None:
    """Draw the conversation as a Mermaid flow chart, with what each node says."""
    drawn = page(NODES, catalogue(LOCALE))
    if file is None:
        click.echo(drawn, nl=False)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(drawn, "utf-8")
    click.echo(f"{file}: {len(NODES)} nodes")
