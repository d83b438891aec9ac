"""A policy's text as plain values, with the line of each, and the faults that are marked on it while it is read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from routing.fault import CONSEQUENCES, Fault

MOST_CHARACTERS = 262_144
MOST_IN_A_LINE = 2_000  # YAML reads what is deeply nested in one line at a crawl
Trail = tuple[object, ...]  # the keys and places that lead to a value: ("routes", 3, "when")

_WHOLE = re.compile(r"[-+]?[0-9]+")
_NUMBER_LIKE = re.compile(r"\+[0-9_.]{5,}|[0-9_]{7,}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_QUOTE = "put the number in quotes"


@dataclass
class Sheet:
    """A file's values, the line of each, and every fault found so far."""

    file: str
    value: object = None
    lines: dict[Trail, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def line(self, *trail: object) -> int:
        """Return the line of a value, or of the nearest thing around it."""
        while trail and trail not in self.lines:
            trail = trail[:-1]
        return self.lines.get(trail, 1)

    def mark(self, code: str, trail: Trail, what: str, mend: str) -> None:
        """Note a fault at the place of a value, once."""
        self.mark_line(code, self.line(*trail), what, mend)

    def mark_line(self, code: str, line: int, what: str, mend: str) -> None:
        """Note a fault in a line, once."""
        fault = Fault(self.file, line, code, what, CONSEQUENCES[code], mend)
        if fault not in self.faults:
            self.faults.append(fault)

    def keys(self, section: str) -> frozenset[object] | None:
        """Return the names that a section of the file gives, sound or not; None if there is no such section."""
        entries = self.value.get(section) if isinstance(self.value, dict) else None
        return frozenset(entries) if isinstance(entries, dict) else None


def read_sheet(text: str, file: str) -> Sheet:
    """Return the text's values. What YAML cannot read, a key given twice and a number without quotes are marked."""
    sheet = Sheet(file)
    if _is_too_long(text, sheet):
        return sheet
    try:
        root = YAML(typ="safe", pure=True).compose(text)
        sheet.value = _value(root, (), sheet) if root is not None else None
    except MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        problem = f"this is not YAML: {fault.problem or fault}"
        sheet.mark_line("Y1", mark.line + 1 if mark else 1, problem, "look at this line and the one above it")
    except (YAMLError, RecursionError, ValueError) as fault:
        problem = str(fault).partition("\n")[0] or type(fault).__name__
        sheet.mark("Y1", (), f"this is not YAML: {problem}", "write plain text, not too deeply nested")
    return sheet


def _is_too_long(text: str, sheet: Sheet) -> bool:
    if len(text) > MOST_CHARACTERS:
        sheet.mark_line("Y1", 1, f"the file has {len(text):,} characters", f"keep it under {MOST_CHARACTERS:,}")
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MOST_IN_A_LINE:
            sheet.mark_line("Y1", number, f"the line has {len(line):,} characters", f"keep it under {MOST_IN_A_LINE:,}")
    return bool(sheet.faults)


def _value(node: Node, trail: Trail, sheet: Sheet) -> object:
    sheet.lines.setdefault(trail, node.start_mark.line + 1)
    if node.anchor is not None:
        sheet.mark("Y1", trail, f"the anchor &{node.anchor} is not read", "write the value out where it is used")
        return None
    if isinstance(node, MappingNode):
        return dict(_entries(node, trail, sheet))
    if isinstance(node, SequenceNode):
        return [_value(item, (*trail, place), sheet) for place, item in enumerate(node.value)]
    return _scalar(node, trail, sheet) if isinstance(node, ScalarNode) else None


def _entries(node: MappingNode, trail: Trail, sheet: Sheet) -> Iterator[tuple[object, object]]:
    seen = set()
    for key_node, item in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            sheet.mark_line("Y1", line, "a list or mapping is used as a key", "use a plain word")
            continue
        key = _scalar(key_node, trail, sheet)
        if key in seen:
            sheet.mark_line("Y2", line, f"`{key}` is given a second time", "keep one of the two")
            continue
        seen.add(key)
        sheet.lines[*trail, key] = line
        yield key, _value(item, (*trail, key), sheet)


def _scalar(node: ScalarNode, trail: Trail, sheet: Sheet) -> object:
    kind, text = str(node.tag).rpartition(":")[2], str(node.value)
    if kind in ("int", "float"):
        if _NUMBER_LIKE.fullmatch(text):
            sheet.mark("Y3", trail, f"{text} has no quotes", _QUOTE)
            return text
        return int(text) if _WHOLE.fullmatch(text) else text
    if kind == "bool":
        return text.lower() == "true"
    if kind == "timestamp" and _DATE.fullmatch(text):
        return _day(text)
    return None if kind == "null" else text


def _day(text: str) -> object:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def split_message(fault: Exception) -> tuple[str, str]:
    """Return what is wrong and how to mend it, out of an error's message that says both."""
    what, _, mend = str(fault).partition(": ")
    return what, mend or "correct it"


def known(section: str, name: str, trail: Trail, sheet: Sheet) -> bool:
    """Whether the file has an entry of that name; marked if it has not, unless the whole section is missing."""
    names = sheet.keys(section)
    if names is None or name in names:
        return True
    near = get_close_matches(name, [str(each) for each in names], 1)
    sheet.mark("F4", trail, f"{section} has no {name}", f"write {near[0]}" if near else f"add it to {section}")
    return False
