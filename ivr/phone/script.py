"""A caller and engineers who do what they were told beforehand."""

import re
from collections.abc import Sequence

from ivr.phone.people import Does, Engineer, Leave, Press, ScriptFault, Speak
from ivr.phone.twiml import Gather, Record

_KEYS = re.compile(r"[0-9*#,]{1,40}")
_MESSAGE = re.compile(r"message:([0-9]{1,4})(h?)")


def read_keys(text: str) -> tuple[Does, ...]:
    """Return what "1 2 1" tells a caller to do, one word for each prompt. Raises ValueError for a word without meaning.

    A word is keys (a comma waits two seconds), `-` to stay silent, `message:12` to speak for 12 seconds and press the
    finish key, `message:12h` to hang up after them, or `h` to hang up.
    """
    return tuple(_does(word) for word in text.split())


def _does(word: str) -> Does:
    if word == "-":
        return Press("")
    if word == "h":
        return Leave()
    if found := _MESSAGE.fullmatch(word):
        return Speak(int(found[1]), hangs_up=bool(found[2]))
    if _KEYS.fullmatch(word):
        return Press(word)
    raise ValueError(f"{word!r} is neither keys (0-9 * # ,) nor - nor h nor message:SECONDS")


def read_engineers(text: str) -> tuple[Engineer, ...]:
    """Return what "none,none,answer" says of one telephone after another. Raises ValueError for an unknown word."""
    known = {each.value: each for each in Engineer}
    words = text.split(",")
    if unknown := [word for word in words if word.strip() not in known]:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(known)}")
    return tuple(known[word.strip()] for word in words)


class ScriptedCaller:
    """Does one thing after another; when nothing is left to do, stays on the line and says nothing."""

    def __init__(self, script: Sequence[Does]) -> None:
        self.left = list(script)

    def at_gather(self, gather: Gather, seconds: float) -> Does:  # noqa: ARG002 - every caller is asked the same
        """Do what comes next."""
        return self.left.pop(0) if self.left else Press("")

    def at_record(self, record: Record) -> Does:  # noqa: ARG002 - every caller is asked the same
        """Do what comes next, which cannot be an entry."""
        does = self.left.pop(0) if self.left else Press("")
        if isinstance(does, Press) and re.search("[0-9]", does.keys):
            raise ScriptFault(f"the service records here, but the caller was told to press {does.keys}")
        return does


class ScriptedEngineers:
    """Do one thing after another; the last one is done again and again."""

    def __init__(self, script: Sequence[Engineer]) -> None:
        self._left = list(script)

    def rung(self, number: str) -> Engineer:  # noqa: ARG002 - every engineer is asked the same
        """Do what comes next."""
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]
