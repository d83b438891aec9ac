"""The store: one transaction at a time, never longer than the deadline, and back by itself when a fault is gone."""

import fcntl
import os
import resource
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from children import fork, succeeded
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

from recordings.engines import open_store
from recordings.postgres import PostgresStore
from recordings.postgres_line import Line, Losses
from recordings.store import Conflict, Connection, Interrupted, Job, Store, StoreUnavailable
from recordings.tables import Instant

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

PUT = "INSERT INTO counters (name, value) VALUES (?, 0)"
MORE = "UPDATE counters SET value = value + 1 WHERE name = 'n'"
SOON = 5.0  # seconds: more than anything takes that does not wait for a fault to go away
NOBODY = 65534


def put(store: Store, name: str, timeout: float = SOON) -> None:
    sql = store.sql(PUT)
    store.write(lambda conn: conn.execute(sql, (name,)), timeout)


def names(store: Store) -> set[str]:
    return {row[0] for row in store.read(lambda conn: conn.execute("SELECT name FROM counters").fetchall(), SOON)}


def value(store: Store) -> int:
    return store.read(lambda conn: conn.execute("SELECT value FROM counters WHERE name = 'n'").fetchone(), SOON)[0]


def until(holds, patience: float = 10.0) -> None:
    """Wait until something holds, and not for ever."""
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is inside must return or raise in time; two seconds are granted to a busy machine."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds + 2.0


# Both engines


def test_what_is_written_is_read(store):
    put(store, "a")

    assert names(store) == {"a"}


def test_work_that_raises_leaves_nothing_behind(store):
    def work(conn: Connection) -> None:
        conn.execute(store.sql(PUT), ("a",))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(work, SOON)
    assert names(store) == set()


def test_a_broken_constraint_is_a_conflict_and_undoes_the_whole_work(store):
    put(store, "a")

    def work(conn: Connection) -> None:
        conn.execute(store.sql(PUT), ("b",))
        conn.execute(store.sql(PUT), ("a",))

    with pytest.raises(Conflict):
        store.write(work, SOON)
    assert names(store) == {"a"}


def test_threads_that_count_together_arrive_at_the_right_number(store):
    put(store, "n")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: store.write(lambda conn: conn.execute(MORE), 30), range(200)))

    assert value(store) == 200


def test_processes_that_count_together_arrive_at_the_right_number(store):
    """A transaction that reads first and takes the lock later would lose counts, and say nothing."""
    put(store, "n")

    def count() -> None:
        for _ in range(50):
            store.write(lambda conn: conn.execute(MORE), 30)

    children = [fork(count) for _ in range(4)]

    assert [succeeded(child) for child in children] == [True] * 4
    assert value(store) == 200


def test_a_fork_leaves_parent_and_child_with_stores_of_their_own(store):
    put(store, "before")
    assert succeeded(fork(lambda: put(store, "child")))
    put(store, "parent")

    assert names(store) == {"before", "child", "parent"}


def test_a_closed_store_opens_again_when_it_is_used(store):
    put(store, "a")
    store.close()
    put(store, "b")

    assert names(store) == {"a", "b"}


def test_a_statement_that_the_schema_does_not_know_says_what_to_do(store):
    with pytest.raises(StoreUnavailable, match="run ivr db upgrade"):
        store.read(lambda conn: conn.execute("SELECT 1 FROM no_such_thing"), SOON)


def test_writes_that_came_too_late_are_never_done(store):
    """Two writes wait behind one that takes long: the one with time left is done, the other never."""
    if isinstance(store, PostgresStore):
        store._size = 1
        store._start()
    go_on = threading.Event()
    with ThreadPoolExecutor(3) as threads:
        slow = threads.submit(store.write, lambda _conn: go_on.wait(SOON), 30)
        until(slow.running)
        time.sleep(0.05)
        patient = threads.submit(put, store, "patient", 30)
        with pytest.raises(StoreUnavailable):
            put(store, "impatient", 0.2)
        go_on.set()
        patient.result(SOON)

    assert names(store) == {"patient"}


def test_an_instant_comes_back_as_it_was_to_the_microsecond_and_sorts(store):
    instants = [datetime(2026, 3, 8, 9, 59, 59, 999_999, tzinfo=UTC) + timedelta(microseconds=n) for n in range(3)]
    sql = store.sql("INSERT INTO policies (version, programme, text, loaded_at) VALUES (?, 'p', '', ?)")
    rows = [(str(number), store.instant(instant)) for number, instant in enumerate(reversed(instants))]
    store.write(lambda conn: conn.cursor().executemany(sql, rows), SOON)

    found = store.read(lambda conn: conn.execute("SELECT loaded_at FROM policies ORDER BY loaded_at").fetchall(), SOON)
    assert [store.moment(each) for (each,) in found] == instants


def test_an_instant_without_a_zone_is_refused(store):
    naive = datetime(2026, 7, 14, 12, 0)  # noqa: DTZ001
    with pytest.raises(ValueError, match="no time zone"):
        store.instant(naive)
    for engine in (sqlite.dialect(), postgresql.dialect()):
        with pytest.raises(ValueError, match="no time zone"):
            Instant().process_bind_param(naive, engine)


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "sqlite3:///a.db"])
def test_a_url_that_cannot_be_a_store_is_refused_with_the_form_that_can(url: str):
    with pytest.raises(ValueError, match="sqlite:///FILE or postgresql"):
        open_store(url)


# SQLite


@pytest.fixture
def file(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    with closing(open_store(sqlite_url)) as store:
        yield store


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold SQLite's own write lock, as a foreign program would that knows nothing of our queue."""
    with closing(sqlite3.connect(file, isolation_level=None)) as conn:
        conn.execute("BEGIN IMMEDIATE")
        yield
        conn.execute("ROLLBACK")


def test_a_foreign_write_lock_costs_the_timeout_and_no_more_and_is_forgotten_when_it_is_gone(sqlite_store, file):
    with locked(file):
        with within(0.6), pytest.raises(StoreUnavailable, match="locked"):
            put(sqlite_store, "too late", 0.6)
        assert names(sqlite_store) == set()
    put(sqlite_store, "after")

    assert names(sqlite_store) == {"after"}


def test_a_short_lock_is_waited_for(sqlite_store, file):
    with ThreadPoolExecutor(1) as threads:
        with locked(file):
            waiting = threads.submit(put, sqlite_store, "a", SOON)
            time.sleep(0.4)
        waiting.result(SOON)

    assert names(sqlite_store) == {"a"}


def test_a_process_that_stops_in_the_queue_of_writers_holds_nobody_past_the_timeout(sqlite_store, file):
    put(sqlite_store, "before")
    with Path(f"{file}.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with within(0.3), pytest.raises(StoreUnavailable, match="another process"):
            put(sqlite_store, "too late", 0.3)
        fcntl.flock(lock, fcntl.LOCK_UN)
        put(sqlite_store, "after")

    assert names(sqlite_store) == {"before", "after"}


def test_writes_that_share_a_commit_do_not_share_a_fault(sqlite_store, file):
    """Five writes pile up in the queue of writers and are committed together; the one that fails is alone in it."""
    put(sqlite_store, "2")
    with ThreadPoolExecutor(5) as threads:
        with Path(f"{file}.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            writes = [threads.submit(put, sqlite_store, str(n), SOON) for n in range(5)]
            until(lambda: sqlite_store._writer._queue.qsize() == 4)
        failed = [n for n, write in enumerate(writes) if write.exception(SOON)]

    assert failed == [2]
    assert names(sqlite_store) == {"0", "1", "2", "3", "4"}


def test_readers_are_not_held_up_by_a_writer(sqlite_store, file):
    put(sqlite_store, "a")
    with locked(file), within(0.0):
        assert names(sqlite_store) == {"a"}


def test_a_reader_cannot_write(sqlite_store):
    with pytest.raises(StoreUnavailable, match="readonly"):
        sqlite_store.read(lambda conn: conn.execute("DELETE FROM counters"), SOON)


def test_a_deleted_file_takes_no_writes_and_is_not_made_anew(sqlite_store, file, tmp_path):
    put(sqlite_store, "before")
    file.rename(tmp_path / "elsewhere.db")
    for _ in range(2):
        with within(0.5), pytest.raises(StoreUnavailable):
            put(sqlite_store, "lost", 0.5)

    assert not file.exists()
    (tmp_path / "elsewhere.db").rename(file)
    put(sqlite_store, "after")
    assert {"before", "after"} <= names(sqlite_store)


def test_a_file_that_another_has_taken_the_place_of_is_left_for_that_one(sqlite_store, sqlite_template, file):
    put(sqlite_store, "before")
    names(sqlite_store)
    for suffix in ("", "-wal", "-shm"):
        Path(f"{file}{suffix}").unlink()
    shutil.copy(sqlite_template, file)
    with pytest.raises(StoreUnavailable, match="deleted or replaced"):
        put(sqlite_store, "lost")
    put(sqlite_store, "after")

    until(lambda: names(sqlite_store) == {"after"})


def test_a_full_database_refuses_writes_and_still_reads(sqlite_store):
    put(sqlite_store, "before")
    pages = "PRAGMA max_page_count"
    full = sqlite_store.write(lambda conn: conn.execute(f"{pages} = 1").fetchall(), SOON)[0][0]
    text = "x" * 100_000
    big = sqlite_store.sql("INSERT INTO policies (version, programme, text, loaded_at) VALUES ('v', 'p', ?, 0)")

    with pytest.raises(StoreUnavailable, match="full"):
        sqlite_store.write(lambda conn: conn.execute(big, (text,)), SOON)
    assert names(sqlite_store) == {"before"}
    sqlite_store.write(lambda conn: conn.execute(f"{pages} = {full + 1000}").fetchall(), SOON)
    sqlite_store.write(lambda conn: conn.execute(big, (text,)), SOON)


def test_a_disk_that_takes_no_more_bytes_refuses_writes_until_it_does(sqlite_store, file):
    """The limit on the size of files stands in for the disk: the write itself fails, wherever SQLite is."""
    put(sqlite_store, "before")
    names(sqlite_store)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{file}-wal").stat().st_size + 100, before[1]))
    try:
        with pytest.raises(StoreUnavailable):
            put(sqlite_store, "lost")
        found = names(sqlite_store)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    put(sqlite_store, "after")

    assert found == {"before"}
    assert names(sqlite_store) == {"before", "after"}


def test_a_file_that_may_only_be_read_refuses_writes_until_it_may_be_written(sqlite_template):
    """Root may write whatever it likes, so the test gives that up for a moment."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    file = Path(shutil.copy(sqlite_template, folder / "partnerline.db"))
    if os.geteuid() == 0:
        os.chown(file, NOBODY, -1)
    try:
        with ordinary_user(), closing(open_store(f"sqlite:///{file}")) as store:
            file.chmod(0o444)
            with within(0.5), pytest.raises(StoreUnavailable, match="readonly"):
                put(store, "lost", 0.5)
            file.chmod(0o666)
            put(store, "after")
            assert names(store) == {"after"}
    finally:
        shutil.rmtree(folder)


@contextmanager
def ordinary_user() -> Iterator[None]:
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


# Postgres


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[Store]:
    with closing(open_store(postgres_url)) as store:
        yield store


def test_nobody_listening_is_found_out_at_once():
    store = open_store("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with closing(store), within(0.5), pytest.raises(StoreUnavailable, match="refused"):
        put(store, "lost")


def test_a_server_that_hangs_is_waited_for_until_the_deadline_by_a_bounded_number_of_threads(
    postgres_store, postgres_server
):
    put(postgres_store, "before")
    threads = threading.active_count()
    with postgres_server.frozen():
        for _ in range(8):
            with within(0.1), pytest.raises(StoreUnavailable, match="in time"):
                put(postgres_store, "maybe", 0.1)
        for _ in range(20):
            with within(0.0), pytest.raises(StoreUnavailable, match="all 8 connections"):
                put(postgres_store, "never", 30)
        assert threading.active_count() <= threads + 8
    until(lambda: served(postgres_store))

    assert "never" not in names(postgres_store)


def served(store: Store) -> bool:
    with suppress(StoreUnavailable):
        put(store, str(time.monotonic()))
        return True
    return False


def test_dead_connections_are_replaced(postgres_store, postgres_server):
    put(postgres_store, "before")
    for pid in postgres_server.backends():
        with suppress(Exception):
            postgres_server.execute(f"SELECT pg_terminate_backend({pid}) WHERE {pid} <> pg_backend_pid()")

    assert names(postgres_store) == {"before"}
    put(postgres_store, "after")


def test_after_one_connection_is_lost_the_others_are_opened_anew_before_they_fail_too(postgres_url, postgres_server):
    store, losses = PostgresStore(make_url(postgres_url)), Losses()
    lines = [Line(store._conninfo, losses) for _ in range(2)]
    answers = [answer(line) for line in lines]
    for pid in postgres_server.backends():
        postgres_server.execute(f"SELECT pg_terminate_backend({pid}, 5000) WHERE {pid} <> pg_backend_pid()")

    assert answers == [(1,), (1,)]
    with pytest.raises(Interrupted):
        answer(lines[0])
    assert [answer(line) for line in lines] == [(1,), (1,)]
    for line in lines:
        line.close()


def answer(line: Line) -> object:
    job = Job(lambda conn: conn.execute("SELECT 1").fetchone(), time.monotonic() + SOON)
    line.settle(job)
    return job.outcome()


def test_a_statement_that_has_to_wait_for_a_lock_is_given_up_at_the_deadline(postgres_store, postgres_url):
    put(postgres_store, "n")
    with closing(open_store(postgres_url)) as other, ThreadPoolExecutor(1) as threads:
        held, go_on = threading.Event(), threading.Event()
        holder = threads.submit(other.write, lambda conn: (conn.execute(MORE), held.set(), go_on.wait(SOON)), 30)
        assert held.wait(SOON)
        with within(0.3), pytest.raises(StoreUnavailable):
            postgres_store.write(lambda conn: conn.execute(MORE), 0.3)
        go_on.set()
        holder.result(SOON)
