"""From a sheet to its entries. A value of the wrong form is marked and set aside, so that the rest is checked too."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from routing import aftercare_model, policy_model
from routing.enquiry import FACTS
from routing.policy_model import PolicyEntry
from routing.policy_text import Sheet, Trail
from routing.policy_words import HINTS

# What stands in for a whole section that is missing or unusable, while the others are checked.
_STAND_INS: Mapping[str, object] = {
    "programme": "unknown",
    "brand": "unknown",
    "portal": "unknown",
    "source": "unknown",
    "verified_on": date(2000, 1, 1),
    "follow_the_sun": [],
    "regions": {"unknown": {"name": "?", "zone": "UTC", "clock": "?"}},
    "lines": {
        "unknown": {"number": "?", "kind": "standard", "region": "unknown", "locale": "en-US"}
        | {"source": "?", "verified_on": date(2000, 1, 1)}
    },
    "schedules": {},
    "desks": {},
    "destinations": {},
    "on_call": {},
    "severities": {1: {"meaning": "?", "source": "?", "verified_on": date(2000, 1, 1)}},
    "targets": {"unknown": {"first_response": {}, "source": "?", "verified_on": date(2000, 1, 1)}},
    "routes": [{"rule": "R0", "when": {}, "does": "inform"}],
}
# Sections that are one entry.
_WHOLE = (
    *("follow_the_sun", "timing", "escalation_response", "partner_id"),
    *("call_back_due", "acceptance", "retention"),
)
_MENDS = {
    "missing": "add it",
    "invalid_key": "write a word",
    "bool_type": "write true or false",
    "date_type": "write a day as 2026-11-02, without quotes",
    "string_type": "write a text; put it in quotes if it looks like something else",
    "int_type": "write a whole number, without quotes",
    "list_type": "write a list: [one, two]",
    "dict_type": "write a mapping: {name: value}",
    "model_type": "write a mapping: {name: value}",
    "too_short": "give at least one",
    "string_too_short": "write at least one word",
    "string_too_long": "make it shorter",
}
_PASSES = 4  # a repair may bring a further fault to light, but never many


@dataclass
class Draft:
    """The entries that have the right form. `spoiled` names the sections of which some had to be set aside."""

    entry: PolicyEntry
    rows: list[int]  # the places in the file of the routes that are left
    spoiled: set[object] = field(default_factory=set)


def read_form(sheet: Sheet) -> Draft | None:
    """Return what has the right form, marking everything else; None when there is nothing to go on with."""
    if not isinstance(sheet.value, dict):
        if not sheet.faults:
            sheet.mark("Y1", (), "there is no policy in the file", "start from one of the shipped policies")
        return None
    routes = sheet.value.get("routes")
    left = _Remains(deepcopy(sheet.value), list(range(len(routes))) if isinstance(routes, list) else [])
    for _ in range(_PASSES):
        try:
            entry = PolicyEntry.model_validate(left.value)
            return Draft(entry.model_copy(update=left.emptied()), left.rows, left.spoiled)
        except ValidationError as refused:
            errors = refused.errors(include_url=False)
        for error in errors:
            if (
                error["loc"][0] not in left.spoiled or error["type"] != "too_short"
            ):  # it was not, before the setting aside
                sheet.mark(*_fault(error, _in_file(error["loc"], left.rows, sheet)))
        left.set_aside(errors)
    return None


@dataclass
class _Remains:
    """What is left of a file's values while those of the wrong form are set aside."""

    value: dict[Any, Any]
    rows: list[int]
    spoiled: set[object] = field(default_factory=set)
    empty: set[object] = field(default_factory=set)

    def set_aside(self, errors: list[ErrorDetails]) -> None:
        """Drop unknown names, and the entries that have the wrong form; a useless section is stood in for."""
        for error in errors:
            if error["type"] == "extra_forbidden":
                _drop(self.value, error["loc"])
        gone = set()
        for section, *within in (error["loc"] for error in errors if error["type"] != "extra_forbidden"):
            self.spoiled.add(section)
            if not within or section in _WHOLE:
                self._stand_in(section)
            elif section == "routes":
                gone.add(within[0])
            else:
                self.value[section].pop(within[0], None)
        self._drop_routes(gone)

    def emptied(self) -> dict[str, object]:
        """Return the sections that were stood in for, empty: what stood in satisfied their form and says nothing."""
        return {str(section): type(_STAND_INS[str(section)])() for section in self.empty}

    def _stand_in(self, section: object) -> None:
        self.value.pop(section, None)
        if section not in _STAND_INS:
            return
        self.value[section] = deepcopy(_STAND_INS[str(section)])
        if isinstance(self.value[section], dict | list):
            self.empty.add(section)
        if section == "routes":
            self.rows = []

    def _drop_routes(self, gone: set[int | str]) -> None:
        if gone:
            self.value["routes"] = [row for place, row in enumerate(self.value["routes"]) if place not in gone]
            self.rows = [row for place, row in enumerate(self.rows) if place not in gone]


def _in_file(loc: Trail, rows: list[int], sheet: Sheet) -> Trail:
    """Return where a value stands in the file: routes that were set aside still count, lists of one need no place."""
    trail = loc[:-1] if loc[-1:] == ("[key]",) else loc
    if trail[:1] == ("routes",) and len(trail) > 1 and isinstance(trail[1], int):
        trail = ("routes", rows[trail[1]], *trail[2:])
    return trail[:-1] if isinstance(trail[-1], int) and trail not in sheet.lines else trail


def _fault(error: ErrorDetails, trail: Trail) -> tuple[str, Trail, str, str]:
    kind, where = error["type"], _dotted(trail)
    if kind == "missing":
        return "F1", trail, f"{where} is missing", "add it"
    if kind == "extra_forbidden":
        near = get_close_matches(str(trail[-1]), _known_names(), 1)
        return "F2", trail, f"{where} is no known entry", f"write `{near[0]}`" if near else "take it out"
    what = f"{where} cannot be {error['input']!r:.60}"
    return "F3", trail, what, _mend(kind, error.get("ctx", {}), error["msg"])


def _mend(kind: str, context: Mapping[str, Any], message: str) -> str:
    if "pattern" in context:
        return f"write {HINTS[context['pattern']]}"
    if "expected" in context:
        return f"write {context['expected']}".replace("'", "")
    return _MENDS.get(kind) or message[:1].lower() + message[1:]


def _dotted(trail: Trail) -> str:
    return f"`{'.'.join(str(step) for step in trail)}`"


def _known_names() -> list[str]:
    named = (vars(policy_model) | vars(aftercare_model)).values()
    entries = (each for each in named if isinstance(each, type) and issubclass(each, BaseModel))
    return sorted({name for entry in entries for name in entry.model_fields} | set(FACTS))


def _drop(value: dict[Any, Any], loc: Trail) -> None:
    for step in loc[:-1]:
        value = value[step]
    value.pop(loc[-1], None)
