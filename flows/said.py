"""Everything that can be said: sentences, and then one thing to wait for."""

import msgspec


class Sentence(msgspec.Struct, frozen=True, array_like=True):
    """A prompt's key and the words that are spoken for it."""

    key: str
    text: str


class Gather(msgspec.Struct, frozen=True, tag=True):
    """Wait for keys: at most `most` of them (0 = until the finish key), `seconds` for the first and between two."""

    seconds: int
    most: int = 1
    finish: str = ""


class Take(msgspec.Struct, frozen=True, tag=True):
    """Record a message of at most `limit` seconds; `silence` seconds of silence, or the hash key, end it."""

    limit: int
    silence: int


class Ring(msgspec.Struct, frozen=True, tag=True):
    """Ring one number for `seconds`; talk lasts at most `limit` seconds. `leg` numbers the attempt in this call."""

    leg: int
    number: str
    seconds: int
    limit: int


class GoOn(msgspec.Struct, frozen=True, tag=True):
    """Come straight back for the next turn."""


class HangUp(msgspec.Struct, frozen=True, tag=True):
    """The conversation is over."""


class Connect(msgspec.Struct, frozen=True, tag=True):
    """An engineer has accepted: put the two legs together."""


Wait = Gather | Take | Ring | GoOn | HangUp | Connect


class Said(msgspec.Struct, frozen=True):
    """What is spoken, in which locale, and what we wait for. `play` names a take to be heard before the sentences."""

    locale: str
    sentences: tuple[Sentence, ...]
    wait: Wait
    play: str = ""
