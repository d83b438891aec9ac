"""`python -m bench`: measure, and print one table of ratios. With --write it also goes into bench/README.md."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from bench import decision, growth, jobs, start, tail, turn
from bench.run import Bench
from bench.table import Row, machine, plain, write

PARTS: dict[str, Callable[[Bench], list[Row]]] = {
    "turn": turn.measure,
    "tail": tail.measure,
    "growth": growth.measure,
    "decision": decision.measure,
    "start": start.measure,
    "jobs": jobs.measure,
}


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="also ten million calls in the log, and ten minutes of load"
    )
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    parser.add_argument("--keep", action="store_true", help="keep the logs, databases and profiles of the run")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these of {', '.join(PARTS)}")
    asked = parser.parse_args()
    if strangers := set(asked.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(strangers))}")
    if asked.write and asked.parts:
        parser.error("--write takes the whole table: leave out the parts")
    return asked


def main() -> int:
    """Return 0 once everything has been measured, whether or not a goal is met: a missed one is a fact, not a fault."""
    asked = _asked()
    folder = Path(tempfile.mkdtemp(prefix="partnerline-bench-", dir="/var/tmp"))  # a disk even where /tmp is memory
    folder.chmod(0o755)
    bench = Bench(folder, asked.full)
    try:
        rows = _rows(bench, asked.parts or list(PARTS))
    finally:
        bench.client.close()
        if asked.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{machine()}\n\n{plain(rows)}")
    if asked.write:
        write(rows, full=asked.full)
    return 0


def _rows(bench: Bench, names: list[str]) -> list[Row]:
    rows: list[Row] = []
    for name in names:
        began = perf_counter()
        rows += PARTS[name](bench)
        print(f"{name}: {perf_counter() - began:.0f} s", file=sys.stderr)
    return rows


if __name__ == "__main__":
    sys.exit(main())
