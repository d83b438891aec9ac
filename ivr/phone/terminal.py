"""The terminal's face of a call: when, what was said, and what was pressed then."""

import shutil
import subprocess
import textwrap
from collections.abc import Mapping
from typing import TextIO

from ivr.phone.people import Step

INDENT = 7  # columns for the time
WIDEST = 100
RESULTS = {
    "accepted": "accepted after {}",
    "passed": "passed on after {}",
    "machine": "a mailbox picked up, and pressed nothing, for {}",
    "busy": "busy",
    "no_answer": "no answer for {}",
    "turned_away": "was told after {} that the caller has gone",
}
HUNG_UP = {"service": "the service hangs up", "caller": "the caller hangs up"}


class Paper:
    """Writes a call as it goes on. A sentence's line stays open until it is known whether a key followed it.

    `names` says who answers at a number, where that is known.
    """

    def __init__(self, out: TextIO, names: Mapping[str, str], width: int | None = None) -> None:
        self._out = out
        self._names = names
        self._width = min(width or shutil.get_terminal_size((WIDEST, 24)).columns, WIDEST)
        self._open = False
        self._asked = False
        self._whispers: list[str] = []

    def show(self, step: Step) -> None:
        """Write one step."""
        match step.kind:
            case "said" | "played":
                self._begin(step.at, step.text if step.kind == "said" else f"♪ {step.text}")
            case "keyed" | "silent":
                self._end(f"{'' if self._asked else '   ⌨ '}{step.text or '(silence)'}")
            case "recorded":
                self._begin(step.at, f"● {_seconds(step.seconds)} of message{_ending(step.text)}")
            case "rang":
                self._begin(step.at, f"☎ {self._who(step.text)} …")
            case "whispered":
                self._whispers.append(step.text)
            case "hung_up":
                self._begin(step.at, f"— {HUNG_UP[step.text]}")
                self._end()
            case "trouble":
                self._begin(step.at, f"! {step.text}")
                self._end()
            case _:
                self._rung(step)

    def ask(self, question: str) -> None:
        """Write what a person is asked, on the line that is still open."""
        self._write(f"   {question} " if self._open else f"{'':{INDENT}}{question} ")
        self._out.flush()
        self._open = self._asked = True

    def finish(self) -> None:
        """End the line that is still open, for somebody else writes next."""
        if self._open:
            self._end()
        self._out.flush()

    def _who(self, number: str) -> str:
        name = self._names.get(number)
        return f"{number} ({name})" if name else number

    def _rung(self, step: Step) -> None:
        self._end(" " + RESULTS[step.kind].format(clock(step.seconds)))
        for text in self._whispers:
            self._write(self._wrapped(f"heard: {text}", " " * INDENT) + "\n")
        self._whispers.clear()

    def _begin(self, at: float, text: str) -> None:
        if self._open:
            self._end()
        self._write(self._wrapped(text, f"{clock(at):<{INDENT}}"))
        self._out.flush()
        self._open = True

    def _end(self, text: str = "") -> None:
        if text and not self._open:
            text = " " * INDENT + text.lstrip()
        self._write(text + "\n")
        self._open = self._asked = False

    def _wrapped(self, text: str, first: str) -> str:
        return textwrap.fill(text, self._width - 8, initial_indent=first, subsequent_indent=" " * INDENT)

    def _write(self, text: str) -> None:
        self._out.write(text)


class Loudspeaker:
    """Lets a call be heard, sentence by sentence, beside another face. It needs espeak-ng."""

    PROGRAM = "espeak-ng"

    def __init__(self, beside: Paper, program: str) -> None:
        self._beside = beside
        self._program = program

    def show(self, step: Step) -> None:
        """Show a step, and say what is said in it."""
        self._beside.show(step)
        if step.kind in ("said", "whispered"):
            subprocess.run([self._program, "-s", "165", "--", step.text], check=False)  # noqa: S603 - a found program


def clock(seconds: float) -> str:
    """Return seconds as minutes and seconds: "00:12"."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes:02}:{rest:02}"


def _seconds(amount: float) -> str:
    whole = f"{amount:.0f}"
    return f"{whole} second" if whole == "1" else f"{whole} seconds"


def _ending(key: str) -> str:
    return {"hangup": ", then the caller hangs up", "": ", then the limit"}.get(key, f"   ⌨ {key}")
