"""`ivr cases`: list and show cases with their clocks, and log what was done."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from ivr.commands.options import at_option, json_option
from ivr.commands.work import action_of, by_option, in_store, reason_option, when

if TYPE_CHECKING:
    from flows.casework import CaseView
    from recordings.casebook import PolicyOf
    from recordings.store import Store

# What is typed -> what the log calls it.
KINDS = {
    "response": "response",
    "update": "update",
    "pause": "paused",
    "resume": "resumed",
    "severity": "severity",
    "resolve": "resolved",
    "accept": "accepted",
    "reopen": "reopened",
    "close": "closed",
    "note": "note",
    "escalate": "escalated",
}
STATUSES = ("open", "resolved", "closed")


@click.group("cases")
def command() -> None:
    """List and show cases with their clocks, and log what was done."""


@command.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Default: any.")
@at_option
@json_option
def list_all(*, status: str | None, at: datetime | None, as_json: bool) -> None:
    """List cases, the newest first, each with the clock that is due first."""
    from ivr.commands.case_text import as_document, line  # noqa: PLC0415
    from recordings.casebook import numbers, policy_for, view  # noqa: PLC0415

    def work(store: "Store", policy_of: "PolicyOf") -> list[str]:
        this = when(store, at).at
        views = [view(store, number, policy_of, this) for number in numbers(store, status or "")]
        if as_json:
            return [as_document([_facts(each) for each in views])]
        return [line(each, policy_for(store, each.case.number, policy_of)) for each in views]

    for text in in_store(work):
        click.echo(text)


@command.command("show")
@click.argument("number")
@at_option
@json_option
def show(number: str, *, at: datetime | None, as_json: bool) -> None:
    """Show the case NUMBER: its clocks with their arithmetic, its tasks, and what was done."""
    from recordings.casebook import view  # noqa: PLC0415

    def work(store: "Store", policy_of: "PolicyOf") -> str:
        plain = _plain(number)
        return _shown(store, policy_of, view(store, plain, policy_of, when(store, at, plain).at), as_json=as_json)

    click.echo(in_store(work))


@command.command("log")
@click.argument("number")
@click.argument("kind", type=click.Choice(tuple(KINDS)))
@by_option
@reason_option
@click.option("--severity", type=click.IntRange(0, 4), metavar="N", help="The right severity.")
@click.option("--call", default="", metavar="CALLSID", help="The call that is going on, for Severity 0 and 1.")
@at_option
@json_option
def log(  # noqa: PLR0913 - one parameter an option
    number: str,
    kind: str,
    *,
    by: str,
    reason: str,
    severity: int | None,
    call: str,
    at: datetime | None,
    as_json: bool,
) -> None:
    """Log what was done with the case NUMBER, and show it as it then is."""
    from recordings.casebook import act  # noqa: PLC0415

    if kind == "severity" and severity is None:
        raise click.UsageError("say which severity is right: --severity N")
    why, plain = {"text" if kind == "note" else "reason": reason}, _plain(number)

    def work(store: "Store", policy_of: "PolicyOf") -> str:
        this = when(store, at, plain)
        action = action_of(KINDS[kind], by, this, **why, severity=severity, call=call)
        return _shown(store, policy_of, act(store, plain, action, policy_of), as_json=as_json)

    click.echo(in_store(work))


def _shown(store: "Store", policy_of: "PolicyOf", view: "CaseView", *, as_json: bool) -> str:
    from ivr.commands.case_text import as_document, page  # noqa: PLC0415
    from recordings.casebook import policy_for  # noqa: PLC0415

    return as_document(_facts(view)) if as_json else page(view, policy_for(store, view.case.number, policy_of))


def _facts(view: "CaseView") -> dict[str, object]:
    from ivr.commands.case_text import facts  # noqa: PLC0415

    return facts(view)


def _plain(number: str) -> str:
    """Return a case number without the blanks with which it is spoken and printed."""
    return "".join(number.split())
