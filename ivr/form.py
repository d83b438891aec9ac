"""The body of a webhook: capped before anything else is done with it, parsed once, and nothing assumed of it."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from ivr.signature import signed_text

BODY_LIMIT = 32 * 1024  # bytes
FIELDS_LIMIT = 100
MOST_DIGITS = 9  # of a length that is worth reading
FORM_TYPE = "application/x-www-form-urlencoded"

_LENGTH = re.compile("[0-9]+")

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


def read(environ: Environ) -> Form:
    """Read and parse the body. Raises Refused, before it is read where it is too long."""
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise Refused("415 Unsupported Media Type", "content type")
    length = environ.get("CONTENT_LENGTH") or ""
    if not _LENGTH.fullmatch(length):
        raise Refused("411 Length Required", "no length")
    if len(length) > MOST_DIGITS or int(length) > BODY_LIMIT:
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
        pairs = _pairs(body.replace(b"+", b" "))
    except UnicodeDecodeError:
        raise Refused("400 Bad Request", "encoding") from None
    fields = dict(pairs)
    names = [name for name, _ in pairs]
    repeated = frozenset(name for name in fields if names.count(name) > 1) if len(fields) < len(names) else frozenset()
    return Form(fields, repeated, signed_text(pairs))


def _pairs(body: bytes) -> list[tuple[str, str]]:
    pairs = []
    for part in body.split(b"&"):
        name, _, value = part.partition(b"=")
        if b"%" in part:
            name, value = unquote_to_bytes(name), unquote_to_bytes(value)
        if part:
            pairs.append((name.decode(), value.decode()))
    return pairs
