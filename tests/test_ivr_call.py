"""Calls that `ivr call` places: what is signed and sent, which keys count, messages, engineers, hanging up."""

import pytest
from board import (
    ACCOUNT,
    BASE,
    CALLER,
    DIAL,
    ENGINEER,
    LINE,
    RECORD,
    TOKEN,
    WHISPER,
    Watcher,
    accept,
    document,
    gather,
    redirect,
    ring,
    say,
    serving,
    told,
)

from ivr.phone.leg import Numbers
from ivr.phone.people import Engineer, People, ScriptFault
from ivr.phone.place import Occasion
from ivr.phone.script import ScriptedCaller, ScriptedEngineers
from ivr.phone.wire import Address
from ivr.signature import Signature

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
