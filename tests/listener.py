"""A listener: what a party on the line has heard, and the transcript that explains a failure."""

import math
import re
from typing import Self

from carrier import Carrier
from twiml_reader import WORDS_PER_SECOND, Verb


def plain(text: str) -> str:
    """Reduce text to what the ear tells apart: no case, no spacing, digits that follow each other as one number."""
    words = " ".join(text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())
    return re.sub(r"(?<=[0-9])[ ,.]+(?=[0-9])", "", words)


class Listener:
    """Hears prompts in virtual time, and remembers them."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.waiting: Verb | None = None
        self.ending = ""
        self.log: list[str] = []
        self.lost_keys = ""
        self._spoken: list[str] = []
        self._prompts: list[Verb] = []
        self._last_key = 0

    @property
    def spoken(self) -> list[str]:
        """Everything said so far, one entry for each Say, the prompts of the Gather in progress included."""
        return self._spoken + [verb.text for verb in self._prompts if verb.name == "Say"]

    @property
    def said_now(self) -> list[str]:
        """What was said since the last key, silence or message."""
        return self.spoken[self._last_key :]

    @property
    def transcript(self) -> str:
        """The story so far, line by line with its seconds; part of every failure."""
        waits = self.waiting.name if self.waiting else "nothing"
        return "\n".join([*self.log, f"now waiting: {waits}; lost keys: {self.lost_keys!r}; ended: {self.ending!r}"])

    def hears(self, words: str) -> Self:
        """Assert that the words were said since the last key."""
        if plain(words) not in plain(" ".join(self.said_now)):
            raise self.failure(f"not said since the last key: {words!r}\nbut: {self.said_now}")
        return self

    def hears_no(self, words: str) -> Self:
        """Assert that the words were not said since the last key."""
        if plain(words) in plain(" ".join(self.said_now)):
            raise self.failure(f"said since the last key: {words!r}\nin: {self.said_now}")
        return self

    def notes(self, text: str) -> None:
        """Add a line to the transcript."""
        self.log.append(f"{self.carrier.clock.seconds:7.1f} s  {text}")

    def failure(self, complaint: str) -> AssertionError:
        """Make the error that fails the story, with the transcript."""
        return AssertionError(f"{complaint}\n{self.transcript}")

    @property
    def ended(self) -> bool:
        """Tell whether the line is closed; `ending` says why."""
        return bool(self.ending)

    @property
    def over(self) -> bool:
        """Tell whether nothing more will be carried out here."""
        return self.ended

    def _is_played(self, prompts: tuple[Verb, ...]) -> None:
        """Start the prompts; media are fetched before the first of them sounds."""
        self._prompts = list(prompts)
        for verb in prompts:
            self.notes(verb.text if verb.name == "Say" else f"({verb.name} {verb.text}".rstrip() + ")")
            if verb.name == "Play":
                self.carrier.media(verb.text)

    def _listens(self, seconds: float = math.inf) -> None:
        """Hear the prompts out, or for so many seconds: the words after that are never spoken."""
        prompts, self._prompts = self._prompts, []
        for verb in prompts:
            heard = min(verb.seconds, seconds)
            words = verb.text.split()[: round(heard * WORDS_PER_SECOND)]
            if verb.name == "Say" and words:
                self._spoken.append(" ".join(words))
            seconds -= heard
            self._passes(heard)
            if self.over or seconds <= 0:
                return

    def _passes(self, seconds: float) -> None:
        self.carrier.clock.advance(seconds)
