"""What `ivr cases` and `ivr tasks` have in common: the store, the policies, and how an objection is told."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import click

from flows.work import Action, Objection
from ivr.clock import now
from ivr.commands.store import opened_store
from ivr.phone.lines import installed_policies
from recordings.casebook import PolicyOf
from recordings.log import READ_TIMEOUT
from recordings.policy_texts import text_of
from recordings.store import Store
from routing.policy import Policy
from routing.policy_file import parse_policy

T = TypeVar("T")

by_option = click.option("--by", metavar="NAME", required=True, help="Who does it, or has done it.")
reason_option = click.option("--reason", default="", help="Why, in a few words.")


def in_store(work: Callable[[Store, PolicyOf], T]) -> T:
    """Do something with the store, and tell in words if it cannot be done."""
    with opened_store() as store:
        try:
            return work(store, policies_of(store))
        except Objection as objection:
            raise click.ClickException(f"{objection.what}: {objection.why}.\n{objection.mend.capitalize()}.") from None


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


def action_of(kind: str, by: str, at: datetime | None, **detail: object) -> Action:
    """Return what somebody does now, or has done at an instant that is past."""
    this = now()
    given = {name: value for name, value in detail.items() if value not in ("", None)}
    return Action(kind, by, at or this, this, given)
