"""Encryption at rest: each file has a key of its own, and only that key is sealed with a master key.

To change the master key means to seal small keys again, in the database; no audio is touched.
"""

import re
import secrets
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Mapping
from typing import NoReturn

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_SIZE = 32  # bytes: AES-256
NONCE_SIZE = 12
AUDIO = b"PLA1"  # what a sealed file begins with
SMALL = b"PLS1"  # and a sealed key or text
DERIVED = "secret-key"  # the id of the key that is derived from SECRET_KEY
KEY_ID = re.compile(r"[A-Za-z0-9._\-]{1,32}")
SHAPE = "Write id:KEY, more of them after commas, the one that seals first."
MAKE = "Make a key: python3 -c 'import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())'."


class KeyFault(ValueError):  # noqa: N818 - a fault in what an operator wrote
    """A list of keys cannot be used. `faults` holds pairs: what is wrong, and how to mend it. No key is ever shown."""

    def __init__(self, faults: Iterable[tuple[str, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{problem} {mend}" for problem, mend in self.faults))


class Unreadable(Exception):  # noqa: N818 - a state of affairs of what is stored
    """What is sealed cannot be opened. The message says why."""


class Tampered(Unreadable):
    """What is sealed is not what was sealed, or belongs elsewhere: it has been altered, cut short or mixed up."""


class UnknownKey(Unreadable):
    """It was sealed under a key that is no longer listed. Put that key back, at the end of RECORDINGS_KEY."""


class Sealed(msgspec.Struct, frozen=True):
    """A sealed file: what is put into the audio store, its own key sealed, and the id of the master key."""

    blob: bytes
    sealed_key: bytes
    key_id: str


class Keyring:
    """Master keys. The first one seals; every one of them opens."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = {name: AESGCM(key) for name, key in keys.items()}
        self.first = next(iter(self._keys))

    def __repr__(self) -> str:
        """Return the ids of the keys, and nothing of the keys themselves."""
        return f"Keyring({', '.join(self._keys)})"

    @classmethod
    def parse(cls, text: str, secret: str = "") -> "Keyring":
        """Read `id:base64-of-32-bytes`, comma separated. Raises KeyFault with everything that is wrong.

        A key derived from `secret` opens too, so that what was sealed before RECORDINGS_KEY was set stays readable;
        with an empty text it seals as well.
        """
        keys, faults = _read(text)
        if faults:
            raise KeyFault(faults)
        if secret:
            keys[DERIVED] = _derive(secret)
        if not keys:
            raise KeyFault([("there is no key.", f"{SHAPE} {MAKE}")])
        return cls(keys)

    @classmethod
    def derived(cls, secret: str) -> "Keyring":
        """Return the one key that follows from SECRET_KEY, for whoever sets no RECORDINGS_KEY."""
        return cls({DERIVED: _derive(secret)})

    def seal_file(self, sid: str, audio: bytes) -> Sealed:
        """Seal a recording's audio under a fresh key, so that it opens as this recording only."""
        key = secrets.token_bytes(KEY_SIZE)
        blob = AUDIO + _encrypted(AESGCM(key), audio, sid.encode())
        return Sealed(blob, self.seal(key), self.first)

    def open_file(self, sid: str, blob: bytes, sealed_key: bytes) -> bytes:
        """Return a recording's audio. Raises Unreadable."""
        key = AESGCM(self.open(sealed_key))
        if not blob.startswith(AUDIO):
            raise Tampered(f"the file of {sid} is no sealed audio")
        return _decrypted(key, blob[len(AUDIO) :], sid.encode(), f"the file of {sid}")

    def seal(self, content: bytes, about: str = "") -> bytes:
        """Seal something small under the first key. It opens only with the same `about`, such as a recording's id."""
        name = self.first.encode()
        head = SMALL + bytes([len(name)]) + name
        return head + _encrypted(self._keys[self.first], content, head + about.encode())

    def open(self, sealed: bytes, about: str = "") -> bytes:
        """Return what was sealed. Raises Unreadable."""
        name, length = _key_of(sealed), _head_length(sealed)
        if name not in self._keys:
            raise UnknownKey(f"it is sealed under the key {name}, which RECORDINGS_KEY does not list")
        return _decrypted(self._keys[name], sealed[length:], sealed[:length] + about.encode(), "a sealed text")

    def rewrap(self, sealed_key: bytes, about: str = "") -> tuple[bytes, str]:
        """Return a sealed key (or text) sealed under the first key, and that key's id. Raises Unreadable."""
        return self.seal(self.open(sealed_key, about), about), self.first

    def is_current(self, sealed: bytes) -> bool:
        """Whether something is sealed under the first key. Raises Tampered if it is not sealed at all."""
        return _key_of(sealed) == self.first


def key_faults(text: str) -> list[tuple[str, str]]:
    """Return what is wrong with a list of keys: pairs of what it is and how to mend it; an empty list is right."""
    return _read(text)[1]


def _read(text: str) -> tuple[dict[str, bytes], list[tuple[str, str]]]:
    keys: dict[str, bytes] = {}
    faults: list[tuple[str, str]] = []
    for place, entry in enumerate(filter(None, map(str.strip, text.split(","))), 1):
        name, colon, encoded = entry.partition(":")
        if not colon or not KEY_ID.fullmatch(name):
            faults.append((f"entry {place} has no id before a colon.", SHAPE))
        elif name in keys or name == DERIVED:
            faults.append((f"entry {place} has an id, {name}, that is taken.", "Give each key an id of its own."))
        elif (key := _decoded(encoded)) is None:
            faults.append((f"entry {place}, {name}, is not 32 bytes in base64.", MAKE))
        else:
            keys[name] = key
    return keys, faults


def _decoded(encoded: str) -> bytes | None:
    try:
        key = b64decode(encoded, validate=True)
    except (NotBase64, ValueError):
        return None
    return key if len(key) == KEY_SIZE else None


def _derive(secret: str) -> bytes:
    return HKDF(SHA256(), KEY_SIZE, salt=None, info=b"partnerline recordings").derive(secret.encode())


def _encrypted(key: AESGCM, content: bytes, about: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_SIZE)
    return nonce + key.encrypt(nonce, content, about)


def _decrypted(key: AESGCM, content: bytes, about: bytes, what: str) -> bytes:
    try:
        return key.decrypt(content[:NONCE_SIZE], content[NONCE_SIZE:], about)
    except (InvalidTag, ValueError):
        raise Tampered(f"{what} is not what was sealed") from None


def _head_length(sealed: bytes) -> int:
    return len(SMALL) + 1 + sealed[len(SMALL)]


def _key_of(sealed: bytes) -> str:
    """Return the id of the key that something small is sealed under."""
    if not sealed.startswith(SMALL) or len(sealed) <= len(SMALL):
        _refuse()
    name = sealed[len(SMALL) + 1 : _head_length(sealed)].decode("ascii", "replace")
    return name if KEY_ID.fullmatch(name) else _refuse()


def _refuse() -> NoReturn:
    raise Tampered("a sealed text does not begin as one")
