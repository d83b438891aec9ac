"""Many programmes for one service: the shipped policy under other names, each with lines of its own."""

import re
from itertools import count
from pathlib import Path

from routing.policy_file import shipped_policies

AREAS = ("201", "203", "206", "207", "209", "210", "212", "213", "214", "215", "216", "217", "301", "302", "303", "304")
AREAS += ("305", "307", "308", "309")


def write_programmes(folder: Path, number: int) -> None:
    """Write so many policies into a new folder, fit for POLICY_DIR. Their lines are numbers reserved for fiction."""
    folder.mkdir()
    text = shipped_policies()[0].read_text("utf-8")
    head, lines, rest = re.split(r"(?ms)^(lines:\n.*?)(?=^\S)", text, maxsplit=1)
    for area in AREAS[:number]:
        last = count()
        own = re.sub('number: "[^"]+"', lambda _, area=area, last=last: _number(area, next(last)), lines)
        name = f"bench-{area}"
        head_of = re.sub("(?m)^programme: .*$", f"programme: {name}", head)
        (folder / f"{name}.yaml").write_text(head_of + own + rest, "utf-8")


def _number(area: str, last: int) -> str:
    return f'number: "+1 {area} 555 01{last:02d}"'
