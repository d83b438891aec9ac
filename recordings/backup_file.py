"""The file of a backup: members one after another, then the manifest that says what they are; all of it sealed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import msgspec

from recordings.sealed import Keyring, Tampered
from recordings.sealed_stream import SealedReader, SealedWriter

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database.sqlite"
RECORDINGS = "recordings.jsonl"
LONGEST_MANIFEST = 4 * 1024 * 1024  # bytes
LONGEST_PIECE = 64 * 1024 * 1024
PIECE = 256 * 1024


class Member(msgspec.Struct, frozen=True):
    """One member: how long it is, and its checksum. `columns` are those of a table's rows, as they were copied."""

    size: int
    sha256: str
    columns: tuple[str, ...] = ()


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds: of which engine and schema, as of when, and how many rows of each table."""

    engine: str
    schema: str
    created_at: datetime
    rows: dict[str, int]
    members: dict[str, Member]
    format: int = FORMAT


class Content(msgspec.Struct, frozen=True):
    """A member as it is handed to the file: its name and the pieces that it is made of."""

    name: str
    pieces: Iterable[bytes]
    columns: tuple[str, ...] = ()


Pieces = Iterator[bytes]


class Packer:
    """Writes members into a backup, and remembers their checksums."""

    def __init__(self, out: BinaryIO, keyring: Keyring) -> None:
        self._sealed = SealedWriter(out, keyring)
        self.members: dict[str, Member] = {}

    def add(self, content: Content) -> None:
        """Write a member, a piece at a time."""
        digest, size = sha256(), 0
        self._begin(content.name)
        for piece in content.pieces:
            for part in _parts(piece):
                digest.update(part)
                size += len(part)
                self._piece(part)
        self._piece(b"")
        self.members[content.name] = Member(size, digest.hexdigest(), content.columns)

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, and with it the end."""
        self._begin(MANIFEST)
        self._piece(msgspec.json.encode(manifest))
        self._piece(b"")
        self._sealed.finish()

    def _begin(self, name: str) -> None:
        encoded = name.encode()
        self._sealed.write(bytes([len(encoded)]) + encoded)

    def _piece(self, piece: bytes | memoryview) -> None:
        self._sealed.write(len(piece).to_bytes(4, "big"))
        self._sealed.write(piece)


def _parts(piece: bytes) -> Iterator[memoryview]:
    whole = memoryview(piece)
    for start in range(0, len(whole), PIECE):
        yield whole[start : start + PIECE]


@contextmanager
def opened(path: Path, keyring: Keyring) -> Iterator[Iterator[tuple[str, Pieces]]]:
    """Open a backup: gives its members in order, each with its pieces, which must be read before the next member.

    Raises Tampered and UnknownKey, also while it is read; OSError.
    """
    with path.open("rb") as source:
        yield _members(SealedReader(source, keyring))


def _members(sealed: SealedReader) -> Iterator[tuple[str, Pieces]]:
    while not sealed.at_end():
        name = sealed.read(sealed.read(1)[0]).decode("utf-8", "replace")
        pieces = _pieces(sealed)
        yield name, pieces
        for _ in pieces:
            pass


def _pieces(sealed: SealedReader) -> Pieces:
    while size := int.from_bytes(sealed.read(4), "big"):
        if size > LONGEST_PIECE:
            raise Tampered("the file is no backup of this service")
        yield sealed.read(size)


def verify(path: Path, keyring: Keyring) -> Manifest:
    """Read a backup from its beginning to its end, and return its manifest. Raises Tampered and UnknownKey; OSError."""
    found: dict[str, tuple[int, str]] = {}
    manifest = b""
    with opened(path, keyring) as members:
        for name, pieces in members:
            if name == MANIFEST:
                manifest = _short(pieces)
            else:
                found[name] = _measured(pieces)
    said = _read_manifest(manifest)
    if found != {name: (member.size, member.sha256) for name, member in said.members.items()}:
        raise Tampered("the members of the backup are not those of its manifest")
    return said


def _measured(pieces: Pieces) -> tuple[int, str]:
    digest, size = sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()


def _short(pieces: Pieces) -> bytes:
    found = b""
    for piece in pieces:
        found += piece
        if len(found) > LONGEST_MANIFEST:
            raise Tampered("the manifest is longer than one can be")
    return found


def _read_manifest(text: bytes) -> Manifest:
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError:
        raise Tampered("the backup has no manifest") from None
    if manifest.format != FORMAT:
        raise Tampered(f"the backup has the format {manifest.format}, of which this version knows nothing")
    return manifest
