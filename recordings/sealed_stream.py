"""A sealed file of any length: chunks, each sealed by itself, in an order that nobody can change or cut short."""

import secrets
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recordings.sealed import KEY_SIZE, Keyring, Tampered

MAGIC = b"PLB1"  # what a sealed stream begins with
CHUNK = 1024 * 1024  # bytes
TAG = 16
LONGEST_HEAD = 256
ABOUT = "backup"


class SealedWriter:
    """Seals what is written to it. What was written is complete only after `finish`."""

    def __init__(self, out: BinaryIO, keyring: Keyring) -> None:
        key = secrets.token_bytes(KEY_SIZE)
        sealed_key = keyring.seal(key, ABOUT)
        self._out, self._key = out, AESGCM(key)
        self._buffer, self._number = bytearray(), 0
        out.write(MAGIC + len(sealed_key).to_bytes(2, "big") + sealed_key)

    def write(self, content: bytes | memoryview) -> None:
        """Add content; at most a chunk of it is kept in memory."""
        self._buffer += content
        while len(self._buffer) > CHUNK:
            self._seal(bytes(self._buffer[:CHUNK]), last=False)
            del self._buffer[:CHUNK]

    def finish(self) -> None:
        """Write the last chunk, which says that it is the last."""
        self._seal(bytes(self._buffer), last=True)
        self._buffer.clear()

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._out.write(self._key.encrypt(_nonce(self._number, last=last), chunk, None))
        self._number += 1


class SealedReader:
    """Opens what SealedWriter wrote. Raises Tampered where it is not that, UnknownKey for a key that is not listed."""

    def __init__(self, source: BinaryIO, keyring: Keyring) -> None:
        self._source, self._number, self._last = source, 0, False
        self._key = AESGCM(keyring.open(_sealed_key(source), ABOUT))
        self._ahead = source.read(CHUNK + TAG)
        self._buffer = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Return exactly so many bytes."""
        found = bytearray()
        while len(found) < size:
            if not self._buffer:
                self._open()
            taken = self._buffer[: size - len(found)]
            self._buffer = self._buffer[len(taken) :]
            found += taken
        return bytes(found)

    def at_end(self) -> bool:
        """Whether everything has been read."""
        while not self._buffer and not self._last:
            self._open()
        return not self._buffer

    def _open(self) -> None:
        """Open the next chunk. The last one is known by there being nothing after it, and must say so itself."""
        if self._last:
            raise Tampered("the file ends too early")
        chunk, self._ahead = self._ahead, self._source.read(CHUNK + TAG)
        self._last = not self._ahead
        try:
            opened = self._key.decrypt(_nonce(self._number, last=self._last), chunk, None)
        except (InvalidTag, ValueError):
            raise Tampered("the file has been altered or cut short") from None
        self._buffer = memoryview(opened)
        self._number += 1


def _sealed_key(source: BinaryIO) -> bytes:
    if source.read(len(MAGIC)) != MAGIC:
        raise Tampered("the file is no backup")
    length = int.from_bytes(source.read(2), "big")
    sealed_key = source.read(length) if length <= LONGEST_HEAD else b""
    if not sealed_key or len(sealed_key) != length:
        raise Tampered("the file has been altered or cut short")
    return sealed_key


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
