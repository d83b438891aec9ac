"""What is said, as TwiML. This module is the only way out: whatever passes through it is valid XML."""

import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from flows.said import Connect, Gather, GoOn, HangUp, Ring, Said, Take, Wait
from ivr.tokens import Awaits
from ivr.urls import Urls

CONTENT_TYPE = "text/xml; charset=utf-8"
HEAD = '<?xml version="1.0" encoding="UTF-8"?><Response>'
TAIL = "</Response>"
EMPTY = f"{HEAD}{TAIL}".encode()
DOCUMENT_LIMIT = 64_000  # bytes; a longer document would end the call, so that its wait matters more than its words
SPEECH_LIMIT = 3000  # characters in one sentence: what the neural voices take, and below Twilio's own 4,096
VOICES = {"en-US": "Polly.Joanna-Neural", "en-GB": "Polly.Amy-Neural", "en-AU": "Polly.Olivia-Neural"}

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPECIAL = re.compile("[&<>\"']")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}


class Place(msgspec.Struct, frozen=True):
    """Where in a call a document is heard, and the turn that is awaited there then.

    Leg 0 is the caller's. `line` is the number that was dialled, in E.164: the only one that we show to engineers.
    """

    sid: str
    line: str
    leg: int
    turn: int


def escaped(text: str) -> str:
    """Return text that may stand in an element or in a quoted attribute; what XML forbids is left out."""
    return _SPECIAL.sub(lambda found: _ENTITIES[found[0]], _ILLEGAL.sub("", text))


@lru_cache(maxsize=2048)
def _words(text: str) -> str:
    return escaped(text[:SPEECH_LIMIT])


class Writer:
    """Turns what is said into documents, with the URLs under which we hear what comes back."""

    def __init__(self, urls: Urls, voices: Mapping[str, str] = VOICES, *, transcribe: bool = False) -> None:
        self._urls = urls
        self._transcribe = transcribe
        self._opening = {locale: _opening(locale, voice) for locale, voice in {**VOICES, **voices}.items()}

    def render(self, said: Said, place: Place) -> bytes:
        """Return the document that says it there."""
        spoken = self.spoken(said.locale, *(sentence.text for sentence in said.sentences))
        if said.play:
            spoken = f"<Play>{escaped(self._urls.take(place.sid, said.play))}</Play>{spoken}"
        written = document(self._waiting(said.wait, spoken, place))
        return written if len(written) <= DOCUMENT_LIMIT else document(self._waiting(said.wait, "", place))

    def spoken(self, locale: str, *texts: str) -> str:
        """Return one <Say> for each text, in the locale's voice. A locale without one is spoken in English."""
        opening = self._opening.get(locale) or self._opening["en-US"]
        return "".join([f"{opening}{_words(text)}</Say>" for text in texts if text])

    def _waiting(self, wait: Wait, spoken: str, place: Place) -> str:
        match wait:
            case Gather():
                return gather(wait, spoken, self._back(place, Awaits.KEYS), of_engineer=place.leg > 0)
            case Take():
                callback = escaped(self._urls.recording(place.sid, place.turn))
                words = escaped(self._urls.transcript(place.sid, place.turn)) if self._transcribe else ""
                return spoken + take(wait, self._back(place, Awaits.MESSAGE), callback, words)
            case Ring():
                whisper = escaped(self._urls.turn(place.sid, wait.leg, 0, Awaits.ANSWER))
                return spoken + dial(wait, self._back(place, Awaits.DIAL), whisper, place.line)
            case GoOn():
                return f'{spoken}<Redirect method="POST">{self._back(place, Awaits.ONWARD)}</Redirect>'
            case HangUp():
                return f"{spoken}<Hangup/>"
            case Connect():
                return spoken

    def _back(self, place: Place, awaits: Awaits) -> str:
        return escaped(self._urls.turn(place.sid, place.leg, place.turn, awaits))


def gather(wait: Gather, spoken: str, action: str, *, of_engineer: bool) -> str:
    """Return a <Gather>. A caller's silence comes back to us; an engineer's is a pass, and ends their leg."""
    most = f' numDigits="{wait.most}"' if wait.most else ""
    empty, after = ("false", "<Hangup/>") if of_engineer else ("true", "")
    return (
        f'<Gather input="dtmf" action="{action}" method="POST" timeout="{wait.seconds}"{most}'
        f' finishOnKey="{escaped(wait.finish)}" actionOnEmptyResult="{empty}">{spoken}</Gather>{after}'
    )


def take(wait: Take, action: str, callback: str, transcript: str = "") -> str:
    """Return a <Record>, and the way on for a recording so silent that its action is never asked for.

    It is transcribed only if there is somewhere for the transcript to go.
    """
    words = f' transcribe="true" transcribeCallback="{transcript}"' if transcript else ""
    return (
        f'<Record action="{action}" method="POST" timeout="{wait.silence}" maxLength="{wait.limit}" finishOnKey="#"'
        f' playBeep="true" trim="trim-silence" recordingStatusCallback="{callback}"'
        ' recordingStatusCallbackMethod="POST" recordingStatusCallbackEvent="completed absent"'
        f"{words}/>"
        f'<Redirect method="POST">{action}</Redirect>'
    )


def dial(ring: Ring, action: str, whisper: str, line: str) -> str:
    """Return a <Dial> of one number. The engineer sees the line that was called, and is asked before the bridge."""
    return (
        f'<Dial action="{action}" method="POST" timeout="{ring.seconds}" timeLimit="{ring.limit}"'
        f' callerId="{escaped(line)}"><Number url="{whisper}" method="POST">{escaped(ring.number)}</Number></Dial>'
    )


def document(*verbs: str) -> bytes:
    """Return a document of verbs that are already written."""
    return f"{HEAD}{''.join(verbs)}{TAIL}".encode()


def _opening(locale: str, voice: str) -> str:
    return f'<Say voice="{escaped(voice)}" language="{escaped(locale)}">'
