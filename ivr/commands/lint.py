"""`ivr lint`: what is wrong with policy files and prompts, and what each fault means to a caller."""

import json
import sys
from collections import Counter
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path

import click

from flows import prompt_lint
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
from routing.claims import Contacts
from routing.fault import Finding, Level, PolicyError
from routing.lint import lint
from routing.policy_file import read_policy


@click.command()
@files_argument
@folder_option
@contacts_option
@at_option
@json_option
def command(
    files: tuple[Path, ...], folder: Path | None, contacts: Path | None, at: datetime | None, *, as_json: bool
) -> None:
    """Check policy files: faults, seams and assumptions, and what each means to a caller."""
    today, numbers = (at or now()).date(), numbers_in(contacts)
    findings = [finding for path in chosen(files, folder) for finding in findings_of(path, today, numbers)]
    if not files:
        findings += prompt_lint.lint()
    click.echo(json.dumps([asdict(each) for each in findings], ensure_ascii=False) if as_json else as_text(findings))
    sys.exit(1 if any(each.level is Level.ERROR for each in findings) else 0)


def findings_of(path: Path, today: date, contacts: Contacts) -> list[Finding]:
    """Return the findings about a file; if it cannot be used, the faults that keep it from being used."""
    try:
        return lint(prompt_lint.speakable(read_policy(path)), today, contacts)
    except PolicyError as refused:
        return [Finding(Level.ERROR, f.file, f.line, f.code, f.what, f.mend, f.consequence) for f in refused.faults]


def as_text(findings: list[Finding]) -> str:
    """Return one line a finding, the consequence below the graver ones, and the count."""
    lines = []
    for finding in findings:
        lines.append(str(finding))
        if finding.level is not Level.INFO:
            lines.append(f"    {finding.consequence}")
    count = Counter(finding.level for finding in findings)
    return "\n".join(
        [*lines, f"{count[Level.ERROR]} errors, {count[Level.WARNING]} warnings, {count[Level.INFO]} notes"]
    )
