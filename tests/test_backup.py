"""Backups and the restore drill: made under load, refused if a byte is wrong, whole or not at all."""

import json
import sqlite3
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import pytest
from click.testing import CliRunner
from keeping import KEYS, SOON, Story, findings, ground
from logbook import begun, key, rows, went_on
from paper import TUESDAY_MORNING
from service import ENVIRONMENT, Service

from ivr.commands.backup import command as backup_command
from ivr.commands.restore import command as restore_command
from recordings.backup import drop_old, make, name_at
from recordings.backup_file import verify
from recordings.engines import open_store
from recordings.fsck import examine
from recordings.log import CallLog
from recordings.migrations import upgrade
from recordings.restore import restore
from recordings.restore_checks import RestoreRefused
from recordings.schema import is_current
from recordings.sealed import Keyring, Tampered, Unreadable
from recordings.tables import metadata


@pytest.fixture
def service(database_url):
    service = Service(database_url)
    service.url = database_url
    service.parts.keep_policies()
    yield service
    service.close()


@pytest.fixture
def elsewhere(database_url, tmp_path, request):
    """The URL of another, empty database of the same engine."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'elsewhere' / 'partnerline.db'}"
    return request.getfixturevalue("postgres_server").new_database()


@pytest.fixture
def old_url(database_url, tmp_path, request):
    """The URL of a database without a schema, of the same engine."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'old.db'}"
    return request.getfixturevalue("postgres_server").new_database()


def names(folder):
    return [path.name for path in folder.iterdir()]


def everything(url):
    store = open_store(url)
    try:
        return {table: rows(store, f"SELECT * FROM {table} ORDER BY 1, 2") for table in metadata.tables}
    finally:
        store.close()


def test_a_restored_database_is_what_was_saved(service, elsewhere, tmp_path):
    Story(service)
    before = everything(service.url)
    manifest = make(service.url, tmp_path / "one.backup", KEYS, SOON)
    assert verify(tmp_path / "one.backup", KEYS) == manifest
    assert manifest.rows["calls"] == 4
    assert stat.S_IMODE((tmp_path / "one.backup").stat().st_mode) == 0o600

    restore(elsewhere, tmp_path / "one.backup", KEYS, force=False)

    assert everything(elsewhere) == before
    marks = service.query("SELECT name, at FROM marks")
    assert [(name, service.parts.store.moment(at)) for name, at in marks] == [("backup", SOON)]
    again = Service(elsewhere)
    assert findings(again) == ()
    again.at(TUESDAY_MORNING + timedelta(hours=1)).dials("+18888988733").hangs_up()
    again.phone.settle()
    assert again.query("SELECT count(*) FROM calls") == [(5,)]
    again.close()


def test_nothing_of_what_is_stored_can_be_read_in_the_file(service, tmp_path):
    """S29: known text is nowhere in the file, and no file but the backup is left."""
    Story(service)
    make(service.url, tmp_path / "kept" / "one.backup", KEYS, SOON)
    content = (tmp_path / "kept" / "one.backup").read_bytes()
    assert not [word for word in (b"4085550142", b"Acme", b"SQLite format", b"started_at") if word in content]
    assert names(tmp_path / "kept") == ["one.backup"]
    assert not list(tmp_path.glob("*.snapshot"))


def test_a_backup_made_while_calls_are_written_is_sound(service, elsewhere, tmp_path):
    """Invariant 39, and L16: no writer waits for long."""
    store, stop, longest = service.parts.store, Event(), [0.0] * 4

    def calls(number):
        log, count = CallLog(store), 0
        while not stop.is_set():
            sid, count = f"CA{number:08x}{count:024x}", count + 1
            for turn, step in enumerate((begun(sid), went_on(), went_on())):
                start = monotonic()
                log.turn(key(sid, turn), step, 10.0)
                longest[number] = max(longest[number], monotonic() - start)

    threads = [Thread(target=calls, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in range(3):
            make(service.url, tmp_path / f"{number}.backup", KEYS, SOON)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert max(longest) < 2.0  # a bound for two shared cores; alone it is a twentieth of that
    restore(elsewhere, tmp_path / "2.backup", KEYS, force=False)
    again = Service(elsewhere)
    assert again.query("SELECT count(*) FROM calls")[0][0] >= 4
    found = examine(ground(again, at=datetime(2026, 7, 14, 20, 31, tzinfo=UTC)))
    assert not set(found.found) - {"policies.kept"}, found.findings
    again.close()


SPOILT = {
    "a flipped bit": lambda content: content[:900] + bytes([content[900] ^ 1]) + content[901:],
    "a flipped bit at the end": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "cut short": lambda content: content[:-1000],
    "cut to its head": lambda content: content[:40],
    "longer": lambda content: content + b"x",
    "nothing": lambda _: b"",
    "something else": lambda _: b"SQLite format 3\0" * 100,
}


@pytest.mark.parametrize(("how", "spoil"), SPOILT.items())
def test_a_file_that_is_not_what_was_written_is_refused_before_anything_changes(
    service, elsewhere, tmp_path, how, spoil
):
    path = tmp_path / "one.backup"
    make(service.url, path, KEYS, SOON)
    path.write_bytes(spoil(path.read_bytes()))
    before = everything(service.url)
    with pytest.raises(Tampered):
        restore(service.url, path, KEYS, force=True)
    assert everything(service.url) == before


def test_another_key_opens_nothing(service, tmp_path):
    make(service.url, tmp_path / "one.backup", KEYS, SOON)
    with pytest.raises(Unreadable):
        verify(tmp_path / "one.backup", Keyring.derived("another secret, as long as the first one was"))


def test_a_backup_goes_into_its_own_engine_only(sqlite_url, postgres_url, tmp_path):
    for source, target in ((sqlite_url, postgres_url), (postgres_url, sqlite_url)):
        path = tmp_path / f"{source[:6]}.backup"
        make(source, path, KEYS, SOON)
        with pytest.raises(RestoreRefused, match="DATABASE_URL names"):
            restore(target, path, KEYS, force=True)


def test_a_database_that_holds_something_is_replaced_only_by_force(service, tmp_path):
    path = tmp_path / "one.backup"
    make(service.url, path, KEYS, SOON)
    Story(service)
    with pytest.raises(RestoreRefused, match="4 calls"):
        restore(service.url, path, KEYS, force=False)
    assert service.query("SELECT count(*) FROM calls") == [(4,)]
    restored = restore(service.url, path, KEYS, force=True)
    after = open_store(service.url)
    assert rows(after, "SELECT count(*) FROM calls") == [(0,)]
    after.close()
    if restored.aside:
        with sqlite3.connect(restored.aside) as conn:
            assert conn.execute("SELECT count(*) FROM calls").fetchall() == [(4,)]
        conn.close()


def test_an_older_backup_is_brought_up_to_date(elsewhere, old_url, tmp_path):
    upgrade(old_url, "0001")
    store = open_store(old_url)
    case = ("48207195", "CA1", "8x8-partner", store.instant(TUESDAY_MORNING), "us", "new", "", "open")
    columns = "number, call_sid, programme, opened_at, region, intent, flags, status"
    sql = store.sql(f"INSERT INTO cases ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
    store.write(lambda conn: conn.execute(sql, case), 10.0)
    store.close()
    make(old_url, tmp_path / "old.backup", KEYS, SOON)
    restore(elsewhere, tmp_path / "old.backup", KEYS, force=False)
    restored = open_store(elsewhere)
    assert is_current(restored)
    (look_at,) = rows(restored, "SELECT look_at FROM cases WHERE number = '48207195'")[0]
    assert restored.moment(look_at) == TUESDAY_MORNING
    restored.close()


def test_the_restore_drill_is_one_command(service, elsewhere, tmp_path, monkeypatch):
    Story(service)
    path = tmp_path / "drill.backup"
    for name, value in {**ENVIRONMENT, "DATABASE_URL": service.url}.items():
        monkeypatch.setenv(name, value)
    made = CliRunner().invoke(backup_command, [str(path)])
    assert (made.exit_code, "4 calls" in made.output) == (0, True), made.output
    good = CliRunner().invoke(backup_command, ["--verify", str(path)])
    assert (good.exit_code, "is a good backup" in good.output) == (0, True)
    assert CliRunner().invoke(backup_command, [str(path)]).exit_code == 1

    monkeypatch.setenv("DATABASE_URL", elsewhere)
    restored = CliRunner().invoke(restore_command, [str(path), "--json"])
    told = json.loads(restored.output)
    assert told["restored"]["manifest"]["rows"]["calls"] == 4
    assert told["examined"]["checked"]["calls"] == 4
    again = CliRunner().invoke(restore_command, [str(path)])
    assert (again.exit_code, "--force" in again.output) == (1, True)


def test_old_backups_go_and_the_newest_stays(tmp_path):
    made = [SOON - timedelta(days=days) for days in (30, 8, 6, 1)]
    for at in made:
        (tmp_path / name_at(at)).touch()
    (tmp_path / "other.backup").touch()
    assert len(drop_old(tmp_path, timedelta(days=7), SOON)) == 2
    assert sorted(names(tmp_path)) == sorted(["other.backup", *(name_at(at) for at in made[2:])])
    drop_old(tmp_path, timedelta(days=7), SOON + timedelta(days=100))
    assert sorted(names(tmp_path)) == sorted(["other.backup", name_at(made[3])])


def test_a_database_that_is_damaged_can_still_be_replaced(sqlite_url, tmp_path):
    """F-B6: the way back from a corrupt file is one command."""
    service = Service(sqlite_url)
    service.parts.keep_policies()
    Story(service)
    path, file = tmp_path / "one.backup", Path(sqlite_url.removeprefix("sqlite:///"))
    make(sqlite_url, path, KEYS, SOON)
    service.close()
    with file.open("r+b") as damaged:
        damaged.write(b"\0" * 4096)
    restore(sqlite_url, path, KEYS, force=True)
    again = Service(sqlite_url)
    assert findings(again) == ()
    again.close()
