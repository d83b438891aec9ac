"""The keypad: which of the keys that somebody presses belong to an entry, and what ends it."""

from dataclasses import dataclass

from ivr.phone.twiml import Gather

BETWEEN = 0.4  # seconds from one key to the next
COMMA = 2.0  # seconds that a comma waits, as on a modem


@dataclass(frozen=True, slots=True)
class Entry:
    """What an entry came to: its digits, the key that ended it, how long it took, and the keys it did not take."""

    digits: str
    finish: str
    seconds: float
    rest: str

    @property
    def pressed(self) -> str:
        """Return the keys that the entry took, with the one that ended it."""
        return self.digits + self.finish


def enter(keys: str, gather: Gather) -> Entry:
    """Press keys one after another until the entry is full, finished, or a wait outlasts the gap that it allows."""
    digits, seconds, waited = "", 0.0, 0.0
    for place, key in enumerate(keys):
        if key == ",":
            waited += COMMA
            if waited >= gather.timeout:
                return Entry(digits, "", seconds + gather.timeout, keys[place + 1 :])
            continue
        seconds += waited + (BETWEEN if digits else 0)
        waited = 0.0
        if key in gather.finish:
            return Entry(digits, key, seconds, keys[place + 1 :])
        digits += key
        if len(digits) == gather.most:
            return Entry(digits, "", seconds, keys[place + 1 :])
    return Entry(digits, "", seconds + gather.timeout, "")
