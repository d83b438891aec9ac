"""`ivr pages`: who is being paged, who has it, and who was tried."""

from typing import TYPE_CHECKING

import click
import msgspec

from ivr.commands.options import by_option
from ivr.commands.store import opened_store
from ivr.wording import grouped

if TYPE_CHECKING:
    from datetime import datetime

    from recordings.pages import Attempt, Page
    from recordings.store import Store

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
        lines = [] if as_json else [_line(page, _top(store, page)) for page in found]
    if as_json:
        click.echo(_json(found))
        return
    for line in lines:
        click.echo(line)
    if not found:
        click.echo("Nobody has been paged.")


@command.command("show")
@click.argument("page_id", metavar="ID")
@as_json
def show(*, page_id: str, as_json: bool) -> None:
    """Show one page: what is wrong, who was tried, when, how, and what came of it."""
    from recordings.pages import attempts, load, wait_of  # noqa: PLC0415
    from recordings.work_log import entries_of  # noqa: PLC0415

    with opened_store() as store:
        page = load(store, page_id)
        if page is None:
            raise click.ClickException(f"there is no page {page_id}: `ivr pages list` has them")
        tried, entries = attempts(store, page_id), entries_of(store, page_id)
        top = _top(store, page)
    if as_json:
        click.echo(_json({"page": page, "attempts": tried, "entries": entries}))
        return
    click.echo(_line(page, top))
    for name, value in (("why", page.why), ("call", page.call_sid), ("ladder", page.ladder), ("region", page.region)):
        click.echo(f"  {name:<9} {value}".rstrip())
    if page.state == "climbing" and (wait := wait_of(entries)):
        click.echo(f"  next      {wait.says('until')}: {wait.says('why')}")
    for attempt in tried:
        click.echo(f"  {_attempt(attempt, top)}")


@command.command("ack")
@click.argument("page_id", metavar="ID")
@by_option
def ack(*, page_id: str, by: str) -> None:
    """Take a page for somebody, and the open tasks of its call with it."""
    from ivr.clock import now  # noqa: PLC0415
    from recordings.pages import Taken, acknowledge, load  # noqa: PLC0415

    with opened_store() as store:
        taken = acknowledge(store, page_id, Taken(by, "command"), now())
        page = load(store, page_id)
        top = _top(store, page) if page else 0
    if page is None:
        raise click.ClickException(f"there is no page {page_id}: `ivr pages list` has them")
    if not taken:
        raise click.ClickException(f"page {page_id} was not taken: {_state(page, top)}")
    click.echo(_line(page, top))


def _top(store: "Store", page: "Page") -> int:
    """Return the level of a page's ladder that is everybody."""
    from ivr.commands.work import policies_of  # noqa: PLC0415
    from ivr.jobs.climbing import ladder_of  # noqa: PLC0415
    from ivr.jobs.escalations import as_it_is  # noqa: PLC0415

    policy = policies_of(store)(page.policy, page.programme)
    return ladder_of(as_it_is(store, page), policy).everybody


def _place(level: int, turn: int, top: int) -> str:
    return f"{'everybody' if level >= top else f'level {level}'}, round {turn}"


def _line(page: "Page", top: int) -> str:
    severity = "unknown" if page.severity is None else str(page.severity)
    case = grouped(page.case_number) if page.case_number else "no case"
    return f"{page.id}  {_utc(page.opened_at)}  {page.kind:<10}  severity {severity}  {case:<12}  {_state(page, top)}"


def _state(page: "Page", top: int) -> str:
    if page.acknowledged_at:
        return f"{page.acknowledged_by} has it since {_utc(page.acknowledged_at)} ({page.acknowledged_how})"
    return f"climbing, {_place(page.level, page.round, top)}" if page.state == "climbing" else page.state


def _attempt(attempt: "Attempt", top: int) -> str:
    place = _place(attempt.level, attempt.round, top)
    settled = f" at {_utc(attempt.settled_at)}" if attempt.settled_at else ""
    return f"{_utc(attempt.at)}  {place:<18}  {attempt.role} ({attempt.channel}): {attempt.result}{settled}"


def _utc(at: "datetime") -> str:
    return f"{at:%Y-%m-%d %H:%M:%SZ}"


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
