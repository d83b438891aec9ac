"""Transcripts: an enrichment that may come late or never. Nobody waits for one, and its words are not to be trusted."""

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime

from flows.card_numbers import masked_cards
from flows.outage_words import says_outage
from flows.work import SERVICE, Entry
from ivr.jobs.job import Handler, Later, Refused
from ivr.jobs.keeping import text_of
from ivr.observe import log
from recordings import kept
from recordings.kept import State, Waiting
from recordings.outbox import Job, Owed, owe
from recordings.sealed import Keyring, Unreadable
from recordings.store import Connection, Store
from recordings.work_log import append

LONGEST = 20_000  # characters that are kept; the longest message takes a quarter of that
NO_ROW_YET = 60.0  # seconds until a recording that is not known yet is looked for again
PRODUCTION_DOWN = "PRODUCTION_DOWN"
WHY = "the message says that production is down"


def handlers(store: Store, keys: Keyring) -> Mapping[str, Handler]:
    """Return what carries out the jobs about transcripts."""
    return {"transcript": Transcripts(store, keys).keep}


def prepared(text: str) -> str:
    """Return a transcript as it may be kept: cut to a length, with card numbers masked and control characters gone."""
    cut = text.encode("utf-8", "replace").decode()[:LONGEST]
    return masked_cards("".join(letter if letter.isprintable() else " " for letter in cut))


class Transcripts:
    """Keeps transcripts, sealed, and looks for word of an outage in them."""

    def __init__(self, store: Store, keys: Keyring) -> None:
        self._store = store
        self._keys = keys

    def keep(self, job: Job, at: datetime) -> None:
        """Keep the transcript of a recording. Raises Later while the recording is unknown, and Refused."""
        sid = text_of(job, "recording")
        known = kept.find(self._store, sid)
        if known is None:
            if (at - job.created_at).total_seconds() > 86_400:
                raise Refused(f"recording {sid} is unknown, so that its transcript is not kept")
            raise Later(NO_ROW_YET, "its recording is not known yet")
        if known.state in kept.REMOVED or known.state is State.ERASED:
            return
        text = self._text(job, sid) if job.detail.get("status") == "completed" else None
        if not self._store.write(lambda conn: self._kept(conn, job, sid, text, at), kept.TIMEOUT):
            log.info("A transcript of recording %s came twice, or too late.", sid)

    def _text(self, job: Job, sid: str) -> str:
        try:
            return prepared(self._keys.open(b64decode(text_of(job, "sealed"), validate=True), sid).decode())
        except (Unreadable, ValueError) as error:
            raise Refused(f"the transcript of recording {sid} cannot be opened: {error}") from None

    def _kept(self, conn: Connection, job: Job, sid: str, text: str | None, at: datetime) -> bool:
        sealed = self._keys.seal(text.encode(), sid) if text is not None else None
        state = "failed" if text is None else "completed"
        if not kept.transcribed(conn, self._store, sid, sealed, state):
            return False
        if text is not None and says_outage(text):
            for task in kept.waiting(conn, self._store, sid):
                self._outage(conn, job, task, sid, at)
        return True

    def _outage(self, conn: Connection, job: Job, task: Waiting, sid: str, at: datetime) -> None:
        """Flag the message, and have somebody paged about it."""
        detail: dict[str, object] = {"flag": PRODUCTION_DOWN, "reason": WHY}
        append(conn, self._store, [Entry(task.id, "flagged", at, SERVICE, detail, f"{sid}.production_down", at)])
        kept.flag(conn, self._store, task, PRODUCTION_DOWN)
        page: dict[str, object] = {"kind": "outage", "case": task.case_number, "why": WHY}
        owe(conn, self._store, [Owed("page", f"{sid}.outage", page, job.call_sid, task.case_number)], at)
