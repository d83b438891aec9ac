"""`ivr call` at the terminal: what it shows, what it takes, where it finds the service, and how it ends."""

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from board import ACCOUNT, BASE, ENGINEER, LINE, TOKEN, document, gather, say, serving
from click.testing import CliRunner

from ivr.cli import main
from ivr.phone.address import NoAddress, find_address
from ivr.phone.human import Keyboard, PersonAnswering, PersonCalling
from ivr.phone.people import Engineer, Leave, Press, Speak, Step
from ivr.phone.terminal import Paper
from ivr.phone.twiml import Gather, Record
from ivr.phone.wire import Address

# Faces


def test_the_terminal_shows_when_what_was_said_and_what_was_pressed():
    out = StringIO()
    paper = Paper(out, {ENGINEER: "us-tier2-engineer"}, width=62)
    for step in [
        Step(0, "said", "8x8 partner support. I see you're calling from Acme Resale. If that's wrong, press star."),
        Step(12, "said", "For a new problem, press 1."),
        Step(13, "keyed", "1"),
        Step(20, "rang", ENGINEER),
        Step(24, "whispered", "Press 1 to accept."),
        Step(29, "accepted", ENGINEER, 9),
        Step(89, "hung_up", "caller"),
    ]:
        paper.show(step)
    assert out.getvalue().splitlines() == [
        "00:00  8x8 partner support. I see you're calling from",
        "       Acme Resale. If that's wrong, press star.",
        "00:12  For a new problem, press 1.   ⌨ 1",
        "00:20  ☎ +14085550121 (us-tier2-engineer) … accepted after 00:09",
        "       heard: Press 1 to accept.",
        "01:29  — the caller hangs up",
    ]


@contextmanager
def terminal(typed: str) -> Iterator[tuple[Keyboard, Paper]]:
    """Give a keyboard on which something has been typed."""
    ours, theirs = os.openpty()
    try:
        os.write(ours, typed.encode())
        with os.fdopen(theirs) as source:
            yield Keyboard(source), Paper(StringIO(), {})
    finally:
        os.close(ours)


MENU = Gather((), "/x", 6, 1, "", answers_silence=True)
ENTRY = Gather((), "/x", 10, 6, "#", answers_silence=True)


@pytest.mark.parametrize(
    ("typed", "prompt", "does"),
    [
        ("1", MENU, Press("1")),
        ("x1", MENU, Press("1")),
        ("\n", MENU, Press("")),
        ("h", MENU, Leave()),
        ("347109", ENTRY, Press("347109")),
        ("34#", ENTRY, Press("34#")),
        ("34\n", ENTRY, Press("34")),
    ],
)
def test_a_person_at_the_terminal_presses_single_keys(typed, prompt, does):
    with terminal(typed) as (keyboard, paper):
        assert PersonCalling(keyboard, paper, real=False).at_gather(prompt, 1.0) == does


@pytest.mark.parametrize(
    ("typed", "does"), [("12\n", Speak(12)), ("12h\n", Speak(12, hangs_up=True)), ("\n", Press("")), ("h\n", Leave())]
)
def test_a_person_at_the_terminal_says_how_long_a_message_is(typed, does):
    with terminal(typed) as (keyboard, paper):
        assert (
            PersonCalling(keyboard, paper, real=False).at_record(Record("/x", 5, "#", 180, beep=True, callback=""))
            == does
        )


@pytest.mark.parametrize(("typed", "does"), [("p", Engineer.PASSES), ("n", Engineer.NOBODY), ("\n", Engineer.ANSWERS)])
def test_a_person_at_the_terminal_answers_for_the_engineers(typed, does):
    with terminal(typed) as (keyboard, paper):
        assert PersonAnswering(keyboard, paper).rung(ENGINEER) == does


# The command


def run(*args: str, **environ: str):
    return CliRunner().invoke(main, ["call", *args], env=environ)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("PUBLIC_BASE_URL", "TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID", "PORT", "POLICY_DIR", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def demo_file(here: Path, url: str) -> None:
    (here / "var").mkdir()
    known = {"url": url, "public_base_url": BASE, "auth_token": TOKEN, "account_sid": ACCOUNT}
    (here / "var" / "demo.json").write_text(json.dumps(known))


def test_a_call_goes_to_the_demo_that_is_running(here):
    with serving(voice=document(gather(say("Press 1.")))) as board:
        demo_file(here, board.url)
        result = run(
            "--to", "us-standard", "--from", "withheld", "--at", "2026-07-14 20:30 America/Los_Angeles", "--keys", "1"
        )
    assert result.exit_code == 0, result.output
    assert "00:00  Press 1.   ⌨ 1" in result.output
    first = board.sent_to("/voice")[0]
    assert (first["To"], first["From"]) == (LINE, "anonymous")
    assert board.instants[0] == "2026-07-15T03:30:00.000000Z"


def test_a_call_can_be_one_json_document(here):
    with serving(voice=document(gather(say("Press 1.")))) as board:
        demo_file(here, board.url)
        result = run("--to", LINE, "--keys", "1", "--json")
    told = json.loads(result.stdout)
    assert told["steps"] == [
        {"at": 0.0, "said": "Press 1."},
        {"at": 0.7, "keyed": "1"},
        {"at": 0.7, "hung_up": "service"},
    ]
    assert (told["to"], told["outcome"], told["dialled"]) == (LINE, None, [])


def test_a_call_follows_lines_of_keys_where_there_is_no_terminal(here):
    with serving(voice=document(gather(say("Press 1.")))) as board:
        demo_file(here, board.url)
        result = CliRunner().invoke(main, ["call", "--to", "us-standard"], input="4\n")
    assert result.exit_code == 0, result.output
    assert board.sent_to("/voice/next")[0]["Digits"] == "4"


def test_a_call_can_be_heard_where_the_program_for_it_is_there(here, monkeypatch):
    program = here / "espeak-ng"
    program.write_text(f'#!/bin/sh\necho "$@" >> {here}/spoken\n')
    program.chmod(0o700)
    with serving(voice=document(gather(say("Press 1.")))) as board:
        demo_file(here, board.url)
        monkeypatch.setenv("PATH", f"{here}:{os.environ['PATH']}")
        assert run("--to", "us-standard", "--keys", "1", "--speak").exit_code == 0
        monkeypatch.setenv("PATH", str(here / "var"))
        assert run("--to", "us-standard", "--keys", "1", "--speak").exit_code == 2
    assert (here / "spoken").read_text() == "-s 165 -- Press 1.\n"


def test_an_unknown_line_is_answered_with_those_that_there_are(here):
    result = run("--to", "us-gold", "--keys", "1")
    assert result.exit_code == 2
    assert "us-gold" in result.output
    assert "emea-voicemail" in result.output


@pytest.mark.parametrize("option", [("--keys", "x"), ("--agent", "sleeps"), ("--at", "noon")])
def test_an_option_that_cannot_be_read_is_wrong_usage(here, option):
    assert run("--to", "us-standard", *option).exit_code == 2


def test_a_service_that_is_not_there_is_said_to_be_so(here):
    demo_file(here, "http://127.0.0.1:1")
    result = run("--to", "us-standard", "--keys", "1")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "Error: http://127.0.0.1:1 does not answer (Connection refused): start `ivr demo`, or give --url"
    ]


@pytest.mark.parametrize(
    "caller", ["anonymous", "RESTRICTED", "+266696687", "7378742833", "sip:a@b.example", "+1408", "12", ""]
)
def test_a_caller_that_is_no_number_is_sent_as_it_is(here, caller):
    with serving(voice=document("<Hangup/>")) as board:
        demo_file(here, board.url)
        result = run("--to", "us-standard", "--from", caller, "--keys", "1")
    assert result.exit_code == 0, result.output
    assert board.sent_to("/voice")[0]["From"] == caller


def test_a_caller_that_is_a_number_is_sent_as_the_provider_writes_it(here):
    with serving(voice=document("<Hangup/>")) as board:
        demo_file(here, board.url)
        run("--to", "us-standard", "--from", "+1 (408) 555-0142", "--keys", "1")
    assert board.sent_to("/voice")[0]["From"] == "+14085550142"


@pytest.mark.parametrize("kind", ["nowhere", "a folder", "no database", "no tables", "no url"])
def test_a_call_whose_log_cannot_be_read_ends_without_a_rule(here, kind, monkeypatch):
    file = here / "log.db"
    {
        "a folder": file.mkdir,
        "no database": lambda: file.write_bytes(b"no database at all" * 512),
        "no tables": lambda: sqlite3.connect(file).close(),
    }.get(kind, lambda: None)()
    monkeypatch.setenv("DATABASE_URL", "nonsense" if kind == "no url" else f"sqlite:///{file}")
    with serving(voice=document("<Hangup/>")) as board:
        demo_file(here, board.url)
        result = run("--to", "us-standard", "--keys", "1")
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"CA[0-9a-f]{32}   \(the log is out of reach: .*\)", result.output.splitlines()[-1])
    assert "why:" not in result.output


def test_an_error_begins_on_a_line_of_its_own(here):
    with serving(voice=document(gather(say("Press 1.")))) as board:
        demo_file(here, board.url)
        result = run("--to", "us-standard", "--keys", "message:5")
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith("Error: ")


@pytest.mark.parametrize(("seconds", "words"), [(1, "1 second of message"), (12, "12 seconds of message")])
def test_one_second_is_one(seconds, words):
    out = StringIO()
    Paper(out, {}).show(Step(0, "recorded", "#", seconds))
    assert words in out.getvalue()


def test_without_a_demo_the_environment_says_where_the_service_is(here):
    with pytest.raises(NoAddress, match="TWILIO_AUTH_TOKEN"):
        find_address(environ={"PUBLIC_BASE_URL": BASE})
    known = {"PUBLIC_BASE_URL": BASE, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_ACCOUNT_SID": ACCOUNT, "PORT": "9000"}
    assert find_address(environ=known) == Address("http://127.0.0.1:9000", BASE, TOKEN, ACCOUNT)
    assert find_address("http://127.0.0.1:7000/", environ=known).url == "http://127.0.0.1:7000"
