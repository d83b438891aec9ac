"""Changing the master key: small keys and transcripts are sealed again, row by row; audio is not touched."""

from recordings.kept import Recording, everything, rewrapped
from recordings.sealed import Keyring, Unreadable
from recordings.store import Store


def rotate(store: Store, keys: Keyring) -> tuple[int, dict[str, str]]:
    """Seal every row under the first key. Return how many were changed, and by id which could not be opened and why.

    It may be stopped at any row: what is done stays done, and the next run goes on.
    """
    done, unreadable = 0, {}
    for row in everything(store):
        try:
            wrapped = _wrapped(row, keys)
        except Unreadable as error:
            unreadable[row.sid] = str(error)
            continue
        if wrapped:
            done += rewrapped(store, row, wrapped)
    return done, unreadable


def _wrapped(row: Recording, keys: Keyring) -> tuple[bytes | None, str | None, bytes | None] | None:
    """Return a row's sealed key, key id and transcript under the first key; None if they are already. May raise."""
    old = [sealed for sealed in (row.sealed_key, row.transcript) if sealed and not keys.is_current(sealed)]
    if not old:
        return None
    key = keys.rewrap(row.sealed_key)[0] if row.sealed_key else None
    transcript = keys.rewrap(row.transcript, row.sid)[0] if row.transcript else None
    return key, keys.first if key else row.key_id, transcript
