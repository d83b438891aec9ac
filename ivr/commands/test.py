"""`ivr test`: scenario files, played on a running service."""

import json
import sys
from functools import partial
from pathlib import Path

import click

from ivr.commands.options import json_option
from ivr.phone.address import NoAddress, find_address
from ivr.phone.ending import look_up
from ivr.phone.lines import installed_policies
from ivr.phone.rehearsal import Played, play
from ivr.phone.scenario import ScenarioFault, read_scenarios, scenario_files
from ivr.settings import database_url
from routing.fault import PolicyError
from routing.policy import Policy

PATH = click.Path(exists=True, path_type=Path)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="SCENARIOS...")
@click.option("--url", help="Where the service is. Default: the running demo, or the environment's.")
@json_option
def command(paths: tuple[Path, ...], url: str | None, *, as_json: bool) -> None:
    """Play scenario files: what is heard, what is done then, and what must come of it."""
    try:
        scenarios = [scenario for path in scenario_files(paths) for scenario in read_scenarios(path)]
        address, known = find_address(url), numbers_of(installed_policies())
    except (ScenarioFault, NoAddress, PolicyError) as fault:
        raise click.UsageError(str(fault)) from None
    if not scenarios:
        raise click.UsageError("there is no scenario there: a scenario is a .yaml file")
    played = []
    for scenario in scenarios:
        played.append(play(scenario, address, known, partial(look_up, database_url=database_url())))
        if not as_json:
            click.echo(as_text(played[-1]))
    failed = sum(1 for each in played if each.faults)
    summary = f"{len(played)} scenarios, {failed} failed"
    click.echo(json.dumps([as_document(each) for each in played], ensure_ascii=False) if as_json else summary)
    sys.exit(1 if failed else 0)


def numbers_of(policies: tuple[Policy, ...]) -> dict[str, str]:
    """Return the number of every line and destination, by name."""
    lines = {line.id: line.number for policy in policies for line in policy.lines.values()}
    people = {each.id: each.number for policy in policies for each in policy.destinations.values() if each.number}
    return {**people, **lines}


def as_text(played: Played) -> str:
    """Return whether a scenario went as it says, and where it did not."""
    mark = "✗" if played.faults else "✓"
    return "\n".join((f"{mark} {played.scenario.name}", *(f"    {fault}" for fault in played.faults)))


def as_document(played: Played) -> dict[str, object]:
    """Return the same as a JSON object."""
    return {"name": played.scenario.name, "ok": not played.faults, "faults": played.faults, "call_sid": played.sid}
