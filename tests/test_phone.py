"""The telephone: what is heard, what keys and silence do, and how a call ends."""

from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import pytest
from phone import Call, Clock, Telephone
from switchboard import LINE, dial, gather, phone_to, record, redirect, response, say, url, verb

ASKS = response(gather("/pid", say("Please enter your Partner ID."), numDigits=6))
PROBLEM = gather("/menu", say("For a new problem, press 1."), numDigits=1)
MENU = response(PROBLEM)
BYE = response(say("Goodbye."), verb("Hangup"))


def test_the_first_request_has_the_thirty_one_fields_of_a_real_one():
    phone, service = phone_to({"/voice": BYE})

    call = phone.dials(LINE, from_="+14085550142", StirVerstat="TN-Validation-Failed", CallerName=None, Extra="1")

    [form] = service.asked("/voice")
    assert len(form) == 31
    assert form["CallStatus"] == "ringing"
    assert (form["From"], form["To"], form["Direction"]) == ("+14085550142", LINE, "inbound")
    assert (form["FromCity"], form["CallerCountry"], form["StirVerstat"]) == ("SAN JOSE", "US", "TN-Validation-Failed")
    assert "CallerName" not in form
    assert form["CallSid"] == call.sid


def test_words_are_compared_as_the_ear_does():
    phone, _ = phone_to(
        {"/voice": response(gather("/x", say("I couldn\u2019t find  3 4 7, 1 0 9. Please TRY again.")))}
    )

    call = phone.dials(LINE)

    call.hears("couldn't find 347109").hears("please try").hears_no("Goodbye")
    with pytest.raises(AssertionError, match="not said since the last key: 'Goodbye'"):
        call.hears("Goodbye")
    with pytest.raises(AssertionError, match="dials"):
        call.hears_no("try again")


def test_said_now_begins_anew_with_each_key_and_spoken_keeps_everything():
    phone, _ = phone_to({"/voice": MENU, "/menu": ASKS})

    call = phone.dials(LINE).presses("1")

    assert call.said_now == ["Please enter your Partner ID."]
    assert call.spoken == ["For a new problem, press 1.", "Please enter your Partner ID."]
    assert [document.verbs[0].name for document in call.documents] == ["Gather", "Gather"]


@pytest.mark.parametrize(
    ("keys", "attributes", "digits"),
    [
        ("347109", {"numDigits": 6}, "347109"),
        ("347109#", {}, "347109"),
        ("34*347109#", {}, "34*347109"),
        ("#", {}, ""),
        ("34", {"numDigits": 6}, "34"),
        ("*", {"numDigits": 1}, "*"),
        ("#", {"numDigits": 1, "finishOnKey": ""}, "#"),
        ("12", {"finishOnKey": "*"}, "12"),
    ],
)
def test_keys_become_digits_as_the_gather_wants(keys, attributes, digits):
    phone, service = phone_to({"/voice": response(gather("/pid", **attributes)), "/pid": BYE})

    phone.dials(LINE).presses(keys)

    assert service.asked("/pid")[0]["Digits"] == digits
    assert service.asked("/pid")[0]["CallStatus"] == "in-progress"


def test_the_last_digit_ends_a_gather_at_once_and_too_few_wait_for_the_timeout():
    phone, _ = phone_to({"/voice": response(gather("/pid", numDigits=2, timeout=10)), "/pid": response(gather("/x"))})

    phone.dials(LINE).presses("34")
    assert phone.seconds == pytest.approx(0.6)
    phone.dials(LINE).presses("3")
    assert phone.seconds == pytest.approx(0.6 + 0.3 + 10)


def test_keys_left_over_go_into_the_next_gather_of_the_same_burst():
    phone, service = phone_to({"/voice": MENU, "/menu": ASKS, "/pid": BYE})

    call = phone.dials(LINE).presses("1347109")

    assert service.asked("/menu")[0]["Digits"] == "1"
    assert service.asked("/pid")[0]["Digits"] == "347109"
    assert call.spoken == ["For a new problem, press 1.", "Goodbye."]


def test_keys_pressed_while_nothing_is_asked_are_lost():
    speaks_first = response(say("One moment."), gather("/pid", say("Your ID?"), numDigits=6))
    phone, service = phone_to({"/voice": MENU, "/menu": speaks_first})

    call = phone.dials(LINE).presses("1347")

    assert call.lost_keys == "347"
    assert service.asked("/pid") == []
    call.hears("Your ID?")
    service.documents["/pid"] = MENU
    assert call.presses("347109").presses("12").lost_keys == "3472"


def test_a_key_cuts_the_prompt_short():
    phone, _ = phone_to({"/voice": MENU, "/menu": response(gather("/x"))})

    call = phone.dials(LINE).presses("1", after=1.1)

    assert call.spoken == ["For a new"]
    assert phone.seconds == pytest.approx(1.1 + 0.3)


def test_silence_reaches_the_action_only_if_it_asked_for_that():
    phone, service = phone_to({"/voice": MENU, "/menu": BYE})

    call = phone.dials(LINE).stays_silent()

    assert service.asked("/menu")[0]["Digits"] == ""
    assert call.said_now == ["Goodbye."]
    assert phone.seconds == pytest.approx(7 / 2.75 + 6)


@pytest.mark.parametrize("act", [Call.stays_silent, lambda call: call.presses("#")], ids=["silence", "the finish key"])
def test_silence_and_the_finish_key_alone_fall_through_to_the_next_verb(act):
    falls = response(gather("/menu", say("Press 1."), actionOnEmptyResult="false"), say("Let me help you."))
    phone, service = phone_to({"/voice": falls})

    call = act(phone.dials(LINE))

    assert service.asked("/menu") == []
    assert call.hears("Let me help you").ending == "fell off the end"


def test_a_seed_leaves_the_digits_of_a_silence_out_now_and_then():
    seen = set()
    for seed in range(12):
        phone, service = phone_to({"/voice": MENU, "/menu": BYE}, seed=seed)
        phone.dials(LINE).stays_silent()
        seen.add("Digits" in service.asked("/menu")[0])

    assert seen == {True, False}


def test_any_fields_can_be_submitted_raw():
    phone, service = phone_to({"/voice": MENU, "/menu": BYE})

    call = phone.dials(LINE).submits(Digits="1\n", SpeechResult="one")

    assert service.asked("/menu")[0]["Digits"] == "1\n"
    assert call.spoken == ["For a new problem, press 1.", "Goodbye."]


def test_a_redirect_is_followed_by_post_and_an_endless_one_fails():
    phone, service = phone_to(
        {"/voice": response(redirect("/next")), "/next": BYE, "/loop": response(redirect("/loop"))}
    )

    assert phone.dials(LINE).hears("Goodbye").ended
    assert service.environs[1]["REQUEST_METHOD"] == "POST"
    service.documents["/next"] = response(redirect("/loop"))
    with pytest.raises(AssertionError, match="more than 10 redirects"):
        phone.dials(LINE)


def test_a_call_ends_by_hangup_or_by_falling_off_the_end():
    phone, service = phone_to({"/voice": BYE})

    call = phone.dials(LINE)
    assert (call.ended, call.ending) == (True, "the service hung up")
    assert (phone.calls, call.log[1]) == ([call], "    0.0 s  Goodbye.")
    service.documents["/voice"] = response(say("And then?"))
    assert phone.dials(LINE).ending == "fell off the end"
    assert [form["CallStatus"] for form in service.asked("/voice/status")] == ["completed", "completed"]
    assert call.hangs_up().ending == "the service hung up"
    with pytest.raises(AssertionError, match="nobody is on the line"):
        call.presses("1")


@pytest.mark.parametrize(
    ("document", "status"),
    [(verb("Reject", reason="busy"), "busy"), (verb("Reject"), "no-answer"), (verb("Hangup"), "completed")],
)
def test_the_status_callback_tells_how_a_call_ended(document, status):
    phone, service = phone_to({"/voice": response(document)}, at=datetime(2026, 11, 24, 18, 15, tzinfo=UTC))

    call = phone.dials(LINE)

    [form] = service.asked("/voice/status")
    assert call.ending == ("the service hung up" if status == "completed" else "rejected")
    assert (form["CallStatus"], form["CallDuration"], form["SequenceNumber"]) == (status, "0", "0")
    assert form["Timestamp"] == "Tue, 24 Nov 2026 18:15:00 +0000"
    assert form["CallbackSource"] == "call-progress-events"


def test_the_virtual_instant_goes_with_every_request():
    start = datetime(2026, 11, 24, 18, 15, tzinfo=UTC)
    pause = response(say("one two three four five six seven eight nine ten eleven"), verb("Pause", length=4), PROBLEM)
    phone, service = phone_to(
        {"/voice": pause, "/menu": BYE}, at=start, stamp=lambda seconds: {"X-Second": f"{seconds:.0f}"}
    )

    phone.dials(LINE).presses("1", after=0)

    sent = [(one["HTTP_X_PARTNERLINE_INSTANT"], one["HTTP_X_SECOND"]) for one in service.environs]
    assert sent[:2] == [("2026-11-24T18:15:00.000Z", "0"), ("2026-11-24T18:15:08.300Z", "8")]
    phone.at(datetime(2026, 12, 25, 9, 0, tzinfo=UTC)).passes(60).dials(LINE)
    assert [one["HTTP_X_PARTNERLINE_INSTANT"][:16] for one in service.environs][-1] == "2026-12-25T09:01"
    with pytest.raises(ValueError, match="time zone"):
        phone.at(datetime(2026, 12, 25, 9, 0))  # noqa: DTZ001


def test_the_alarms_of_a_clock_ring_each_at_its_moment():
    start = datetime(2026, 11, 24, 18, 15, tzinfo=UTC)
    clock, rung = Clock(start), []
    for seconds in [5, 2, 9]:
        clock.rings_at(seconds, lambda: rung.append(clock.seconds))

    clock.advance(6)

    assert (rung, clock.seconds) == ([2, 5], 6)
    assert clock.instant == start + timedelta(seconds=6)


def test_without_an_instant_no_header_is_sent_and_a_clock_can_be_shared():
    clock = Clock()
    phone, service = phone_to({"/voice": BYE}, clock=clock)

    phone.dials(LINE)

    assert "HTTP_X_PARTNERLINE_INSTANT" not in service.environs[0]
    assert Telephone(phone.wire, clock=clock).seconds == phone.seconds > 0


def test_media_are_fetched_when_asked_for_and_must_be_audio():
    plays = response(verb("Play", escape(url("/tone.wav"))), verb("Hangup"))
    phone, service = phone_to({"/voice": plays}, fetch_media=True)

    assert phone.dials(LINE).spoken == []
    assert [(one["REQUEST_METHOD"], one["PATH_INFO"]) for one in service.environs][1] == ("GET", "/tone.wav")
    assert "#" not in service.environs[1]["RAW_URI"]
    assert phone.seconds == 10
    service.documents["/voice"] = plays.replace(".wav", ".txt")
    with pytest.raises(AssertionError, match="is not audio"):
        phone.dials(LINE)


@pytest.mark.parametrize("document", [record("/x"), dial("/x", "+14085550110")])
def test_a_verb_out_of_place_fails_with_the_story_so_far(document):
    phone, _ = phone_to({"/voice": response(say("Hello."), document)})

    with pytest.raises(AssertionError, match="Hello") as failure:
        phone.dials(LINE).submits(Digits="1")

    assert "nobody is asking for keys now" in str(failure.value)
