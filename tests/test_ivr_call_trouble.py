"""What `ivr call` makes of a service that fails, and of documents and orders that mean nothing."""

import pytest
from board import (
    ACCOUNT,
    BASE,
    CALLER,
    DIAL,
    ENGINEER,
    LINE,
    RECORD,
    START,
    TOKEN,
    Watcher,
    document,
    gather,
    redirect,
    ring,
    say,
    serving,
    told,
)

from ivr.phone.call import Call
from ivr.phone.clock import PhoneClock, read_instant
from ivr.phone.leg import Leg, Numbers
from ivr.phone.people import Face, Leave, People, Press, Speak, Step
from ivr.phone.script import ScriptedCaller, ScriptedEngineers, read_keys
from ivr.phone.twiml import TwimlFault, read, read_whisper
from ivr.phone.wire import Address, Wire, WireFault

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


def test_a_service_that_goes_away_in_a_call_is_missed_once_and_told_nothing_more():
    class Leaving(Watcher):
        def show(self, step: Step) -> None:
            if step.kind == "said":
                service.__exit__(None, None, None)

    service = serving(voice=document(gather(say("Keys?"))))
    board = service.__enter__()
    address = Address(board.url, BASE, TOKEN, ACCOUNT)
    leg = Leg(Numbers(LINE, CALLER), Wire(address, lambda: START), PhoneClock(START), _people(Leaving()))
    with pytest.raises(WireFault, match="does not answer") as fault:
        Call(leg).place()
    assert fault.value.absent
    assert [kind for _, kind, _ in told(leg)] == ["said", "keyed", "trouble"]


def _people(face: Face) -> People:
    return People(ScriptedCaller(read_keys("1")), ScriptedEngineers(()), face)


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
