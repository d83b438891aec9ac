"""`ivr explain`: where a call would go, or went, and why."""

import re
from datetime import datetime

import click
import msgspec

from flows.call import Call, Directory
from ivr.clock import now
from ivr.commands.options import at_option, json_option
from ivr.explain import Explanation, explain, render
from ivr.past import past_of
from ivr.phone.ending import with_store
from ivr.phone.lines import NoLine, find_line, installed_policies
from ivr.settings import database_url
from ivr.supposed import NoDirectory, Supposed, read_facts, read_only_desk, supposed_call
from ivr.tokens import CALL_SID
from recordings.directory import SqlDirectory
from recordings.log import READ_TIMEOUT, CallLog
from recordings.policy_texts import text_of
from recordings.store import Store, StoreUnavailable
from routing.fault import PolicyError
from routing.partner import Partner
from routing.policy import Policy
from routing.policy_file import parse_policy

INTENTS = ("new", "existing", "escalation", "engineer", "none")


@click.command()
@click.argument("call_sid", required=False, metavar="[CALLSID]")
@click.option("--pid", help="A Partner ID of the directory. Without it: a caller who is not identified.")
@click.option("--to", "line", metavar="LINE", help="A line of a policy, as us-standard, or its number.")
@click.option("--severity", type=click.IntRange(0, 4), metavar="N", help="Default: not asked yet.")
@click.option("--intent", type=click.Choice(INTENTS), help="Default: new; on a voicemail line: none.")
@click.option("--suppose", multiple=True, metavar="FACT=VALUE", help="As choice=live, or type=agency; may be repeated.")
@at_option
@json_option
def command(  # noqa: PLR0913 - one parameter an option
    call_sid: str | None,
    line: str | None,
    *,
    pid: str | None,
    severity: int | None,
    intent: str | None,
    suppose: tuple[str, ...],
    at: datetime | None,
    as_json: bool,
) -> None:
    """Say where a call goes and why: one that has been, by its CALLSID, or one that might be."""
    if (call_sid is None) == (line is None):
        raise click.UsageError("name either a CALLSID or a line with --to")
    try:
        if call_sid:
            told = _has_been(call_sid)
        else:
            policy, dialled = find_line(line or "", installed_policies())
            facts = read_facts(suppose, policy)
            told = _might_be(policy, pid, Supposed(dialled, at or now(), severity, intent, facts))
    except (NoLine, PolicyError, ValueError) as fault:
        raise click.UsageError(str(fault)) from None
    except StoreUnavailable as fault:
        raise click.ClickException(f"{fault}; DATABASE_URL says where the log is") from None
    click.echo(msgspec.json.encode(told).decode() if as_json else render(told))


def _might_be(policy: Policy, pid: str | None, supposed: Supposed) -> Explanation:
    """Explain a call that nobody has made."""
    if supposed.severity is not None and supposed.severity not in policy.severities:
        known = ", ".join(map(str, sorted(policy.severities)))
        raise click.UsageError(f"{policy.programme} has no severity {supposed.severity}; it has {known}")
    if pid is None:
        return _told(policy, supposed, None, NoDirectory())
    return with_store(database_url(), lambda store: _of_partner(policy, supposed, pid, SqlDirectory(store)))


def _of_partner(policy: Policy, supposed: Supposed, pid: str, directory: Directory) -> Explanation:
    partner = directory.partner(pid)
    if partner is None:
        raise click.ClickException(f"no partner has the ID {pid}: `ivr partners list` names those that there are")
    return _told(policy, supposed, partner, directory)


def _told(policy: Policy, supposed: Supposed, partner: Partner | None, directory: Directory) -> Explanation:
    desk = read_only_desk(policy, directory)
    call = supposed_call(supposed, partner, desk)
    return explain(call, desk, desk.decide(call, supposed.at))


def _has_been(sid: str) -> Explanation:
    """Explain a call of the log, from what its timeline says was decided."""
    if not re.fullmatch(CALL_SID, sid):
        raise click.UsageError(f"{sid!r} is no CallSid: write CA and 32 hex digits, or a line with --to")
    return with_store(database_url(), lambda store: _logged(sid, store))


def _logged(sid: str, store: Store) -> Explanation:
    log = CallLog(store)
    call = log.load(sid)
    if call is None:
        raise click.ClickException(f"the log has no call {sid}")
    policy = _policy_of(call, store)
    past = past_of(call, (event for row in log.timeline(sid) for event in row.events), policy)
    if past is None:
        raise click.ClickException(f"{sid}: nothing was decided; the call ended at {call.last_step or call.node}")
    return explain(call, read_only_desk(policy), past.decision, past)


def _policy_of(call: Call, store: Store) -> Policy:
    """Return the version of the policy that a call began with, from the log where it is kept."""
    text = text_of(store, call.policy, READ_TIMEOUT)
    if text is not None:
        return parse_policy(text, f"{call.programme}.yaml")
    installed = next((each for each in installed_policies() if each.version == call.policy), None)
    if installed is None:
        raise click.ClickException(f"version {call.policy} of {call.programme}, by which it went, is kept nowhere")
    return installed
