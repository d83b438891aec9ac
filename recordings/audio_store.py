"""The audio store: a folder or a bucket of sealed files. A name is written once and never changed."""

import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

import msgspec
import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

if TYPE_CHECKING:
    from obstore.store import RetryConfig  # a name that is there for checkers alone

NAME = re.compile(r"RE[0-9a-f]{32}\.[0-9a-f]{8}")
SCHEMES = ("file", "s3", "gs", "az", "memory")
MEND = "Write file:FOLDER, s3://BUCKET, gs://BUCKET or az://ACCOUNT/CONTAINER."
PATIENCE = "20s"  # for one request to a bucket
RETRY: "RetryConfig" = {"max_retries": 2, "retry_timeout": timedelta(seconds=45)}
STAGED = "*#*"  # how a file is called while it is being written; one that was left behind by a kill stays so


class AudioUnavailable(Exception):  # noqa: N818 - a state of affairs, as StoreUnavailable is
    """The folder or bucket does not answer, is full, or may not be used. The message says why."""


class AudioMissing(Exception):  # noqa: N818 - a state of affairs
    """Nothing has this name in the audio store."""


class Kept(msgspec.Struct, frozen=True):
    """A file as the store lists it."""

    name: str
    size: int  # bytes
    since: datetime


def name_for(sid: str) -> str:
    """Return a new name for a recording's audio, so that two who store it at once never write the same file."""
    return _checked(f"{sid}.{token_hex(4)}")


class AudioStore:
    """Sealed files by name. Every method raises AudioUnavailable when the folder or bucket cannot be used."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    def put(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, and return once it is durable. Raises FileExistsError."""
        try:
            obstore.put(self._store, _checked(name), content, mode="create", use_multipart=False)
            if self._folder:
                _make_durable(self._folder, name)
        except (AlreadyExistsError, FileExistsError):
            raise FileExistsError(name) from None
        except (BaseError, OSError) as error:
            _unavailable(error)

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """Return a file or a stretch of it. Raises AudioMissing."""
        try:
            if start == 0 and length is None:
                return bytes(obstore.get(self._store, _checked(name)).bytes())
            end = self.size(name) if length is None else start + length
            return bytes(obstore.get_range(self._store, _checked(name), start=start, end=end))
        except FileNotFoundError:
            raise AudioMissing(name) from None
        except (BaseError, OSError) as error:
            _unavailable(error)

    def size(self, name: str) -> int:
        """Return a file's size in bytes. Raises AudioMissing."""
        try:
            return obstore.head(self._store, _checked(name))["size"]
        except FileNotFoundError:
            raise AudioMissing(name) from None
        except (BaseError, OSError) as error:
            _unavailable(error)

    def delete(self, name: str) -> None:
        """Remove a file; one that is not there is gone already."""
        try:
            obstore.delete(self._store, _checked(name))
            if self._folder:
                _settle_folder(self._folder)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            _unavailable(error)

    def files(self) -> Iterator[Kept]:
        """List every file."""
        try:
            for page in obstore.list(self._store):
                for each in page:
                    yield Kept(each["path"], each["size"], each["last_modified"])
        except (BaseError, OSError) as error:
            _unavailable(error)

    def sweep(self, before: datetime) -> int:
        """Remove what was half written before an instant, by a process that was killed, and return how much it was."""
        left = [path for path in self._folder.glob(STAGED) if _older(path, before)] if self._folder else []
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)


def open_audio(url: str) -> AudioStore:
    """Return the store that RECORDINGS_URL names; a folder is made. Raises ValueError with the mend."""
    scheme = urlsplit(url).scheme
    if scheme not in SCHEMES:
        raise ValueError(f"RECORDINGS_URL: {scheme or 'no scheme'} is nothing that audio can be kept in. {MEND}")
    if scheme == "memory":
        return AudioStore(MemoryStore())
    if scheme == "file":
        return _open_folder(Path(url.removeprefix("file:").removeprefix("//")))
    try:
        return AudioStore(from_url(url, client_options={"timeout": PATIENCE}, retry_config=RETRY))
    except (BaseError, ValueError) as error:
        raise ValueError(f"RECORDINGS_URL: {url} cannot be used: {str(error).splitlines()[0]}. {MEND}") from None


def _open_folder(folder: Path) -> AudioStore:
    path = folder.absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"RECORDINGS_URL: {path} cannot be made: {error.strerror}. {MEND}") from None
    return AudioStore(LocalStore(prefix=path), path)


def _make_durable(folder: Path, name: str) -> None:
    with (folder / name).open("rb") as written:
        os.fsync(written.fileno())
    _settle_folder(folder)


def _settle_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _older(path: Path, instant: datetime) -> bool:
    try:
        return path.stat().st_mtime < instant.timestamp()
    except FileNotFoundError:
        return False


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a file in the audio store")
    return name


def _unavailable(error: Exception) -> NoReturn:
    raise AudioUnavailable(str(error).splitlines()[0][:300]) from None
