"""`ivr call`: one call through the real, signed webhooks."""

import json
import shutil
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from ivr.commands.options import at_option, json_option
from ivr.phone.address import NoAddress, find_address
from ivr.phone.ending import Ending, look_up
from ivr.phone.human import HELP, Keyboard, PersonAnswering, PersonCalling
from ivr.phone.leg import Leg, Numbers
from ivr.phone.lines import NoLine, find_line, installed_policies, names_of
from ivr.phone.people import Caller, Engineer, Engineers, Face, People, ScriptFault, Step
from ivr.phone.place import PATIENCE, Occasion
from ivr.phone.script import ScriptedCaller, ScriptedEngineers, read_engineers, read_keys
from ivr.phone.terminal import Loudspeaker, Paper
from ivr.phone.twiml import TwimlFault
from ivr.phone.wire import WireFault
from ivr.settings import database_url
from ivr.wording import grouped
from routing import numbers
from routing.fault import PolicyError

UNKNOWN_CALLER = "+14085550199"


class Read(click.ParamType[Any]):
    """An option's value, read by a function that raises ValueError with what is wrong."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Return the value, or end with what is wrong with it."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError as fault:
            return self.fail(str(fault), param, ctx)


def read_caller(text: str) -> str:
    """Return a caller's number in E.164. What is no number is sent as it is, as networks do."""
    if text == "withheld":
        return "anonymous"
    try:
        return numbers.parse(text)
    except numbers.NumberFault:
        return text


class Silent:
    """A face that shows nothing."""

    def show(self, step: Step) -> None:
        """Take a step."""


@click.command()
@click.option("--to", "line", required=True, metavar="LINE", help="A line of a policy, as us-standard, or its number.")
@click.option(
    "--from",
    "caller",
    type=Read("number", read_caller),
    default=UNKNOWN_CALLER,
    help="A number, or withheld, or whatever else a network may say.",
)
@click.option("--keys", type=Read("keys", read_keys), help='A word a prompt: "347109 1 - message:12 h".')
@at_option
@click.option(
    "--agent",
    "agent",
    type=Read("agent", read_engineers),
    help="answer|pass|busy|none|machine, or a list: none,answer.",
)
@click.option("--hangup-at", "hangup_at", type=click.FloatRange(min=0), metavar="S", help="Hang up after S seconds.")
@click.option("--slow", is_flag=True, help="In real time.")
@click.option("--speak", is_flag=True, help="Say the sentences aloud (needs espeak-ng).")
@json_option
@click.option("--url", help="Where the service is. Default: the running demo, or the environment's.")
def command(line: str, caller: str, at: datetime | None, *, slow: bool, url: str | None, **how: Any) -> None:  # noqa: ANN401
    """Place one call through the real, signed webhooks: by hand, or with --keys as told."""
    try:
        policies = installed_policies()
        numbers_ = Numbers(find_line(line, policies)[1].number, caller)
        patience = PATIENCE if how["keys"] is not None else None
        hangs_up_at = patience if how["hangup_at"] is None else how["hangup_at"]
        occasion = Occasion(find_address(url), numbers_, at, slow, hangs_up_at)
    except (NoLine, NoAddress, PolicyError) as fault:
        raise click.UsageError(str(fault)) from None
    paper = Paper(sys.stderr if how["as_json"] else sys.stdout, names_of(policies))
    people = _people(how, paper, slow=slow)
    try:
        leg = occasion.place(people)
    except (WireFault, TwimlFault, ScriptFault) as fault:
        paper.finish()
        mend = ": start `ivr demo`, or give --url" if isinstance(fault, WireFault) and fault.absent else ""
        raise click.ClickException(f"{fault}{mend}") from None
    ending = look_up(leg.sid, database_url())
    _not_needed(people.caller)
    click.echo(json.dumps(as_document(leg, ending), ensure_ascii=False) if how["as_json"] else last_lines(leg, ending))
    sys.exit(1 if ending and ending.outcome == "system_failed" else 0)


def as_document(leg: Leg, ending: Ending | None) -> dict[str, object]:
    """Return a call as a JSON document; what only the log knows is null while that is out of reach."""
    return {
        "call_sid": leg.sid,
        "from": leg.numbers.caller,
        "to": leg.numbers.to,
        "started_at": f"{leg.clock.start:%Y-%m-%dT%H:%M:%SZ}",
        "steps": [step.plain() for step in leg.steps],
        "dialled": [step.text for step in leg.steps if step.kind == "rang"],
        "rule": ending and ending.rule,
        "rules": ending and ending.rules,
        "case_number": ending and ending.case_number,
        "outcome": ending and ending.outcome,
        "destination": ending and ending.destination,
        "destinations": ending and ending.dialled,
        "flags": ending and ending.flags,
    }


def last_lines(leg: Leg, ending: Ending | None) -> str:
    """Return how to ask why, and what came of the call: "R2   case 482 071 95   connected"."""
    if ending is None:
        return f"{leg.sid}   (the log is out of reach: set DATABASE_URL as the service has it)"
    flags = f"   flags: {' '.join(ending.flags)}" if ending.flags else ""
    parts = (ending.rule, f"case {grouped(ending.case_number)}" if ending.case_number else "", ending.outcome)
    return f"why: ivr explain {leg.sid}{flags}\n{'   '.join(part for part in parts if part)}"


def _people(how: dict[str, Any], paper: Paper, *, slow: bool) -> People:
    keyboard = Keyboard(sys.stdin)
    by_hand = how["keys"] is None
    if by_hand and keyboard.is_terminal:
        click.echo(HELP, err=True)
    caller: Caller = PersonCalling(keyboard, paper, real=slow) if by_hand else ScriptedCaller(how["keys"])
    engineers: Engineers
    if by_hand and how["agent"] is None:
        engineers = PersonAnswering(keyboard, paper)
    else:
        engineers = ScriptedEngineers(how["agent"] or (Engineer.ANSWERS,))
    quiet = how["as_json"] and not by_hand
    return People(caller, engineers, Silent() if quiet else _face(paper, speak=how["speak"]))


def _face(paper: Paper, *, speak: bool) -> Face:
    if not speak:
        return paper
    program = shutil.which(Loudspeaker.PROGRAM)
    if program is None:
        raise click.UsageError("--speak needs espeak-ng: apt-get install espeak-ng")
    return Loudspeaker(paper, program)


def _not_needed(caller: Caller) -> None:
    left = len(caller.left) if isinstance(caller, ScriptedCaller) else 0
    if left:
        click.echo(f"The call was over before the last {left} of --keys.", err=True)
