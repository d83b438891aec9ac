"""The telephone of `ivr call`, on a service that answers each path with a fixed document."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

import pytest
from click.testing import CliRunner

from ivr.cli import main
from ivr.form import parse
from ivr.phone.address import NoAddress, find_address
from ivr.phone.clock import read_instant
from ivr.phone.human import Keyboard, PersonAnswering, PersonCalling
from ivr.phone.leg import Leg, Numbers
from ivr.phone.people import Engineer, Leave, People, Press, ScriptFault, Speak, Step
from ivr.phone.place import Occasion
from ivr.phone.script import ScriptedCaller, ScriptedEngineers, read_engineers, read_keys
from ivr.phone.terminal import Paper
from ivr.phone.twiml import Gather, Record, TwimlFault, read, read_whisper
from ivr.phone.wire import Address, WireFault
from ivr.signature import Signature

BASE = "https://ivr.example.com"
TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT = f"AC{'5' * 32}"
LINE = "+18888988733"
CALLER = "+14085550199"
ENGINEER = "+14085550121"
START = datetime(2026, 7, 15, 3, 30, tzinfo=UTC)

Form = dict[str, str]
Answer = str | int | Callable[[Form], str | int]


class Board:
    """A service that answers each path with its document, or with a status; it remembers what it was sent."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.requests: list[tuple[str, Form]] = []
        self.signed: list[tuple[str, str, str]] = []
        self.instants: list[str | None] = []
        self.url = ""

    def sent_to(self, path: str) -> list[Form]:
        """Return the forms that a path was sent."""
        return [form for where, form in self.requests if where == path]

    def answer(self, path: str, form: Form) -> str | int:
        """Return what a request gets."""
        answer = self.answers.get(path, document())
        return answer(form) if callable(answer) else answer


def _handler(board: Board) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            form = {name: values[-1] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
            board.requests.append((self.path, form))
            board.signed.append((self.path, parse(body).signed, self.headers["X-Twilio-Signature"]))
            board.instants.append(self.headers["X-Partnerline-Instant"])
            self._send(board.answer(self.path, form))

        def do_GET(self) -> None:
            board.requests.append((self.path, {}))
            self._send(board.answer(self.path, {}))

        def _send(self, answer: str | int) -> None:
            text = "" if isinstance(answer, int) else answer
            self.send_response(answer if isinstance(answer, int) else 200)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_args: object) -> None:
            pass

    return Handler


@contextmanager
def serving(**answers: Answer) -> Iterator[Board]:
    """Serve documents: a path /voice/x is written voice_x."""
    board = Board({f"/{name.replace('_', '/')}": answer for name, answer in answers.items()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(board))
    board.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield board
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def document(*verbs: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{"".join(verbs)}</Response>'


def say(words: str) -> str:
    return f'<Say voice="Polly.Joanna-Neural" language="en-US">{words}</Say>'


def gather(*inside: str, action: str = "/voice/next", most: int = 1, finish: str = "", empty: str = "true") -> str:
    limit = f' numDigits="{most}"' if most else ""
    return (
        f'<Gather input="dtmf" action="{BASE}{action}#rc=2" method="POST" timeout="6"{limit} finishOnKey="{finish}"'
        f' actionOnEmptyResult="{empty}">{"".join(inside)}</Gather>'
    )


def redirect(path: str) -> str:
    return f'<Redirect method="POST">{BASE}{path}#rc=2</Redirect>'


RECORD = (
    f'<Record action="{BASE}/voice/taken#rc=2" method="POST" timeout="5" maxLength="30" finishOnKey="#" playBeep="true"'
    f' trim="trim-silence" recordingStatusCallback="{BASE}/voice/audio#rc=2" recordingStatusCallbackMethod="POST"'
    f' recordingStatusCallbackEvent="completed absent"/>{redirect("/voice/empty")}'
)
DIAL = (
    f'<Dial action="{BASE}/voice/dialled#rc=2" method="POST" timeout="20" timeLimit="14400" callerId="{LINE}">'
    f'<Number url="{BASE}/voice/whisper#rc=2" method="POST">{ENGINEER}</Number></Dial>'
)
WHISPER = document(gather(say("Press 1 to accept, 2 to pass."), action="/voice/accept", empty="false"), "<Hangup/>")


def accept(form: Form) -> str:
    return document() if form["Digits"] == "1" else document("<Hangup/>")


class Watcher:
    def show(self, step: Step) -> None:
        """Look away."""


def ring(board: Board, keys: str = "", agents: str = "answer", hangs_up_at: float | None = 900) -> Leg:
    """Place a call as told."""
    address = Address(board.url, BASE, TOKEN, ACCOUNT)
    occasion = Occasion(address, Numbers(LINE, CALLER), START, hangs_up_at=hangs_up_at)
    return occasion.place(People(ScriptedCaller(read_keys(keys)), ScriptedEngineers(read_engineers(agents)), Watcher()))


def told(leg: Leg) -> list[tuple[float, str, str]]:
    return [(round(step.at, 1), step.kind, step.text) for step in leg.steps]


# Signing and addressing


def test_every_request_is_signed_as_the_service_checks_it():
    with serving(voice=document(gather(say("Press 1.")))) as board:
        ring(board, "1")
    check = Signature(BASE, [TOKEN])
    assert [path for path, _, _ in board.signed] == ["/voice", "/voice/next", "/voice/status"]
    assert all(check.is_genuine(*signed) for signed in board.signed)
    assert not check.is_genuine("/voice/other", *board.signed[0][1:])


def test_requests_say_what_time_it_is_in_the_call():
    with serving(voice=document("<Pause length='90'/>", "<Hangup/>")) as board:
        ring(board)
    assert board.instants == ["2026-07-15T03:30:00.000000Z", "2026-07-15T03:31:30.000000Z"]


def test_in_real_time_and_without_an_instant_the_service_keeps_its_own_clock():
    with serving(voice=document("<Hangup/>")) as board:
        address = Address(board.url, BASE, TOKEN, ACCOUNT)
        people = People(ScriptedCaller(()), ScriptedEngineers((Engineer.ANSWERS,)), Watcher())
        Occasion(address, Numbers(LINE, CALLER), real=True).place(people)
    assert board.instants == [None, None]


def test_a_url_of_somebody_else_is_not_followed():
    with serving(voice=document('<Redirect method="POST">https://elsewhere.example.com/x</Redirect>')) as board:
        leg = ring(board)
    assert board.sent_to("/voice/fallback")[0]["ErrorCode"] == "11100"
    assert "set PUBLIC_BASE_URL" in leg.steps[0].text


# Keys


def test_a_key_cuts_off_the_last_sentence_but_not_those_before_it():
    with serving(
        voice=document(gather(say("one two three four five six seven eight nine ten eleven"), say("x y z")))
    ) as board:
        leg = ring(board, "1")
    assert told(leg)[:3] == [
        (0.0, "said", "one two three four five six seven eight nine ten eleven"),
        (4.0, "said", "x y z"),
        (5.0, "keyed", "1"),
    ]
    assert board.sent_to("/voice/next")[0]["Digits"] == "1"


def test_silence_lasts_as_long_as_the_sentences_and_the_wait():
    with serving(voice=document(gather(say("one two three four five six seven eight nine ten eleven")))) as board:
        leg = ring(board)
    assert told(leg)[1] == (10.0, "silent", "")
    assert board.sent_to("/voice/next")[0]["Digits"] == ""


def test_silence_goes_on_to_the_next_verb_where_no_empty_result_is_wanted():
    with serving(voice=document(gather(say("Keys?"), empty="false"), redirect("/voice/after"))) as board:
        ring(board)
    assert [path for path, _ in board.requests] == ["/voice", "/voice/after", "/voice/status"]


def test_nothing_after_a_silent_gather_ends_the_call():
    with serving(voice=document(gather(say("Keys?"), empty="false"))) as board:
        leg = ring(board)
    assert told(leg)[-1][1:] == ("hung_up", "service")


ENTRIES = [
    ("347109#", 0, "#", "347109", "#"),
    ("347109", 6, "#", "347109", ""),
    ("34*347109#", 0, "#", "34*347109", "#"),
    ("34", 0, "#", "34", ""),
    ("34,,,7109#", 0, "#", "34", ""),
    ("34,7109#", 0, "#", "347109", "#"),
    ("#", 0, "#", "", "#"),
    ("#", 1, "", "#", ""),
    (",,,1", 1, "", "", ""),
]


@pytest.mark.parametrize(("keys", "most", "finish", "digits", "ended"), ENTRIES)
def test_an_entry_ends_when_it_is_full_finished_or_too_slow(keys, most, finish, digits, ended):
    with serving(voice=document(gather(say("Enter it."), most=most, finish=finish))) as board:
        ring(board, keys)
    first = board.sent_to("/voice/next")[0]
    assert (first["Digits"], first["FinishedOnKey"]) == (digits, ended)


def test_keys_that_a_prompt_did_not_take_go_to_the_next_one():
    second = document(gather(say("And now?"), action="/voice/second"))
    with serving(voice=document(gather(say("First?"))), voice_next=second) as board:
        leg = ring(board, "12")
    assert board.sent_to("/voice/second")[0]["Digits"] == "2"
    assert "And now?" not in [step.text for step in leg.steps]


def test_a_caller_told_to_leave_a_message_where_keys_are_wanted_is_an_error():
    with serving(voice=document(gather(say("Keys?")))) as board, pytest.raises(ScriptFault):
        ring(board, "message:5")
    assert board.requests[-1][0] == "/voice/status"


# Messages


def test_a_message_ends_with_the_hash_key_and_its_audio_is_reported_afterwards():
    with serving(voice=document(RECORD)) as board:
        leg = ring(board, "message:12")
    taken, audio = board.sent_to("/voice/taken")[0], board.sent_to("/voice/audio")[0]
    assert (taken["RecordingDuration"], taken["Digits"]) == ("12", "#")
    assert (audio["RecordingStatus"], audio["RecordingSid"]) == ("completed", taken["RecordingSid"])
    assert taken["RecordingUrl"].endswith(f"/Recordings/{taken['RecordingSid']}")
    assert [path for path, _ in board.requests] == ["/voice", "/voice/taken", "/voice/audio", "/voice/status"]
    assert leg.clock.elapsed == pytest.approx(13)


def test_a_message_that_reaches_the_limit_is_ended_by_no_key():
    with serving(voice=document(RECORD)) as board:
        ring(board, "message:200")
    taken = board.sent_to("/voice/taken")[0]
    assert taken["RecordingDuration"] == "30"
    assert "Digits" not in taken


@pytest.mark.parametrize("keys", ["-", "#", ""])
def test_an_empty_message_goes_on_to_the_next_verb(keys):
    with serving(voice=document(RECORD)) as board:
        ring(board, keys)
    assert not board.sent_to("/voice/taken")
    assert board.sent_to("/voice/empty")
    assert board.sent_to("/voice/audio")[0]["RecordingStatus"] == "absent"


@pytest.mark.parametrize(
    ("keys", "hangs_up_at", "seconds"), [("message:7h", 900, "7"), ("message:60", 9, "8"), ("h", 900, "1")]
)
def test_who_hangs_up_in_a_message_is_reported_with_the_word_for_it(keys, hangs_up_at, seconds):
    with serving(voice=document(RECORD)) as board:
        leg = ring(board, keys, hangs_up_at=hangs_up_at)
    taken = board.sent_to("/voice/taken")[0]
    assert (taken["Digits"], taken["RecordingDuration"], taken["CallStatus"]) == ("hangup", seconds, "completed")
    assert board.sent_to("/voice/status")[0]["CallStatus"] == "completed"
    assert told(leg)[-1][1:] == ("hung_up", "caller")


# Engineers


def test_an_engineer_who_accepts_is_bridged_and_the_end_is_reported():
    with serving(voice=document(say("Hold on."), DIAL), voice_whisper=WHISPER, voice_accept=accept) as board:
        leg = ring(board)
    whisper, pressed = board.sent_to("/voice/whisper")[0], board.sent_to("/voice/accept")[0]
    assert whisper["ParentCallSid"] == leg.sid == pressed["ParentCallSid"]
    assert whisper["CallSid"] == pressed["CallSid"] != leg.sid
    assert (whisper["From"], whisper["To"], whisper["Direction"]) == (LINE, ENGINEER, "outbound-dial")
    ended = board.sent_to("/voice/dialled")[0]
    assert (ended["DialCallStatus"], ended["DialBridged"], ended["DialCallDuration"]) == ("completed", "true", "180")
    assert [kind for _, kind, _ in told(leg)] == ["said", "rang", "whispered", "accepted", "hung_up"]


@pytest.mark.parametrize(
    ("agent", "status", "kind"),
    [
        ("pass", "completed", "passed"),
        ("busy", "busy", "busy"),
        ("none", "no-answer", "no_answer"),
        ("machine", "completed", "machine"),
    ],
)
def test_an_engineer_who_does_not_accept_is_never_bridged(agent, status, kind):
    with serving(
        voice=document(DIAL), voice_whisper=WHISPER, voice_accept=accept, voice_dialled=document("<Hangup/>")
    ) as board:
        leg = ring(board, agents=agent)
    ended = board.sent_to("/voice/dialled")[0]
    assert (ended["DialCallStatus"], ended["DialBridged"]) == (status, "false")
    assert kind in [step.kind for step in leg.steps]
    assert leg.steps[-1].text == "service"


def test_engineers_are_told_apart_one_attempt_after_another():
    with serving(
        voice=document(DIAL), voice_whisper=WHISPER, voice_accept=accept, voice_dialled=document(DIAL)
    ) as board:
        leg = ring(board, agents="none,busy,answer")
    results = [step.kind for step in leg.steps if step.text == ENGINEER and step.kind != "rang"]
    assert results == ["no_answer", "busy", "accepted"]


def test_a_caller_who_hangs_up_while_it_rings_is_reported_to_the_action_first():
    with serving(voice=document(DIAL), voice_whisper=WHISPER) as board:
        ring(board, agents="none", hangs_up_at=7)
    assert [path for path, _ in board.requests] == ["/voice", "/voice/dialled", "/voice/status"]
    ended = board.sent_to("/voice/dialled")[0]
    assert (ended["CallStatus"], ended["DialCallStatus"], ended["DialBridged"]) == ("completed", "canceled", "false")
    assert board.sent_to("/voice/status")[0]["CallDuration"] == "7"


def test_a_caller_who_hangs_up_in_the_conversation_has_talked_as_long_as_that():
    with serving(voice=document(DIAL), voice_whisper=WHISPER, voice_accept=accept) as board:
        ring(board, hangs_up_at=60)
    ended = board.sent_to("/voice/dialled")[0]
    assert ended["DialBridged"] == "true"
    assert 40 < int(ended["DialCallDuration"]) < 56


def test_an_engineers_leg_whose_webhook_fails_is_not_bridged():
    with serving(voice=document(DIAL), voice_whisper=503) as board:
        leg = ring(board)
    assert board.sent_to("/voice/dialled")[0]["DialBridged"] == "false"
    assert "trouble" in [step.kind for step in leg.steps]


# Hanging up


@pytest.mark.parametrize("seconds", [0.5, 3, 8])
def test_a_caller_may_hang_up_at_any_second_of_a_prompt(seconds):
    with serving(voice=document(say("one two three"), gather(say("four five six seven")))) as board:
        leg = ring(board, hangs_up_at=seconds)
    assert [path for path, _ in board.requests] == ["/voice", "/voice/status"]
    assert told(leg)[-1] == (seconds, "hung_up", "caller")


def test_hanging_up_may_be_one_of_the_things_a_caller_does():
    with serving(voice=document(gather(say("Keys?")))) as board:
        leg = ring(board, "h")
    assert told(leg)[-1] == (1.0, "hung_up", "caller")


# Trouble


def test_a_service_that_fails_is_tried_three_times_and_then_falls_back():
    with serving(voice=503, voice_fallback=document(say("Sorry."), "<Hangup/>")) as board:
        leg = ring(board)
    assert [path for path, _ in board.requests] == ["/voice"] * 3 + ["/voice/fallback", "/voice/status"]
    assert [kind for _, kind, _ in told(leg)] == ["trouble", "said", "hung_up"]


def test_a_service_that_fails_there_too_ends_the_call():
    with serving(voice=503, voice_fallback=503) as board, pytest.raises(WireFault, match="503"):
        ring(board)
    assert board.requests[-1][0] == "/voice/status"


def test_a_refused_signature_is_explained_and_not_tried_again():
    with serving(voice=403) as board, pytest.raises(WireFault, match=BASE):
        ring(board)
    assert [path for path, _ in board.requests] == ["/voice", "/voice/status"]


def test_a_conversation_that_goes_round_in_a_circle_is_an_error():
    again = document(redirect("/voice/again"))
    with serving(voice=again, voice_again=again) as board, pytest.raises(TwimlFault, match="circle"):
        ring(board)


STRANGE = {
    "a verb that we never say": document("<Enqueue>q</Enqueue>"),
    "a verb where it cannot be": document(gather("<Hangup/>")),
    "an attribute that we never write": document('<Say loop="0">hello</Say>'),
    "another method": document(f'<Redirect method="GET">{BASE}/x</Redirect>'),
    "no action": document('<Record timeout="5"/>'),
    "two numbers at once": document(DIAL.replace("</Dial>", f"<Number>{ENGINEER}</Number></Dial>")),
    "nothing to say": document("<Say></Say>"),
    "text between verbs": document("<Hangup/> and then"),
    "no number where one belongs": document('<Pause length="soon"/>'),
    "no truth value where one belongs": document(RECORD.replace('playBeep="true"', 'playBeep="yes"')),
    "no key where one belongs": document(gather(finish="x")),
    "speech": document(gather().replace('input="dtmf"', 'input="speech"')),
    "half a document": "<Response><Say>hello",
    "another document": "<html></html>",
    "an entity": '<!DOCTYPE r [<!ENTITY x "y">]><Response><Say>&x;</Say></Response>',
    "nothing": "",
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_a_document_that_is_not_ours_is_refused(text):
    with pytest.raises(TwimlFault):
        read(text)


@pytest.mark.parametrize("verb", [DIAL, RECORD, redirect("/x"), "<Pause/>"])
def test_an_engineer_who_is_asked_hears_only_what_is_allowed_there(verb):
    with pytest.raises(TwimlFault):
        read_whisper(document(verb))


# What can be told beforehand


def test_keys_are_told_one_word_a_prompt():
    assert read_keys("1 347109# - message:12 message:3h h") == (
        *(Press("1"), Press("347109#"), Press(""), Speak(12), Speak(3, hangs_up=True), Leave()),
    )


@pytest.mark.parametrize("text", ["x", "message:", "message:1x", "12a", "\uff11"])
def test_a_word_that_means_nothing_is_named(text):
    with pytest.raises(ValueError, match="neither keys"):
        read_keys(text)


INSTANTS = [
    ("2026-07-15T03:30:00Z", "2026-07-15T03:30:00+00:00"),
    ("2026-07-14 20:30 America/Los_Angeles", "2026-07-15T03:30:00+00:00"),
    ("2026-01-14T20:30:15 Europe/London", "2026-01-14T20:30:15+00:00"),
    ("2026-11-01 01:30 America/Los_Angeles", "2026-11-01T08:30:00+00:00"),
]


@pytest.mark.parametrize(("text", "instant"), INSTANTS)
def test_an_instant_is_read_with_an_offset_or_a_zone(text, instant):
    assert read_instant(text).isoformat() == instant


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-07-14 20:30", "2026-07-14 20:30 Mars/Olympus", "2026-03-08 02:30 America/Los_Angeles"]
)
def test_an_instant_that_never_comes_or_has_no_zone_is_refused(text):
    with pytest.raises(ValueError):
        read_instant(text)


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


def test_an_unknown_line_is_answered_with_those_that_there_are(here):
    result = run("--to", "us-gold", "--keys", "1")
    assert result.exit_code == 2
    assert "us-gold" in result.output
    assert "emea-voicemail" in result.output


@pytest.mark.parametrize("option", [("--keys", "x"), ("--agent", "sleeps"), ("--at", "noon"), ("--from", "12")])
def test_an_option_that_cannot_be_read_is_wrong_usage(here, option):
    assert run("--to", "us-standard", *option).exit_code == 2


def test_a_service_that_is_not_there_is_said_to_be_so(here):
    demo_file(here, "http://127.0.0.1:1")
    result = run("--to", "us-standard", "--keys", "1")
    assert result.exit_code == 1
    assert "does not answer" in result.output


def test_without_a_demo_the_environment_says_where_the_service_is(here):
    with pytest.raises(NoAddress, match="TWILIO_AUTH_TOKEN"):
        find_address(environ={"PUBLIC_BASE_URL": BASE})
    known = {"PUBLIC_BASE_URL": BASE, "TWILIO_AUTH_TOKEN": TOKEN, "TWILIO_ACCOUNT_SID": ACCOUNT, "PORT": "9000"}
    assert find_address(environ=known) == Address("http://127.0.0.1:9000", BASE, TOKEN, ACCOUNT)
    assert find_address("http://127.0.0.1:7000/", environ=known).url == "http://127.0.0.1:7000"
