"""`ivr pages`: who is being paged, who has it, and who was tried."""

from typing import TYPE_CHECKING

import click
import msgspec

from ivr.commands.store import opened_store

if TYPE_CHECKING:
    from datetime import datetime

    from recordings.pages import Attempt, Page

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("pages")
def command() -> None:
    """List pages, show who was tried for one, and take one."""


@command.command("list")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many, at the most.")
@as_json
def list_all(*, most: int, as_json: bool) -> None:
    """List pages: those that nobody has taken yet first, then the newest."""
    from recordings.pages import newest  # noqa: PLC0415 - a command imports what it needs when it is run

    with opened_store() as store:
        found = newest(store, most)
    if as_json:
        click.echo(_json(found))
        return
    for page in found:
        click.echo(_line(page))
    if not found:
        click.echo("Nobody has been paged.")


@command.command("show")
@click.argument("page_id", metavar="ID")
@as_json
def show(*, page_id: str, as_json: bool) -> None:
    """Show one page: what is wrong, who was tried, when, how, and what came of it."""
    from recordings.pages import attempts, load  # noqa: PLC0415
    from recordings.work_log import entries_of  # noqa: PLC0415

    with opened_store() as store:
        page = load(store, page_id)
        if page is None:
            raise click.ClickException(f"there is no page {page_id}: `ivr pages list` has them")
        tried, entries = attempts(store, page_id), entries_of(store, page_id)
    if as_json:
        click.echo(_json({"page": page, "attempts": tried, "entries": entries}))
        return
    click.echo(_line(page))
    for name, value in (("why", page.why), ("call", page.call_sid), ("ladder", page.ladder), ("region", page.region)):
        click.echo(f"  {name:<9} {value}".rstrip())
    for attempt in tried:
        click.echo(f"  {_attempt(attempt)}")


@command.command("ack")
@click.argument("page_id", metavar="ID")
@click.option("--by", required=True, help="Who has it: a name or a role.")
def ack(*, page_id: str, by: str) -> None:
    """Take a page for somebody, and the open tasks of its call with it."""
    from ivr.clock import now  # noqa: PLC0415
    from recordings.pages import Taken, acknowledge, load  # noqa: PLC0415

    if not by.strip():
        raise click.UsageError("--by names nobody.")
    with opened_store() as store:
        taken = acknowledge(store, page_id, Taken(by.strip(), "command"), now())
        page = load(store, page_id)
    if page is None:
        raise click.ClickException(f"there is no page {page_id}: `ivr pages list` has them")
    if not taken:
        raise click.ClickException(f"page {page_id} was not taken: {_state(page)}")
    click.echo(_line(page))


def _line(page: "Page") -> str:
    severity = "-" if page.severity is None else str(page.severity)
    case = page.case_number or "no case"
    return f"{page.id}  {_utc(page.opened_at)}  {page.kind:<10}  Severity {severity}  {case:<12}  {_state(page)}"


def _state(page: "Page") -> str:
    if page.acknowledged_at:
        return f"{page.acknowledged_by} has it since {_utc(page.acknowledged_at)} ({page.acknowledged_how})"
    return f"climbing, level {page.level}, round {page.round}" if page.state == "climbing" else page.state


def _attempt(attempt: "Attempt") -> str:
    place = f"level {attempt.level}.{attempt.round}"
    settled = f" at {_utc(attempt.settled_at)}" if attempt.settled_at else ""
    return f"{_utc(attempt.at)}  {place:<10}  {attempt.role} ({attempt.channel}): {attempt.result}{settled}"


def _utc(at: "datetime") -> str:
    return f"{at:%Y-%m-%d %H:%M:%SZ}"


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
