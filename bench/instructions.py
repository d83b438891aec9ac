"""How many instructions a server spends on a request: the one figure that a busy machine does not blur.

perf counts where the processor lets it; in most virtual machines it does not, and then valgrind counts: the same to
within a percent from run to run, but the server is fifty times slower under it and so gets callers one at a time.
"""

import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Protocol

EVENT = "instructions:u"
SLOW = 120.0  # seconds that valgrind may take to answer


class Counter(Protocol):
    """Counts what one process executes."""

    name: str

    def prefix(self, folder: Path) -> list[str]:
        """Return what goes before the server's command."""

    def begin(self, pid: int) -> None:
        """Count from now on."""

    def end(self, pid: int) -> int:
        """Return what has been counted, and stop."""


class Perf:
    """Linux perf: the server runs at full speed."""

    name = "perf"

    def __init__(self, event: str = EVENT) -> None:
        self._event = event
        self._running: dict[int, subprocess.Popen[str]] = {}

    def prefix(self, folder: Path) -> list[str]:  # noqa: ARG002
        """Return nothing: perf attaches to what runs already."""
        return []

    def begin(self, pid: int) -> None:
        """Attach, and wait until it has."""
        watch = ["perf", "stat", "-x", ",", "-e", self._event, "-D", "-1", "--control", "fd:0,1", "-p", str(pid)]
        process = subprocess.Popen(
            watch, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._running[pid] = process
        self._tell(process, "enable")

    def end(self, pid: int) -> int:
        """Detach and read the count."""
        process = self._running.pop(pid)
        self._tell(process, "disable")
        process.send_signal(signal.SIGINT)
        _, report = process.communicate(timeout=10)
        return counted(report)

    @staticmethod
    def _tell(process: subprocess.Popen[str], word: str) -> None:
        if process.stdin and process.stdout:
            process.stdin.write(f"{word}\n")
            process.stdin.flush()
            process.stdout.readline()  # its acknowledgement


class Callgrind:
    """Valgrind's callgrind, read through vgdb. Its profiles, for callgrind_annotate, stay in the folder."""

    name = "callgrind"

    def __init__(self) -> None:
        self._folder = Path()
        self._dumps: dict[int, int] = {}

    def prefix(self, folder: Path) -> list[str]:
        """Return the command of valgrind, which does not count yet."""
        self._folder = folder
        out = f"--callgrind-out-file={folder}/callgrind.%p"
        return ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", "--trace-children=yes", out]

    def begin(self, pid: int) -> None:
        """Start at nothing. The first count of a process includes the translation of its code: let it not matter."""
        if pid not in self._dumps:
            self._tell(pid, "instrumentation", "on")
            self._dumps[pid] = 0
        self._tell(pid, "zero")

    def end(self, pid: int) -> int:
        """Write a profile and read its total."""
        self._tell(pid, "dump")
        self._dumps[pid] += 1
        profile = self._folder / f"callgrind.{pid}.{self._dumps[pid]}"
        totals = re.findall(r"^totals: ([0-9]+)$", profile.read_text(), re.MULTILINE)
        return int(totals[-1])

    @staticmethod
    def _tell(pid: int, *words: str) -> None:
        command = ["vgdb", f"--pid={pid}", *words]
        subprocess.run(command, check=True, capture_output=True, timeout=SLOW)


def counted(report: str) -> int:
    """Return the sum of perf's lines: one where it counts, several where the processor has several kinds of core."""
    counts = [line.split(",")[0] for line in report.splitlines() if "," in line]
    return sum(int(count) for count in counts if re.fullmatch("[0-9]+", count))


def counter() -> Counter | None:
    """Return the best way to count that this machine has; None if it has none."""
    if shutil.which("perf"):
        trial = ["perf", "stat", "-x", ",", "-e", EVENT, "true"]
        if counted(subprocess.run(trial, capture_output=True, text=True, check=False).stderr):
            return Perf()
    return Callgrind() if shutil.which("valgrind") and shutil.which("vgdb") else None
