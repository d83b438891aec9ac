"""Twilio's signature: who sent a request, though not where its fields begin and end (see `ivr.hearing`)."""

import hmac
from binascii import b2a_base64
from collections.abc import Iterable
from itertools import chain
from urllib.parse import urlsplit

DEFAULT_PORTS = {"https": 443, "http": 80}


def signed_text(pairs: Iterable[tuple[str, str]]) -> str:
    """Return what the form adds to the signed text: names and values, sorted by name and then by value.

    A pair that occurs twice is signed once: the caller leaves out the second.
    """
    return "".join(chain.from_iterable(sorted(pairs)))


class Signature:
    """Checks requests against the auth tokens in force: the one in use, and during a rotation a second one."""

    def __init__(self, base_url: str, tokens: Iterable[str]) -> None:
        self._keys = [token.encode() for token in tokens]
        self._origins = _origins(base_url)

    def is_genuine(self, target: str, signed: str, header: str | None) -> bool:
        """Whether the header signs this raw request target and this form. Never raises, whatever the header is."""
        if not header:
            return False
        given = header.encode("utf-8", "replace")
        tail = (target + signed).encode("utf-8", "replace")
        return any(_is_by(key, origin + tail, given) for key in self._keys for origin in self._origins)


def _is_by(key: bytes, message: bytes, given: bytes) -> bool:
    return hmac.compare_digest(b2a_base64(hmac.digest(key, message, "sha1"), newline=False), given)


def _origins(base_url: str) -> list[bytes]:
    """Return the base address with and without its port: Twilio signs https without and http with it, not always."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    port = parts.port or DEFAULT_PORTS.get(parts.scheme, 443)
    plain, full = f"{parts.scheme}://{host}", f"{parts.scheme}://{host}:{port}"
    return [origin.encode() for origin in ([plain, full] if parts.scheme == "https" else [full, plain])]
