"""A person at the terminal: as the caller, and at the engineers' telephones."""

import os
import re
import select
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from ivr.phone.people import REACTION, Does, Engineer, Leave, Press, Speak
from ivr.phone.script import read_keys
from ivr.phone.terminal import Paper
from ivr.phone.twiml import Gather, Record

HELP = "Keys: 0-9 * #   Enter: say nothing   h: hang up"
_MESSAGE = re.compile("([0-9]{1,4})(h?)")
_ENGINEER = {each.value[0]: each for each in Engineer}


class Keyboard:
    """A terminal's keys, one at a time. Where there is no terminal, lines take their place."""

    def __init__(self, source: TextIO) -> None:
        self._source = source
        self.is_terminal = source.isatty()

    def line(self) -> str | None:
        """Return a line without its end; None when there is no more."""
        text = self._source.readline()
        return text.strip() if text else None

    @contextmanager
    def single_keys(self) -> Iterator[None]:
        """Read keys without waiting for the end of a line, in the block. Those pressed before it are kept."""
        descriptor = self._source.fileno()
        before = termios.tcgetattr(descriptor)
        try:
            tty.setcbreak(descriptor, termios.TCSADRAIN)
            yield
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

    def key(self, timeout: float | None) -> str:
        """Return the next key; empty when none comes in time or there is no more."""
        ready, _, _ = select.select([self._source], [], [], timeout)
        return os.read(self._source.fileno(), 1).decode("ascii", "replace") if ready else ""


class PersonCalling:
    """A caller at the terminal. In real time, waits run out as they would on the telephone."""

    def __init__(self, keyboard: Keyboard, paper: Paper, *, real: bool) -> None:
        self._keyboard = keyboard
        self._paper = paper
        self._real = real

    def at_gather(self, gather: Gather, seconds: float) -> Does:
        """Ask for keys."""
        self._paper.ask("⌨")
        if not self._keyboard.is_terminal:
            return self._from_line()
        began = time.monotonic()
        keys, left = self._keys(gather, seconds)
        if left:
            return Leave()
        return Press(keys, time.monotonic() - began if self._real else REACTION)

    def at_record(self, record: Record) -> Does:  # noqa: ARG002 - every caller is asked the same
        """Ask how long the message is."""
        self._paper.ask("● seconds of message (12: then #, 12h: then hang up, Enter: none)?")
        text = self._keyboard.line()
        if text is None or text == "h":
            return Leave()
        found = _MESSAGE.fullmatch(text.removeprefix("message:"))
        return Speak(int(found[1]), hangs_up=bool(found[2])) if found else Press("")

    def _from_line(self) -> Does:
        text = self._keyboard.line()
        if text is None:
            return Leave()
        try:
            does = read_keys(text)
        except ValueError:
            return Press("")
        return does[0] if does else Press("")

    def _keys(self, gather: Gather, seconds: float) -> tuple[str, bool]:
        """Return the keys of an entry, and whether the caller hung up instead."""
        keys = ""
        with self._keyboard.single_keys():
            while len(keys) != gather.most or not keys:
                wait = gather.timeout + (0 if keys else seconds)
                key = self._keyboard.key(wait if self._real else None)
                if key in ("h", "q", "\x04"):
                    return "", True
                if key in ("", "\n"):
                    break
                if key in "0123456789*#":
                    keys += key
                    if key in gather.finish:
                        break
        return keys, False


class PersonAnswering:
    """The engineers' telephones, answered at the terminal."""

    def __init__(self, keyboard: Keyboard, paper: Paper) -> None:
        self._keyboard = keyboard
        self._paper = paper

    def rung(self, number: str) -> Engineer:  # noqa: ARG002 - the paper has just shown it
        """Ask what happens."""
        self._paper.ask("(a)nswer, (p)ass, (b)usy, (n)obody, (m)achine?")
        if not self._keyboard.is_terminal:
            text = self._keyboard.line() or "a"
            return _ENGINEER.get(text[:1].lower(), Engineer.ANSWERS)
        with self._keyboard.single_keys():
            return _ENGINEER.get(self._keyboard.key(None).lower(), Engineer.ANSWERS)
