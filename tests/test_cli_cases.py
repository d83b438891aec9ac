"""`ivr cases` and `ivr tasks`: clocks with their arithmetic, and actions that say what to do instead when refused."""

import json

import pytest
from casefile import HOUR, MINUTE, NUMBER, TUESDAY, case, message, put_case, put_task
from click.testing import CliRunner

from ivr.commands.cases import command as cases
from ivr.commands.tasks import command as tasks
from recordings.engines import open_store

AT = (TUESDAY + HOUR).isoformat()


@pytest.fixture
def stored(sqlite_url):
    """A database with one case of Tuesday and its message."""
    store = open_store(sqlite_url)
    put_case(store, case(region="us", desk="us-tier2"), look_at=TUESDAY)
    task = put_task(store, message(TUESDAY, TUESDAY + 4 * HOUR)).task
    store.close()
    return sqlite_url, task


def run(stored, command, *args, exit_code=0):
    outcome = CliRunner().invoke(command, list(args), env={"DATABASE_URL": stored[0]})
    assert outcome.exit_code == exit_code, outcome.output
    return outcome.output


def test_a_case_is_shown_with_its_clocks_and_how_they_counted(stored):
    shown = run(stored, cases, "show", "482 071 95", "--at", AT)
    assert "Case      482 071 95 · open · severity 2 · level 0" in shown
    assert "Clock     first response: running, 3 h left, due Tue 06:00 PDT (partner table)" in shown
    assert "target 4 h elapsed, started Tue 02:00 PDT, counted 1 h" in shown
    assert "Tue 02:00 PDT to Tue 03:00 PDT: 1 h" in shown
    assert "Clock     answer to a message: running, 3 h left" in shown
    assert f"Task      {stored[1].id} new" in shown


def test_a_case_for_programs_gives_seconds_and_instants(stored):
    shown = json.loads(run(stored, cases, "show", NUMBER, "--at", AT, "--json"))
    clock = next(each for each in shown["clocks"] if each["id"] == "first_response")
    assert (clock["state"], clock["left_seconds"], clock["due_at"]) == ("running", 10_800.0, "2026-07-14T13:00:00Z")
    assert clock["counted"] == [{"from": "2026-07-14T09:00:00Z", "to": "2026-07-14T10:00:00Z"}]
    assert [task["state"] for task in shown["tasks"]] == ["new"]


def test_cases_are_listed_by_status(stored):
    assert run(stored, cases, "list", "--status", "closed", "--at", AT) == ""
    assert "482 071 95   S2 open" in run(stored, cases, "list", "--at", AT)
    assert [each["number"] for each in json.loads(run(stored, cases, "list", "--json", "--at", AT))] == [NUMBER]


def test_what_was_done_is_logged_and_shown(stored):
    at = (TUESDAY + 30 * MINUTE).isoformat()
    shown = run(stored, cases, "log", NUMBER, "response", "--by", "ada", "--at", at)
    assert "first response: met, took 30 min" in shown
    assert "response by ada" in shown
    run(stored, cases, "log", NUMBER, "note", "--by", "ada", "--reason", "they will send traces")
    assert "text they will send traces" in run(stored, cases, "show", NUMBER)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("log", NUMBER, "severity", "--by", "ada", "--severity", "1", "--reason", "mail"), "is only taken by phone"),
        (("log", NUMBER, "accept", "--by", "ada"), "Resolve it first"),
        (("log", NUMBER, "response", "--by", "ada", "--at", "2199-01-01T00:00:00Z"), "has not come yet"),
        (("show", "1"), "there is no case of that number"),
    ],
)
def test_a_refusal_says_why_and_what_to_do(stored, args, words):
    assert words in run(stored, cases, *args, exit_code=1)


def test_a_task_is_claimed_tried_and_answered(stored):
    task = stored[1].id
    assert task in run(stored, tasks, "list")
    assert "ada has it" in run(stored, tasks, "claim", task, "--by", "ada")
    assert "ada has it since" in run(stored, tasks, "claim", task, "--by", "bo", exit_code=1)
    assert "tried 1 times" in run(stored, tasks, "answer", task, "--outcome", "no_answer", "--by", "ada")
    run(stored, tasks, "note", task, "left word with the desk", "--by", "ada")
    assert "answered" in run(stored, tasks, "answer", task, "--by", "ada")
    assert run(stored, tasks, "list") == ""
    shown = json.loads(run(stored, tasks, "show", task, "--json"))
    assert (shown["state"], shown["answered_by"], len(shown["attempts"])) == ("answered", "ada", 2)


def test_a_task_is_given_back_given_to_another_and_closed(stored):
    task = stored[1].id
    run(stored, tasks, "claim", task, "--by", "ada")
    run(stored, tasks, "release", task, "--by", "ada")
    assert "cy has it" in run(stored, tasks, "reassign", task, "--to", "cy", "--by", "lead")
    assert "No reason" not in run(stored, tasks, "close", task, "--by", "cy", "--reason", "left twice")
    assert [each["id"] for each in json.loads(run(stored, tasks, "list", "--state", "closed", "--json"))] == [task]
