"""Notices on their way to people: several in one message, and on another channel if one fails."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from ivr.jobs.job import Handler, Refused
from ivr.notify import words
from ivr.notify.alarm import everybody, loudly
from ivr.notify.send import Delivery, Result, send
from ivr.notify.tell import BUNDLED, OPERATORS, Note, Teller, on_channel
from recordings.outbox import Job, Owed, finish, owe_now, put_off, take_along
from recordings.store import Store

PATIENCE = timedelta(seconds=60)  # then the next channel is tried
TRIES = 2  # or after so many attempts

Settle = Callable[[str, str, datetime], object]  # the key of a row that belongs to a page, "sent" or "failed", when
Wanted = Callable[[str], bool]  # the id of a page: whether somebody is still to be told of it
Send = Callable[[str, Note], Delivery]


def always(_page: str) -> bool:
    """Want every notice of a page, whoever has it."""
    return True


class Undelivered(Exception):  # noqa: N818 - a state of affairs: it is tried again
    """An attempt failed. The message says why, and holds no secret."""


class Notices:
    """Delivers rows of kind `notify` and `alarm`."""

    def __init__(
        self, store: Store, teller: Teller, settle: Settle, send: Send = send, *, wanted: Wanted = always
    ) -> None:
        self._wanted = wanted
        self._store = store
        self._teller = teller
        self._settle = settle
        self._send = send

    def handlers(self) -> Mapping[str, Handler]:
        """Return what carries out which kind of row."""
        return {"notify": self.notify, "alarm": self.alarm}

    def notify(self, job: Job, at: datetime) -> None:
        """Deliver a row, and what else waits for the same people. Raises Undelivered and Refused."""
        if not self._is_wanted(job, at):
            return
        channels = self._teller.channels(str(job.detail["to"]))
        if _channel(job) >= len(channels):
            self._nowhere(job, at)
            return
        jobs = [job] if job.detail["urgent"] else self._with_others(job, at)
        delivery = self._send(channels[_channel(job)], words.bundle(jobs))
        self._settle_pages(jobs, delivery, at)
        if delivery.result == Result.SENT:
            self._finish(jobs[1:], at)
        elif delivery.result == Result.REFUSED:
            if not self._hand_over(jobs, len(channels), at, refused=True):
                self._put_off(jobs[1:], at, delivery.why)
            raise Refused(delivery.why)
        elif _was_tried_enough(job, at) and self._hand_over(jobs, len(channels), at):
            return
        else:
            self._put_off(jobs[1:], at, delivery.why)
            raise Undelivered(delivery.why)

    def alarm(self, job: Job, at: datetime) -> None:
        """Tell the operators on every channel, and whoever reads standard error. An alarm raises no alarm."""
        jobs = [job, *take_along(self._store, job, at)]
        notes = [words.alarm(str(each.detail.get("why", "")), each.call_sid, each.case_number) for each in jobs]
        for each, note in zip(jobs, notes, strict=True):
            if each.attempts == 1:
                loudly(note)
        whole = words.together(notes, repeat=any(each.attempts > 1 for each in jobs))
        targets = self._teller.channels(OPERATORS)
        if not targets or everybody(targets, whole, self._send):
            self._finish(jobs[1:], at)
        else:
            self._put_off(jobs[1:], at, "no operator was reached")
            raise Undelivered("no operator was reached")

    def _with_others(self, job: Job, at: datetime) -> list[Job]:
        """Return the job and the others that go into the same message; the rest waits for the next one."""
        jobs = [job, *take_along(self._store, job, at)]
        count = words.fitting(jobs)
        for each in jobs[count:]:
            put_off(self._store, each, at + BUNDLED, "there was no room in the message", counts=False)
        wanted = [each for each in jobs[1:count] if self._is_wanted(each, at)]
        self._finish([each for each in jobs[1:count] if each not in wanted], at)
        return [job, *wanted]

    def _is_wanted(self, job: Job, at: datetime) -> bool:
        """Whether a notice is still worth sending; the word of a page that somebody has by now is left out."""
        page = str(job.detail.get("page", ""))
        if not page or self._wanted(page):
            return True
        self._settle(job.key, "skipped", at)
        return False

    def _hand_over(self, jobs: Sequence[Job], channels: int, at: datetime, *, refused: bool = False) -> bool:
        """Owe the jobs to the next channel of the same contact, and those that nobody can take to the operators.

        What is urgent is on its way on every channel already. Return whether there was anywhere to go.
        """
        to, channel, urgent = str(jobs[0].detail["to"]), _channel(jobs[0]), bool(jobs[0].detail["urgent"])
        if channel + 1 < channels and not urgent:
            owed = [_moved(job, to, channel + 1) for job in jobs]
        elif refused and channel + 1 >= channels and to != OPERATORS:
            owed = [_moved(job, OPERATORS, 0) for job in jobs]
        else:
            return False
        owe_now(self._store, owed, at)
        self._finish(jobs[1:], at)
        return True

    def _nowhere(self, job: Job, at: datetime) -> None:
        """Deal with a channel that is not there: the contacts have changed since, or there never were any."""
        self._settle_pages([job], Delivery(Result.REFUSED), at)
        if job.detail["to"] != OPERATORS:
            owe_now(self._store, [_moved(job, OPERATORS, 0)], at)
            return
        loudly(words.note_of(job))
        raise Refused("NOTIFY_URLS names nobody who could be told")

    def _settle_pages(self, jobs: Sequence[Job], delivery: Delivery, at: datetime) -> None:
        for job in jobs:
            if job.detail.get("page"):
                self._settle(job.key, "sent" if delivery.result == Result.SENT else "failed", at)

    def _finish(self, jobs: Sequence[Job], at: datetime) -> None:
        for job in jobs:
            finish(self._store, job, at)

    def _put_off(self, jobs: Sequence[Job], at: datetime, why: str) -> None:
        """Let go of the others. They are behind the first of their lane, and go along with it again."""
        for job in jobs:
            put_off(self._store, job, at, why)


def _channel(job: Job) -> int:
    return int(str(job.detail["channel"]))


def _was_tried_enough(job: Job, at: datetime) -> bool:
    return job.attempts >= TRIES or at - job.created_at >= PATIENCE


def _moved(job: Job, to: str, channel: int) -> Owed:
    """Return what is owed when a row goes to another channel or to other people. A page's attempt ends here."""
    detail = {name: value for name, value in job.detail.items() if name != "page"}
    row = Owed("notify", job.key, detail, job.call_sid, job.case_number)
    return on_channel(row, to, channel, urgent=bool(job.detail["urgent"]))
