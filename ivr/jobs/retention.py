"""The round that removes, once a day, whatever has been kept for as long as the policies say."""

from datetime import datetime, timedelta

from ivr.observe import log
from recordings.audio_store import AudioStore, AudioUnavailable
from recordings.marks import mark, put_mark
from recordings.retention import Times, purge
from recordings.store import Store

NAME = "retention"
DAILY = timedelta(days=1)


class Purge:
    """Goes over everything once a day. Two workers that do so at once are harmless; after a kill it begins again."""

    def __init__(self, store: Store, audio: AudioStore, times: Times) -> None:
        self._store, self._audio, self._times = store, audio, times

    def __call__(self, at: datetime) -> None:
        """Remove what is over, if that was not done within a day. Raises StoreUnavailable."""
        last = mark(self._store, NAME)
        if last is not None and at < last + DAILY:
            return
        try:
            removed = purge(self._store, self._audio, self._times, at)
        except AudioUnavailable as error:
            log.warning("Nothing was removed for the time being: %s", error)
            return
        put_mark(self._store, NAME, at)
        if any(removed.values()):
            log.info("Removed: %s.", ", ".join(f"{number} {what}" for what, number in removed.items() if number))
