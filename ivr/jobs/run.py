"""Carrying out what the outbox holds: at least once, with patience, and never silently not at all."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import uniform

from prometheus_client import Counter

from ivr.jobs.job import Handler, Later, Refused
from ivr.observe import log
from recordings.failpoint import reach
from recordings.outbox import Job, alarm, bury, finish, held, put_off
from recordings.store import Store, StoreUnavailable

FIRST_WAIT = 2.0  # seconds after the first attempt that failed; twice as long after each further one
LONGEST_WAIT = 300.0
MOST_ATTEMPTS = 300  # a day of trying, at one attempt in five minutes
WITHOUT_ALARM = frozenset({"alarm", "text"})  # an alarm about an alarm goes nowhere, and a text is never relied upon

JOBS = Counter("partnerline_jobs", "Jobs carried out by the worker, by kind and what came of them", ["kind", "result"])


class Runner:
    """Runs one claimed job after another. One instance serves every thread of a worker."""

    def __init__(self, store: Store, handlers: Mapping[str, Handler]) -> None:
        self._store = store
        self._handlers = handlers

    def run(self, number: int, fence: int, at: datetime) -> None:
        """Carry out a job that was claimed, if the claim still holds. A store that is away ends the claim by itself."""
        try:
            job = held(self._store, number, fence, at)
            if job is not None:
                JOBS.labels(job.kind, self._carried_out(job, at)).inc()
        except StoreUnavailable as error:
            log.warning("Job %d waits for its lease to end: %s", number, error)

    def _carried_out(self, job: Job, at: datetime) -> str:
        """Try, and write down what came of it."""
        try:
            self._attempt(job, at)
        except Later as later:
            put_off(self._store, job, at + timedelta(seconds=later.seconds), str(later), counts=False)
            return "later"
        except Refused as refusal:
            return self._given_up(job, at, str(refusal))
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the job is still owed
            return self._failed(job, at, error)
        reach("outbox.sent_unmarked")
        finish(self._store, job, at)
        return "done"

    def _attempt(self, job: Job, at: datetime) -> None:
        reach("outbox.claimed")
        handler = self._handlers.get(job.kind)
        if handler is None:
            raise Refused(f"nobody knows how to do {job.kind}")
        handler(job, at)

    def _failed(self, job: Job, at: datetime, error: Exception) -> str:
        why = f"{type(error).__name__}: {error}"
        if job.attempts >= MOST_ATTEMPTS:
            return self._given_up(job, at, why)
        wait = patience(job.attempts)
        log.warning("%s %s failed and is tried again in %.0f s: %s", job.kind, job.key, wait, why)
        put_off(self._store, job, at + timedelta(seconds=wait), why)
        return "failed"

    def _given_up(self, job: Job, at: datetime, why: str) -> str:
        log.error("%s %s is a dead letter: %s", job.kind, job.key, why)
        told = f"{job.kind} could not be done: {why}"
        owed = alarm(f"{job.key}.dead", told, job.call_sid, job.case_number, job=job.id)
        bury(self._store, job, at, why, None if job.kind in WITHOUT_ALARM else owed)
        return "dead"


def patience(attempts: int) -> float:
    """Return how long to wait, in seconds, after so many failed attempts: longer each time, and never all at once."""
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempts - 1, 16))
    return uniform(longest / 2, longest)
