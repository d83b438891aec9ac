"""The provider's copy of a recording: deleted once ours has been read back, or must not be kept; never before."""

from datetime import datetime, timedelta
from hashlib import sha256

from ivr.jobs.job import Later, Refused
from ivr.jobs.keeping import Keeping, fetch_of, text_of
from ivr.observe import log
from recordings import kept
from recordings.audio_store import AudioMissing
from recordings.failpoint import reach
from recordings.kept import Recording
from recordings.outbox import Job, alarm, owe
from recordings.sealed import Unreadable
from recordings.store import Connection

NOT_STORED_YET = 600.0  # seconds until the row is looked at again
AGAIN = 5.0  # seconds until the provider is asked whether its copy is really gone
PATIENCE = timedelta(days=1)


class Copies:
    """Has the provider delete its copies."""

    def __init__(self, parts: Keeping) -> None:
        self._parts = parts

    def delete(self, job: Job, at: datetime) -> None:
        """Delete one copy, and be done only when the provider says that there is none. Raises Later and Refused."""
        sid = text_of(job, "recording")
        known = kept.find(self._parts.store, sid)
        if known and known.provider_deleted_at:
            return
        if known is None or known.state not in (*kept.WITH_AUDIO, *kept.REMOVED):
            if at - job.created_at > PATIENCE:
                raise Refused(f"recording {sid} is not stored, so that the provider's copy stays")
            raise Later(NOT_STORED_YET, "our own copy is not stored")
        if known.state in kept.WITH_AUDIO and not self._can_be_heard(known):
            self._ask_again(known, at)
            raise Refused(f"our own copy of recording {sid} cannot be read back, so that the provider's copy stays")
        reach("rec.before_provider_delete")
        with self._parts.asking(job, at):
            gone = self._parts.provider.delete_recording(sid)
        if not gone:
            raise Later(AGAIN, "it was deleted, and is looked for once more")
        kept.provider_deleted(self._parts.store, sid, at)

    def _can_be_heard(self, known: Recording) -> bool:
        """Whether our copy, as it lies there now, opens and is the audio that was fetched."""
        if not known.name or not known.sealed_key:
            return False
        try:
            audio = self._parts.keys.open_file(known.sid, self._parts.audio.read(known.name), known.sealed_key)
        except (AudioMissing, Unreadable) as error:
            log.error("Our copy of recording %s cannot be used: %s", known.sid, error)
            return False
        return sha256(audio).hexdigest() == known.sha256

    def _ask_again(self, known: Recording, at: datetime) -> None:
        """Have audio fetched anew whose stored file is of no use, while the provider still has it."""
        store, sid = self._parts.store, known.sid
        fetch = fetch_of(sid, known.call_sid, known.seconds or 0, f"{known.name}")
        why = f"Our copy of recording {sid} cannot be read back. It is fetched again."

        def work(conn: Connection) -> bool:
            owe(conn, store, [fetch, alarm(f"{known.name}.unreadable", why, known.call_sid)], at)
            return kept.lost(conn, store, sid, known.name or "")

        self._parts.write(work)
