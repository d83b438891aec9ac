"""Reading TwiML: exactly the verbs and attributes that Partnerline says; anything else is a fault of the document."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as ET


class TwimlFault(Exception):  # noqa: N818 - the fault is in the document
    """A document that the telephone cannot carry out; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Say:
    """Words to be spoken."""

    text: str


@dataclass(frozen=True, slots=True)
class Play:
    """A sound to be fetched and played."""

    url: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Seconds of quiet."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Gather:
    """Wait for keys. `timeout` is the wait for the first key and between two; `most` 0 is without limit."""

    heard: tuple[Say | Play | Pause, ...]
    action: str
    timeout: int
    most: int
    finish: str
    answers_silence: bool


@dataclass(frozen=True, slots=True)
class Record:
    """Take a message. `silence` seconds of silence end it, and so does a key of `finish`."""

    action: str
    silence: int
    finish: str
    limit: int
    beep: bool
    callback: str


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring one number, and let whoever picks up hear `whisper` before the two legs are put together."""

    number: str
    whisper: str
    action: str
    timeout: int
    limit: int
    caller_id: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with another document."""

    url: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """The conversation is over."""


Verb = Say | Play | Pause | Gather | Record | Dial | Redirect | Hangup

_ATTRIBUTES = {
    "Response": frozenset[str](),
    "Say": frozenset({"voice", "language"}),
    "Play": frozenset[str](),
    "Pause": frozenset({"length"}),
    "Gather": frozenset({"action", "method", "input", "timeout", "numDigits", "finishOnKey", "actionOnEmptyResult"}),
    "Record": frozenset(
        {
            *("action", "method", "timeout", "finishOnKey", "maxLength", "playBeep", "trim"),
            *("recordingStatusCallback", "recordingStatusCallbackMethod", "recordingStatusCallbackEvent"),
            *("transcribe", "transcribeCallback"),
        }
    ),
    "Dial": frozenset({"action", "method", "timeout", "timeLimit", "callerId"}),
    "Number": frozenset({"url", "method"}),
    "Redirect": frozenset({"method"}),
    "Hangup": frozenset[str](),
}
_INSIDE = {"Response": frozenset(_ATTRIBUTES) - {"Response", "Number"}, "Gather": frozenset({"Say", "Play", "Pause"})}
_INSIDE["Dial"] = frozenset({"Number"})
_WHISPER = (Say, Play, Gather, Hangup)


def read(text: str) -> tuple[Verb, ...]:
    """Return a document's verbs. Raises TwimlFault for anything that the provider would not do as it was meant."""
    if "<!" in text:
        raise TwimlFault("the document has a declaration of its own: TwiML is plain elements")
    try:
        root = ET.fromstring(text.encode())  # noqa: S314 - no declarations, so nothing can be expanded or fetched
    except ET.ParseError as fault:
        raise TwimlFault(f"this is not XML ({fault}): {text[:80]!r}") from None
    if root.tag != "Response":
        raise TwimlFault(f"the document is a <{root.tag}>: it must be one <Response>")
    _check(root)
    return tuple(_VERBS[child.tag](child) for child in root)


def read_whisper(text: str) -> tuple[Verb, ...]:
    """Return what an engineer hears before the legs are put together, where fewer verbs are allowed."""
    verbs = read(text)
    for verb in verbs:
        if not isinstance(verb, _WHISPER):
            raise TwimlFault(f"<{type(verb).__name__}> is not allowed while a call is being announced")
    return verbs


def _check(element: ET.Element) -> None:
    """Refuse what is not in the tables, and text where none belongs."""
    allowed = _INSIDE.get(element.tag, frozenset())
    for name in element.attrib:
        if name not in _ATTRIBUTES[element.tag]:
            raise TwimlFault(f"<{element.tag}> has an attribute {name}, which this telephone does not know")
    if element.attrib.get("method", "POST") != "POST":
        raise TwimlFault(f"<{element.tag}> asks for {element.attrib['method']}: every webhook is a POST")
    for child in element:
        if child.tag not in allowed:
            raise TwimlFault(f"<{child.tag}> inside <{element.tag}> is not a verb that this telephone knows there")
        if (child.tail or "").strip():
            raise TwimlFault(f"there is text after <{child.tag}>: {child.tail!r:.40}")
        _check(child)


def _say(element: ET.Element) -> Say:
    return Say(" ".join(_text(element).split()))


def _gather(element: ET.Element) -> Gather:
    if element.get("input", "dtmf") != "dtmf":
        raise TwimlFault(f"<Gather> listens to {element.get('input')}: only keys are known here")
    return Gather(
        heard=tuple(_sound(_VERBS[child.tag](child)) for child in element),
        action=_needed(element, "action"),
        timeout=_whole(element, "timeout", 5),
        most=_whole(element, "numDigits", 0),
        finish=_keys(element, "#"),
        answers_silence=_flag(element, "actionOnEmptyResult", default=False),
    )


def _record(element: ET.Element) -> Record:
    return Record(
        action=_needed(element, "action"),
        silence=_whole(element, "timeout", 5),
        finish=_keys(element, "1234567890*#"),
        limit=_whole(element, "maxLength", 3600),
        beep=_flag(element, "playBeep", default=True),
        callback=element.get("recordingStatusCallback", ""),
    )


def _dial(element: ET.Element) -> Dial:
    numbers = element.findall("Number")
    if len(numbers) != 1:
        raise TwimlFault(f"<Dial> rings {len(numbers)} numbers: the first to pick up, a machine too, would win")
    return Dial(
        number=_text(numbers[0]),
        whisper=numbers[0].get("url", ""),
        action=_needed(element, "action"),
        timeout=_whole(element, "timeout", 30),
        limit=_whole(element, "timeLimit", 14_400),
        caller_id=element.get("callerId", ""),
    )


_VERBS: dict[str, Callable[[ET.Element], Verb]] = {
    "Say": _say,
    "Play": lambda element: Play(_text(element)),
    "Pause": lambda element: Pause(_whole(element, "length", 1)),
    "Gather": _gather,
    "Record": _record,
    "Dial": _dial,
    "Redirect": lambda element: Redirect(_text(element)),
    "Hangup": lambda _element: Hangup(),
}


def _sound(verb: Verb) -> Say | Play | Pause:
    if isinstance(verb, Say | Play | Pause):
        return verb
    raise TwimlFault(f"<{type(verb).__name__}> is out of place")


def _text(element: ET.Element) -> str:
    text = (element.text or "").strip()
    if not text:
        raise TwimlFault(f"<{element.tag}> is empty")
    return text


def _needed(element: ET.Element, name: str) -> str:
    value = element.get(name)
    if not value:
        raise TwimlFault(f"<{element.tag}> has no {name}: the same document would be asked for again, for ever")
    return value


def _whole(element: ET.Element, name: str, otherwise: int) -> int:
    text = element.get(name, str(otherwise))
    if not re.fullmatch("[0-9]{1,6}", text):
        raise TwimlFault(f"<{element.tag} {name}={text!r}> is not a whole number")
    return int(text)


def _keys(element: ET.Element, otherwise: str) -> str:
    keys = element.get("finishOnKey", otherwise)
    if not re.fullmatch("[0-9*#]*", keys):
        raise TwimlFault(f"<{element.tag} finishOnKey={keys!r}> has something that is no key")
    return keys


def _flag(element: ET.Element, name: str, *, default: bool) -> bool:
    words: Iterable[str] = ("true", "false")
    word = element.get(name, str(default).lower())
    if word not in words:
        raise TwimlFault(f"<{element.tag} {name}={word!r}> is neither true nor false")
    return word == "true"
