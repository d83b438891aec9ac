"""The queue: Huey, which hands claimed jobs to threads. It may be lost at any moment; the outbox is the truth."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import monotonic

from huey import Huey, RedisHuey, SqliteHuey
from huey.consumer import Consumer, Worker
from huey.serializer import SignedSerializer
from sqlalchemy.engine import make_url

from ivr.observe import log
from ivr.settings import Settings
from ivr.shared import connect

NAME = "partnerline"
LONGEST_SLEEP = 2.0  # seconds that an idle thread sleeps, unless something is added by this process
EACH = 4  # jobs for each thread; more than that is left in the outbox, where no lease runs out
AWAY = 5.0  # seconds that a queue which did not answer is left alone
GOODBYE = 20  # seconds that running jobs have at the end

Run = Callable[[int, int], None]  # the row's id and the fence of its claim


class Queue:
    """Claimed jobs on their way to a thread: in Redis where there is one, else in a file beside the database.

    While it does not answer, threads of this process get the jobs directly.
    """

    def __init__(self, huey: Huey, run: Run, threads: int) -> None:
        logging.getLogger("huey").setLevel(logging.ERROR)
        logging.getLogger("huey.consumer").setLevel(logging.CRITICAL)  # what is wrong with the queue is said here
        self._huey = huey
        self._run = run
        self._task = huey.task(name="run")(run)
        self._full = EACH * threads
        self._added = Event()
        self._consumer = _consumer(huey, threads, self._added)
        self._here = ThreadPoolExecutor(threads, "job")
        self._running_here: set[Future[None]] = set()
        self._away_until = 0.0

    def room(self) -> int:
        """Return how many jobs may be added before the threads have enough to do."""
        if monotonic() >= self._away_until:
            try:
                return max(0, self._full - int(self._huey.pending_count()))
            except Exception as error:  # noqa: BLE001 - Huey passes on whatever its storage raises
                self._is_away(error)
        self._running_here = {each for each in self._running_here if not each.done()}
        return max(0, self._full - len(self._running_here))

    def put(self, number: int, fence: int) -> None:
        """Add a claimed job."""
        if monotonic() >= self._away_until:
            try:
                self._task(number, fence)
            except Exception as error:  # noqa: BLE001 - Huey passes on whatever its storage raises
                self._is_away(error)
            else:
                self._added.set()
                return
        self._running_here.add(self._here.submit(self._run, number, fence))

    def _is_away(self, error: Exception) -> None:
        log.warning("The queue does not answer, so that jobs are done without it: %s: %s", type(error).__name__, error)
        self._away_until = monotonic() + AWAY

    def start(self) -> None:
        """Start the threads."""
        self._consumer.scheduler.start()
        for _, thread in self._consumer.worker_threads:
            thread.start()

    def tend(self) -> None:
        """Start threads anew that have died."""
        self._consumer.check_worker_health()

    def stop(self) -> None:
        """Let running jobs end, and stop the threads."""
        self._consumer.shutdown_timeout = GOODBYE
        self._added.set()
        self._consumer.stop(graceful=True)
        self._here.shutdown(cancel_futures=True)
        self._huey.storage.close()


def _consumer(huey: Huey, threads: int, added: Event) -> Consumer:
    """Return Huey's consumer, whose threads wake when this process adds something."""

    class Waking(Worker):  # type: ignore[misc]
        def sleep(self) -> None:
            added.clear()
            if not self.stop_flag.is_set():
                added.wait(min(self.delay, self.max_delay))
            self.delay *= self.backoff

    class Waiting(Consumer):  # type: ignore[misc]
        worker_class = Waking

    return Waiting(huey, workers=threads, periodic=False, backoff=1.5, max_delay=LONGEST_SLEEP, scheduler_interval=60)


def huey_for(settings: Settings, name: str) -> Huey:
    """Return Huey over Redis, or over a file of its own beside the database, where it disturbs no caller.

    What it carries is signed, so that nobody who can write to Redis can have anything else done here.
    """
    signed = SignedSerializer(settings.secret_key.get_secret_value(), salt="queue")
    if settings.redis_url:
        pool = connect(settings.redis_url, decode=False).connection_pool
        return RedisHuey(f"{NAME}.{name}", connection_pool=pool, blocking=False, results=False, serializer=signed)
    path = str(queue_file(settings.database_url))
    return SqliteHuey(f"{NAME}.{name}", filename=path, results=False, fsync=False, serializer=signed)


def queue_file(database_url: str) -> Path:
    """Return where the embedded queue is kept: beside a SQLite database, else under var/."""
    url = make_url(database_url)
    beside = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else Path("var/partnerline.db")
    beside.parent.mkdir(parents=True, exist_ok=True)
    return beside.with_suffix(".queue")
