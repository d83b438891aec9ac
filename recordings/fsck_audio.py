"""Checks of recordings: whoever deleted the provider's copy had a good one, and what is stored can be heard."""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

from recordings.audio_store import AudioMissing, AudioStore, AudioUnavailable
from recordings.fsck_ground import Finding, Ground, Tally
from recordings.kept import REMOVED, WITH_AUDIO, Recording, State, everything
from recordings.sealed import Keyring, Unreadable

AWAITED = timedelta(hours=24)  # how long audio may be on its way before somebody has to know
FETCHED = (
    "SELECT call_sid FROM outbox WHERE state = 'waiting' AND kind IN ('fetch', 'find_audio') AND call_sid = ? LIMIT 1"
)
LISTEN = "Listen to the provider's copy, if it still has one, and call the partner back."


def check_recordings(ground: Ground, tally: Tally) -> Iterator[Finding]:
    """Invariants 18 and 19: stored audio is complete, no copy was deleted before that, and none is forgotten."""
    for each in everything(ground.store):
        tally.add("recordings", 1)
        yield from _stored(each)
        yield from _copied(each)
        yield from _awaited(each, ground)
        if ground.audio and ground.keyring and each.state in WITH_AUDIO:
            tally.add("audio files", 1)
            yield from _audible(each, ground.audio, ground.keyring)


def _stored(each: Recording) -> Iterator[Finding]:
    if each.state in WITH_AUDIO and not _complete(each):
        yield Finding("recordings.stored", each.sid, "it is stored without a name, a checksum or a key", LISTEN)


def _complete(each: Recording) -> bool:
    return bool(each.name and each.sha256 and each.sealed_key and each.stored_at)


def _copied(each: Recording) -> Iterator[Finding]:
    deleted = each.provider_deleted_at
    if deleted is None or each.state in REMOVED:
        return
    if not _complete(each) or (each.stored_at and each.stored_at > deleted):
        yield Finding("recordings.copy", each.sid, "the provider's copy was deleted, and there was no other", LISTEN)


def _awaited(each: Recording, ground: Ground) -> Iterator[Finding]:
    if each.state is not State.EXPECTED or each.received_at > ground.at - AWAITED:
        return
    if not ground.rows(FETCHED, (each.call_sid,)):
        what = f"its audio has been expected since {each.received_at:%Y-%m-%d %H:%MZ}, and nobody fetches it"
        yield Finding("recordings.awaited", each.sid, what, "Let the worker reconcile: it finds what the provider has.")


def _audible(each: Recording, audio: AudioStore, keyring: Keyring) -> Iterator[Finding]:
    """Read a stored file back, and compare its checksum."""
    try:
        heard = keyring.open_file(each.sid, audio.read(each.name or ""), each.sealed_key or b"")
    except (AudioMissing, AudioUnavailable, Unreadable, ValueError) as error:
        what = f"its audio cannot be read: {type(error).__name__}: {error}"
        yield Finding("recordings.audio", each.sid, what, LISTEN)
        return
    if sha256(heard).hexdigest() != each.sha256:
        yield Finding("recordings.audio", each.sid, "its audio is not what was stored", LISTEN)
