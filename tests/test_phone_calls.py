"""The telephone: engineers who answer or do not, messages, and callers who hang up."""

import pytest
from phone import Call
from switchboard import (
    COLLEAGUE,
    ENGINEER,
    LINE,
    dial,
    gather,
    phone_to,
    record,
    response,
    say,
    url,
    verb,
)

RINGS = response(say("Connecting you."), dial("/dialled", ENGINEER))
RINGS_BOTH = response(dial("/dialled", ENGINEER, COLLEAGUE))
NEXT = response(say("Nobody was free."), verb("Hangup"))
TAKES = response(say("After the tone."), record("/taken"))
BYE = response(say("Goodbye."), verb("Hangup"))


def test_an_engineer_who_accepts_is_bridged_and_the_action_says_so_when_they_hang_up():
    phone, service = phone_to({"/voice": RINGS, "/dialled": BYE})

    call = phone.dials(LINE).rings(ENGINEER).engineer_accepts().is_connected_to(ENGINEER).talks(90).engineer_hangs_up()

    [whisper], [ended] = service.asked("/whisper"), service.asked("/dialled")
    assert (whisper["ParentCallSid"], whisper["To"], whisper["From"]) == (call.sid, ENGINEER, LINE)
    assert (whisper["Direction"], whisper["CallStatus"]) == ("outbound-dial", "in-progress")
    assert whisper["CallSid"] == ended["DialCallSid"] != call.sid
    assert (ended["DialCallStatus"], ended["DialBridged"], ended["CallSid"]) == ("completed", "true", call.sid)
    assert 90 <= int(ended["DialCallDuration"]) < 95
    assert call.whisper == "Press 1 to accept."
    assert (call.dialled, call.is_ringing(), call.ended) == ([ENGINEER], [], True)
    assert (call.takes, "RecordingSid" in ended, f"{ENGINEER} answers" in call.transcript) == ([], False, True)


@pytest.mark.parametrize(
    ("act", "status", "reached", "seconds"),
    [
        (Call.engineer_passes, "completed", True, 5 + 1.5 + 0.3),
        (Call.engineer_is_silent, "completed", True, 5 + 1.5 + 6),
        (Call.machine_answers, "completed", True, 5 + 1.5 + 6),
        (Call.engineer_hangs_up_in_whisper, "completed", True, 5 + 1.5),
        (Call.is_busy, "busy", False, 5),
        (Call.does_not_answer, "no-answer", False, 20 + 5),
        (Call.fails, "failed", False, 5),
        (Call.rejects, "busy", False, 5),
        (Call.is_canceled, "canceled", False, 5),
    ],
)
def test_whoever_does_not_accept_is_not_bridged(act, status, reached, seconds):
    phone, service = phone_to({"/voice": RINGS, "/dialled": NEXT})

    call = act(phone.dials(LINE))

    [ended] = service.asked("/dialled")
    assert (ended["DialCallStatus"], ended["DialBridged"]) == (status, "false")
    assert ("DialCallDuration" in ended, bool(service.asked("/whisper"))) == (reached, reached)
    call.hears("Nobody was free")
    assert phone.seconds == pytest.approx(2 / 2.75 + seconds + 3 / 2.75, abs=0.1)


def test_a_whisper_that_forgets_to_hang_up_connects_a_machine():
    careless = response(gather("/accept", numDigits=1, actionOnEmptyResult="false"))
    phone, _ = phone_to({"/voice": RINGS, "/whisper": careless})

    phone.dials(LINE).machine_answers().is_connected_to(ENGINEER)


def test_a_number_without_a_whisper_connects_whoever_picks_up():
    bare = verb("Dial", verb("Number", ENGINEER), timeout=20, timeLimit=600, callerId=LINE)
    phone, service = phone_to({"/voice": response(bare, say("Bye."))})

    call = phone.dials(LINE).machine_answers().is_connected_to(ENGINEER).talks(600)

    assert call.hears("Bye.").ended
    assert service.asked("/whisper") == []
    before = phone.seconds
    phone.dials(LINE).machine_answers().talks(9999)
    assert phone.seconds - before < 610


def test_of_several_numbers_the_first_who_accepts_gets_the_call():
    phone, service = phone_to({"/voice": RINGS_BOTH})

    call = phone.dials(LINE).engineer_passes(number=ENGINEER).rings(COLLEAGUE)
    assert call.is_ringing() == [COLLEAGUE]
    assert service.asked("/dialled") == []
    call.engineer_accepts(number=COLLEAGUE).is_connected_to(COLLEAGUE)

    call = phone.dials(LINE).fails(number=ENGINEER).does_not_answer()
    assert call.dialled == [ENGINEER, COLLEAGUE]
    assert service.asked("/dialled")[0]["DialCallStatus"] == "no-answer"
    with pytest.raises(AssertionError, match="does not ring"):
        phone.dials(LINE).rings("+61255500199")


def test_every_number_that_was_ever_dialled_is_kept_in_order():
    phone, _ = phone_to({"/voice": RINGS, "/dialled": response(dial("/next", COLLEAGUE)), "/next": RINGS})

    call = phone.dials(LINE).is_busy().rings(COLLEAGUE).engineer_passes().rings(ENGINEER)

    assert call.dialled == [ENGINEER, COLLEAGUE, ENGINEER]
    assert [document.verbs[0].name for document in call.documents] == ["Say", "Dial", "Gather", "Hangup", "Say"]


def test_engineers_can_be_led_step_by_step_and_a_slow_one_is_dropped():
    phone, service = phone_to({"/voice": RINGS_BOTH})
    call = phone.dials(LINE)

    quick, slow = call.engineer(COLLEAGUE).answers(), call.engineer(ENGINEER).answers()
    quick.answers().presses("1")
    slow.presses("1")

    call.is_connected_to(COLLEAGUE)
    assert slow.ending == "dropped"
    assert quick.whisper == "Press 1 to accept."
    assert len(service.asked("/whisper")) == 2
    with pytest.raises(AssertionError, match="not connected to"):
        call.is_connected_to(ENGINEER)


def test_a_race_of_engineers_shows_whom_the_service_let_through():
    phone, service = phone_to({"/voice": RINGS_BOTH})
    assert phone.dials(LINE).engineers_accept_at_once() == [ENGINEER, COLLEAGUE]

    taken = iter([response(), response(verb("Hangup"))])
    service.documents["/accept"] = lambda _form: next(taken)
    call = phone.dials(LINE)
    [winner] = call.engineers_accept_at_once()
    call.is_connected_to(winner)


def test_a_number_tells_the_events_it_was_asked_to_tell():
    told = {"statusCallback": url("/leg"), "statusCallbackEvent": "initiated ringing answered completed"}
    number = verb("Number", ENGINEER, **told)
    phone, service = phone_to({"/voice": response(verb("Dial", number, timeout=20, timeLimit=600, callerId=LINE))})

    phone.dials(LINE).engineer_accepts().engineer_hangs_up()

    events = [(form["CallStatus"], form["SequenceNumber"]) for form in service.asked("/leg")]
    assert events == [("initiated", "0"), ("ringing", "1"), ("in-progress", "2"), ("completed", "3")]

    number = verb("Number", ENGINEER, statusCallback=url("/end"))
    service.documents["/voice"] = response(verb("Dial", number, timeout=20, timeLimit=60, callerId=LINE))
    phone.dials(LINE).is_busy()
    assert [(form["CallStatus"], form["SequenceNumber"]) for form in service.asked("/end")] == [("busy", "2")]


def test_a_recorded_conversation_is_reported_and_its_recording_arrives():
    told = {"recordingStatusCallback": url("/recorded"), "record": "record-from-answer-dual"}
    phone, service = phone_to({"/voice": response(dial("/dialled", ENGINEER, **told))})

    call = phone.dials(LINE).engineer_accepts().talks(30).engineer_hangs_up().recording_arrives()

    assert service.asked("/dialled")[0]["RecordingSid"] == call.takes[0].sid
    assert service.asked("/recorded")[0]["RecordingSource"] == "DialVerb"


@pytest.mark.parametrize(
    ("seconds", "end", "fields"),
    [
        (12, "#", {"RecordingDuration": "12", "Digits": "#"}),
        (12, "silence", {"RecordingDuration": "12"}),
        (1, "limit", {"RecordingDuration": "180"}),
        (900, "#", {"RecordingDuration": "180", "Digits": "#"}),
        (7, "hangup", {"RecordingDuration": "7", "Digits": "hangup", "CallStatus": "completed"}),
    ],
)
def test_a_message_is_reported_to_the_action(seconds, end, fields):
    phone, service = phone_to({"/voice": TAKES, "/taken": BYE})

    call = phone.dials(LINE)
    assert call.is_recording()
    call.leaves_a_message(seconds, end)

    [form] = service.asked("/taken")
    assert fields.items() <= form.items()
    assert ("Digits" in form) == ("Digits" in fields)
    assert form["RecordingUrl"].endswith(f"/Recordings/{form['RecordingSid']}")
    assert (call.ended, call.is_recording()) == (True, False)
    assert ("Goodbye." in call.spoken) == (end != "hangup")


def test_a_recording_that_stays_empty_takes_either_way():
    phone, service = phone_to({"/voice": TAKES, "/taken": BYE, "/empty": response(say("Nothing heard."))})

    phone.dials(LINE).stays_silent().hears("Nothing heard").recording_arrives("absent")
    assert phone.seconds == pytest.approx(3 / 2.75 + 5 + 2 / 2.75)
    assert (len(service.asked("/taken")), service.asked("/recorded")[0]["RecordingStatus"]) == (0, "absent")
    phone.dials(LINE).leaves_a_message(0, "silence", silent_action=True).hears("Goodbye")
    assert service.asked("/taken")[0]["RecordingDuration"] == "0"


def test_only_the_keys_of_the_record_end_it():
    phone, _ = phone_to({"/voice": TAKES})

    with pytest.raises(AssertionError, match="does not end this recording"):
        phone.dials(LINE).leaves_a_message(5, "1")
    phone, _ = phone_to({"/voice": response(gather("/menu"))})
    with pytest.raises(AssertionError, match="nothing is being recorded"):
        phone.dials(LINE).leaves_a_message()


def test_the_recording_callback_names_no_caller_and_must_have_been_asked_for():
    phone, service = phone_to({"/voice": TAKES})

    call = phone.dials(LINE).leaves_a_message().recording_arrives().recording_arrives("failed")

    done, failed = service.asked("/recorded")
    assert {"From", "To"}.isdisjoint(done)
    assert (done["CallSid"], done["RecordingStatus"], done["RecordingDuration"]) == (call.sid, "completed", "12")
    assert "RecordingDuration" not in failed
    with pytest.raises(AssertionError, match="no document asked"):
        call.recording_arrives("in-progress")


def test_hanging_up_in_a_gather_sends_the_status_alone():
    phone, service = phone_to({"/voice": response(gather("/menu", say("one two three four five six")))})

    call = phone.dials(LINE).hangs_up(after=1.1)

    assert [path for path, _ in service.forms] == ["/voice", "/voice/status"]
    assert service.forms[1][1]["CallDuration"] == "1"
    assert (call.spoken, call.ending) == (["one two three"], "the caller hung up")


@pytest.mark.parametrize("dial_action", [True, False])
def test_hanging_up_while_it_rings_may_or_may_not_request_the_action(dial_action):
    phone, service = phone_to({"/voice": RINGS, "/dialled": NEXT})

    call = phone.dials(LINE).hangs_up(after=3, dial_action=dial_action)

    assert [form["DialCallStatus"] for form in service.asked("/dialled")] == ["canceled"] * dial_action
    assert [form["CallStatus"] for form in service.asked("/dialled")] == ["completed"] * dial_action
    assert "Nobody was free." not in call.spoken
    assert service.asked("/voice/status")[0]["CallDuration"] == "3"


def test_a_call_that_was_never_answered_ends_as_no_answer():
    phone, service = phone_to({"/voice": response(dial("/dialled", ENGINEER, answerOnBridge="true"))})

    phone.dials(LINE).hangs_up(after=8)
    phone.dials(LINE).engineer_accepts().talks(8).hangs_up()

    assert [form["CallStatus"] for form in service.asked("/voice/status")] == ["no-answer", "completed"]


def test_a_caller_can_hang_up_in_any_second_and_the_rest_of_the_story_is_left_undone():
    phone, service = phone_to({"/voice": RINGS, "/dialled": TAKES, "/taken": BYE})
    for second in range(60):
        call = phone.dials(LINE, hangs_up_at=second).engineer_passes().leaves_a_message(20)
        assert call.ending == ("the caller hung up" if second < 29 else "the service hung up"), second

    durations = [int(form["CallDuration"]) for form in service.asked("/voice/status")]
    assert durations == [*range(29), *[28] * 31]


def test_the_fallback_url_is_told_why_and_the_call_goes_on_from_there():
    phone, service = phone_to({"/voice": response(gather("/menu")), "/voice/fallback": NEXT})

    phone.dials(LINE).fails_over("11205").hears("Nobody was free")

    [form] = service.asked("/voice/fallback")
    assert (form["ErrorCode"], form["ErrorUrl"]) == ("11205", url("/menu").partition("#")[0])
    assert service.asked("/menu") == []


def test_a_call_that_fails_over_while_it_rings_drops_the_engineers():
    ringing = verb("Dial", verb("Number", ENGINEER, url=url("/whisper")), timeout=20, timeLimit=60, callerId=LINE)
    phone, service = phone_to({"/voice": response(ringing), "/voice/fallback": NEXT})

    call = phone.dials(LINE).fails_over()

    assert service.asked("/voice/fallback")[0]["ErrorUrl"] == url("/voice").partition("#")[0]
    assert (call.engineers[0].ending, call.is_ringing(), call.ended) == ("dropped", [], True)
