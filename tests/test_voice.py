"""The webhooks: who is let in, what repeats, what is believed, and what a caller gets when nothing works."""

import json
import logging
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr
from twiml_reader import Document
from twiml_rules import WHISPER_VERBS, callback_answer, voice_document
from wire import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_BASE_URL, AppWire, Reply, Request, sign

from flows.heard import DialEnded, HungUp, Resumed
from ivr import urls
from ivr.app import create_app
from ivr.programmes import load
from ivr.service import Service
from ivr.settings import Settings
from ivr.tokens import Awaits, Seal, TurnToken
from ivr.twiml import EMPTY
from recordings.partners import load_demo

SECRET = "a secret of at least thirty-two characters"
SID, OTHER, CHILD = "CA" + "1" * 32, "CA" + "2" * 32, "CA" + "3" * 32
RECORDING = "RE" + "4" * 32
US, VOICEMAIL = "+18888988733", "+12063376849"
ACME, STRANGER = "+14085550142", "+442079460999"
TUESDAY = datetime(2026, 7, 14, 17, 15, tzinfo=UTC)  # 10:15 in Los Angeles
CALLER = {"CallSid": SID, "From": STRANGER, "To": US, "CallStatus": "in-progress"}
ENGINEER = {"CallSid": CHILD, "ParentCallSid": SID, "From": US, "To": "+14085550121", "CallStatus": "in-progress"}
UNREACHABLE = "sqlite:////nowhere/at/all/partnerline.db"


@dataclass
class Line:
    """Sends signed webhooks to one application, each a second after the last."""

    wire: AppWire
    service: Service
    at: datetime | None = TUESDAY

    def post(self, path: str, form: dict[str, str], **headers: str) -> Reply:
        """Send one webhook; a header that is None is left out."""
        fields = {"AccountSid": ACCOUNT_SID, "ApiVersion": "2010-04-01", "Direction": "inbound", **form}
        return self.raw(
            path, fields, **{"X-Twilio-Signature": sign(AUTH_TOKEN, PUBLIC_BASE_URL + path, fields), **headers}
        )

    def raw(self, path: str, fields: dict[str, str], method: str = "POST", **headers: str | None) -> Reply:
        """Send any request."""
        body = urlencode(fields).encode()
        given = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "Content-Length": str(len(body)),
            **({"X-Partnerline-Instant": self.at.isoformat()} if self.at else {}),
            **headers,
        }
        return self.wire.send(Request(method, path, {k: v for k, v in given.items() if v is not None}, body))

    def rings(self, **changes: str) -> Document:
        """Let a call come in, and read the answer."""
        return self.document(self.post("/voice", {**CALLER, "CallStatus": "ringing", **changes}))

    def turn(self, found: Document, **fields: str) -> Document:
        """Deliver the turn that a document waits for."""
        return self.document(self.post(next_of(found), {**CALLER, **fields}))

    def document(self, reply: Reply) -> Document:
        """Read an answer as strictly as the telephone does."""
        return voice_document(reply, PUBLIC_BASE_URL)

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        path = self.service.settings.database_url.removeprefix("sqlite:///")
        with sqlite3.connect(path) as conn:
            return int(conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def everything(self) -> list[int]:
        """Count whatever a request could have changed."""
        return [self.count(table) for table in ("calls", "turns", "cases", "outbox")]


def next_of(found: Document) -> str:
    """The path that the document's first callback leads to."""
    return (
        next(v.attributes["action"] for v in found if "action" in v.attributes)
        .partition("#")[0]
        .removeprefix(PUBLIC_BASE_URL)
    )


def whisper_of(found: Document) -> str:
    """The path of what an engineer hears first."""
    return next(v["url"] for v in found if v.name == "Number").partition("#")[0].removeprefix(PUBLIC_BASE_URL)


def spoken(found: Document) -> list[str]:
    return [verb.text for verb in found if verb.name == "Say"]


def names(found: Document) -> list[str]:
    return [verb.name for verb in found]


def is_rescue(found: Document) -> bool:
    """Whether the caller is told of a technical problem and somebody rings."""
    return spoken(found)[0].startswith("Sorry, we have a technical problem") and found.has("Dial")


def settings_for(url: str, **changes: object) -> Settings:
    given = {
        "ivr_env": "demo",
        "public_base_url": PUBLIC_BASE_URL,
        "twilio_account_sid": ACCOUNT_SID,
        "twilio_auth_token": SecretStr(AUTH_TOKEN),
        "secret_key": SecretStr(SECRET),
        "database_url": url,
    }
    return Settings(**{**given, **changes})


def line_to(settings: Settings) -> Line:
    app = create_app(settings, load(settings.model_copy(update={"ivr_env": "demo"}), None))
    service = app.extensions["partnerline"]
    return Line(AppWire(app), service)


@pytest.fixture
def line(sqlite_url):
    found = line_to(settings_for(sqlite_url))
    load_demo(found.service.store)
    yield found
    found.service.store.close()


@pytest.fixture
def cut_off():
    """The same service where the store is out of reach."""
    found = line_to(settings_for(UNREACHABLE))
    yield found
    found.service.store.close()


# --- who is let in


@pytest.mark.parametrize("path", ["/voice", "/voice/status", "/voice/fallback", "/voice/turn/x", "/voice/rescue/x"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_a_webhook_is_posted(line, path, method):
    """Any other method is told so, and led nowhere else."""
    reply = line.raw(path, {}, method)

    assert reply.status == 405
    assert reply.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "path",
    [
        "/voice/",
        "/Voice",
        "/VOICE",
        "/voice/turn",
        "/voice/turn/",
        "/voice/turn/a/b",
        "/voice?a=b",
        "/voice?",
        "//voice",
        "/voice/elsewhere",
        "/voice/status/",
        "/%76oice",
        "/voice%2Fturn/x",
        "/voice/../voice",
        "https://voice.partnerline.example/voice",
    ],
)
def test_a_path_is_written_as_it_is_or_is_not_found(line, path):
    """No trailing slash, no other case, no redirect."""
    assert line.post(path, CALLER).status == 404


@pytest.mark.parametrize(
    "signature", [None, "", "A" * 28, "é" * 28, sign("f" * 32, PUBLIC_BASE_URL + "/voice", CALLER)]
)
def test_nobody_unsigned_changes_anything(line, signature):
    before = line.everything()

    reply = line.post("/voice", CALLER, **{"X-Twilio-Signature": signature})

    assert reply.status == 403
    assert line.everything() == before


def test_another_accounts_requests_are_refused(line):
    """Signed with our token, but not ours: a subaccount's, say."""
    assert line.post("/voice", {**CALLER, "AccountSid": "AC" + "9" * 32}).status == 403


def test_the_end_of_another_url_made_into_a_field_is_refused(line):
    """A signed request to a longer URL of ours reads as one to a shorter URL with an odd first field."""
    path = "/voice/turn/1.token"
    fields = {"AccountSid": ACCOUNT_SID, **CALLER}
    signature = sign(AUTH_TOKEN, PUBLIC_BASE_URL + path, fields)
    cut = {path.removeprefix("/voice"): "", **fields}
    assert sign(AUTH_TOKEN, PUBLIC_BASE_URL + "/voice", cut) == signature

    assert line.raw("/voice", cut, **{"X-Twilio-Signature": signature}).status == 400
    assert line.count("calls") == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": "40000"}, 413),
        ({"Content-Length": None}, 411),
        ({"Content-Type": "application/json"}, 415),
    ],
)
def test_what_is_no_form_is_refused(line, headers, status):
    assert line.post("/voice", CALLER, **headers).status == status


def test_the_second_token_is_good_during_a_rotation(sqlite_url):
    line = line_to(settings_for(sqlite_url, twilio_auth_token_secondary=SecretStr("f" * 32)))
    fields = {"AccountSid": ACCOUNT_SID, **CALLER, "CallStatus": "ringing"}
    signature = sign("f" * 32, PUBLIC_BASE_URL + "/voice", fields)

    assert line.raw("/voice", fields, **{"X-Twilio-Signature": signature}).status == 200


# --- the instant


def test_a_demo_is_told_what_time_it_is(line):
    line.rings()

    assert line.service.log.load(SID).started_at == TUESDAY


def test_a_production_service_refuses_to_be_told(sqlite_url):
    line = line_to(settings_for(sqlite_url, ivr_env="production"))

    assert line.post("/voice", {**CALLER, "CallStatus": "ringing"}).status == 403
    line.at = None
    assert line.post("/voice", {**CALLER, "CallStatus": "ringing"}).status == 200


@pytest.mark.parametrize("instant", ["yesterday", "2026-07-14", "2026-07-14T17:15:00", "1", ""])
def test_an_instant_that_is_none_is_refused(line, instant):
    assert line.post("/voice", CALLER, **{"X-Partnerline-Instant": instant}).status == 400


# --- turns


def test_a_call_is_answered_and_goes_on(line):
    found = line.rings(From=ACME)
    assert spoken(found)[:2] == ["8x8 partner support.", "I see you're calling from Acme. If that's wrong, press star."]

    found = line.turn(line.turn(found, Digits="1"), Digits="2")
    assert names(found)[-2:] == ["Dial", "Number"]
    assert line.service.log.load(SID).case_number


def test_every_webhook_twice_gives_the_same_bytes_and_happens_once(line):
    ringing = {**CALLER, "From": ACME, "CallStatus": "ringing"}
    first = line.post("/voice", ringing)
    assert line.post("/voice", ringing).body == first.body

    path = next_of(line.document(first))
    for expected in (1, 1):
        reply = line.post(path, {**CALLER, "Digits": "1"})
        assert reply.body == line.post(path, {**CALLER, "Digits": "1"}).body
        assert line.service.log.load(SID).turn == expected + 1
    assert line.everything()[:2] == [1, 2]


def test_of_two_different_answers_to_one_question_the_first_counts(line):
    path = next_of(line.rings(From=ACME))
    first = line.post(path, {**CALLER, "Digits": "1"})

    assert line.post(path, {**CALLER, "Digits": "3"}).body == first.body


def test_silence_is_an_answer_too(line):
    found = line.rings(From=ACME)

    assert spoken(line.turn(found)) != spoken(found)
    assert line.service.log.load(SID).tally.silences == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"Digits": "A"},
        {"Digits1": "2"},
        {"DialCallStatus": "completed"},
        {"RecordingSid": RECORDING, "RecordingDuration": "9"},
        {"Digits": "1", "CallStatus": "sleeping"},
        {"Digits": "1", "CallSid": OTHER},
        {"Digits": "1", "ParentCallSid": OTHER},
    ],
)
def test_a_strange_request_changes_nothing_and_hears_the_same_again(line, fields):
    found = line.rings(From=ACME)
    before = line.everything()

    assert spoken(line.turn(found, **fields)) == spoken(found)[-1:]
    assert line.everything() == before
    assert next_of(line.turn(found, **fields)) == next_of(found)
    assert spoken(line.turn(found, Digits="1")) != spoken(found)


def test_a_strange_first_request_reaches_a_person(line):
    assert is_rescue(line.rings(Digits="1"))
    assert line.everything() == [0, 0, 0, 0]


def test_a_token_that_is_not_ours_reaches_a_person(line):
    line.rings()
    path = urls.TURN + Seal("somebody else's secret, thirty-two long").turn(TurnToken(SID, 0, 1, Awaits.KEYS))

    assert is_rescue(line.document(line.post(path, {**CALLER, "Digits": "1"})))
    assert line.count("turns") == 1


def test_a_call_that_is_not_in_the_log_reaches_a_person(line):
    """As after a restored backup."""
    path = urls.TURN + Seal(SECRET).turn(TurnToken(OTHER, 0, 4, Awaits.KEYS))

    assert is_rescue(line.document(line.post(path, {**CALLER, "CallSid": OTHER, "Digits": "1"})))


def test_a_turn_from_the_future_hears_where_the_call_is(line):
    """A restored log is behind the call: it goes on from what is known."""
    found = line.rings()
    path = urls.TURN + Seal(SECRET).turn(TurnToken(SID, 0, 7, Awaits.KEYS))

    ahead = line.document(line.post(path, {**CALLER, "Digits": "1"}))
    assert (spoken(ahead), next_of(ahead)) == (spoken(found)[-1:], next_of(found))


def test_an_engineer_is_asked_and_connected_by_one_key(line):
    found = line.turn(line.turn(line.rings(From=ACME), Digits="1"), Digits="2")

    whisper = voice_document(line.post(whisper_of(found), ENGINEER), PUBLIC_BASE_URL, WHISPER_VERBS)
    assert spoken(whisper) == ["New case, Severity 2. Acme, resale, certified. Press 1 to accept, 2 to pass."]
    assert line.post(next_of(whisper), {**ENGINEER, "Digits": "1"}).body == EMPTY
    assert line.service.log.load(SID).legs[0].accepted_at


def test_an_engineers_leg_that_was_never_rung_is_unknown(line):
    line.rings()
    path = urls.TURN + Seal(SECRET).turn(TurnToken(SID, 1, 0, Awaits.ANSWER))

    whisper = voice_document(line.post(path, ENGINEER), PUBLIC_BASE_URL, WHISPER_VERBS)
    assert spoken(whisper) == ["A partner support caller, details unknown. Press 1 to accept, 2 to pass."]


# --- a number that is not ours


def test_a_number_that_no_policy_lists_reaches_a_person_and_says_what_to_do(line, caplog):
    with caplog.at_level(logging.ERROR, "ivr"):
        assert is_rescue(line.rings(To="+15005550006"))

    assert "+15005550006" in caplog.text
    assert "Add it to the lines of its programme" in caplog.text
    assert line.everything() == [0, 0, 0, 0]


# --- callbacks


def test_the_end_of_a_call_is_taken_once(line):
    line.rings()
    ended = {**CALLER, "CallStatus": "completed", "CallDuration": "12"}

    callback_answer(line.post("/voice/status", ended))
    callback_answer(line.post("/voice/status", ended))

    assert line.service.log.load(SID).ended_at
    assert [type(row.heard) for row in line.service.log.timeline(SID)][1:] == [HungUp]


def test_what_is_no_end_changes_nothing(line):
    line.rings()
    before = line.everything()
    for form in (
        {**CALLER, "CallStatus": "in-progress"},
        {**CALLER, "CallStatus": "nonsense"},
        {**ENGINEER, "CallStatus": "completed"},
    ):
        callback_answer(line.post("/voice/status", form))

    assert line.everything() == before


def test_a_call_that_never_reached_us_is_written_down_and_cried_out(line, caplog):
    with caplog.at_level(logging.ERROR, "ivr"):
        callback_answer(line.post("/voice/status", {**CALLER, "CallStatus": "completed", "CallDuration": "31"}))

    assert line.service.log.load(SID).outcome == "system_failed"
    assert line.count("outbox") == 2  # the alarm, and that the call has ended
    assert "without ever having reached us" in caplog.text


def test_a_first_request_that_comes_after_the_end_meets_a_closed_call(line):
    callback_answer(line.post("/voice/status", {**CALLER, "CallStatus": "completed"}))

    assert names(line.rings()) == ["Hangup"]
    assert line.count("calls") == 1


def leaves_a_message(line) -> tuple[Document, str]:
    """Come as far as the review of a take on the voicemail line; return the document and the callback's path."""
    found = line.rings(From=ACME, To=VOICEMAIL)
    voicemail = {"To": VOICEMAIL}
    for _ in range(6):
        if found.has("Record"):
            break
        found = line.turn(found, **voicemail, Digits="2" if "Severity 1 outage" in " ".join(spoken(found)) else "#")
    record = next(verb for verb in found if verb.name == "Record")
    told = record["recordingStatusCallback"].partition("#")[0].removeprefix(PUBLIC_BASE_URL)
    taken = {"RecordingSid": RECORDING, "RecordingDuration": "9", "RecordingUrl": f"https://x/{RECORDING}"}
    return line.turn(found, **voicemail, **taken, Digits="#"), told


def test_what_becomes_of_a_recording_is_taken(line):
    found, told = leaves_a_message(line)
    line.turn(found, To=VOICEMAIL, Digits="1")
    news = {"CallSid": SID, "RecordingSid": RECORDING, "RecordingStatus": "completed", "RecordingDuration": "9"}

    callback_answer(line.post(told, news))

    assert line.service.log.load(SID).message.audio == "completed"


def test_a_take_is_heard_by_its_caller_and_nobody_else(line):
    """While it may still be changed, and only under the URL that was written for it."""
    found, _ = leaves_a_message(line)
    played = line.turn(found, To=VOICEMAIL, Digits="2")
    path = next(verb.text for verb in played if verb.name == "Play").removeprefix(PUBLIC_BASE_URL)

    reply = line.raw(path, {}, "GET")
    assert (reply.status, reply.headers["content-type"], reply.body[:4]) == (200, "audio/wav", b"RIFF")
    assert line.raw(path[:-1], {}, "GET").status == 404
    assert line.raw(path, {}, "POST").status == 405

    callback_answer(line.post("/voice/status", {**CALLER, "CallStatus": "completed"}))
    assert line.raw(path, {}, "GET").status == 404


# --- the fallback


def test_the_fallback_says_the_same_again_and_if_that_fails_rings_people(line):
    found = line.rings(From=ACME)
    failed = {**CALLER, "ErrorCode": "11200", "ErrorUrl": "https://evil.example/"}

    again = line.document(line.post("/voice/fallback", failed))
    assert (spoken(again), next_of(again)) == (spoken(found)[-1:], next_of(found))
    assert line.service.log.timeline(SID)[-1].heard == Resumed("11200")
    assert is_rescue(line.document(line.post("/voice/fallback", failed)))

    line.turn(found, Digits="1")
    assert not is_rescue(line.document(line.post("/voice/fallback", failed)))


def test_the_fallback_of_a_call_that_never_got_through_rings_people(line):
    assert is_rescue(line.document(line.post("/voice/fallback", {**CALLER, "ErrorCode": "11205"})))


def test_the_fallback_of_an_engineers_leg_passes_the_call_on(line):
    line.rings()
    reply = line.post("/voice/fallback", {**ENGINEER, "ErrorCode": "11200"})

    assert names(voice_document(reply, PUBLIC_BASE_URL, WHISPER_VERBS)) == ["Hangup"]


# --- without a store


def answers_quickly(reply: Reply) -> Reply:
    assert reply.seconds < 2
    return reply


def test_without_a_store_every_caller_reaches_a_person(cut_off):
    for _ in range(5):
        assert is_rescue(cut_off.document(answers_quickly(cut_off.post("/voice", {**CALLER, "CallStatus": "ringing"}))))
    assert cut_off.service.ledger.breaker.is_open
    assert answers_quickly(cut_off.post("/voice", CALLER)).seconds < 1.0


def test_a_call_under_way_reaches_a_person_when_the_store_goes(line, cut_off):
    found = line.rings()

    assert is_rescue(cut_off.turn(found, Digits="1"))


def test_a_message_that_could_not_be_kept_is_never_called_sent(line, cut_off):
    found = line.rings(From=ACME, To=VOICEMAIL)
    path = urls.TURN + Seal(SECRET).turn(TurnToken(SID, 0, 5, Awaits.MESSAGE))
    left = {"RecordingSid": RECORDING, "RecordingDuration": "9", "RecordingUrl": f"https://x/{RECORDING}"}

    told = cut_off.document(cut_off.post(path, {**CALLER, "To": VOICEMAIL, **left, "Digits": "#"}))

    assert spoken(told) == ["I couldn't save your message. I'm connecting you to an engineer."]
    assert told.has("Dial")
    assert found


def test_a_caller_who_has_gone_is_not_rung_for(line, cut_off):
    found = line.turn(line.turn(line.rings(From=ACME), Digits="1"), Digits="2")
    ended = {"DialCallStatus": "canceled", "CallStatus": "completed"}

    assert names(cut_off.turn(found, **ended)) == []


def test_a_conversation_that_took_place_is_not_followed_by_another(line, cut_off):
    found = line.turn(line.turn(line.rings(From=ACME), Digits="1"), Digits="2")

    assert names(cut_off.turn(found, DialCallStatus="completed", DialBridged="true")) == ["Hangup"]


def test_an_engineer_can_take_a_call_without_a_store(line, cut_off):
    found = line.turn(line.turn(line.rings(From=ACME), Digits="1"), Digits="2")

    asked = voice_document(cut_off.post(whisper_of(found), ENGINEER), PUBLIC_BASE_URL, WHISPER_VERBS)
    assert spoken(asked) == ["A partner support caller, details unknown. Press 1 to accept, 2 to pass."]
    assert cut_off.post(next_of(asked), {**ENGINEER, "Digits": "1"}).body == EMPTY
    refused = cut_off.post(next_of(asked), {**ENGINEER, "Digits": "2"})
    assert names(voice_document(refused, PUBLIC_BASE_URL, WHISPER_VERBS)) == ["Hangup"]


def test_callbacks_are_answered_with_nothing_without_a_store(cut_off):
    callback_answer(cut_off.post("/voice/status", {**CALLER, "CallStatus": "completed"}))


def test_a_rescue_goes_round_and_writes_itself_down_once_the_store_is_back(line, cut_off):
    line.rings(From=ACME)
    found = cut_off.rings()
    first = [verb.text for verb in found if verb.name == "Number"]

    found = line.turn(found, DialCallStatus="no-answer")
    assert [verb.text for verb in found if verb.name == "Number"] != first
    assert spoken(found) == []
    assert line.service.log.load(SID).rules == ("R0",)
    assert isinstance(line.service.log.timeline(SID)[-1].heard, DialEnded)

    assert names(line.turn(found, DialCallStatus="completed", DialBridged="true")) == ["Hangup"]
    assert line.service.log.load(SID).legs[-1].bridged


def test_a_fault_of_our_own_reaches_a_person_too(line, caplog):
    """Whatever is thrown inside, the caller hears one sentence and somebody rings; the reason is in the log alone."""
    line.service.desks._desks.clear()
    line.service.desks._text_of = lambda version: 1 / 0

    with caplog.at_level(logging.ERROR, "ivr"):
        reply = line.post("/voice", {**CALLER, "CallStatus": "ringing"})

    assert is_rescue(line.document(reply))
    assert b"ZeroDivision" not in reply.body
    assert "ZeroDivisionError" in caplog.text


# --- the line of a turn


def test_each_turn_is_one_line_without_a_number_or_an_id_in_full(line, capfd):
    found = line.rings(From=ACME)
    line.turn(found, From=ACME, Digits="1")
    line.turn(found, From=ACME, Digits="1")

    written = capfd.readouterr().out
    lines = [json.loads(text) for text in written.splitlines()]
    assert [(one["reply"], one["heard"], one.get("node")) for one in lines] == [
        ("fresh", "Rang", "menu"),
        ("fresh", "Keys", "severity"),
        ("repeated", "Keys", None),
    ]
    assert {one["call_sid"] for one in lines} == {SID}
    assert lines[0]["caller"] == "…0142"
    assert ACME not in written
    assert "347109" not in written
    assert lines[0]["partner"] == lines[1]["partner"] != ""
