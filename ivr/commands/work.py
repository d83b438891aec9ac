"""What `ivr cases` and `ivr tasks` have in common: the store, the policies, and how an objection is told."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import click
import msgspec

from flows.work import Action, Objection
from ivr.clock import now
from ivr.commands.options import by_option
from ivr.commands.store import opened_store
from ivr.environment import survey
from ivr.phone.lines import installed_policies
from ivr.settings import Environment
from recordings.casebook import PolicyOf
from recordings.latest import latest
from recordings.log import READ_TIMEOUT
from recordings.policy_texts import text_of
from recordings.store import Store
from routing.policy import Policy
from routing.policy_file import parse_policy

T = TypeVar("T")

__all__ = ["When", "action_of", "by_option", "in_store", "policies_of", "reason_option", "sentence", "when"]

reason_option = click.option("--reason", default="", help="Why, in a few words.")


def in_store(work: Callable[[Store, PolicyOf], T]) -> T:
    """Do something with the store, and tell in words if it cannot be done."""
    with opened_store() as store:
        try:
            return work(store, policies_of(store))
        except Objection as objection:
            raise click.ClickException(f"{objection.what}: {objection.why}.\n{sentence(objection.mend)}") from None


def policies_of(store: Store) -> PolicyOf:
    """Return what finds the policy of a version: as it was kept, else as it is installed, else the one in force."""
    known: dict[str, Policy] = {}

    def policy_of(version: str, programme: str) -> Policy:
        if version not in known:
            text = text_of(store, version, READ_TIMEOUT)
            known[version] = parse_policy(text, f"{programme}.yaml") if text else _installed(version, programme)
        return known[version]

    return policy_of


def _installed(version: str, programme: str) -> Policy:
    policies = [policy for policy in installed_policies() if policy.programme == programme]
    if not policies:
        raise click.ClickException(f"version {version} of {programme}, by which it lives, is kept nowhere")
    return next((policy for policy in policies if policy.version == version), policies[0])


def sentence(words: str) -> str:
    """Return words as a sentence; names and commands in them stay as they are."""
    return f"{words[:1].upper()}{words[1:]}."


class When(msgspec.Struct, frozen=True):
    """The instant that a command is about, and the one at which what it does is written down."""

    at: datetime
    logged_at: datetime


def when(store: Store, at: datetime | None, subject: str = "") -> When:
    """Return the instant that was given, or now, and now.

    Calls of a demo say what time it is, and may be of days to come. There, now is never before the instant that was
    given, nor, if none was, before the last instant of the case or the task, or of any.
    """
    this = now()
    if not _in_demo():
        return When(at or this, this)
    about = at or max(this, latest(store, subject) or this)
    return When(about, max(this, about))


def action_of(kind: str, by: str, when: When, **detail: object) -> Action:
    """Return what somebody does, or has done."""
    given = {name: value for name, value in detail.items() if value not in ("", None)}
    return Action(kind, by, when.at, when.logged_at, given)


def _in_demo() -> bool:
    """Whether the service runs as a demo: the environment says so, or the demo of this folder does."""
    return survey()[0].ivr_env is Environment.DEMO
