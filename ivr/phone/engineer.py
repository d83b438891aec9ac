"""An engineer's telephone: it rings, is picked up or not, and whoever picks up is asked before the legs are joined."""

from collections.abc import Callable, Mapping

from ivr.phone.clock import PhoneClock
from ivr.phone.leg import length
from ivr.phone.people import REACTION, Engineer
from ivr.phone.twiml import Gather, Hangup, Say, Verb

PICKS_UP_AFTER = {Engineer.ANSWERS: 4.0, Engineer.PASSES: 4.0, Engineer.MACHINE: 12.0}  # seconds of ringing
BUSY_AFTER = 1.0
KEYS = {Engineer.ANSWERS: "1", Engineer.PASSES: "2"}

Fetch = Callable[[str, Mapping[str, str]], tuple[Verb, ...]]
Note = Callable[[str, str], None]


class EngineerLeg:
    """One engineer's leg. `fetch` delivers its webhooks, `note` tells the watchers what is heard on it."""

    def __init__(self, does: Engineer, clock: PhoneClock, fetch: Fetch, note: Note) -> None:
        self._does = does
        self._clock = clock
        self._fetch = fetch
        self._note = note

    def rings(self, timeout: int) -> bool:
        """Let it ring, and return whether it was picked up in time."""
        if self._does is Engineer.BUSY:
            self._clock.spend(BUSY_AFTER)
            return False
        wait = PICKS_UP_AFTER.get(self._does, float(timeout))
        self._clock.spend(min(wait, timeout))
        return wait < timeout

    def accepts(self, url: str) -> bool:
        """Play what is announced, and return whether the legs are joined then. Without a url they are at once."""
        return self._joins(self._fetch(url, {})) if url else True

    def _joins(self, document: tuple[Verb, ...]) -> bool:
        """Hear a document. The legs are joined when one runs to its end, and not when it hangs up."""
        for verb in document:
            if isinstance(verb, Hangup):
                return False
            if isinstance(verb, Gather):
                self._listen(*verb.heard)
                following = self._answer(verb)
                if following is not None:
                    return self._joins(following)
            else:
                self._listen(verb)
        return True

    def _answer(self, gather: Gather) -> tuple[Verb, ...] | None:
        """Press a key, or none; None: nothing comes back, so that the next verb is heard."""
        if key := KEYS.get(self._does):
            self._clock.spend(REACTION)
            return self._fetch(gather.action, {"Digits": key, "FinishedOnKey": "", "msg": "Gather End"})
        self._clock.spend(gather.timeout)
        return self._fetch(gather.action, {"Digits": ""}) if gather.answers_silence else None

    def _listen(self, *sounds: Verb) -> None:
        for sound in sounds:
            if isinstance(sound, Say):
                self._note("whispered", sound.text)
            self._clock.spend(length(sound))
