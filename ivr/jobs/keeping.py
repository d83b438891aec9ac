"""What the work on recordings needs, and what the provider's moods mean to a job."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import uniform

import msgspec

from flows.call import Call
from flows.desk import Desk
from flows.work import SERVICE, Entry
from ivr.jobs.job import Later, Refused
from ivr.notify.tell import OPERATORS, Note, Tell
from ivr.provider import Provider
from ivr.rest import Busy, Denied
from ivr.wording import grouped
from recordings import kept
from recordings.audio_store import AudioStore
from recordings.kept import State
from recordings.log import CallLog
from recordings.outbox import Job, Owed, alarm, owe, owe_now
from recordings.sealed import Keyring
from recordings.store import Connection, Store
from recordings.work_log import append, entries_in

DENIED_WAIT = 900.0  # seconds until the provider is asked again after it has turned us away
PATIENCE = timedelta(days=7)  # after which a job that the provider will not do is given up
LOOKS = tuple(timedelta(minutes=each) for each in (2, 10, 15, 60))
ALARMING = 2  # the look, counted from nought, that raises an alarm if there still is nothing


class Keeping(msgspec.Struct, frozen=True):
    """The parts that the work on recordings is done with. `desk_for` takes a policy's version and programme."""

    store: Store
    log: CallLog
    audio: AudioStore
    keys: Keyring
    provider: Provider
    tell: Tell
    desk_for: Callable[[str, str], Desk]

    def write(self, work: Callable[[Connection], bool]) -> bool:
        """Run work in one transaction."""
        return self.store.write(work, kept.TIMEOUT)

    @contextmanager
    def asking(self, job: Job, at: datetime) -> Iterator[None]:
        """Ask the provider for a job. One that is busy is asked later, one that turns us away seldom, with an alarm."""
        try:
            yield
        except Busy as busy:
            raise Later(busy.retry_after * uniform(1.0, 1.5) + uniform(0.0, 1.0), str(busy)) from None
        except Denied as denied:
            why = f"The provider turns us away: {denied}. Look at TWILIO_AUTH_TOKEN and the account."
            owe_now(self.store, [alarm(f"provider.denied.{at:%Y-%m-%d}", why)], at)
            if at - job.created_at > PATIENCE:
                raise Refused(str(denied)) from None
            raise Later(DENIED_WAIT, str(denied)) from None

    def say(self, conn: Connection, sid: str, state: State, call: Call | None, at: datetime) -> None:
        """Write into tasks and their history what became of a recording's audio; say so where there is none to hear."""
        kept.tell_tasks(conn, self.store, sid, state)
        tasks = kept.waiting(conn, self.store, sid)
        append(conn, self.store, [_audio_entry(task.id, sid, state, at) for task in tasks])
        if state in kept.UNHEARD and (tasks or (call and call.message and call.message.recording == sid)):
            self._no_audio(conn, (sid, state, call), tasks, at)
        elif state is State.STORED and tasks:
            self._after_all(conn, sid, tasks[0], at)

    def _after_all(self, conn: Connection, sid: str, task: kept.Waiting, at: datetime) -> None:
        """Say that there is audio, if it was said before that there is none."""
        entries = entries_in(conn, self.store, (task.case_number,))
        if not any(entry.key == f"{sid}.no_audio" for entry in entries):
            return
        text, key = "the audio of the message has come after all", f"{sid}.after_all"
        if append(conn, self.store, [Entry(task.case_number, "note", at, SERVICE, {"reason": text}, key, at)]):
            note = Note(f"Case {task.case_number}: {text}", "It can be listened to now.")
            told = self.tell(task.desk, note, urgent=False, key=key, at=at, case_number=task.case_number)
            owe(conn, self.store, told, at)

    def _no_audio(
        self,
        conn: Connection,
        about: tuple[str, State, Call | None],
        tasks: Sequence[kept.Waiting],
        at: datetime,
    ) -> None:
        """Have the caller called back although there is no message to hear; said once for each recording."""
        sid, state, call = about
        number = next((task.number for task in tasks if task.number), (call.caller or "") if call else "")
        case = next((task.case_number for task in tasks if task.case_number), call.case_number if call else "")
        text = f"no audio ({WORDS[state]}): " + (f"call back {number}" if number else "the caller withheld the number")
        key = f"{sid}.no_audio"
        if not append(conn, self.store, [Entry(case or sid, "note", at, SERVICE, {"reason": text}, key, at)]):
            return
        note = Note(
            f"Call back {number or 'a caller who withheld the number'}: case {grouped(case)}, voicemail with no audio",
            text,
        )
        desk = tasks[0].desk if tasks else OPERATORS
        told = self.tell(desk, note, urgent=False, key=key, at=at, call_sid=call.sid if call else "", case_number=case)
        owe(conn, self.store, told, at)


WORDS = {
    State.MISSING: "the recording was never found",
    State.ABSENT: "nothing was recorded",
    State.FAILED: "the recording failed",
    State.SILENT: "nothing can be heard",
    State.TOO_SHORT: "shorter than two seconds",
}


def looks_for(recording: str, call_sid: str, case_number: str, at: datetime) -> Owed:
    """Return what has to be owed when a voicemail has come in, so that its audio is found even if we are not told."""
    detail: dict[str, object] = {"recording": recording, "tries": 0, "since": at.isoformat()}
    return Owed("find_audio", f"{recording}.find_audio.0", detail, call_sid, case_number, not_before=at + LOOKS[0])


def looks_on(job: Job, tries: int) -> Owed:
    """Return the look that follows on one: at 2, 10, 15 and 60 minutes after the voicemail came in."""
    since = datetime.fromisoformat(str(job.detail.get("since", job.created_at.isoformat())))
    detail: dict[str, object] = {**job.detail, "tries": tries, "since": since.isoformat()}
    key = f"{detail['recording']}.find_audio.{tries}"
    return Owed("find_audio", key, detail, job.call_sid, job.case_number, not_before=since + LOOKS[tries])


def fetch_of(recording: str, call_sid: str, seconds: int, reason: str) -> Owed:
    """Return what has to be owed so that a recording is fetched; once for each reason to do so."""
    return Owed("fetch", f"{recording}.fetch.{reason}", {"recording": recording, "seconds": seconds}, call_sid)


def delete_of(recording: str, call_sid: str, reason: str = "kept") -> Owed:
    """Return what has to be owed so that the provider deletes its copy; once for each reason to do so."""
    return Owed("delete_copy", f"{recording}.delete_copy.{reason}", {"recording": recording}, call_sid)


def text_of(job: Job, name: str) -> str:
    """Return a text of a job's detail. Raises Refused if it is not there, for then nothing can ever be done."""
    value = job.detail.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(f"{job.kind} does not say which {name}")
    return value


def number_of(job: Job, name: str) -> int:
    """Return a number of a job's detail, 0 if it is not there."""
    value = job.detail.get(name)
    return value if isinstance(value, int) else 0


def _audio_entry(task: str, sid: str, state: State, at: datetime) -> Entry:
    return Entry(task, "audio", at, SERVICE, {"recording": sid, "state": state.value}, f"{sid}.audio.{state}", at)
