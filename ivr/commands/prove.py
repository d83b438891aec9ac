"""`ivr prove`: every enquiry at every instant at which a desk opens or closes, and what holds of all of them."""

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import click

from ivr.clock import now
from ivr.commands.options import (
    at_option,
    chosen,
    contacts_option,
    files_argument,
    folder_option,
    json_option,
    numbers_in,
)
from routing.fault import PolicyError
from routing.policy import Policy
from routing.policy_file import read_policy
from routing.proof import MONTHS, Proof, explain, prove


@click.command()
@files_argument
@click.option("--months", type=click.IntRange(1, 60), default=MONTHS, show_default=True, help="How far ahead.")
@folder_option
@contacts_option
@at_option
@json_option
def command(files: tuple[Path, ...], months: int, at: datetime | None, *, as_json: bool, **where: Path | None) -> None:
    """Prove that no policy lets a caller in trouble fall through, from now or --at on."""
    contacts = numbers_in(where["contacts"])
    policies, refused = read_all(chosen(files, where["folder"]))
    proofs = [prove(policy, at or now(), months, contacts=contacts) for policy in policies]
    for refusal in refused:
        click.echo(str(refusal), err=True)
    text = (
        json.dumps(list(map(as_document, proofs)), ensure_ascii=False) if as_json else "\n".join(map(as_text, proofs))
    )
    click.echo(text)
    sys.exit(1 if refused or not all(proof.holds for proof in proofs) else 0)


def read_all(paths: Iterable[Path]) -> tuple[list[Policy], list[PolicyError]]:
    """Return the policies that can be used, and why the others cannot."""
    policies, refused = [], []
    for path in paths:
        try:
            policies.append(read_policy(path))
        except PolicyError as refusal:
            refused.append(refusal)
    return policies, refused


def as_text(proof: Proof) -> str:
    """Return what was tried, a line for each statement, and what speaks against those that fail."""
    months = f"{proof.start:%Y-%m-%d} to {proof.end:%Y-%m-%d}"
    tried = f"{proof.boundaries:,} instants, {proof.patterns} patterns of open desks"
    lines = [f"{proof.policy.programme} {proof.policy.version}, {months}: {tried}"]
    for statement in proof.statements:
        verdict = "holds" if statement.holds else "FAILS"
        lines.append(f"  {verdict}  {statement.points:>14,} points  {statement.name}: {statement.says}.")
    return "\n".join([*lines, *(f"  {fault}" for fault in proof.faults())])


def as_document(proof: Proof) -> dict[str, object]:
    """Return a proof as a JSON document."""
    return {
        "programme": proof.policy.programme,
        "policy_version": proof.policy.version,
        "from": proof.start.isoformat(),
        "until": proof.end.isoformat(),
        "boundaries": proof.boundaries,
        "patterns": proof.patterns,
        "holds": proof.holds,
        "statements": [
            {
                "name": statement.name,
                "says": statement.says,
                "points": statement.points,
                "holds": statement.holds,
                "counterexamples": [
                    {"code": each.code, "rule": each.rule, "line": each.file_line, "what": each.what}
                    | {"at": each.at.isoformat(), "explain": explain(each, proof.policy)}
                    for each in statement.against.values()
                ],
            }
            for statement in proof.statements
        ],
    }
