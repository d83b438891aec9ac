"""The body of a webhook: capped before anything else is done with it, parsed once, and nothing assumed of it."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from ivr.signature import signed_text

BODY_LIMIT = 32 * 1024  # bytes
TRANSCRIPT_LIMIT = 640 * 1024  # bytes: 200 KB of a transcript, in which every character may be escaped
FIELDS_LIMIT = 100
MOST_DIGITS = 9  # of a length that is worth reading
FORM_TYPE = "application/x-www-form-urlencoded"

NONE: frozenset[str] = frozenset()

_LENGTH = re.compile("[0-9]+")
# What stands in nearly every request. None of these characters divides fields or can make another escape.
_USUAL = tuple((f"%{character:02X}".encode(), bytes([character])) for character in b'+:/" ,{}')

Environ = dict[str, Any]  # as PEP 3333 has it


class Refused(Exception):  # noqa: N818 - a verdict, not an error of ours
    """The request is no webhook of ours; `status` is the HTTP status line that says so."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Form(msgspec.Struct, frozen=True):
    """A parsed form. `fields` has the last value of each name; `signed` is what the form adds to the signed text."""

    fields: Mapping[str, str]
    repeated: frozenset[str]
    signed: str


def read(environ: Environ, most: int = BODY_LIMIT) -> Form:
    """Read and parse a body of at most so many bytes. Raises Refused, before it is read where it is too long."""
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise Refused("415 Unsupported Media Type", "content type")
    length = environ.get("CONTENT_LENGTH") or ""
    if not _LENGTH.fullmatch(length):
        raise Refused("411 Length Required", "no length")
    if len(length) > MOST_DIGITS or int(length) > most:
        raise Refused("413 Content Too Large", "body")
    body: bytes = environ["wsgi.input"].read(int(length))
    if len(body) != int(length):
        raise Refused("400 Bad Request", "length")
    return parse(body)


def parse(body: bytes) -> Form:
    """Parse a body. Raises Refused for too many fields, and for bytes that are not UTF-8."""
    if body.count(b"&") >= FIELDS_LIMIT:
        raise Refused("400 Bad Request", "fields")
    try:
        pairs = _pairs(body)
    except UnicodeDecodeError:
        raise Refused("400 Bad Request", "encoding") from None
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return Form(fields, NONE, signed_text(pairs))
    names = [name for name, _ in pairs]
    return Form(fields, frozenset(name for name in fields if names.count(name) > 1), signed_text(set(pairs)))


def _pairs(body: bytes) -> list[tuple[str, str]]:
    body = body.replace(b"+", b" ")
    if b"%" in body:
        for escape, character in _USUAL:
            body = body.replace(escape, character)
    text = body.decode()
    if text.count("%") == text.count("%25"):  # so too in a field that was escaped twice, as CallToken is
        text = text.replace("%25", "%")
        return [(name, value) for name, _, value in [part.partition("=") for part in text.split("&") if part]]
    return [
        (unquote(name, errors="strict"), unquote(value, errors="strict"))
        for name, _, value in [part.partition("=") for part in text.split("&") if part]
    ]
