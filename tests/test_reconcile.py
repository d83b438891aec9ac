"""The reconciler: what was lost between the provider and us is found again."""

from datetime import timedelta

import pytest
import rest
from rest import Rest, serving
from studio import AT, CALLER, LINE, Studio

from recordings.engines import open_store


@pytest.fixture
def account():
    with serving(Rest()) as account:
        yield account


@pytest.fixture
def studio(store, tmp_path, account):
    return Studio(store, tmp_path / "audio", account)


@pytest.fixture
def sqlite_studio(sqlite_url, tmp_path, account):
    store = open_store(sqlite_url)
    yield Studio(store, tmp_path / "audio", account)
    store.close()


def test_five_hundred_recordings_of_which_we_were_never_told_are_attached(sqlite_studio, account):
    studio = sqlite_studio
    for number in range(500):
        call = studio.voicemail(AT + timedelta(seconds=number))
        account.holds(call.sid, call.message.recording, created_at=AT + timedelta(seconds=number))
    counts = studio.reconciler.once(AT + timedelta(minutes=10))
    assert counts["found"] == 500
    studio.works(minutes=(10, 11))
    assert studio.states() == {"stored": 500}
    assert studio.query("SELECT DISTINCT audio FROM tasks") == [("stored",)]
    assert all(tape.deleted for tape in account.tapes.values())
    again = studio.reconciler.once(AT + timedelta(minutes=15))
    assert not any(again.values())


def test_five_hundred_calls_whose_end_we_were_never_told_are_ended_as_the_provider_says(sqlite_studio, account):
    studio = sqlite_studio
    lengths = {}
    for number in range(500):
        begun = AT + timedelta(seconds=number)
        call = studio.voicemail(begun, message=None, ended_at=None, seconds=0, case_number="", node="menu")
        lengths[call.sid] = 30 + number % 170
        ended = begun + timedelta(seconds=lengths[call.sid])
        account.knows(call.sid, LINE, CALLER, seconds=lengths[call.sid], created_at=begun, ended_at=ended)
    counts = studio.reconciler.once(AT + timedelta(minutes=15))
    assert counts["ended"] == 500
    for sid, seconds in lengths.items():
        call = studio.log.load(sid)
        assert call.seconds == seconds
        assert call.ended_at - call.started_at == timedelta(seconds=seconds)
        assert call.outcome
    assert account.count() < 20, "asked by the page, not by the call"


def test_a_call_that_goes_on_is_left_alone_and_one_that_nobody_knows_too(studio, account):
    going_on = studio.voicemail(message=None, ended_at=None, case_number="")
    unknown = studio.voicemail(message=None, ended_at=None, case_number="")
    account.knows(going_on.sid, LINE, CALLER, "in-progress", created_at=AT)
    counts = studio.reconciler.once(AT + timedelta(minutes=20))
    assert not any(counts.values())
    assert studio.log.load(going_on.sid).ended_at is None
    assert studio.log.load(unknown.sid).ended_at is None


def test_a_call_that_never_reached_us_is_written_down_with_an_alarm(studio, account):
    account.knows("CA" + "1" * 32, LINE, "anonymous", "busy", created_at=AT, ended_at=AT)
    account.knows("CA" + "2" * 32, "+442079460999", CALLER, "busy", created_at=AT)
    account.knows("CA" + "3" * 32, CALLER, LINE, "completed", created_at=AT, direction="outbound-api")
    account.knows("CA" + "4" * 32, LINE, CALLER, "in-progress", created_at=AT)
    assert studio.reconciler.once(AT + timedelta(minutes=1))["never_served"] == 0, "its webhook may be on its way"
    assert studio.reconciler.once(AT + timedelta(minutes=5))["never_served"] == 1
    call = studio.log.load("CA" + "1" * 32)
    assert "NEVER_SERVED" in call.flags
    assert call.caller is None
    assert call.started_at == AT
    studio.works(minutes=(5,))
    assert [job.call_sid for job in studio.jobs("alarm")] == [call.sid]
    assert studio.reconciler.once(AT + timedelta(minutes=10))["never_served"] == 0


def test_an_unknown_call_is_looked_at_again_when_it_has_ended_however_long_it_takes(studio, account):
    call = account.knows("CA" + "4" * 32, LINE, CALLER, "in-progress", created_at=AT)
    for minute in range(5, 180, 5):
        assert studio.reconciler.once(AT + timedelta(minutes=minute))["never_served"] == 0
    call.status, call.seconds, call.ended_at = "completed", 10_800, AT + timedelta(hours=3)
    assert studio.reconciler.once(AT + timedelta(minutes=190))["never_served"] == 1


def test_six_hours_without_a_provider_lose_nothing(sqlite_studio, account):
    studio = sqlite_studio
    studio.reconciler.once(AT)
    account.down = True
    for number in range(72):
        at = AT + timedelta(minutes=5 * number)
        call = studio.voicemail(at)
        account.holds(call.sid, call.message.recording, created_at=at)
        if number % 2:
            studio.fetches(call, at)
        studio.reconciler.once(at + timedelta(minutes=5))
        studio.works(at)
    assert studio.states().get("stored", 0) == 0
    account.down = False
    back = AT + timedelta(hours=6, minutes=5)
    studio.reconciler.once(back)
    studio.works(back, minutes=(0, 1, 2, 3, 4, 5))
    assert studio.states() == {"stored": 72}


def test_a_caller_cut_off_while_speaking_has_left_a_message(studio, account):
    """The Record's own request was lost, and so was its callback: the provider still has what was said."""
    call = studio.voicemail(message=None, message_due=None, case_number="", node="vm_record")
    tape = account.holds(call.sid, seconds=9)
    studio.reconciler.once(AT + timedelta(minutes=5))
    studio.works(minutes=(5, 6))
    found = studio.log.load(call.sid)
    assert found.message.recording == tape.sid
    assert found.case_number
    assert studio.states() == {"stored": 1}
    assert studio.query("SELECT kind, audio FROM tasks") == [("message", "stored")]
    assert [job.kind for job in studio.seen if job.kind == "voicemail"] == ["voicemail"]
    assert studio.log.rebuild(call.sid) == found


def test_what_is_found_of_a_call_that_went_on_elsewhere_is_kept_with_an_alarm(studio, account):
    call = studio.voicemail(message=None, message_due=None, case_number="", node="bye")
    tape = account.holds(call.sid, seconds=9)
    studio.reconciler.once(AT + timedelta(minutes=5))
    studio.works(minutes=(5, 6))
    assert studio.states() == {"stored": 1}
    assert studio.heard(tape.sid)
    assert len(studio.jobs("alarm")) == 1


def test_an_absent_recording_is_told_of_though_nobody_told_us(studio, account):
    call = studio.voicemail()
    account.holds(call.sid, call.message.recording, status="absent")
    assert studio.reconciler.once(AT + timedelta(minutes=5))["no_audio"] == 1
    studio.works(minutes=(5,))
    assert studio.states() == {"absent": 1}
    assert len(studio.jobs("notify")) == 1


def test_recordings_of_other_peoples_calls_are_none_of_ours(studio, account):
    account.holds("CA" + "9" * 32)
    assert not any(studio.reconciler.once(AT + timedelta(minutes=5)).values())
    assert studio.states() == {}


def test_a_busy_provider_is_asked_hardly_more_often_than_it_answers(sqlite_studio, account):
    """A bucket of five requests a minute: what is refused is a small part of what is asked."""
    studio = sqlite_studio
    calls = [studio.voicemail() for _ in range(40)]
    for call in calls:
        account.holds(call.sid, call.message.recording)
        studio.fetches(call)
    tokens = [5]

    def bucket(answer):
        if tokens[0]:
            tokens[0] -= 1
            answer.properly()
        else:
            rest.busy(60)(answer)

    account.fails(bucket, times=10_000)
    for minute in range(0, 240, 2):
        tokens[0], studio.wire._resting_until = 5, 0.0
        studio.works(minutes=(minute,))
    assert studio.states() == {"stored": 40}
    assert all(tape.deleted for tape in account.tapes.values())
    ideal = 40 * 3  # one to fetch, one to delete, one to see that it is gone
    assert account.count() <= 2 * ideal
