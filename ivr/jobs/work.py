"""The worker: claims what is due, hands it to the queue, and goes its rounds."""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from threading import Event, Thread
from time import monotonic

import msgspec

from ivr.clock import now
from ivr.jobs.job import Handler, Round
from ivr.jobs.queue import Queue, huey_for
from ivr.jobs.run import Runner
from ivr.observe import log
from ivr.settings import Settings
from recordings.outbox import Pace, claim, is_due
from recordings.store import Store, StoreUnavailable

PULSE = 0.5  # seconds between two looks into the outbox
BUSY = 0.02  # seconds between two looks while there is more to do
TENDED = 10.0  # seconds between two looks after the threads
THREADS = {Pace.HOUSE: 2, Pace.PAGING: 8, Pace.SLOW: 3}
AT_ONCE = 50  # jobs that one look without a queue takes
ENOUGH = 200  # looks without a queue


class Regular(msgspec.Struct, frozen=True):
    """Something that is looked at regularly, `every` so many seconds."""

    name: str
    every: float
    look: Round


class Worker:
    """Everything that goes on behind the calls."""

    def __init__(self, store: Store, handlers: Mapping[str, Handler], rounds: Sequence[Regular]) -> None:
        self._store = store
        self._runner = Runner(store, handlers)
        self._rounds = rounds
        self._name = f"{socket.gethostname()}.{os.getpid()}"

    def once(self, at: datetime) -> int:
        """Look at everything and do all that is due at an instant, here and now. Return how many jobs were done."""
        done = 0
        for _ in range(ENOUGH):
            for regular in self._rounds:
                self._look(regular, at)
            jobs = claim(self._store, self._name, at, AT_ONCE) if is_due(self._store, at) else []
            if not jobs:
                return done
            for job in jobs:
                self._runner.run(job.id, job.attempts, at)
            done += len(jobs)
        return done

    def run(self, settings: Settings, stop: Event, clock: Callable[[], datetime] = now) -> None:
        """Work until told to stop; what has begun is finished."""
        queues = {pace: self._queue(settings, pace, clock) for pace in THREADS}
        threads = [
            Thread(target=self._regularly, args=(each, stop, clock), name=each.name, daemon=True)
            for each in self._rounds
        ]
        for queue in queues.values():
            queue.start()
        for thread in threads:
            thread.start()
        self._pulse(queues, stop, clock)
        for queue in queues.values():
            queue.stop()
        for thread in threads:
            thread.join(TENDED)

    def _queue(self, settings: Settings, pace: Pace, clock: Callable[[], datetime]) -> Queue:
        """Return a queue with threads of its own, so that what takes long never holds up a page."""
        huey = huey_for(settings, pace)
        return Queue(huey, lambda number, fence: self._runner.run(number, fence, clock()), THREADS[pace])

    def _pulse(self, queues: Mapping[Pace, Queue], stop: Event, clock: Callable[[], datetime]) -> None:
        """Fill the queues as long as there is something due; with nothing due, look again half a second later."""
        tended = monotonic()
        while not stop.wait(BUSY if self._fill(queues, clock()) else PULSE):
            if monotonic() - tended > TENDED:
                tended = monotonic()
                for queue in queues.values():
                    queue.tend()

    def _fill(self, queues: Mapping[Pace, Queue], at: datetime) -> bool:
        """Claim as many jobs as the queues have room for, and return whether there were any to claim or no room."""
        try:
            if not is_due(self._store, at):
                return False
            added = [self._add(pace, queue, at) for pace, queue in queues.items()]
        except StoreUnavailable as error:
            log.warning("The outbox was not looked into: %s", error)
            return False
        return any(added)

    def _add(self, pace: Pace, queue: Queue, at: datetime) -> bool:
        room = queue.room()
        jobs = claim(self._store, self._name, at, room, pace) if room else []
        for job in jobs:
            queue.put(job.id, job.attempts)
        return bool(jobs) or not room

    def _regularly(self, regular: Regular, stop: Event, clock: Callable[[], datetime]) -> None:
        self._look(regular, clock())
        while not stop.wait(regular.every):
            self._look(regular, clock())

    def _look(self, regular: Regular, at: datetime) -> None:
        """Look once. Whatever goes wrong is said, and looked at again the next time."""
        try:
            regular.look(at)
        except StoreUnavailable as error:
            log.warning("%s was left out: %s", regular.name, error)
        except Exception:  # noqa: BLE001 - a round that fails must not end the others
            log.exception("%s went wrong", regular.name)
