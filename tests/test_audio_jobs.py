"""The work on recordings: what is fetched, what is found, what is deleted, and what is said when there is nothing."""

import itertools
from datetime import timedelta
from multiprocessing import get_context
from signal import SIGKILL

import pytest
import rest
from rest import Rest, serving, speech
from studio import AT, Studio, die_at

from flows.heard import HungUp
from ivr.jobs.keeping import looks_for
from recordings import kept
from recordings.failpoint import arm
from recordings.kept import State
from recordings.outbox import Owed


@pytest.fixture
def account():
    with serving(Rest()) as account:
        yield account


@pytest.fixture
def studio(store, tmp_path, account):
    return Studio(store, tmp_path / "audio", account)


def left(studio, account, **known):
    """A voicemail whose recording the provider has."""
    call = studio.voicemail()
    account.holds(call.sid, call.message.recording, **known)
    return call, call.message.recording


def test_a_message_is_stored_read_back_told_of_and_then_deleted_by_the_provider(studio, account):
    call, sid = left(studio, account)
    studio.fetches(call)
    studio.works(minutes=(0, 1))
    row = kept.find(studio.store, sid)
    assert row.state is State.STORED
    assert studio.heard(sid) == account.tapes[sid].audio
    assert row.provider_deleted_at
    assert account.tapes[sid].deleted
    assert studio.query("SELECT audio FROM tasks WHERE recording = ?", sid) == [("stored",)]
    assert studio.query("SELECT kind FROM work_log") == [("audio",)]
    wav, delete = (f"{rest.ACCOUNT}/Recordings/{sid}.{each}" for each in ("wav", "json"))
    assert [each.path for each in account.asked] == [wav, delete, delete], "deleted only once it was stored"


def test_a_message_that_has_not_been_sent_waits_for_the_end_of_its_call(studio, account):
    call = studio.voicemail(message=None, ended_at=None, case_number="")
    tape = account.holds(call.sid)
    studio.fetches(call, recording=tape.sid)
    studio.works()
    assert account.asked == []
    assert studio.states() == {}


def test_a_take_that_was_not_sent_is_never_fetched_and_does_not_stay_with_the_provider(studio, account):
    call = studio.voicemail()
    other = account.holds(call.sid).sid

    def take(known):
        from flows.call import Turned

        return Turned(known.note(AT, "taken", recording=other, seconds=5, ended="key"))

    studio.log.notice(call.sid, HungUp(), AT, take, 5.0)
    studio.fetches(call, recording=other)
    studio.works(minutes=(0, 1))
    assert studio.states() == {"discarded": 1}
    assert account.tapes[other].deleted
    assert account.count("GET", ".wav") == 0


@pytest.mark.parametrize(
    ("result", "sound", "state"),
    [
        ("absent", (1, 0), "absent"),
        ("failed", (1, 0), "failed"),
        ("completed", (0.05, 0.5), "too_short"),
        ("completed", (1.0, 0.5), "too_short"),
        ("completed", (4.0, 0.001), "silent"),
    ],
)
def test_without_audio_the_case_stands_and_says_whom_to_call_back(studio, account, result, sound, state):
    call, sid = left(studio, account, audio=speech(*sound), status=result)
    if result == "completed":
        studio.fetches(call)
    else:
        studio.owes(Owed("audio", f"{sid}.{result}", {"recording": sid, "result": result}, call.sid))
    studio.works(minutes=(0, 1, 2))
    assert studio.states() == {state: 1}
    assert studio.query("SELECT audio, state FROM tasks") == [(state, "new")]
    [(note,)] = studio.query("SELECT detail FROM work_log WHERE subject = ? AND kind = 'note'", call.case_number)
    assert f"call back {call.caller}" in note
    [notice] = studio.jobs("notify")
    assert call.caller in notice.detail["subject"]
    assert notice.detail["to"] == studio.query("SELECT desk FROM tasks")[0][0]
    assert notice.detail["to"]


STEPS = ("fetch", "again", "absent", "look", "late")


@pytest.mark.parametrize("order", list(itertools.permutations(STEPS, 4)))
def test_whatever_order_word_comes_in_the_audio_is_stored_once(sqlite_studio, account, order):
    studio = sqlite_studio
    call, sid = left(studio, account)
    owed = {
        "fetch": Owed("fetch", "fetch", {"recording": sid, "seconds": 5}, call.sid),
        "again": Owed("fetch", "again", {"recording": sid, "seconds": 5}, call.sid),
        "absent": Owed("audio", "absent", {"recording": sid, "result": "absent"}, call.sid),
        "look": Owed("find_audio", "look", {"recording": sid, "tries": 0}, call.sid),
        "late": Owed("delete_copy", "late", {"recording": sid}, call.sid),
    }
    for minute, step in enumerate(order):
        studio.owes(owed[step], at=AT + timedelta(minutes=minute))
        studio.works(minutes=(minute,))
    studio.works(minutes=(20, 40))
    if {"fetch", "again"} & {*order}:
        assert studio.states() == {"stored": 1}
        assert studio.heard(sid) == account.tapes[sid].audio
        assert len(list(studio.parts.audio.files())) == 1
        assert account.count("GET", ".wav") == 1


@pytest.fixture
def sqlite_studio(sqlite_url, tmp_path, account):
    from recordings.engines import open_store

    store = open_store(sqlite_url)
    yield Studio(store, tmp_path / "audio", account)
    store.close()


@pytest.mark.parametrize("state", ["discarded", "erased"])
@pytest.mark.parametrize("word", ["fetch", "absent", "look", "transcript"])
def test_what_was_removed_stays_removed_whatever_is_heard_of_it_later(studio, account, state, word):
    call, sid = left(studio, account)
    studio.fetches(call)
    studio.works()
    row = kept.find(studio.store, sid)
    studio.parts.audio.delete(row.name)
    studio.store.write(lambda c: c.execute(studio.store.sql("UPDATE recordings SET state = ?"), (state,)).rowcount, 5)
    kinds = {"fetch": "fetch", "absent": "audio", "look": "find_audio", "transcript": "transcript"}
    detail = {"recording": sid, "result": "absent", "tries": 3, "status": "failed"}
    studio.owes(Owed(kinds[word], "late", detail, call.sid))
    studio.works(minutes=(1, 2, 3))
    studio.reconciler.once(AT + timedelta(minutes=10))
    assert studio.states() == {state: 1}
    assert list(studio.parts.audio.files()) == []
    assert account.count("GET", ".wav") == 1


FAULTS = {
    "not ready": (rest.status(404), 2),
    "turned away": (rest.status(401), 1),
    "forbidden": (rest.status(403), 1),
    "500": (rest.status(500), 3),
    "503": (rest.status(503), 3),
    "busy": (rest.busy(1), 2),
    "redirect": (rest.redirect("http://169.254.169.254/"), 2),
    "a page": (rest.html, 2),
    "hang up": (rest.hang_up, 2),
    "wrong length": (rest.wrong_length, 2),
    "cut short": (rest.cut_short, 2),
    "gzip bomb": (rest.gzip_bomb, 2),
    "two gigabytes": (rest.too_long, 2),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("run", range(3))
def test_no_fault_of_a_fetch_loses_the_message_or_stores_another(sqlite_studio, account, name, run):
    studio = sqlite_studio
    fault, times = FAULTS[name]
    call, sid = left(studio, account)
    account.fails(fault, ".wav", times)
    studio.fetches(call)
    for hour in range(8):
        studio.wire._resting_until = 0.0  # the clock of this story runs faster than the wall's
        studio.works(minutes=(hour * 60,))
    assert studio.states() == {"stored": 1}
    assert studio.heard(sid) == account.tapes[sid].audio
    assert account.count("GET", ".wav") == times + 1
    [(dead,)] = studio.query("SELECT count(*) FROM outbox WHERE state <> 'done'")
    assert dead == 0
    assert len(studio.jobs("alarm")) == (1 if name in ("turned away", "forbidden") else 0)


@pytest.mark.parametrize("place", ["rec.partial", "rec.stored_unmarked", "rec.before_provider_delete"])
@pytest.mark.parametrize("trouble", ["raise", "enospc"])
def test_whatever_breaks_between_fetching_and_deleting_nothing_is_lost(sqlite_studio, account, place, trouble):
    studio = sqlite_studio
    call, sid = left(studio, account)
    studio.fetches(call)
    arm(f"{place}:{trouble}@1")
    try:
        studio.works()
        assert not account.tapes[sid].deleted
    finally:
        arm("")
    studio.works(minutes=(10, 20))
    assert studio.heard(sid) == speech()
    assert account.tapes[sid].deleted


@pytest.mark.parametrize("place", ["rec.partial", "rec.stored_unmarked", "rec.before_provider_delete"])
def test_a_worker_killed_while_it_keeps_a_message_loses_nothing(sqlite_studio, sqlite_url, account, place):
    studio = sqlite_studio
    call, sid = left(studio, account)
    studio.fetches(call)
    worker = get_context("spawn").Process(target=die_at, args=(place, sqlite_url, studio.folder, account.url))
    worker.start()
    worker.join(60)
    assert worker.exitcode == -SIGKILL
    assert not account.tapes[sid].deleted
    studio.works(minutes=(5, 10))
    assert studio.heard(sid) == speech()
    assert studio.query("SELECT audio FROM tasks") == [("stored",)]
    assert account.tapes[sid].deleted


def test_a_message_that_is_never_found_is_said_to_be_missing_after_an_hour(studio, account):
    call = studio.voicemail()
    sid = call.message.recording
    studio.parts.write(lambda conn: kept.expect(conn, studio.store, (sid, call.sid, "message", 5), AT))
    studio.owes(looks_for(sid, call.sid, call.case_number, AT))
    studio.works(minutes=(1,))
    assert account.asked == []
    studio.works(minutes=(2, 10, 14.9))
    assert studio.jobs("alarm") == []
    studio.works(minutes=(15,))
    assert len(studio.jobs("alarm")) == 1
    studio.works(minutes=(59,))
    assert studio.states() == {"expected": 1}
    studio.works(minutes=(60, 90))
    assert studio.states() == {"missing": 1}
    assert account.count("GET", sid) == 4
    assert len(studio.jobs("notify")) == 1


def test_a_message_that_turns_up_after_it_was_given_up_is_stored(studio, account):
    call = studio.voicemail()
    sid = call.message.recording
    studio.owes(looks_for(sid, call.sid, call.case_number, AT))
    studio.works(minutes=(2, 10, 15, 60))
    assert studio.states() == {"missing": 1}
    account.holds(call.sid, sid)
    studio.reconciler.once(AT + timedelta(hours=2))
    studio.works(minutes=(121, 122))
    assert studio.states() == {"stored": 1}
    assert studio.query("SELECT audio FROM tasks") == [("stored",)]
    assert "after all" in studio.jobs("notify")[-1].detail["subject"]


def test_while_nobody_can_be_asked_nothing_is_given_up(studio, account):
    call, sid = left(studio, account)
    account.down = True
    studio.owes(looks_for(sid, call.sid, call.case_number, AT))
    studio.works(minutes=(2, 10, 15, 60, 70, 90, 120))
    assert "missing" not in studio.states()
    assert len(studio.jobs("alarm")) == 1
    account.down = False
    studio.works(minutes=(180, 190))
    assert studio.states() == {"stored": 1}


UNDELETED = {
    "done, and nobody hears of it": rest.done_but_lost,
    "500": rest.status(500),
    "hang up": rest.hang_up,
    "busy": rest.busy(1),
    "turned away": rest.status(401),
}


@pytest.mark.parametrize("name", UNDELETED)
def test_a_copy_is_deleted_until_the_provider_says_that_there_is_none(studio, account, name):
    call, sid = left(studio, account)
    account.fails(UNDELETED[name], "DELETE")
    studio.fetches(call)
    for hour in range(5):
        studio.wire._resting_until = 0.0
        studio.works(minutes=(hour * 60,))
    assert kept.find(studio.store, sid).provider_deleted_at
    assert account.tapes[sid].deleted
    assert account.asked[-1].status == 404


@pytest.mark.parametrize("harm", ["gone", "altered", "cut"])
def test_a_copy_is_never_deleted_while_ours_cannot_be_read_back(studio, account, harm):
    call, sid = left(studio, account)
    account.fails(rest.status(500), "DELETE")
    studio.fetches(call)
    studio.works()
    [path] = list(studio.folder.glob("RE*"))
    blob = bytearray(path.read_bytes())
    if harm == "gone":
        path.unlink()
    else:
        blob[len(blob) // 2] ^= 1
        path.write_bytes(blob if harm == "altered" else blob[:-100])
    deletes = account.count("DELETE")
    studio.works(minutes=(10,))
    assert not account.tapes[sid].deleted
    assert account.count("DELETE") == deletes
    assert len(studio.jobs("alarm")) >= 1
    studio.works(minutes=(20, 30))
    assert studio.heard(sid) == speech()


def test_the_provider_keeps_its_copy_where_the_policy_says_so(studio, account, monkeypatch):
    call, _ = left(studio, account)
    desk = studio.desks.desk_for(call.policy, call.programme)
    import dataclasses

    keeping = dataclasses.replace(desk, policy=dataclasses.replace(desk.policy, delete_provider_copy=False))
    monkeypatch.setattr(studio.desks, "desk_for", lambda *_: keeping)
    studio.begin()
    studio.fetches(call)
    studio.works(minutes=(0, 10))
    assert studio.states() == {"stored": 1}
    assert account.count("DELETE") == 0
