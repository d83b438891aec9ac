"""Notices of the clocks: the commands that they name work when they are pasted, and their instants are unmistakable."""

import re
import shlex

import pytest
from casefile import CASE, HOUR, MINUTE, NUMBER, TUESDAY, case, entry, message, policy

from flows.casework import case_view
from flows.taskwork import task_view
from ivr.commands.cases import command as cases
from ivr.commands.tasks import command as tasks
from ivr.jobs.clock_words import acceptance_note, handed_note, warning_note

NAMED = re.compile("`ivr ([^`]*)`")


def view(at):
    return case_view(case(), (), (), policy(), at)


def notes():
    asked = entry("acceptance_asked", TUESDAY, number=1, of=3)
    yield acceptance_note(view(TUESDAY + HOUR), asked)
    yield handed_note(task_view(message(TUESDAY, TUESDAY + HOUR), (), TUESDAY), policy(), "emea-tier2")


@pytest.mark.parametrize("note", tuple(notes()), ids=lambda note: note.subject)
def test_the_commands_of_a_notice_have_all_that_they_need(note):
    named = NAMED.findall(note.body)
    assert named
    for line in named:
        assert not set("|<>;&") & set(line)
        group, action, *words = shlex.split(line)
        chosen = {"cases": cases, "tasks": tasks}[group].commands[action]
        given = chosen.make_context(action, words).params
        assert given["by"] == "NAME"
        assert given.get("reason") == "WHY" or given.get("kind") != "reopen"


def test_a_warning_never_promises_a_minute_that_is_not_left():
    seen = view(TUESDAY + 3 * HOUR + MINUTE / 2)
    note = warning_note(seen, seen.clock("first_response"), policy())
    assert note.subject.startswith(f"Due soon: Severity 2, case 482 071 95, {CASE.partner_name}: ")
    assert note.subject.endswith("59 min left")
    assert NUMBER in note.body
