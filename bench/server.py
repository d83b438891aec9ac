"""Servers under measurement: started with one command, stopped for certain, and read through /proc."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter, sleep
from typing import Self

ROOT = Path(__file__).parent.parent
READY = 240.0  # seconds; a server with many programmes takes long under valgrind
HOST = "127.0.0.1"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Server:
    """One server process with its workers. A context: it is stopped on the way out."""

    def __init__(self, command: Sequence[str], port: int, environ: Mapping[str, str], log: Path) -> None:
        self.port = port
        self.log = log
        self.started = perf_counter()
        with log.open("ab") as sink:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**_clean(), **environ},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        """Wait until it listens."""
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def wait(self) -> None:
        """Wait until it listens. Raises RuntimeError with the end of its log if it does not."""
        while perf_counter() - self.started < READY and self._process.poll() is None:
            try:
                socket.create_connection((HOST, self.port), 1).close()
            except OSError:
                sleep(0.005)
            else:
                return
        self.stop()
        raise RuntimeError(f"{self.log} ends with: {self.log.read_text()[-1500:]}")

    @property
    def pid(self) -> int:
        """Return the process that was started."""
        return self._process.pid

    def workers(self, expected: int = 1) -> list[int]:
        """Return the processes that answer: the children of the one that was started, or that one itself."""
        deadline = perf_counter() + READY
        while perf_counter() < deadline:
            found = [pid for pid in children(self.pid) if _is_python(pid)]
            if len(found) >= expected:
                return found
            sleep(0.02)
        return [self.pid]

    def stop(self) -> None:
        """End it and everything that it has started."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()


def gunicorn(app: str, port: int, threads: int) -> list[str]:
    """Return the command that serves an application with one worker of the class that ships."""
    options = ["--worker-class", "gthread", "--workers", "1", "--threads", str(threads), "--keep-alive", "75"]
    return [sys.executable, "-m", "gunicorn", *options, "--bind", f"{HOST}:{port}", "--log-level", "warning", app]


def children(pid: int) -> list[int]:
    """Return the direct children of a process."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def pss(pid: int) -> float:
    """Return the proportional set size in MB: shared pages count by share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000
    raise LookupError(f"no Pss of {pid}")


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used, to the nanosecond, over all its threads."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _is_python(pid: int) -> bool:
    try:
        return "resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


def _clean() -> dict[str, str]:
    """Return the environment without settings of ours that a developer may have made."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in kept if name in os.environ}
