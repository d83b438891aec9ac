"""Voicemails, and the work on their audio: a real store, a real audio folder, and the provider of tests/rest.py."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from logbook import PATIENCE, new_call
from rest import ACCOUNT_SID, AUTH_TOKEN, Rest
from service import LINE as RINGING
from service import listing

from flows.call import Call, Message, Turned
from flows.case import case_of
from flows.heard import Rang
from flows.task import tasks_of
from ivr.jobs import audio, transcripts
from ivr.jobs.keeping import Keeping
from ivr.jobs.reconcile import Reconciler
from ivr.jobs.work import Worker
from ivr.notify.tell import Note
from ivr.programmes import Desks
from ivr.rest import Rest as Wire
from ivr.twilio_rest import Twilio
from recordings import kept
from recordings.audio_store import open_audio
from recordings.directory import SqlDirectory
from recordings.failpoint import arm
from recordings.log import CallLog
from recordings.outbox import Job, Owed, owe_now
from recordings.rows import TurnKey
from recordings.sealed import Keyring
from recordings.store import Store

AT = datetime(2026, 7, 14, 20, 30, tzinfo=UTC)
CALLER = "+14085550142"
LINE = RINGING["us-voicemail"]
ELSEWHERE = ("notify", "alarm", "page", "call_back", "voicemail", "ended", "webhook", "text")


def told(to: str, note: Note, **about: Any) -> tuple[Owed, ...]:
    """Stand for the part that knows whom a note goes to."""
    detail = {"to": to, "subject": note.subject, "body": note.body, "urgent": about["urgent"]}
    return (Owed("notify", f"{about['key']}.{to}", detail, about.get("call_sid", ""), about["case_number"]),)


def die_at(place: str, database: str, folder: Path, url: str) -> None:
    """Work in a process of its own until a place is reached, and be killed there."""
    from recordings.engines import open_store

    studio = Studio(open_store(database), folder, Rest(url=url))
    arm(f"{place}:kill9@1")
    studio.works()


class Studio:
    """Everything that has to do with audio, and a worker that carries it out."""

    def __init__(self, store: Store, folder: Path, rest: Rest | None = None, keys: Keyring | None = None) -> None:
        self.store, self.folder = store, folder
        self.log = CallLog(store)
        self.desks = Desks(listing(), SqlDirectory(store), lambda _version: None)
        self.keys = keys or Keyring.derived("a secret of the tests")
        self.wire = Wire(rest.url if rest else "http://127.0.0.1:9", ACCOUNT_SID, AUTH_TOKEN)
        self.provider: Any = Twilio(self.wire, ACCOUNT_SID, AUTH_TOKEN)
        self.seen: list[Job] = []
        self.begin()

    def begin(self) -> None:
        """Put the parts together, as a process that starts does."""
        self.parts = Keeping(
            self.store, self.log, open_audio(f"file:{self.folder}"), self.keys, self.provider, told, self.desks.desk_for
        )
        handlers = dict.fromkeys(ELSEWHERE, lambda job, _at: self.seen.append(job))
        handlers |= audio.handlers(self.parts) | transcripts.handlers(self.store, self.keys)
        self.worker = Worker(self.store, handlers, ())
        self.reconciler = Reconciler(self.parts, listing())

    def voicemail(self, at: datetime = AT, recording: str = "", **fields: Any) -> Call:
        """Write a call that has left a message and hung up."""
        policy = listing().of_line(LINE)
        assert policy is not None
        sid, recording = "CA" + uuid4().hex, recording or "RE" + uuid4().hex
        message = {"message": Message(recording, 5, at), "message_due": at + timedelta(hours=4), "node": "vm_end"}
        ended = {"ended_at": at + timedelta(seconds=20), "seconds": 20, "case_number": f"{int(sid[2:10], 16):010d}"}
        about = {"policy": policy.version, "programme": policy.programme, "started_at": at, "line": LINE}
        call = new_call(sid, **{**about, **message, **ended, **fields})
        desk = self.desks.desk_for(call.policy, call.programme)
        turned = Turned(call, None, case_of(call, desk), tasks_of(call, desk))
        key = TurnKey(sid, 0, 0, Rang(sid, LINE, CALLER), at)
        self.log.turn(key, lambda _call: (turned, b"<Response/>"), PATIENCE)
        return call

    def owes(self, *owed: Owed, at: datetime = AT) -> None:
        owe_now(self.store, owed, at)

    def fetches(self, call: Call, at: datetime = AT, key: str = "fetch", recording: str = "") -> None:
        """Owe what a completed recording's callback owes."""
        sid = recording or (call.message.recording if call.message else "")
        self.owes(Owed("fetch", f"{sid}.{key}", {"recording": sid, "seconds": 5}, call.sid), at=at)

    def works(self, at: datetime = AT, minutes: Sequence[float] = (0,)) -> None:
        """Do all that is due, at each of so many minutes."""
        for each in minutes:
            self.worker.once(at + timedelta(minutes=each))

    def states(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for row in kept.everything(self.store):
            found[row.state.value] = found.get(row.state.value, 0) + 1
        return found

    def heard(self, sid: str) -> bytes:
        """The audio of a recording, as somebody who may listen hears it."""
        row = kept.find(self.store, sid)
        assert row is not None
        return self.keys.open_file(sid, self.parts.audio.read(row.name or ""), row.sealed_key or b"")

    def query(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        text = self.store.sql(sql)
        return self.store.read(lambda conn: conn.execute(text, params).fetchall(), PATIENCE)

    def jobs(self, kind: str) -> list[Job]:
        return [job for job in self.seen if job.kind == kind]
