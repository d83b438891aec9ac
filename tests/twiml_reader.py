"""A strict reader of TwiML: from the bytes of a reply to verbs, or an AssertionError that shows the document."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn
from xml.etree import ElementTree as ET

WORDS_PER_SECOND = 165 / 60
PLAY_SECONDS = 10.0
VERBS_WITHOUT_TEXT = {"Gather", "Record", "Dial", "Pause", "Hangup", "Reject"}
SSML = {"break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w"}


@dataclass(frozen=True)
class Verb:
    """One element: its name, attributes, own text, and the nouns or prompts inside it."""

    name: str
    attributes: Mapping[str, str]
    text: str = ""
    children: tuple["Verb", ...] = ()

    def __getitem__(self, attribute: str) -> str:
        return self.attributes[attribute]

    def get(self, attribute: str, default: str = "") -> str:
        """Give an attribute as written, or Twilio's default for it."""
        return self.attributes.get(attribute, default)

    def number(self, attribute: str, default: int = 0) -> int:
        """Give an attribute that counts something."""
        return int(self.get(attribute, str(default)))

    @property
    def seconds(self) -> float:
        """How long it sounds: speech at 165 words a minute, a pause by its length, media ten seconds."""
        if self.name == "Pause":
            return float(self.number("length", 1))
        if self.name == "Play":
            return PLAY_SECONDS * self.number("loop", 1)
        return len(self.text.split()) / WORDS_PER_SECOND


@dataclass(frozen=True)
class Document:
    """One reply of the service: its text, and its verbs in order."""

    text: str
    verbs: tuple[Verb, ...]

    def __iter__(self) -> Iterator[Verb]:
        """Walk every element, each before what is inside it."""
        for verb in self.verbs:
            yield verb
            yield from verb.children

    def has(self, name: str) -> bool:
        """Tell whether the element occurs anywhere."""
        return any(verb.name == name for verb in self)


def fault(complaint: str, text: str) -> NoReturn:
    """Fail the test, showing the document."""
    raise AssertionError(f"{complaint}\n--- the document:\n{text}")


def read_document(body: bytes) -> Document:
    """Parse one <Response>. Nothing may stand before it but the XML declaration; no DOCTYPE, no stray text."""
    text = body.decode("utf-8", "backslashreplace")
    if not body.startswith((b"<?xml", b"<Response")):
        fault("a document begins with the XML declaration or with <Response>", text)
    if b"<!" in body:
        fault("a document has no DOCTYPE, CDATA or comment", text)
    try:
        root = ET.fromstring(body)
    except ET.ParseError as error:
        fault(f"not well-formed: {error}", text)
    if root.tag != "Response" or root.attrib:
        fault("the root is one <Response> without attributes", text)
    if (root.text or "").strip():
        fault("stray text in <Response>", text)
    return Document(text, tuple(_verb(element, text) for element in root))


def _verb(element: ET.Element, text: str) -> Verb:
    if (element.tail or "").strip():
        fault(f"stray text after <{element.tag}>", text)
    if element.tag == "Say":
        strange = {inner.tag for inner in element.iter()} - SSML - {"Say"}
        if strange or len(list(element.iter("Say"))) > 1:
            fault(f"not SSML inside <Say>: {sorted(strange)}", text)
        return Verb("Say", element.attrib, "".join(element.itertext()).strip())
    own = (element.text or "").strip()
    if own and element.tag in VERBS_WITHOUT_TEXT:
        fault(f"stray text in <{element.tag}>", text)
    return Verb(element.tag, element.attrib, own, tuple(_verb(child, text) for child in element))
