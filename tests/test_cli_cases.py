"""`ivr cases` and `ivr tasks`: clocks with their arithmetic, and actions that say what to do instead when refused."""

import json
from datetime import UTC, datetime
from importlib.metadata import version

import pytest
from casefile import HOUR, MINUTE, NUMBER, TUESDAY, case, message, put_case, put_task
from click.testing import CliRunner

from ivr.cli import main
from ivr.commands.cases import command as cases
from ivr.commands.erase import command as erase
from ivr.commands.hold import command as hold
from ivr.commands.pages import command as pages
from ivr.commands.tasks import command as tasks
from ivr.demo_note import NOTE, TELLS
from recordings.engines import open_store

SOME_DAY = datetime(2099, 7, 14, 9, 0, tzinfo=UTC)  # to come, whenever this runs
AT = (TUESDAY + HOUR).isoformat()


@pytest.fixture
def stored(sqlite_url):
    """A database with one case of Tuesday and its message."""
    store = open_store(sqlite_url)
    put_case(store, case(region="us", desk="us-tier2"), look_at=TUESDAY)
    task = put_task(store, message(TUESDAY, TUESDAY + 4 * HOUR)).task
    store.close()
    return sqlite_url, task


def run(stored, command, *args, exit_code=0, **environ):
    outcome = CliRunner().invoke(command, list(args), env={"DATABASE_URL": stored[0], **environ})
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
    assert "tried 1 time," in run(stored, tasks, "answer", task, "--outcome", "no_answer", "--by", "ada")
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


def test_whoever_claims_twice_is_told_that_they_have_it_and_nothing_is_logged(stored):
    task = stored[1].id
    run(stored, tasks, "claim", task, "--by", "ada")
    shown = run(stored, tasks, "claim", task, "--by", "ada")
    assert "You have it already." in shown
    assert shown.count("claimed by ada") == 1


def test_a_refusal_names_commands_that_work_when_they_are_pasted(stored):
    task = stored[1].id
    run(stored, tasks, "claim", task, "--by", "Jane Doe")
    refusal = run(stored, tasks, "claim", task, "--by", "bo", exit_code=1)
    assert f"`ivr tasks release {task} --by 'Jane Doe'`" in refusal
    assert f"`ivr tasks reassign {task} --to bo --by bo`" in refusal
    assert "bo has it" in run(stored, tasks, "reassign", task, "--to", "bo", "--by", "bo")


def test_anybody_may_log_a_call_back_and_the_log_says_who_had_it(stored):
    task = stored[1].id
    run(stored, tasks, "claim", task, "--by", "us-day")
    shown = run(stored, tasks, "answer", task, "--by", "Jane Doe")
    assert "answered by Jane Doe: outcome reached, holder us-day" in shown
    assert (
        f"{task} answered message of Acme Resale, us-tier2, due Tue 14 Jul 06:00 PDT, by Jane Doe, tried 1 time"
        in shown
    )


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("release", ()),
        ("reassign", ("--to", "bo")),
        ("answer", ()),
        ("close", ("--reason", "left twice")),
        ("note", ("rang the office",)),
    ],
)
def test_every_action_of_a_task_takes_the_instant_at_which_it_was_done(stored, kind, more):
    task, at = stored[1].id, (TUESDAY + 30 * MINUTE).isoformat()
    run(stored, tasks, "claim", task, "--by", "ada", "--at", (TUESDAY + 20 * MINUTE).isoformat())
    assert "Tue 02:30 PDT" in run(stored, tasks, kind, task, *more, "--by", "ada", "--at", at)
    assert "Tue 14 Jul 02:30 PDT" in run(stored, tasks, "show", task, "--at", (TUESDAY + 200 * HOUR).isoformat())


@pytest.fixture
def to_come(sqlite_url):
    """A demo with a call of days to come: its case and its message."""
    store = open_store(sqlite_url)
    put_case(store, case(region="us", desk="us-tier2", opened_at=SOME_DAY), look_at=SOME_DAY)
    task = put_task(store, message(SOME_DAY, SOME_DAY + 4 * HOUR)).task
    store.close()
    return sqlite_url, task


def test_in_a_demo_what_is_owed_for_a_call_of_days_to_come_is_claimed_and_answered(to_come):
    task, at = to_come[1].id, (SOME_DAY + 2 * HOUR).isoformat()
    assert "ada has it" in run(to_come, tasks, "claim", task, "--by", "ada", IVR_ENV="demo")
    assert "ada has it" in run(to_come, tasks, "list", IVR_ENV="demo")
    run(to_come, tasks, "answer", task, "--by", "ada", "--at", at, IVR_ENV="demo")
    assert "answered by ada" in run(to_come, tasks, "show", task, IVR_ENV="demo")
    shown = run(to_come, cases, "log", NUMBER, "resolve", "--by", "ada", IVR_ENV="demo")
    assert "first response: met, took 2 h" in shown
    assert "resolved by ada" in shown


def test_but_nothing_is_logged_of_days_to_come_where_people_ring(to_come):
    task, at = to_come[1].id, (SOME_DAY + 2 * HOUR).isoformat()
    assert "is before the call of 14 Jul 2099" in run(to_come, tasks, "claim", task, "--by", "ada", exit_code=1)
    refusal = run(to_come, tasks, "claim", task, "--by", "ada", "--at", at, exit_code=1)
    assert "14 Jul 2099 11:00:00Z has not come yet" in refusal


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-11-31", "there is no 2026-11-31 in the calendar: write 2026-07-15T03:30:00Z"),
        ("2026-11-31 10:00 America/Los_Angeles", "there is no 2026-11-31 in the calendar"),
        ("2026-11-30", "a day without a time and its zone: write"),
        ("2026-11-30 25:00 America/Los_Angeles", "write 2026-07-15T03:30:00Z"),
        ("tomorrow", "'tomorrow' is no instant: write"),
        ("2026-03-08 02:30 America/Los_Angeles", "is skipped by the clocks of America/Los_Angeles"),
    ],
)
def test_a_text_that_is_no_instant_is_told_what_is_wrong_with_it(stored, at, words):
    assert words in run(stored, cases, "list", "--at", at, exit_code=2)


def test_a_demo_of_this_folder_is_asked_without_any_settings(to_come, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in TELLS:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    NOTE.parent.mkdir(exist_ok=True)
    NOTE.write_text(json.dumps({"environment": {"IVR_ENV": "demo", "DATABASE_URL": to_come[0]}}))
    outcome = CliRunner().invoke(tasks, ["claim", to_come[1].id, "--by", "ada"])
    assert "ada has it" in outcome.output


@pytest.mark.parametrize(
    ("command", "args"),
    [
        (tasks, ("claim", "a1" * 10)),
        (cases, ("log", NUMBER, "response")),
        (pages, ("ack", "a1" * 10)),
        (hold, (NUMBER, "--reason", "a court asks")),
        (erase, ("--partner", "518820", "--yes")),
    ],
)
def test_nobody_does_nothing(stored, command, args):
    assert "it names nobody. Name whoever it is." in run(stored, command, *args, "--by", " ", exit_code=2)


def test_a_case_is_held_by_its_number_in_groups(stored):
    assert "482 071 95 is held" in run(stored, hold, "482 071 95", "--reason", "a court asks", "--by", "ada")


def test_a_severity_is_corrected_only_to_one_that_is_named(stored):
    words = run(stored, cases, "log", NUMBER, "severity", "--by", "ada", "--reason", "mail", exit_code=2)
    assert "--severity N" in words


def test_the_program_says_its_version():
    assert CliRunner().invoke(main, ["--version"]).output == f"ivr, version {version('partnerline')}\n"
