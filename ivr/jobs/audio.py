"""The audio of recordings: fetched, examined, sealed, stored, read back, and only then told of."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from flows.call import Call, Turned
from flows.heard import Event, MessageLeft
from flows.turn import resume
from flows.voicemail import SHORTEST
from ivr.jobs.copies import Copies
from ivr.jobs.job import Handler, Later, Refused
from ivr.jobs.keeping import ALARMING, LOOKS, Keeping, delete_of, fetch_of, looks_on, number_of, text_of
from ivr.observe import log
from ivr.provider import TheirRecording
from ivr.rest import Gone, ProviderFault, Spoilt
from recordings import kept
from recordings.audio_check import BadAudio, Examined, examine
from recordings.audio_store import name_for
from recordings.failpoint import reach
from recordings.kept import State, Stored
from recordings.outbox import Job, alarm, owe, owe_now
from recordings.sealed import Sealed
from recordings.store import Connection

CALL_GOES_ON = 30.0  # seconds until a recording of a call that has not ended is looked at again
SETTLING = timedelta(minutes=2)  # after a call's end, in which its last turn may still come in
SOONEST, LATEST = 5.0, 900.0  # seconds until a recording that is not there yet is asked for again
GIVEN_UP = timedelta(hours=24)
NOTICE_TIMEOUT = 5.0
RESULTS = {"absent": State.ABSENT, "failed": State.FAILED}


def handlers(parts: Keeping) -> Mapping[str, Handler]:
    """Return what carries out the jobs about recordings' audio."""
    work = AudioWork(parts)
    deletes = Copies(parts).delete
    return {"fetch": work.fetch, "audio": work.settle, "find_audio": work.look, "delete_copy": deletes}


class AudioWork:
    """Gets the audio of recordings, or finds out that there is none."""

    def __init__(self, parts: Keeping) -> None:
        self._parts = parts

    def fetch(self, job: Job, at: datetime) -> None:
        """Get a recording's audio and keep it. Raises Later, Refused, and what is to be tried again."""
        sid = text_of(job, "recording")
        known = kept.find(self._parts.store, sid)
        if known and known.state not in kept.OPEN:
            self._let_go(sid, known, at)
            return
        call = self._parts.log.load(job.call_sid)
        kind = self._kind(job, sid, call, at)
        if kind == "discarded":
            self._discard(job, sid, call, at)
            return
        self._expect(sid, job.call_sid, kind, number_of(job, "seconds"), at)
        try:
            with self._parts.asking(job, at):
                audio = self._parts.provider.media(sid)
        except Gone:
            self._not_yet(job, sid, call, at)
            return
        self._keep(sid, call, (kind, audio), at)

    def settle(self, job: Job, at: datetime) -> None:
        """Write down that the provider has no audio of a recording."""
        sid, state = text_of(job, "recording"), RESULTS.get(text_of(job, "result"))
        if state is None:
            raise Refused(f"{job.detail['result']} is nothing that becomes of a recording")
        self._has_none(sid, state, self._parts.log.load(job.call_sid), at)

    def look(self, job: Job, at: datetime) -> None:
        """Ask the provider for a message's recording, which it may have forgotten to tell us of.

        A look that finds nothing, or nobody to ask, is followed by the next; only the last one asks until it is told.
        """
        sid, tries = text_of(job, "recording"), number_of(job, "tries")
        known = kept.find(self._parts.store, sid)
        if known and known.state != State.EXPECTED:
            return
        try:
            with self._parts.asking(job, at):
                theirs = self._theirs(sid, job.call_sid)
        except (ProviderFault, Later):
            if self._look_on(job, tries, at):
                return
            raise
        if theirs and theirs.status == "completed":
            owe_now(self._parts.store, [fetch_of(sid, job.call_sid, theirs.seconds, f"look{tries}")], at)
        elif theirs and theirs.status in RESULTS:
            self._has_none(sid, RESULTS[theirs.status], self._parts.log.load(job.call_sid), at)
        elif not self._look_on(job, tries, at):
            self._has_none(sid, State.MISSING, self._parts.log.load(job.call_sid), at)

    def _look_on(self, job: Job, tries: int, at: datetime) -> bool:
        """Have another look later, and raise an alarm when it is time for one. False after the last look."""
        owed = [looks_on(job, tries + 1)] if tries + 1 < len(LOOKS) else []
        if tries >= ALARMING:
            sid = text_of(job, "recording")
            why = f"Recording {sid} of an escalation voicemail has not come within {LOOKS[ALARMING]}."
            owed.append(alarm(f"{sid}.overdue", why, job.call_sid, job.case_number))
        owe_now(self._parts.store, owed, at)
        return tries + 1 < len(LOOKS)

    def _theirs(self, sid: str, call_sid: str) -> TheirRecording | None:
        """Return what the provider says of a recording: by its own id, or else among those of its call."""
        try:
            return self._parts.provider.recording(sid)
        except Gone:
            listed = self._parts.provider.recordings_of(call_sid) if call_sid else ()
            return next((each for each in listed if each.sid == sid), None)

    def _kind(self, job: Job, sid: str, call: Call | None, at: datetime) -> str:
        """Say what a recording is: a message, something of a call, or a take that was not sent. Raises Later."""
        if call and call.message and call.message.recording == sid:
            return "message"
        if call is None or call.ended_at is None:
            if at - job.created_at > GIVEN_UP:
                raise Refused(f"call {job.call_sid} of recording {sid} is unknown, or never ends")
            raise Later(CALL_GOES_ON, "its call goes on")
        if any(event.detail.get("recording") == sid for event in self._events(call) if event.event == "taken"):
            return "discarded"
        if at - call.ended_at < SETTLING:
            raise Later(CALL_GOES_ON, "the last turn of its call may still come in")
        return self._found(job, sid, call, at)

    def _events(self, call: Call) -> Iterator[Event]:
        return (event for row in self._parts.log.timeline(call.sid) for event in row.events)

    def _found(self, job: Job, sid: str, call: Call, at: datetime) -> str:
        """Deal with a recording of which no turn has told: what was recorded when the call broke off is a message."""
        try:
            with self._parts.asking(job, at):
                theirs = self._parts.provider.recording(sid)
        except Gone:
            raise Later(LATEST, "the provider does not know it") from None
        if theirs.source == "DialVerb":
            return "call"
        if theirs.seconds < SHORTEST:
            return "discarded"
        heard = MessageLeft(sid, theirs.seconds, "hangup")

        def take(call: Call | None) -> Turned | None:
            if call is None or call.message or call.cancelled or call.node != "vm_record":
                return None
            return resume(call, 0, heard, self._parts.desk_for(call.policy, call.programme), at)

        if not self._parts.log.notice(call.sid, heard, at, take, NOTICE_TIMEOUT):
            why = f"Recording {sid} was found, of which its call knows nothing. Somebody should listen to it."
            owe_now(self._parts.store, [alarm(f"{sid}.found", why, call.sid, call.case_number)], at)
        return "message"

    def _expect(self, sid: str, call_sid: str, kind: str, seconds: int, at: datetime) -> None:
        self._parts.write(lambda conn: kept.expect(conn, self._parts.store, (sid, call_sid, kind, seconds), at))

    def _not_yet(self, job: Job, sid: str, call: Call | None, at: datetime) -> None:
        age = at - job.created_at
        if age <= GIVEN_UP:
            wait = min(LATEST, max(SOONEST, age.total_seconds() / 2))
            raise Later(wait, "the provider does not have the audio yet")
        self._has_none(sid, State.MISSING, call, at)

    def _has_none(self, sid: str, state: State, call: Call | None, at: datetime) -> None:
        """Write down that there is no audio and why, and have the caller called back."""
        store, call_sid = self._parts.store, call.sid if call else ""

        def work(conn: Connection) -> bool:
            kept.expect(conn, store, (sid, call_sid, "message", None), at)
            if not kept.settle(conn, store, sid, state):
                return False
            self._parts.say(conn, sid, state, call, at)
            return True

        if self._parts.write(work):
            log.warning("Recording %s has no audio: %s.", sid, state)

    def _discard(self, job: Job, sid: str, call: Call | None, at: datetime) -> None:
        """Keep nothing of a take that was not sent."""
        store = self._parts.store

        def work(conn: Connection) -> bool:
            kept.expect(conn, store, (sid, job.call_sid, "message", number_of(job, "seconds")), at)
            owe(conn, store, [delete_of(sid, job.call_sid, "discarded")], at)
            return kept.settle(conn, store, sid, State.DISCARDED)

        self._parts.write(work)
        log.info("Recording %s of call %s was not sent, and is not kept.", sid, call.sid if call else "")

    def _let_go(self, sid: str, known: kept.Recording, at: datetime) -> None:
        """Come to a recording again that is dealt with: what was removed stays removed, with the provider too."""
        if known.state in kept.REMOVED and known.provider_deleted_at is None:
            owe_now(self._parts.store, [delete_of(sid, known.call_sid, known.state)], at)

    def _keep(self, sid: str, call: Call | None, fetched: tuple[str, bytes], at: datetime) -> None:
        """Seal and store audio, read it back, and write everything that follows from it in one transaction."""
        kind, audio = fetched
        try:
            found = examine(audio)
        except BadAudio as error:
            raise Spoilt(f"recording {sid}: {error}") from None
        reach("rec.partial")
        name, sealed = name_for(sid), self._parts.keys.seal_file(sid, audio)
        self._parts.audio.put(name, sealed.blob)
        self._read_back(sid, name, sealed, found)
        reach("rec.stored_unmarked")
        row = Stored(
            State(found.state),
            kind,
            found.seconds,
            len(audio),
            found.sha256,
            found.media_type,
            name,
            sealed.key_id,
            sealed.sealed_key,
        )
        if not self._parts.write(lambda conn: self._stored(conn, sid, call, row, at)):
            self._parts.audio.delete(name)  # somebody else was first, or it has been erased meanwhile

    def _read_back(self, sid: str, name: str, sealed: Sealed, found: Examined) -> None:
        audio = self._parts.keys.open_file(sid, self._parts.audio.read(name), sealed.sealed_key)
        if sha256(audio).hexdigest() != found.sha256:
            raise Spoilt(f"recording {sid} was not read back as it was stored")

    def _stored(self, conn: Connection, sid: str, call: Call | None, row: Stored, at: datetime) -> bool:
        store = self._parts.store
        if not kept.stored(conn, store, sid, row, at):
            return False
        self._parts.say(conn, sid, row.state, call, at)
        if call is None or self._parts.desk_for(call.policy, call.programme).policy.delete_provider_copy:
            owe(conn, store, [delete_of(sid, call.sid if call else "")], at)
        return True
