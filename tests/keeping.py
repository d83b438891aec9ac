"""Calls with everything that hangs on them, and the ground that a check stands on: for tests of what is kept."""

from datetime import timedelta
from hashlib import sha256

from paper import TUESDAY_MORNING
from service import LINE, SECRET, Service

from flows.work import Entry
from recordings import kept
from recordings.audio_store import AudioStore, name_for
from recordings.fsck import Finding, Ground, examine
from recordings.kept import State, Stored
from recordings.retention import times_of
from recordings.sealed import Keyring
from recordings.work_log import append

KEYS = Keyring.derived(SECRET)
ACME_PHONE, STRANGER = "+14085550142", "+442079460998"
AUDIO = b"RIFF" + b"what nobody may hear " * 40
PATIENCE = 10.0
DONE = "UPDATE outbox SET state = 'done', done_at = created_at WHERE kind IN ('voicemail', 'fetch')"
SOON = TUESDAY_MORNING + timedelta(minutes=10)


def ground(service: Service, at=SOON, audio: AudioStore | None = None) -> Ground:
    """What a check stands on, as of an instant."""
    desks, times = service.parts.desks, times_of(service.parts.programmes.policies.values())
    return Ground(service.parts.store, at, desks.desk_for, times.of, None, audio, KEYS if audio else None)


def findings(service: Service, at=SOON, audio: AudioStore | None = None) -> tuple[Finding, ...]:
    """Everything that the checker finds."""
    return examine(ground(service, at, audio)).findings


class Story:
    """People call on a Tuesday morning, all from one partner's telephone but the last."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.talk = self._dials().presses("1").presses("2")
        self.talk.engineer_accepts().talks(60).engineer_hangs_up().hangs_up()
        self.outage = self._dials().presses("1").presses("1").presses("1").does_not_answer().hangs_up()
        self.message = (
            self._dials("us-voicemail").presses("2").presses("#").leaves_a_message(20).presses("1").hangs_up()
        )
        self.stranger = self._dials(caller=STRANGER).presses("0").hangs_up()
        service.phone.settle()

    def _dials(self, line="us-standard", caller=ACME_PHONE):
        return self.service.at(TUESDAY_MORNING).dials(LINE[line], caller)

    @property
    def recording(self) -> str:
        return self.service.call_of(self.message).message.recording

    @property
    def case(self) -> str:
        return self.service.call_of(self.message).case_number

    def audio_arrives(self, audio: AudioStore, at=SOON) -> str:
        """Store the message's audio as the worker does; returns its name in the audio store."""
        name = put_audio(self.service, audio, self.message.sid, self.recording, at)
        write(
            self.service, "UPDATE outbox SET state = 'done', done_at = created_at WHERE kind IN ('voicemail', 'fetch')"
        )
        return name


def put_audio(service: Service, audio: AudioStore, call_sid: str, recording: str, at=SOON) -> str:
    store, sealed, name = service.parts.store, KEYS.seal_file(recording, AUDIO), name_for(recording)
    audio.put(name, sealed.blob)
    digest = sha256(AUDIO).hexdigest()
    row = Stored(State.STORED, "message", 9, len(AUDIO), digest, "audio/wav", name, sealed.key_id, sealed.sealed_key)

    def work(conn):
        kept.expect(conn, store, (recording, call_sid, "message", 9), at)
        assert kept.stored(conn, store, recording, row, at)

    store.write(work, PATIENCE)
    return name


def write(service: Service, sql: str, *params: object) -> int:
    """Change what is stored behind the service's back; returns how many rows that were."""
    store = service.parts.store
    return store.write(lambda conn: conn.execute(store.sql(sql), params).rowcount, PATIENCE)


def log_entry(service: Service, subject: str, kind: str, at=SOON, key: str = "", **detail: object) -> None:
    entry = Entry(subject, kind, at, "tier2 lead", detail, key or f"{subject}.{kind}.{at.isoformat()}", at)
    store = service.parts.store
    store.write(lambda conn: append(conn, store, [entry]), PATIENCE)
