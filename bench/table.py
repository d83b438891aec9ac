"""The one table: what was measured, against what, and whether the goal is met."""

import os
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- results -->", "<!-- end of results -->"
HEAD = ("goal", "what", "measured", "ratio", "wanted", "")


@dataclass(frozen=True)
class Row:
    """One line. `ratio` compares with what `what` names; `most` or `least` is the goal for it, if there is one."""

    goal: str
    what: str
    measured: str
    ratio: float | None = None
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none, or nothing was measured."""
        if self.ratio is None or (self.most is None and self.least is None):
            return None
        return (self.most is None or self.ratio <= self.most) and (self.least is None or self.ratio >= self.least)

    def cells(self) -> tuple[str, ...]:
        """Return the line's six texts."""
        wanted = f"<= {self.most:g} x" if self.most is not None else f">= {self.least:g} x" if self.least else ""
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} x"
        return self.goal, self.what, self.measured, ratio, wanted, " ".join(filter(None, (verdict, self.note)))


def missing(goal: str, what: str, why: str) -> Row:
    """Return the line of something that could not be measured here."""
    return Row(goal, what, "not available", note=why)


def plain(rows: Sequence[Row]) -> str:
    """Return the table for a terminal."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in lines)


def markdown(rows: Sequence[Row], *, full: bool) -> str:
    """Return the table for the README, with the date and the shape of the machine."""
    lines = ["| " + " | ".join(line) + " |" for line in (HEAD, ("---",) * len(HEAD), *(row.cells() for row in rows))]
    which = "make bench-full" if full else "make bench"
    return "\n".join([f"`{which}`, {time.strftime('%Y-%m-%d')}, {machine()}.", "", *lines])


def write(rows: Sequence[Row], *, full: bool) -> None:
    """Put the table into the README in place of the one before it."""
    before, _, rest = README.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(f"{before}{BEGIN}\n{markdown(rows, full=full)}\n{END}{after}")


def machine() -> str:
    """Return the shape of this machine: processors, memory, kernel, Python, and how busy it is."""
    cpus = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next((line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), "?")
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{cpus} x {model}, {memory:.0f} GiB, {system}, load {os.getloadavg()[0]:.1f}"


def _cpuinfo() -> list[str]:
    return Path("/proc/cpuinfo").read_text().splitlines()


def middle(values: Iterable[float]) -> float:
    """Return the median."""
    return median(values)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios, round by round: what slows the machine for a while slows both sides of one."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))
