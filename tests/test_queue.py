"""The queue: killed, emptied, hung or thrown away, it loses nothing, for the outbox is the truth."""

import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from service import settings_for

from ivr.jobs.queue import huey_for, queue_file
from ivr.jobs.work import Worker
from recordings.engines import open_store
from recordings.outbox import Owed, Pace, listing, owe_now

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FAST = 60  # a second here is a minute there, so that a lease ends while the test looks on
PATIENCE = 30.0  # seconds


class Bench:
    """A worker in a thread of its own, on a clock that runs fast."""

    def __init__(self, url: str, redis_url: str = "") -> None:
        self.store = open_store(url)
        self.settings = settings_for(url, REDIS_URL=redis_url)
        self.done: Counter[str] = Counter()
        self._since = time.monotonic()

    def clock(self) -> datetime:
        return NOON + timedelta(seconds=FAST * (time.monotonic() - self._since))

    def owes(self, *names: str) -> None:
        owe_now(self.store, [Owed("letter", name) for name in names], self.clock(), timeout=20.0)

    def owes_slowly(self, count: int) -> None:
        owe_now(self.store, [Owed("fetch", f"fetch {n}") for n in range(count)], self.clock(), timeout=20.0)

    @contextmanager
    def working(self, before=lambda _job: None, *kinds):
        def deliver(job, _at):
            before(job)
            self.done.update([job.key])

        stop = Event()
        thread = Thread(
            target=Worker(self.store, dict.fromkeys(kinds or ("letter",), deliver), ()).run,
            args=(self.settings, stop, self.clock),
        )
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(PATIENCE)
        assert not thread.is_alive()

    def all_done(self, count: int) -> bool:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if len(self.done) >= count and not listing(self.store, "waiting"):
                return True
            time.sleep(0.05)
        return False


@pytest.fixture
def bench(database_url, tmp_path, monkeypatch):
    """With Postgres, the queue's file is under var/ of where the worker was started."""
    monkeypatch.chdir(tmp_path)
    bench = Bench(database_url)
    yield bench
    bench.store.close()


@pytest.fixture
def with_redis(sqlite_url, redis):
    bench = Bench(sqlite_url, redis.url)
    yield bench
    bench.store.close()


def names(count):
    return [f"letter {n}" for n in range(count)]


def test_every_job_is_done_once_with_nothing_installed(bench):
    bench.owes(*names(60))
    with bench.working():
        assert bench.all_done(60)
    assert set(bench.done.values()) == {1}


def test_every_job_is_done_once_over_redis(with_redis):
    with_redis.owes(*names(60))
    with with_redis.working():
        assert with_redis.all_done(60)
    assert set(with_redis.done.values()) == {1}


def test_a_queue_that_was_emptied_under_the_worker_loses_nothing(bench):
    """What had been claimed and was thrown away comes again when its lease ends."""
    huey = huey_for(bench.settings, Pace.HOUSE)

    def throw_away(job):
        if bench.done.total() == 5:
            huey.storage.flush_queue()

    bench.owes(*names(40))
    with bench.working(throw_away):
        assert bench.all_done(40)
    huey.storage.close()


def test_a_queue_file_that_was_removed_under_the_worker_loses_nothing(bench):
    def remove(job):
        if bench.done.total() == 5:
            for path in queue_file(bench.settings.database_url).parent.glob("*.queue*"):
                path.unlink()

    bench.owes(*names(20))
    with bench.working(remove):
        assert bench.all_done(20)


def test_a_redis_that_loses_everything_loses_no_job(with_redis, redis):
    """F-D3."""
    huey = huey_for(with_redis.settings, Pace.HOUSE)

    def flush(job):
        if with_redis.done.total() == 5:
            huey.storage.conn.flushall()

    with_redis.owes(*names(40))
    with with_redis.working(flush):
        assert with_redis.all_done(40)
    huey.storage.close()


def test_a_redis_that_dies_and_comes_back_loses_no_job(with_redis, redis):
    """F-D1: while it is away, jobs are done without it."""
    with_redis.owes(*names(30))
    with with_redis.working():
        redis.kill()
        with_redis.owes(*names(45)[30:])
        assert with_redis.all_done(45)
        redis.start()
        with_redis.owes(*names(60)[45:])
        assert with_redis.all_done(60)


def test_a_redis_that_hangs_stops_nothing(with_redis, redis):
    """F-D2."""
    with_redis.owes(*names(10))
    redis.hang()
    try:
        with with_redis.working():
            assert with_redis.all_done(10)
    finally:
        redis.go_on()


def test_two_workers_over_one_redis_do_each_job_once(with_redis, redis):
    other = Bench(with_redis.settings.database_url, redis.url)
    with_redis.owes(*names(80))
    with with_redis.working(), other.working():
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and listing(with_redis.store, "waiting"):
            time.sleep(0.05)
    both = with_redis.done + other.done
    other.store.close()
    assert len(both) == 80
    assert set(both.values()) == {1}


def test_nobody_who_can_write_to_the_queue_can_have_anything_else_done(with_redis):
    huey = huey_for(with_redis.settings, Pace.HOUSE)
    huey.storage.enqueue(b"cposix\nsystem\n(S'true'\ntR.")
    with_redis.owes("after")
    with with_redis.working():
        assert with_redis.all_done(1)
    huey.storage.close()


def test_what_takes_long_never_holds_up_a_page(bench):
    """Audio that comes slowly, and mail servers that hang, have threads of their own."""
    hang = Event()

    def slowly(job):
        if job.kind != "page":
            hang.wait(PATIENCE)

    bench.owes_slowly(40)
    with bench.working(slowly, "page", "fetch"):
        owe_now(bench.store, [Owed("page", f"page {n}") for n in range(20)], bench.clock())
        deadline = time.monotonic() + PATIENCE
        while sum(key.startswith("page") for key in bench.done) < 20:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        hang.set()
