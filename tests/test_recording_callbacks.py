"""What the provider says of recordings, before the take is known or after, once or twice: one end state."""

from base64 import b64decode
from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paper import SATURDAY_NIGHT, Talk, reread
from phone import PUBLIC_BASE_URL
from service import LINE, SECRET, Service

from flows import turn
from flows.heard import HungUp, Keys, MessageLeft, RecordingReady, Silence
from ivr.transcribed import MOST
from recordings.sealed import Keyring

ONE, OTHER = "RE" + "1" * 32, "RE" + "2" * 32


def recording() -> Talk:
    """A certified partner on a Saturday night, after the tone."""
    return Talk("us-voicemail", at=SATURDAY_NIGHT).keys("2", "")


def told(call, fact, talk):
    """Take a fact as the service does: what is waited for as a turn, the rest as news."""
    if isinstance(fact, HungUp | RecordingReady):
        turned = turn.notice(call, fact, talk.desk, talk.at)
    elif call.node == "vm_record" or not isinstance(fact, MessageLeft):
        turned = turn.resume(call, 0, fact, talk.desk, talk.at)
    else:
        return call, ()  # the log knows this turn, and gives its old reply
    return (reread(turned.call.but(events=(), effects=())), turned.call.effects) if turned else (call, ())


def end_of(facts, talk):
    """The document and the effects that facts in this order leave."""
    talk.desk.directory.numbers = 0
    call, effects = talk.call, {}
    for fact in facts:
        call, owed = told(call, fact, talk)
        effects |= {each.key: (each.kind, each.detail.get("recording"), each.detail.get("result")) for each in owed}
    return reread(call.but(turn=0)), effects


@pytest.mark.parametrize("result", ["completed", "absent", "failed"])
def test_a_take_its_audio_and_the_end_of_the_call_come_to_the_same_in_every_order(result):
    """F-G1 to F-G3: the action, the recording's callback and the status callback, each twice, in all 90 orders."""
    talk = recording()
    facts = (MessageLeft(ONE, 7, "hangup"), RecordingReady(ONE, result, 7), HungUp("completed", 30))
    call, effects = end_of(facts, talk)
    assert all(end_of(order, talk) == (call, effects) for order in set(permutations(facts * 2)))
    assert (call.outcome, call.message.seconds, call.message.audio) == ("voicemail_left", 7, result)
    assert ("RECORDING_MISSING" in call.flags) == (result != "completed")
    kinds = [kind for kind, *_ in effects.values()]
    assert kinds.count("fetch") == (result == "completed")
    assert kinds.count("audio") == (result != "completed")
    assert kinds.count("ended") == kinds.count("voicemail") == 1


RESULTS = st.sampled_from(["completed", "absent", "failed"])


@given(st.data(), RESULTS, RESULTS, st.integers(2, 180))
def test_so_do_two_takes_that_are_told_of_in_any_order(data, first, second, seconds):
    """The caller records again; what comes of either take may be known at any time, and be corrected later."""
    talk = recording().hears(MessageLeft(ONE, 9)).keys("3")
    facts = [
        MessageLeft(OTHER, seconds, "hangup"),
        HungUp("completed", 90),
        *(RecordingReady(ONE, result, 9) for result in (first, second)),
        *(RecordingReady(OTHER, result, seconds) for result in (first, second)),
    ]
    one, other = end_of(facts, talk), end_of(data.draw(st.permutations(facts)), talk)
    assert one[0] == other[0]
    best = "completed" if "completed" in (first, second) else "failed" if "failed" in (first, second) else "absent"
    assert (one[0].message.recording, one[0].message.audio) == (OTHER, best)


def test_audio_that_comes_before_its_take_is_known_is_fetched_and_remembered():
    talk = recording()
    call, effects = told(talk.call, RecordingReady(ONE, "completed", 9), talk)
    assert [(each.kind, each.key, each.detail) for each in effects] == [
        ("fetch", f"{call.sid}.{ONE}.fetch", {"recording": ONE, "seconds": 9})
    ]
    call, _ = told(call, MessageLeft(ONE, 9), talk)
    assert call.take.audio == "completed"
    call, _ = told(call, Keys("1"), talk)
    assert call.message.audio == "completed"


def test_what_is_told_twice_is_no_news():
    talk = recording().hears(MessageLeft(ONE, 9))
    call, _ = told(talk.call, RecordingReady(ONE, "completed", 9), talk)
    assert turn.notice(call, RecordingReady(ONE, "completed", 9), talk.desk, talk.at) is None
    assert turn.notice(call, RecordingReady(ONE, "absent", 0), talk.desk, talk.at) is None


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_message_of_no_length_cannot_be_sent(seconds):
    """F-G3: the caller is asked to speak again."""
    talk = recording().hears(MessageLeft(ONE, seconds))
    assert (talk.now, talk.call.take, talk.call.message) == (["vm.short"], None, None)
    assert talk.hears(Silence()).call.message is None


def test_a_take_that_was_cancelled_is_told_of_so_that_it_can_be_removed():
    talk = recording().hears(MessageLeft(ONE, 9)).keys("*").hangs_up()
    call, effects = told(talk.call, RecordingReady(ONE, "completed", 9), talk)
    assert [each.kind for each in effects] == ["fetch"]
    assert (call.outcome, call.message) == ("cancelled", None)


def test_a_message_without_audio_still_stands_and_says_so(service):
    call = service.at(SATURDAY_NIGHT).dials(LINE["us-voicemail"]).presses("2").presses("#")
    call.leaves_a_message(9).presses("1").hangs_up().recording_arrives("absent")
    assert service.says(call, outcome="voicemail_left", flags=("RECORDING_MISSING",), audio="absent")
    assert service.outbox(call) == {"voicemail", "audio"}
    assert service.tasks(call)["message"]["flags"] == "RECORDING_MISSING"


# --- transcripts

TEXT = "My name is Somebody. Production is down <Say>&\U0001f600 4111 1111 1111 1111"


@pytest.fixture
def transcribing(sqlite_url):
    """The service, with transcription switched on."""
    service = Service(sqlite_url, transcribe="true")
    yield service
    service.close()


def left(service):
    """A message, and the request that tells what it says."""
    call = service.at(SATURDAY_NIGHT).dials(LINE["us-voicemail"]).presses("2").presses("#")
    call.leaves_a_message(9).presses("1").hangs_up()
    take = call.takes[-1]
    fields = {
        "AccountSid": take.account_sid,
        "CallSid": call.sid,
        "RecordingSid": take.sid,
        "RecordingUrl": take.url,
        "TranscriptionSid": "TR" + "5" * 32,
        "TranscriptionStatus": "completed",
        "TranscriptionText": TEXT,
    }
    return call, take, fields


def delivered(service, take, fields):
    path = take.verb["transcribeCallback"].partition("#")[0].removeprefix(PUBLIC_BASE_URL)
    reply = service.phone.post(path, fields)
    assert (reply.status, reply.body.count(b"<Say")) == (200, 0)
    return service.query("SELECT key, detail FROM outbox WHERE kind = 'transcript'")


def test_nothing_is_transcribed_unless_that_is_switched_on(service):
    _, take, _ = left(service)
    assert not {"transcribe", "transcribeCallback"} & set(take.verb.attributes)


def test_a_transcript_is_sealed_before_it_is_written_anywhere(transcribing):
    call, take, fields = left(transcribing)
    assert (take.verb["transcribe"], "#rc=" in take.verb["transcribeCallback"]) == ("true", True)
    ((key, detail),) = delivered(transcribing, take, fields)
    assert delivered(transcribing, take, fields) == [(key, detail)]
    owed = msgspec.json.decode(detail)
    assert (owed["recording"], owed["status"]) == (take.sid, "completed")
    opened = Keyring.derived(SECRET).open(b64decode(owed["sealed"]), take.sid).decode()
    assert opened == TEXT.replace("4111 1111 1111 1111", "**** **** **** ****")
    assert not [row for rows in transcribing.everything_stored().values() for row in rows if "Somebody" in str(row)]
    assert transcribing.call_of(call).transcripts == (take.sid,)


def test_of_a_long_transcript_the_beginning_is_kept(transcribing):
    """F-G8: 200 KB of hostile text, every character of which has to be escaped."""
    _, take, fields = left(transcribing)
    ((_, detail),) = delivered(transcribing, take, {**fields, "TranscriptionText": "<" * 200_000})
    sealed = b64decode(msgspec.json.decode(detail)["sealed"])
    assert Keyring.derived(SECRET).open(sealed, take.sid) == b"<" * MOST


STRANGE = {
    "another call": {"CallSid": "CA" + "9" * 32},
    "no recording": {"RecordingSid": "RE12"},
    "a status that is none": {"TranscriptionStatus": "completed\n"},
    "no status": {"TranscriptionStatus": None},
}


@pytest.mark.parametrize("change", STRANGE.values(), ids=STRANGE)
def test_a_transcript_that_is_not_one_changes_nothing(transcribing, change):
    _, take, fields = left(transcribing)
    before = transcribing.everything_stored()
    changed = {name: value for name, value in {**fields, **change}.items() if value is not None}
    assert delivered(transcribing, take, changed) == []
    assert transcribing.everything_stored() == before


def test_a_transcript_that_failed_is_told_of_without_any_text(transcribing):
    _, take, fields = left(transcribing)
    failed = {name: value for name, value in fields.items() if name != "TranscriptionText"}
    ((_, detail),) = delivered(transcribing, take, {**failed, "TranscriptionStatus": "failed"})
    assert msgspec.json.decode(detail)["status"] == "failed"
