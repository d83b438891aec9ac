"""Retention, holds and erasure: what is over goes, what is held stays, and what was erased cannot be found again."""

import json
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from keeping import ACME_PHONE, AUDIO, SOON, STRANGER, Story, findings, log_entry, put_audio, write
from paper import TUESDAY_MORNING
from service import ENVIRONMENT, LINE, SECRET, Service

from flows.work import Objection
from ivr.commands.erase import command as erase_command
from ivr.commands.hold import command as hold_command
from ivr.jobs.retention import Purge
from ivr.wording import grouped
from recordings import failpoint
from recordings.audio_store import AudioMissing, name_for, open_audio
from recordings.erasure import Erasure
from recordings.erasure_subject import Subject
from recordings.holds import hold, release
from recordings.retention import Times, purge, times_of
from recordings.scrub import shows

DAY = timedelta(days=1)
ACME = "347109"
TABLES = ("calls", "turns", "cases", "tasks", "pages", "attempts", "work_log")


@pytest.fixture
def service(database_url):
    service = Service(database_url)
    service.url = database_url
    service.parts.keep_policies()
    yield service
    service.close()


@pytest.fixture
def story(service):
    return Story(service)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "audio"


@pytest.fixture
def audio(folder):
    return open_audio(f"file:{folder}")


@pytest.fixture(autouse=True)
def disarmed():
    yield
    failpoint.arm("")


def times(service):
    return times_of(service.parts.programmes.policies.values())


def purged(service, audio, at):
    return {what: n for what, n in purge(service.parts.store, audio, times(service), at).items() if n}


def count(service, *tables):
    return [service.query(f"SELECT count(*) FROM {table}")[0][0] for table in tables]


# --- retention


def test_audio_goes_after_90_days_and_its_key_with_it(service, story, audio, folder):
    name = story.audio_arrives(audio)
    write(service, "UPDATE recordings SET transcript = ?, transcript_state = 'completed'", b"sealed words")
    assert purged(service, audio, SOON + 89 * DAY).keys() <= {"outbox"}
    assert purged(service, audio, SOON + 91 * DAY) == {"recordings": 1}
    with pytest.raises(AudioMissing):
        audio.read(name)
    assert list(folder.iterdir()) == []
    left = service.query("SELECT state, name, sealed_key, key_id, sha256, transcript, transcript_state FROM recordings")
    assert left == [("erased", None, None, None, None, None, None)]
    assert service.query("SELECT audio FROM tasks WHERE kind = 'message'") == [("erased",)]
    ((key, state, detail),) = service.query("SELECT key, state, detail FROM outbox WHERE kind = 'delete_copy'")
    assert (key, state) == (f"{story.recording}.delete_copy.erased", "waiting")
    assert json.loads(detail) == {"recording": story.recording}
    assert purged(service, audio, SOON + 91 * DAY) == {}
    assert len(service.query("SELECT 1 FROM calls")) == 4


def test_calls_go_after_13_months_with_everything_that_hangs_on_them(service, story, audio):
    """Travel 400 days: nothing of the calls is left, and the checker has nothing to say."""
    story.audio_arrives(audio)
    log_entry(service, story.case, "note", text="rang the partner")
    log_entry(service, story.recording, "listened")
    assert count(service, "calls", "work_log") == [4, 2]
    assert purged(service, audio, SOON + 390 * DAY).keys() <= {"recordings", "outbox"}
    assert count(service, "calls") == [4]
    removed = purged(service, audio, SOON + 400 * DAY)
    assert (removed["calls"], removed["cases"] > 0, removed["turns"] > 9) == (4, True, True)
    assert count(service, *TABLES) == [0] * len(TABLES)
    assert service.query("SELECT kind, call_sid FROM outbox") == [("delete_copy", "")]
    assert findings(service, at=SOON + 391 * DAY) == ()
    write(service, "UPDATE recordings SET provider_deleted_at = received_at")
    purge(service.parts.store, audio, times(service), SOON + 400 * DAY)
    assert count(service, "recordings") == [0]


def test_a_younger_call_stays_when_older_ones_go(service, story, audio):
    late = service.at(TUESDAY_MORNING + 390 * DAY).dials(LINE["us-standard"], STRANGER).hangs_up()
    service.phone.settle()
    purge(service.parts.store, audio, times(service), SOON + 400 * DAY)
    assert service.query("SELECT sid FROM calls") == [(late.sid,)]


def test_what_was_done_leaves_the_outbox_after_30_days_and_what_waits_stays(service, story, audio):
    write(service, "UPDATE outbox SET state = 'done', done_at = created_at WHERE kind = 'ended'")
    waiting = service.query("SELECT count(*) FROM outbox WHERE state = 'waiting'")
    assert purged(service, audio, SOON + 29 * DAY) == {}
    assert purged(service, audio, SOON + 31 * DAY).keys() == {"outbox"}
    assert service.query("SELECT count(*) FROM outbox") == waiting


@pytest.mark.parametrize("what", ["recording", "case"])
def test_what_is_held_stays_until_it_is_released(service, story, audio, what):
    name, store = story.audio_arrives(audio), service.parts.store
    subject = story.recording if what == "recording" else story.case
    hold(store, subject, "a dispute", "legal", SOON)
    with pytest.raises(Objection):
        hold(store, subject, "again", "legal", SOON)
    purge(store, audio, times(service), SOON + 400 * DAY)
    assert audio.read(name)
    assert service.query("SELECT sid FROM calls") == [(story.message.sid,)]
    kinds = [kind for (kind,) in service.query("SELECT kind FROM work_log ORDER BY id")]
    assert kinds == ["held"]
    assert not [each for each in findings(service, at=SOON + 400 * DAY) if each.check.startswith("retention")]

    release(store, subject, "legal", SOON + 401 * DAY)
    purge(store, audio, times(service), SOON + 402 * DAY)
    assert count(service, *TABLES) == [0] * len(TABLES)


def test_only_what_is_there_can_be_held(service, story):
    with pytest.raises(Objection):
        hold(service.parts.store, "99999999", "x", "y", SOON)
    with pytest.raises(Objection):
        release(service.parts.store, story.case, "y", SOON)


def test_an_erased_recording_cannot_be_held(service, story, audio):
    story.audio_arrives(audio)
    purged(service, audio, SOON + 91 * DAY)
    with pytest.raises(Objection, match="its audio is erased; there is nothing left of it to keep"):
        hold(service.parts.store, story.recording, "a dispute", "legal", SOON + 92 * DAY)


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_purge_that_is_interrupted_is_finished_by_the_next(service, story, audio, turn):
    story.audio_arrives(audio)
    put_audio(service, audio, story.talk.sid, "RE" + "7" * 32)
    failpoint.arm(f"purge.mid:raise@{turn}")
    with pytest.raises(failpoint.Failed):
        purge(service.parts.store, audio, times(service), SOON + 400 * DAY)
    failpoint.arm("")
    assert count(service, "calls") == [4]
    purge(service.parts.store, audio, times(service), SOON + 400 * DAY)
    assert count(service, *TABLES) == [0] * len(TABLES)
    assert list(audio.files()) == []


def test_the_round_goes_once_a_day(service, story, audio):
    look = Purge(service.parts.store, audio, times(service))
    look(SOON)
    story.audio_arrives(audio)
    look(SOON + timedelta(hours=23))
    look(SOON + 91 * DAY)
    assert list(audio.files()) == []
    put_audio(service, audio, story.talk.sid, "RE" + "7" * 32)
    look(SOON + 91 * DAY + timedelta(hours=23))
    assert len(list(audio.files())) == 1
    look(SOON + 92 * DAY)
    assert list(audio.files()) == []


# --- erasure


LATER = SOON + timedelta(hours=2)


def erase(service, audio, at=LATER, **whom):
    return Erasure(service.parts.store, audio, SECRET).erase(Subject(**whom), "privacy officer", at)


def everything_said(service):
    """All that is stored, as one text."""
    tables = (*TABLES, "outbox", "recordings", "representatives", "erasures")
    return " ".join(str(row) for table in tables for row in service.query(f"SELECT * FROM {table}"))


def test_a_number_is_erased_with_all_that_came_from_it(service, story, audio, folder):
    story.audio_arrives(audio)
    recording = story.recording
    log_entry(service, story.case, "note", text="rang +1 408 555 0142")
    certificate = erase(service, audio, number=ACME_PHONE)
    assert certificate.removed.counts["calls"] == 3
    assert certificate.removed.counts["recordings"] == 1
    assert certificate.done_at == LATER
    assert list(folder.iterdir()) == []
    said = everything_said(service)
    assert "4085550142" not in said
    assert story.message.sid not in said
    assert service.query("SELECT sid FROM calls") == [(story.stranger.sid,)]
    assert findings(service, at=LATER) == ()
    assert service.query("SELECT key FROM outbox WHERE kind = 'delete_copy'") == [(f"{recording}.delete_copy.erased",)]


def test_a_partner_is_erased_with_its_calls_and_its_entry(service, story, audio):
    certificate = erase(service, audio, partner=ACME)
    assert certificate.removed.counts["calls"] == 3
    assert certificate.removed.counts["partners"] == 1
    assert service.query("SELECT 1 FROM partners WHERE partner_id = ?", ACME) == []
    assert service.query("SELECT sid FROM calls") == [(story.stranger.sid,)]


def test_a_number_that_was_keyed_or_noted_elsewhere_goes_too(service, audio):
    call = service.at(TUESDAY_MORNING).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("2")
    call.engineer_accepts().talks(5).engineer_hangs_up().hangs_up()
    service.phone.settle()
    case = service.call_of(call).case_number
    log_entry(service, case, "note", text="also reachable at 0044 20 or 00442079460998, not 20794609981")
    certificate = erase(service, audio, number=STRANGER)
    assert certificate.removed.counts == {"blotted out": 1}
    ((detail,),) = service.query("SELECT detail FROM work_log")
    assert json.loads(detail) == {"text": "also reachable at 0044 20 or erased, not 20794609981"}


def test_to_erase_twice_is_to_erase_once(service, story, audio):
    first = erase(service, audio, number=ACME_PHONE)
    assert erase(service, audio, at=LATER + DAY, number=ACME_PHONE) == first
    assert count(service, "erasures") == [1]
    assert ACME_PHONE not in first.subject
    assert len(first.subject) == 64


def test_what_is_held_is_named_and_keeps_its_call_only(service, story, audio):
    story.audio_arrives(audio)
    hold(service.parts.store, story.recording, "a dispute", "legal", SOON)
    certificate = erase(service, audio, number=ACME_PHONE)
    assert certificate.removed.held == (story.recording,)
    assert certificate.removed.counts["calls"] == 2
    assert {sid for (sid,) in service.query("SELECT sid FROM calls")} == {story.message.sid, story.stranger.sid}
    release(service.parts.store, story.recording, "legal", LATER)
    again = erase(service, audio, at=LATER + DAY, number=ACME_PHONE)
    assert (again.removed.held, again.removed.counts["calls"]) == ((), 1)
    assert "4085550142" not in everything_said(service)


def test_a_call_of_the_last_hour_is_left_for_the_next_time(service, story, audio):
    certificate = erase(service, audio, at=SOON, number=ACME_PHONE)
    assert (certificate.removed.young, certificate.removed.counts.get("calls", 0)) == (3, 0)
    assert erase(service, audio, at=LATER, number=ACME_PHONE).removed.counts["calls"] == 3


KILLED = """
from datetime import datetime
from recordings import failpoint
from recordings.audio_store import open_audio
from recordings.engines import open_store
from recordings.erasure import Erasure
from recordings.erasure_subject import Subject

failpoint.arm("purge.mid:kill9@2")
erasure = Erasure(open_store({url!r}), open_audio({audio!r}), {secret!r})
erasure.erase(Subject(number={number!r}), "privacy officer", datetime.fromisoformat({at!r}))
"""


def test_an_erasure_that_is_killed_is_finished_under_the_same_certificate(service, story, audio, folder):
    """kill -9 in the middle, then the same again: the certificate counts every call, once."""
    put_audio(service, audio, story.talk.sid, "RE" + "7" * 32)
    words = {"url": service.url, "audio": f"file:{folder}", "secret": SECRET, "number": ACME_PHONE}
    program = KILLED.format(**words, at=LATER.isoformat())
    root = Path(__file__).parent.parent
    killed = subprocess.run([sys.executable, "-c", program], cwd=root, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    ((ident, done_at),) = service.query("SELECT id, done_at FROM erasures")
    assert done_at is None
    certificate = erase(service, audio, at=LATER + DAY, number=ACME_PHONE)
    assert (certificate.id, certificate.removed.counts["calls"]) == (ident, 3)
    assert "4085550142" not in everything_said(service)
    assert list(audio.files()) == []


def run(command, service, monkeypatch, tmp_path, *arguments):
    monkeypatch.chdir(tmp_path)
    given = {**ENVIRONMENT, "DATABASE_URL": service.url, "RECORDINGS_URL": f"file:{tmp_path / 'audio'}"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(command, arguments)


def test_no_byte_of_an_erased_number_is_left_in_the_file(sqlite_url, tmp_path, monkeypatch):
    service = Service(sqlite_url)
    service.url, path = sqlite_url, sqlite_url.removeprefix("sqlite:///")
    story, audio = Story(service), open_audio(f"file:{tmp_path / 'audio'}")
    story.audio_arrives(audio)
    needles = [b"4085550142", story.message.sid.encode(), AUDIO[:40]]
    assert shows(path, needles[:1])
    service.close()
    arguments = ("--number", "+1 408 555 0142", "--by", "me", "--yes", "--json")
    done = run(erase_command, service, monkeypatch, tmp_path, *arguments)
    told = json.loads(done.output)
    assert (done.exit_code, told["file_clean"], told["removed"]["counts"]["calls"]) == (0, True, 3)
    assert told["in_backups_until"] is None
    assert not shows(path, needles)
    assert list((tmp_path / "audio").iterdir()) == []


def test_the_command_asks_first_and_refuses_our_own_numbers(service, story, monkeypatch, tmp_path):
    (tmp_path / "audio").mkdir()
    arguments = ("--by", "me")
    assert run(erase_command, service, monkeypatch, tmp_path, *arguments).exit_code == 2
    assert run(erase_command, service, monkeypatch, tmp_path, "--number", "12", *arguments).exit_code == 2
    ours = run(erase_command, service, monkeypatch, tmp_path, "--number", LINE["us-standard"], *arguments)
    assert "a number of ours" in ours.output
    assert run(erase_command, service, monkeypatch, tmp_path, "--number", ACME_PHONE, *arguments).exit_code == 1
    assert count(service, "calls") == [4]


def test_the_command_holds_and_releases(service, story, monkeypatch, tmp_path):
    def say(*arguments):
        return run(hold_command, service, monkeypatch, tmp_path, *arguments)

    assert say(story.case, "--by", "legal").exit_code == 2
    assert say("99999999", "--by", "legal", "--reason", "x").exit_code == 1
    assert say(story.case, "--by", "legal", "--reason", "a dispute").output == f"{grouped(story.case)} is held\n"
    assert say(grouped(story.case), "--by", "legal", "--release").output == f"{grouped(story.case)} is released\n"


def test_a_file_that_no_row_names_is_removed_a_day_later(store, tmp_path):
    """What a process had just written when it was killed; its key is gone with it."""
    audio = open_audio(f"file:{tmp_path}/audio")
    audio.put(name_for("RE" + "0" * 32), b"nobody can open this")
    written = next(audio.files()).since

    assert purge(store, audio, Times({}), written + timedelta(hours=23))["strays"] == 0
    assert purge(store, audio, Times({}), written + timedelta(hours=25))["strays"] == 1
    assert list(audio.files()) == []
