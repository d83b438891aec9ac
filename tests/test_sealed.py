"""Encryption at rest: nothing can be read without a key, nothing can be altered, and keys can be changed."""

import base64

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rest import Rest, serving, speech
from studio import AT, Studio

from ivr.commands.rotate import command
from ivr.transcribed import sealed as sealed_text
from recordings import kept
from recordings.audio_store import AudioMissing, AudioUnavailable, name_for, open_audio
from recordings.outbox import Owed
from recordings.rotation import rotate
from recordings.sealed import KeyFault, Keyring, Tampered, UnknownKey, Unreadable, key_faults

SID, OTHER = "RE" + "1" * 32, "RE" + "2" * 32
OLD, NEW = (f"{name}:{base64.b64encode(letter * 32).decode()}" for name, letter in (("old", b"o"), ("new", b"n")))
SECRET = "a secret of the tests, long enough for anybody"
WORDS = "the tape says that our gateway in the basement hums"


@given(st.binary(max_size=2000))
def test_what_is_sealed_opens_as_itself_and_nothing_of_it_shows(audio):
    keys = Keyring.parse(NEW)
    sealed = keys.seal_file(SID, audio)
    assert keys.open_file(SID, sealed.blob, sealed.sealed_key) == audio
    assert len(audio) < 8 or audio not in sealed.blob
    assert sealed.key_id == "new"


def altered(content):
    for at in range(len(content)):
        other = bytearray(content)
        other[at] ^= 1
        yield bytes(other)


def test_every_altered_byte_of_a_file_or_of_its_key_is_refused():
    keys = Keyring.parse(NEW)
    sealed = keys.seal_file(SID, bytes(200))
    for blob in altered(sealed.blob):
        with pytest.raises(Tampered):
            keys.open_file(SID, blob, sealed.sealed_key)
    for key in altered(sealed.sealed_key):
        with pytest.raises(Unreadable):
            keys.open_file(SID, sealed.blob, key)
    for end in range(len(sealed.blob)):
        with pytest.raises(Tampered):
            keys.open_file(SID, sealed.blob[:end], sealed.sealed_key)
    for end in range(len(sealed.sealed_key)):
        with pytest.raises(Unreadable):
            keys.open_file(SID, sealed.blob, sealed.sealed_key[:end])


def test_a_file_opens_only_as_the_recording_that_it_is_of():
    keys = Keyring.parse(NEW)
    one, other = keys.seal_file(SID, b"one"), keys.seal_file(OTHER, b"other")
    with pytest.raises(Tampered):
        keys.open_file(OTHER, one.blob, one.sealed_key)
    with pytest.raises(Tampered):
        keys.open_file(SID, one.blob, other.sealed_key)
    with pytest.raises(Tampered):
        keys.open(keys.seal(b"text", SID), OTHER)


def test_the_first_key_seals_and_all_of_them_open():
    old, both, new = Keyring.parse(OLD), Keyring.parse(f"{NEW}, {OLD}"), Keyring.parse(NEW)
    before = old.seal_file(SID, b"audio")
    assert both.open_file(SID, before.blob, before.sealed_key) == b"audio"
    with pytest.raises(UnknownKey, match="old"):
        new.open_file(SID, before.blob, before.sealed_key)
    wrapped, name = both.rewrap(before.sealed_key)
    assert name == "new"
    assert new.open_file(SID, before.blob, wrapped) == b"audio"


def test_without_a_key_of_its_own_the_secret_gives_one_and_it_opens_later_too():
    derived = Keyring.parse("", SECRET)
    sealed = derived.seal(b"text")
    assert Keyring.derived(SECRET).open(sealed) == b"text"
    assert Keyring.parse(NEW, SECRET).open(sealed) == b"text"
    assert Keyring.parse(NEW, SECRET).first == "new"
    with pytest.raises(Tampered):
        Keyring.derived(SECRET + "x").open(sealed)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("secret", "entry 1 has no id"),
        (":AAAA", "entry 1 has no id"),
        ("a b:AAAA", "entry 1 has no id"),
        ("a:AAAA", "is not 32 bytes"),
        ("a:!!!", "is not 32 bytes"),
        (f"{OLD},{OLD}", "entry 2 has an id, old, that is taken"),
        (f"{OLD},b:", "entry 2, b, is not 32 bytes"),
        ("", "there is no key"),
    ],
)
def test_a_bad_list_of_keys_says_which_entry_and_how_to_mend_it(text, words):
    with pytest.raises(KeyFault) as fault:
        Keyring.parse(text)
    assert words in str(fault.value)
    assert fault.value.faults[0][1]
    assert text == "" or key_faults(text)
    assert "bytes in base64" not in words or "AAAA" not in str(fault.value), "no key is shown"


def test_keys_do_not_show_in_what_is_printed():
    assert repr(Keyring.parse(f"{NEW},{OLD}")) == "Keyring(new, old)"


@pytest.fixture
def studio(sqlite_url, tmp_path):
    from recordings.engines import open_store

    store = open_store(sqlite_url)
    with serving(Rest()) as account:
        studio = Studio(store, tmp_path / "audio", account, Keyring.parse(OLD))
        for _ in range(3):
            call = studio.voicemail()
            account.holds(call.sid, call.message.recording)
            studio.fetches(call)
            sid = call.message.recording
            sealed = sealed_text(WORDS, sid, studio.keys)
            detail = {"recording": sid, "status": "completed", "sealed": sealed}
            studio.owes(Owed("transcript", f"{sid}.transcript", detail, call.sid))
        studio.works(minutes=(0, 2))
        yield studio
    store.close()


def test_neither_audio_nor_words_can_be_found_on_the_disk(studio, tmp_path):
    assert studio.states() == {"stored": 3}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name.endswith("-wal") for path in files)
    assert sum(path.name.startswith("RE") for path in files) == 3
    audio = speech()
    for needle in (b"RIFF", b"WAVEfmt", audio[44:108], audio[1000:1064], WORDS.encode(), b"basement"):
        assert [path for path in files if needle in path.read_bytes()] == []


def test_changing_the_key_touches_the_database_alone_and_what_is_old_stays_readable(studio):
    rows = list(kept.everything(studio.store))
    before = {path: path.read_bytes() for path in studio.folder.iterdir()}
    both = Keyring.parse(f"{NEW},{OLD}")
    assert rotate(studio.store, both) == (3, {})
    assert rotate(studio.store, both) == (0, {})
    assert {path: path.read_bytes() for path in studio.folder.iterdir()} == before
    new = Keyring.parse(NEW)
    for old, row in zip(rows, kept.everything(studio.store), strict=True):
        assert row.key_id == "new"
        assert row.sealed_key != old.sealed_key
        assert new.open_file(row.sid, studio.parts.audio.read(row.name), row.sealed_key) == speech()
        assert new.open(row.transcript, row.sid).decode() == WORDS


def test_a_change_of_keys_that_was_broken_off_goes_on_where_it_was(studio, monkeypatch):
    from recordings import rotation

    both, done = Keyring.parse(f"{NEW},{OLD}"), []
    real = rotation.rewrapped

    def breaks(*args):
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append(real(*args))
        return True

    monkeypatch.setattr(rotation, "rewrapped", breaks)
    with pytest.raises(KeyboardInterrupt):
        rotate(studio.store, both)
    monkeypatch.undo()
    assert rotate(studio.store, both) == (2, {})


def test_a_row_that_no_key_opens_is_named_and_left_alone(studio):
    only_new = Keyring.parse(NEW)
    done, unreadable = rotate(studio.store, only_new)
    assert done == 0
    assert set(unreadable) == {row.sid for row in kept.everything(studio.store)}
    assert "old" in next(iter(unreadable.values()))


def test_the_command_changes_keys_and_says_how_many(studio, sqlite_url, monkeypatch):
    from service import ENVIRONMENT

    for name, value in {**ENVIRONMENT, "DATABASE_URL": sqlite_url, "RECORDINGS_KEY": f"{NEW},{OLD}"}.items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(command, ["recordings"])
    assert result.exit_code == 0, result.output
    assert "3 recordings are now sealed under new" in result.output
    monkeypatch.setenv("RECORDINGS_KEY", "x")
    result = CliRunner().invoke(command, ["recordings"])
    assert result.exit_code == 1
    assert "RECORDINGS_KEY" in result.output


def test_a_name_in_the_audio_store_is_an_id_and_written_once(tmp_path):
    for url in ("memory:", f"file:{tmp_path}/one/two"):
        audio, name = open_audio(url), name_for(SID)
        audio.put(name, b"0123456789")
        with pytest.raises(FileExistsError):
            audio.put(name, b"other")
        assert audio.read(name) == b"0123456789"
        assert audio.read(name, 2, 3) == b"234"
        assert audio.read(name, 6) == b"6789"
        assert audio.size(name) == 10
        assert [each.name for each in audio.files()] == [name]
        audio.delete(name)
        audio.delete(name)
        with pytest.raises(AudioMissing):
            audio.read(name)


HOSTILE = [
    "",
    ".",
    "..",
    "../x",
    "/etc/passwd",
    SID,
    f"{SID}.12345678/x",
    f"../{SID}.12345678",
    f"{SID}.1234567\n",
    "RE\0",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_name_is_refused(tmp_path, name):
    audio = open_audio(f"file:{tmp_path}/audio")
    for act in (audio.read, audio.size, audio.delete, lambda each: audio.put(each, b"")):
        with pytest.raises(ValueError):
            act(name)


@pytest.mark.parametrize("url", ["", "var", "ftp://x/y", "s3://", "az://x/y", "http://127.0.0.1/x"])
def test_a_place_that_holds_no_audio_is_refused_with_the_mend(url):
    with pytest.raises(ValueError, match=r"RECORDINGS_URL: .*Write file:FOLDER"):
        open_audio(url)


def test_a_full_or_locked_folder_is_told_as_such(tmp_path):
    audio = open_audio(f"file:{tmp_path}/audio")
    (tmp_path / "audio").rmdir()
    (tmp_path / "audio").write_text("a file where the folder was")
    with pytest.raises(AudioUnavailable):
        audio.put(name_for(SID), b"x")


def test_what_was_left_half_written_is_swept_after_a_while(tmp_path):
    audio = open_audio(f"file:{tmp_path}/audio")
    half = tmp_path / "audio" / f"{name_for(SID)}#1"
    half.write_bytes(b"half")
    assert audio.sweep(AT.replace(year=2020)) == 0
    assert audio.sweep(AT.replace(year=2100)) == 1
    assert not half.exists()
