"""A service of a few lines, on which the telephone itself is tested: one document for each path."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape, quoteattr

from phone import AppWire, Telephone
from wire import PUBLIC_BASE_URL

FRAGMENT = "#rc=2&rp=ct,rt,5xx&ct=2000&rt=6000&tt=15000"
LINE = "+18888988733"
ENGINEER = "+14085550110"
COLLEAGUE = "+442079460111"

Answer = str | Callable[[dict[str, str]], str]


def url(path: str) -> str:
    """Give the full callback URL of a path."""
    return PUBLIC_BASE_URL + path + FRAGMENT


def verb(name: str, *inside: str, **attributes: object) -> str:
    """Write one element; its parts are XML already."""
    written = "".join(f" {key}={quoteattr(str(value))}" for key, value in attributes.items())
    return f"<{name}{written}>{''.join(inside)}</{name}>"


def say(words: str) -> str:
    """Write a Say."""
    return verb("Say", escape(words), voice="Polly.Joanna", language="en-US")


def gather(path: str, *inside: str, **attributes: object) -> str:
    """Write a Gather that states what a Gather must state."""
    stated = {"timeout": 6, "finishOnKey": "#", "actionOnEmptyResult": "true", "method": "POST"}
    return verb("Gather", *inside, input="dtmf", action=url(path), **{**stated, **attributes})


def redirect(path: str) -> str:
    """Write a Redirect."""
    return verb("Redirect", escape(url(path)), method="POST")


def record(path: str, **attributes: object) -> str:
    """Write a Record and the Redirect that stands behind it."""
    told = {"recordingStatusCallback": url("/recorded"), "recordingStatusCallbackEvent": "completed absent"}
    stated = {"timeout": 5, "maxLength": 180, "finishOnKey": "#", **told}
    return verb("Record", action=url(path), **{**stated, **attributes}) + redirect("/empty")


def dial(path: str, *numbers: str, **attributes: object) -> str:
    """Write a Dial with a whisper for each number."""
    nouns = [verb("Number", number, url=url("/whisper"), method="POST") for number in numbers]
    stated = {"timeout": 20, "timeLimit": 3600, "callerId": LINE}
    return verb("Dial", *nouns, action=url(path), **{**stated, **attributes})


def response(*verbs: str) -> str:
    """Write a document."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{"".join(verbs)}</Response>'


WHISPER = response(gather("/accept", say("Press 1 to accept."), numDigits=1), verb("Hangup"))


def accept(form: dict[str, str]) -> str:
    """Connect on 1, as a whisper does: by ending without a word."""
    return response() if form.get("Digits") == "1" else response(verb("Hangup"))


class Switchboard:
    """Answers each path with its document, or with what its function makes of the form; notes every request."""

    def __init__(self, documents: dict[str, Answer]) -> None:
        self.documents: dict[str, Answer] = {"/whisper": WHISPER, "/accept": accept, **documents}
        self.environs: list[dict[str, Any]] = []
        self.forms: list[tuple[str, dict[str, str]]] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        path, length = environ["PATH_INFO"], int(environ.get("CONTENT_LENGTH") or 0)
        form = dict(parse_qsl(environ["wsgi.input"].read(length).decode(), keep_blank_values=True))
        self.environs.append(environ)
        self.forms.append((path, form))
        answer = self.documents.get(path, response())
        text = answer(form) if callable(answer) else answer
        status, _, body = text.partition(" ") if text[:1].isdigit() else ("200", "", text)
        kind = "audio/x-wav" if path.endswith(".wav") else "text/xml; charset=utf-8"
        start_response(f"{status} Whatever", [("Content-Type", kind)])
        return [body.encode()]

    def asked(self, path: str) -> list[dict[str, str]]:
        """Give the forms that arrived at a path."""
        return [form for asked, form in self.forms if asked == path]


def phone_to(documents: dict[str, Answer], **options: Any) -> tuple[Telephone, Switchboard]:
    """Connect a telephone to such a service."""
    service = Switchboard(documents)
    return Telephone(AppWire(service), **options), service
