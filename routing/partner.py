"""Partners, their certification and their Letters of Agency, and the rows of the directory's files."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from routing.numbers import NumberFault, parse

REGIONS = ("us", "emea", "apac")

_NAME_LENGTH = 120
_Reader = Callable[[str], Any]  # a cell's text to its value, or ValueError with what is wrong and how to mend it


class PartnerType(StrEnum):
    """How a partner does business with the vendor (partner guide). An agent is an agency."""

    AGENCY = "agency"
    RESALE = "resale"
    WHOLESALE = "wholesale"
    REFERRAL = "referral"


class Status(StrEnum):
    """Whether the partner account is alive."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class Certification(StrEnum):
    """A partner's accreditation on a day."""

    VALID = "valid"
    EXPIRED = "expired"
    NONE = "none"


class RowFault(ValueError):  # noqa: N818 - the fault is in the data, and the importer prints its words
    """A row of the directory cannot be taken. `faults` says of each cell what is wrong and how to mend it."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class Partner(msgspec.Struct, frozen=True):
    """A partner account. `certified_from` None: never certified; `certified_until` None: open-ended."""

    partner_id: str
    name: str
    type: PartnerType
    region: str
    certified_from: date | None
    certified_until: date | None
    first_line: bool
    status: Status
    representatives: tuple[str, ...]
    programme: str

    def certification(self, on: date, grace_days: int = 0) -> Certification:
        """Return the certification on a local day. The last day counts whole, and so do `grace_days` after it."""
        if self.certified_from is None or on < self.certified_from:
            return Certification.NONE
        if self.certified_until is None or (on - self.certified_until).days <= grace_days:
            return Certification.VALID
        return Certification.EXPIRED


class LetterOfAgency(msgspec.Struct, frozen=True):
    """A customer's leave for an agency to raise and manage its cases, both days included; None: open-ended.

    `service_number` is the E.164 number of the service it is about, or empty for all of the customer's services.
    """

    partner_id: str
    customer: str
    service_number: str
    valid_from: date
    valid_until: date | None

    def in_force(self, on: date) -> bool:
        """Whether the letter holds on that day."""
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)


def read_partner_row(row: Mapping[str, str]) -> Partner:
    """Read a row of the partner directory, by column name. Raises RowFault with every fault of the row."""
    return Partner(**_read(row, _PARTNER_COLUMNS, ("certified_from", "certified_until")))


def read_loa_row(row: Mapping[str, str]) -> LetterOfAgency:
    """Read a row of the Letters of Agency, by column name. Raises RowFault with every fault of the row."""
    return LetterOfAgency(**_read(row, _LOA_COLUMNS, ("valid_from", "valid_until")))


def _read(row: Mapping[str, str], columns: Mapping[str, _Reader], period: tuple[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    faults = []
    for column, reader in columns.items():
        cell = row.get(column)  # None in a line that has fewer cells than the first one
        if cell is None:
            faults.append(f"{column} is missing: add the column, and a cell for it to every line")
            continue
        try:
            values[column] = reader(cell.strip())
        except ValueError as fault:
            faults.append(f"{column} {cell.strip()!r:.80} {fault}")
    faults += _period_faults(values, *period)
    if faults:
        raise RowFault(faults)
    return values


def _period_faults(values: Mapping[str, Any], first: str, last: str) -> list[str]:
    since, until = values.get(first), values.get(last)
    if first not in values or until is None or (since is not None and since <= until):
        return []
    return [f"{last} '{until}' has no {first} on or before it: correct one of the two"]


def _partner_id(cell: str) -> str:
    if not re.fullmatch("[0-9]{1,12}", cell) or cell == "0":
        raise ValueError(
            "is no Partner ID: write 1 to 12 digits, but not a single 0, which callers key for an engineer"
        )
    return cell


def _name(cell: str) -> str:
    if not cell or len(cell) > _NAME_LENGTH or not cell.isprintable():
        raise ValueError(f"is no name: write 1 to {_NAME_LENGTH} printable characters on one line")
    return cell


def _programme(cell: str) -> str:
    if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+){0,9}", cell):
        raise ValueError("is no programme: write the id of a policy, as in 8x8-partner")
    return cell


def _one_of(choices: Mapping[str, Any]) -> _Reader:
    def read(cell: str) -> Any:  # noqa: ANN401 - whatever the table holds
        if cell not in choices:
            raise ValueError(f"is not known: write one of {', '.join(choices)}")
        return choices[cell]

    return read


def _day(cell: str) -> date:
    try:
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
            return date.fromisoformat(cell)
    except ValueError:
        pass
    raise ValueError("is no date: write year-month-day, as in 2026-12-31")


def _day_or_none(cell: str) -> date | None:
    return _day(cell) if cell else None


def _numbers(cell: str) -> tuple[str, ...]:
    numbers, faults = [], []
    for text in cell.split():
        try:
            numbers.append(_number(text))
        except ValueError as fault:
            faults.append(str(fault))
    if len(set(numbers)) < len(numbers):
        faults.append("has a number twice: name each once")
    if faults:
        raise ValueError(", and ".join(faults))
    return tuple(numbers)


def _number(text: str) -> str:
    if not re.fullmatch(r"\+[0-9]+", text):
        raise ValueError(f"has {text!r:.40}, not E.164: write + and digits only, as in +14085550142")
    try:
        return parse(text)
    except NumberFault as fault:
        raise ValueError(f"has a number that nobody can have: {fault}") from None


def _number_or_none(cell: str) -> str:
    return _number(cell) if cell else ""


_PARTNER_COLUMNS: Mapping[str, _Reader] = {
    "partner_id": _partner_id,
    "name": _name,
    "type": _one_of({each.value: each for each in PartnerType}),
    "region": _one_of({each: each for each in REGIONS}),
    "certified_from": _day_or_none,
    "certified_until": _day_or_none,
    "first_line": _one_of({"yes": True, "no": False}),
    "status": _one_of({each.value: each for each in Status}),
    "representatives": _numbers,
    "programme": _programme,
}

_LOA_COLUMNS: Mapping[str, _Reader] = {
    "partner_id": _partner_id,
    "customer": _name,
    "service_number": _number_or_none,
    "valid_from": _day,
    "valid_until": _day_or_none,
}
