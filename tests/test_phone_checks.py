"""The standing checks: each rule fires on a document that breaks it, and the message shows the document."""

import pytest
from phone import PUBLIC_BASE_URL, Reply
from switchboard import COLLEAGUE, ENGINEER, FRAGMENT, LINE, dial, gather, record, redirect, response, say, url, verb
from twiml_reader import read_document
from twiml_rules import CALLER_VERBS, WHISPER_VERBS, callback_answer, voice_document

XML = {"content-type": "text/xml; charset=utf-8"}
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def rows(*table: tuple[object, str]) -> list[object]:
    """Name each row of a table by its number and its complaint."""
    return [pytest.param(*row, id=f"{number}: {row[1] or 'fine'}") for number, row in enumerate(table)]


def checked(text: str, verbs: frozenset[str] = CALLER_VERBS) -> object:
    return voice_document(Reply(200, XML, text.encode("utf-8", "surrogatepass")), PUBLIC_BASE_URL, verbs)


@pytest.mark.parametrize(
    "verbs",
    [
        [say("Hello."), gather("/x?step=1.a-b_c", say("Press 1."), verb("Pause", length=1), numDigits=1)],
        [verb("Play", "https://voice.partnerline.example/tone.wav", loop=3), redirect("/next")],
        [record("/x", playBeep="true", trim="trim-silence")],
        [dial("/x", ENGINEER, COLLEAGUE, answerOnBridge="true", record="do-not-record")],
        [verb("Reject", reason="busy")],
        [verb("Say", 'Case <say-as interpret-as="digits">42</say-as>', "<break time='1s'/> thanks.")],
        [],
    ],
    ids=["gather", "play", "record", "dial", "reject", "ssml", "empty"],
)
def test_a_good_document_passes(verbs):
    assert checked(response(*verbs))


@pytest.mark.parametrize(
    ("text", "complaint"),
    rows(
        ("", "begins with"),
        ("\n" + response(), "begins with"),
        ("\ufeff" + response(), "begins with"),
        (response()[:-1], "not well-formed"),
        (response() + response().removeprefix(HEAD), "not well-formed"),
        (response(say("a").replace(">a<", ">a & b<")), "not well-formed"),
        (response(say("\x0b")), "not well-formed"),
        (response(say("\ud800")), "not well-formed"),
        (f"{HEAD}<!DOCTYPE Response><Response/>", "DOCTYPE"),
        (response("<!-- hello -->"), "comment"),
        (f"{HEAD}<response/>", "root is one <Response>"),
        (f'{HEAD}<Response a="1"/>', "root is one <Response>"),
        (response("Hello."), "stray text in <Response>"),
        (response(verb("Hangup"), "Hello."), "stray text after <Hangup>"),
        (response(verb("Hangup", "Hello.")), "stray text in <Hangup>"),
        (response(verb("Dial", ENGINEER, timeout=20, timeLimit=60, callerId=LINE)), "stray text in <Dial>"),
        (response(verb("Say", "<b>Hello.</b>")), "not SSML"),
        (response(verb("Say", "<Say>Hello.</Say>")), "not SSML"),
    ),
)
def test_text_that_is_no_document_fails(text, complaint):
    with pytest.raises(AssertionError, match=complaint):
        checked(text)


def without(document: str, attribute: str) -> str:
    start = document.index(f' {attribute}="')
    return document[:start] + document[document.index('"', start + len(attribute) + 3) + 1 :]


GATHER, RECORD, DIAL = gather("/x", numDigits=1), record("/x"), dial("/x", ENGINEER)


@pytest.mark.parametrize(
    ("verbs", "complaint"),
    rows(
        (verb("Enqueue", "support"), "<Enqueue> may not stand here"),
        (verb("say", "Hello."), "<say> may not stand here"),
        (verb("Number", ENGINEER), "<Number> may not stand here"),
        (say("Hello.") + verb("Reject"), "<Reject> comes first"),
        (verb("Hangup", verb("Say", "Bye.")), "<Say> may not stand here"),
        (verb("Say", "Hello.", loop=2), "<Say> has no attribute loop"),
        (verb("Say", "Hello.", voice="a b"), "<Say voice='a b'> is not"),
        (verb("Say", "a" * 4097), "at most 4096 characters, not 4097"),
        (verb("Pause", length=-1), "<Pause length='-1'> is not"),
        (verb("Play", "/tone.wav"), "<Play> has an absolute https URL"),
        (gather("/x", redirect("/y")), "<Redirect> may not stand here"),
        (gather("/x", verb("Gather")), "<Gather> may not stand here"),
        (without(GATHER, "timeout"), "<Gather> states its timeout"),
        (without(GATHER, "action"), "<Gather> states its action"),
        (without(GATHER, "finishOnKey"), "<Gather> states its finishOnKey"),
        (without(GATHER, "actionOnEmptyResult"), "<Gather> states its actionOnEmptyResult"),
        (gather("/x", timeout="auto"), "<Gather timeout='auto'> is not"),
        (gather("/x", timeout="\u0665"), "<Gather timeout='\u0665'> is not"),
        (gather("/x", numDigits="6\n"), "<Gather numDigits="),
        (gather("/x", method="GET"), "<Gather method='GET'> is not POST"),
        (gather("/x", actionOnEmptyResult="True"), "<Gather actionOnEmptyResult='True'> is not"),
        (gather("/x", finishOnKey="##"), "<Gather finishOnKey='##'> is not"),
        (gather("/x", bargeIn="true"), "<Gather> has no attribute bargeIn"),
        (RECORD.partition("<Redirect")[0], "<Record> is followed by a <Redirect>"),
        (RECORD.replace("<Redirect", "<Say/><Redirect"), "<Record> is followed by a <Redirect>"),
        (without(RECORD, "action"), "<Record> states its action"),
        (without(RECORD, "maxLength"), "<Record> states its maxLength"),
        (without(RECORD, "finishOnKey"), "<Record> states its finishOnKey"),
        (record("/x", transcribe="maybe"), "<Record transcribe='maybe'> is not true|false"),
        (record("/x", shred="true"), "<Record> has no attribute shred"),
        (record("/x", recordingStatusCallbackEvent="completed,absent"), "recordingStatusCallbackEvent="),
        (record("/x", recordingStatusCallback="/r"), "<Record recordingStatusCallback> is absolute"),
        (without(DIAL, "timeout"), "<Dial> states its timeout"),
        (without(DIAL, "timeLimit"), "<Dial> states its timeLimit"),
        (without(DIAL, "callerId"), "<Dial> states its callerId"),
        (dial("/x", ENGINEER, callerId="anonymous"), "<Dial callerId='anonymous'> is not"),
        (dial("/x", ENGINEER, timeout=4), "<Dial timeout='4'> is not"),
        (dial("/x", ENGINEER, timeout=601), "<Dial timeout='601'> is not"),
        (dial("/x", ENGINEER, sequential="true"), "<Dial> has no attribute sequential"),
        (dial("/x"), "<Dial> has one to ten numbers, not 0"),
        (dial("/x", *[ENGINEER] * 11), "<Dial> has one to ten numbers, not 11"),
        (dial("/x", "14085550110"), "<Number> has an E.164 number"),
        (DIAL.replace("Number", "Client"), "<Client> may not stand here"),
        (DIAL.replace("/whisper", "/a%20b"), "<Number url> has only characters"),
        (verb("Redirect", "/next"), "<Redirect> is absolute"),
        (verb("Redirect", (url("/x")).replace("https:", "http:").replace("&", "&amp;")), "<Redirect> is absolute"),
        (verb("Redirect", PUBLIC_BASE_URL + ".evil.example/x"), "<Redirect> is absolute"),
        (verb("Redirect", PUBLIC_BASE_URL + "/x"), f"<Redirect> ends in {FRAGMENT}, not ''"),
    ),
)
def test_a_document_that_breaks_a_rule_fails_and_is_shown(verbs, complaint):
    with pytest.raises(AssertionError) as failure:
        checked(response(verbs))

    assert complaint in str(failure.value)
    assert response(verbs) in str(failure.value)


@pytest.mark.parametrize("name", ["Dial", "Record", "Redirect", "Reject"])
def test_a_whisper_may_only_speak_ask_and_hang_up(name):
    document = {"Dial": DIAL, "Record": RECORD, "Redirect": redirect("/x"), "Reject": verb("Reject")}[name]

    assert checked(response(GATHER, verb("Hangup")), WHISPER_VERBS)
    with pytest.raises(AssertionError, match=f"<{name}> may not stand here"):
        checked(response(document), WHISPER_VERBS)


@pytest.mark.parametrize(
    ("reply", "complaint"),
    rows(
        (Reply(500, XML, response().encode()), "answered 200, not 500"),
        (Reply(302, {"location": "/x"}, b""), "answered 200, not 302"),
        (Reply(204, {}, b""), "answered 200, not 204"),
        (Reply(200, {"content-type": "text/html"}, response().encode()), "text/xml, not 'text/html'"),
        (Reply(200, {}, response().encode()), "text/xml, not ''"),
        (Reply(200, XML, response(*[say("a" * 4000)] * 17).encode()), "at most 64 KB"),
        (Reply(200, XML, response().encode(), 15.5), "Twilio waits 15 s"),
    ),
)
def test_a_reply_that_twilio_would_not_take_fails(reply, complaint):
    with pytest.raises(AssertionError, match=complaint):
        voice_document(reply, PUBLIC_BASE_URL)


@pytest.mark.parametrize(
    ("reply", "complaint"),
    rows(
        (Reply(204, {}, b""), ""),
        (Reply(200, XML, response().encode()), ""),
        (Reply(204, {}, b"ok"), "204 or 200, not 204"),
        (Reply(404, XML, response().encode()), "204 or 200, not 404"),
        (Reply(200, XML, response(verb("Hangup")).encode()), "empty <Response/>"),
        (Reply(200, {"content-type": "text/plain"}, b"ok"), "empty <Response/>"),
    ),
)
def test_a_callback_is_answered_with_nothing(reply, complaint):
    if not complaint:
        callback_answer(reply)
        return
    with pytest.raises(AssertionError, match=complaint):
        callback_answer(reply)


def test_a_document_can_be_searched():
    document = read_document(response(gather("/x", say(" Press  1. "))).encode())

    assert [element.name for element in document] == ["Gather", "Say"]
    assert (document.has("Say"), document.has("Record")) == (True, False)
    assert (document.verbs[0]["timeout"], document.verbs[0].get("numDigits", "none")) == ("6", "none")
