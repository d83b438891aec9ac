"""`ivr tasks`: the messages and call backs that are owed, and what people do with them."""

from datetime import datetime
from typing import TYPE_CHECKING

import click
import msgspec

from ivr.commands.options import at_option, json_option
from ivr.commands.work import action_of, by_option, in_store, reason_option, sentence, when

if TYPE_CHECKING:
    from flows.taskwork import TaskView
    from recordings.casebook import PolicyOf
    from recordings.store import Store
    from routing.policy import Policy

STATES = ("new", "claimed", "answered", "closed")
OUTCOMES = ("reached", "left_word", "no_answer")


class Shown(msgspec.Struct, frozen=True):
    """How a task is shown: from which store, by which policies, as of which instant, and for whom."""

    store: "Store"
    policy_of: "PolicyOf"
    at: datetime
    as_json: bool


@click.group("tasks")
def command() -> None:
    """List messages and call backs that are owed, and take and answer them."""


@command.command("list")
@click.option("--state", "states", type=click.Choice(STATES), multiple=True, help="Default: new and claimed.")
@click.option("--desk", default="", metavar="DESK", help="Only those that a desk has now.")
@at_option
@json_option
def list_all(*, states: tuple[str, ...], desk: str, at: datetime | None, as_json: bool) -> None:
    """List tasks, the one with the least time left first."""
    from ivr.commands.case_text import as_document, task_facts, task_line  # noqa: PLC0415
    from recordings.tasks import Asked, listing  # noqa: PLC0415

    asked = Asked(states or Asked().states, desk)

    def work(store: "Store", policy_of: "PolicyOf") -> list[str]:
        this = when(store, at).at
        views = listing(store, asked, this)
        if as_json:
            return [as_document([task_facts(view) for view in views])]
        return [task_line(view, _policy(view, policy_of), this) for view in views]

    for text in in_store(work):
        click.echo(text)


@command.command("show")
@click.argument("task_id", metavar="ID")
@at_option
@json_option
def show(task_id: str, *, at: datetime | None, as_json: bool) -> None:
    """Show the task ID and what was done with it."""
    from recordings.tasks import load  # noqa: PLC0415

    def work(store: "Store", policy_of: "PolicyOf") -> str:
        this = when(store, at, task_id).at
        return _shown(Shown(store, policy_of, this, as_json), load(store, task_id, this))

    click.echo(in_store(work))


@command.command("claim")
@click.argument("task_id", metavar="ID")
@by_option
@at_option
@json_option
def claim(task_id: str, *, by: str, at: datetime | None, as_json: bool) -> None:
    """Take the task ID, so that nobody else calls back as well."""
    _do(task_id, "claimed", by, at, as_json=as_json)


@command.command("release")
@click.argument("task_id", metavar="ID")
@by_option
@at_option
@json_option
def release(task_id: str, *, by: str, at: datetime | None, as_json: bool) -> None:
    """Give the task ID back."""
    _do(task_id, "released", by, at, as_json=as_json)


@command.command("reassign")
@click.argument("task_id", metavar="ID")
@click.option("--to", required=True, metavar="NAME", help="Who is to have it.")
@by_option
@at_option
@json_option
def reassign(task_id: str, *, to: str, by: str, at: datetime | None, as_json: bool) -> None:
    """Give the task ID to somebody else."""
    _do(task_id, "reassigned", by, at, as_json=as_json, to=to)


@command.command("answer")
@click.argument("task_id", metavar="ID")
@click.option("--outcome", type=click.Choice(OUTCOMES), default="reached", show_default=True)
@reason_option
@by_option
@at_option
@json_option
def answer(  # noqa: PLR0913 - one parameter an option
    task_id: str, *, outcome: str, reason: str, by: str, at: datetime | None, as_json: bool
) -> None:
    """Log a call back. Only a partner who was reached has been answered."""
    _do(task_id, "answered", by, at, as_json=as_json, outcome=outcome, reason=reason)


@command.command("close")
@click.argument("task_id", metavar="ID")
@reason_option
@by_option
@at_option
@json_option
def close(task_id: str, *, reason: str, by: str, at: datetime | None, as_json: bool) -> None:
    """Close the task ID without a call back, for a reason."""
    _do(task_id, "closed", by, at, as_json=as_json, reason=reason)


@command.command("note")
@click.argument("task_id", metavar="ID")
@click.argument("text")
@by_option
@at_option
@json_option
def note(task_id: str, text: str, *, by: str, at: datetime | None, as_json: bool) -> None:
    """Write TEXT beside the task ID."""
    _do(task_id, "note", by, at, as_json=as_json, text=text)


def _do(task_id: str, kind: str, by: str, at: datetime | None, *, as_json: bool, **detail: object) -> None:
    from flows.work import Already  # noqa: PLC0415
    from recordings.tasks import act, load  # noqa: PLC0415

    def work(store: "Store", policy_of: "PolicyOf") -> str:
        this = when(store, at, task_id)
        shown = Shown(store, policy_of, this.at, as_json)
        try:
            return _shown(shown, act(store, task_id, action_of(kind, by, this, **detail), policy_of))
        except Already as already:
            click.echo(sentence(already.why), err=True)
            return _shown(shown, load(store, task_id, this.logged_at))

    click.echo(in_store(work))


def _shown(shown: Shown, view: "TaskView") -> str:
    from ivr.commands.case_text import as_document, logged, task_facts, task_line  # noqa: PLC0415
    from recordings.work_log import entries_of  # noqa: PLC0415

    if shown.as_json:
        return as_document(task_facts(view))
    policy, at = _policy(view, shown.policy_of), shown.at
    zone = policy.regions[view.task.region].zone
    entries = entries_of(shown.store, view.task.id)
    return "\n".join([task_line(view, policy, at), *(logged(each, zone, at) for each in entries)])


def _policy(view: "TaskView", policy_of: "PolicyOf") -> "Policy":
    return policy_of(view.task.policy, view.task.programme)
