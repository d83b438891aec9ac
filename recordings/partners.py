"""Importing the partner directory and the Letters of Agency from CSV files: all or nothing."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from recordings.csv_rows import BadRow, read_rows
from recordings.difference import Report, difference
from recordings.directory import ALL_PARTNERS, PARTNER_COLUMNS, read_partners
from recordings.store import Conflict, Connection, Row, Store, StoreUnavailable, Work
from routing.partner import LetterOfAgency, Partner, RowFault, Status, read_loa_row, read_partner_row

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")
TIMEOUT = 300.0
ATTEMPTS = 3
DEMO = Path(__file__).parent / "demo"
PARTNER_FILE = (*PARTNER_COLUMNS, "representatives")
LETTER_KEY = ("partner_id", "customer", "service_number")
LETTER_FILE = (*LETTER_KEY, "valid_from", "valid_until")

VERSION = "SELECT value FROM counters WHERE name = 'directory'"
NEXT_VERSION = (
    "INSERT INTO counters (name, value) VALUES ('directory', ?) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE counters.value = excluded.value - 1"
)
PUT_PARTNER = (
    "INSERT INTO partners "
    "(partner_id, name, type, region, certified_from, certified_until, first_line, status, programme) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (partner_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in PARTNER_COLUMNS[1:])
)
CLOSE_PARTNER = "UPDATE partners SET status = 'closed' WHERE partner_id = ?"
DROP_NUMBERS = "DELETE FROM representatives WHERE partner_id = ?"
PUT_NUMBER = "INSERT INTO representatives (partner_id, position, number) VALUES (?, ?, ?)"
ALL_LETTERS = "SELECT partner_id, customer, service_number, valid_from, valid_until FROM letters"
PUT_LETTER = (
    "INSERT INTO letters (partner_id, customer, service_number, valid_from, valid_until) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (partner_id, customer, service_number) "
    "DO UPDATE SET valid_from = excluded.valid_from, valid_until = excluded.valid_until"
)
DROP_LETTER = "DELETE FROM letters WHERE partner_id = ? AND customer = ? AND service_number = ?"


class Kind(StrEnum):
    """What a file holds."""

    PARTNERS = "partners"
    LETTERS = "letters"


class ImportRefused(Exception):  # noqa: N818 - the fault is in the file
    """A file was not imported, no row of it. `rows` says of each bad row where it is and what is wrong with it."""

    def __init__(self, rows: Sequence[BadRow]) -> None:
        self.rows = tuple(sorted(rows, key=lambda row: row.line))
        super().__init__("; ".join(f"line {row.line}: {row.reason}" for row in self.rows))


class Listed(msgspec.Struct, Generic[K, R], frozen=True):
    """What a file holds, and the line of each record."""

    records: dict[K, R]
    lines: dict[K, int]


class Plan(msgspec.Struct, frozen=True):
    """What an import has to do: statements, each with the rows of parameters that it is executed with."""

    report: Report
    statements: dict[str, Sequence[tuple[object, ...]]]


def import_partners(
    store: Store, path: Path, kind: Kind = Kind.PARTNERS, lengths: frozenset[int] = frozenset()
) -> Report:
    """Make the directory, or its Letters of Agency, what a CSV file says.

    `lengths` are those of the Partner IDs that callers can key; none given means any. Raises ImportRefused, with every
    bad row, and then nothing has changed; OSError when the file cannot be read; StoreUnavailable.
    """
    if kind is Kind.PARTNERS:
        partners = read_file(path, PARTNER_FILE, keyable(lengths), lambda partner: partner.partner_id)
        return _import(store, lambda conn: _plan_partners(conn, partners.records))
    letters = read_file(path, LETTER_FILE, read_loa_row, letter_key)
    return _import(store, lambda conn: _plan_letters(conn, letters))


def keyable(lengths: frozenset[int]) -> Callable[[Mapping[str, str]], Partner]:
    """Return what reads a row, and refuses a Partner ID that no caller could ever key."""

    def read(cells: Mapping[str, str]) -> Partner:
        partner = read_partner_row(cells)
        digits = len(partner.partner_id)
        if lengths and digits not in lengths:
            taken = " or ".join(map(str, sorted(lengths)))
            raise RowFault([f"partner_id {partner.partner_id!r} has {digits} digits: callers are asked for {taken}"])
        return partner

    return read


def _import(store: Store, plan_of: Work[Plan]) -> Report:
    """Compare without holding anybody up, then write only what differs, unless another import came in between."""
    for _ in range(ATTEMPTS):
        version, plan = store.read(lambda conn: (_version(conn), plan_of(conn)), TIMEOUT)
        try:
            store.write(partial(_carry_out, store=store, plan=plan, version=version), TIMEOUT)
        except Conflict:
            continue
        return plan.report
    raise StoreUnavailable("other imports are changing the directory: try again")


def _version(conn: Connection) -> int:
    row = conn.execute(VERSION).fetchone()
    return row[0] if row else 0


def _carry_out(conn: Connection, store: Store, plan: Plan, version: int) -> None:
    if conn.execute(store.sql(NEXT_VERSION), (version + 1,)).rowcount != 1:
        raise Conflict("the directory has changed")
    for sql, rows in plan.statements.items():
        if rows:
            conn.cursor().executemany(store.sql(sql), rows)


def load_demo(store: Store) -> None:
    """Fill an empty directory with the fictional partners of the demo; one that holds any partner is left alone."""
    if not store.read(lambda conn: conn.execute("SELECT 1 FROM partners LIMIT 1").fetchall(), TIMEOUT):
        import_partners(store, DEMO / "partners.csv")
        import_partners(store, DEMO / "letters.csv", Kind.LETTERS)


def read_file(
    path: Path, columns: Sequence[str], read: Callable[[Mapping[str, str]], R], key_of: Callable[[R], K]
) -> Listed[K, R]:
    """Return the records of a file. Raises ImportRefused with every row that cannot be taken, or is there twice."""
    rows, bad = read_rows(path, columns)
    listed: Listed[K, R] = Listed({}, {})
    for row in rows:
        try:
            record = read(row.cells)
        except RowFault as fault:
            bad += [BadRow(row.line, each) for each in fault.faults]
            continue
        key = key_of(record)
        if key in listed.lines:
            bad.append(BadRow(row.line, f"{_named(key)} is on line {listed.lines[key]} already: keep one of the two"))
        else:
            listed.records[key], listed.lines[key] = record, row.line
    if not rows and not bad:
        bad.append(BadRow(2, "the file has no rows, and would close the whole directory"))
    if bad:
        raise ImportRefused(bad)
    return listed


def letter_key(letter: LetterOfAgency) -> tuple[str, str, str]:
    """Return what makes a Letter of Agency the one it is: agency, customer and service."""
    return letter.partner_id, letter.customer, letter.service_number


def _plan_partners(conn: Connection, wanted: Mapping[str, Partner]) -> Plan:
    stored = {partner.partner_id: partner for partner in read_partners(conn.execute(ALL_PARTNERS).fetchall())}
    closed = {key for key, partner in stored.items() if partner.status is Status.CLOSED and key not in wanted}
    found = difference({key: partner for key, partner in stored.items() if key not in closed}, wanted)
    written = [*found.added, *found.changed]
    statements: dict[str, Sequence[tuple[object, ...]]] = {
        PUT_PARTNER: [_partner_row(partner) for partner in written],
        DROP_NUMBERS: [(partner.partner_id,) for partner in found.changed],
        PUT_NUMBER: [(p.partner_id, place, n) for p in written for place, n in enumerate(p.representatives)],
        CLOSE_PARTNER: [(key,) for key in found.gone],
    }
    return Plan(found.report(), statements)


def _plan_letters(conn: Connection, wanted: Listed[tuple[str, str, str], LetterOfAgency]) -> Plan:
    known = {row[0] for row in conn.execute("SELECT partner_id FROM partners").fetchall()}
    strange = [(line, key[0]) for key, line in wanted.lines.items() if key[0] not in known]
    if strange:
        raise ImportRefused([BadRow(line, f"partner_id {each!r} is not in the directory") for line, each in strange])
    stored = {letter_key(letter): letter for letter in map(_letter, conn.execute(ALL_LETTERS).fetchall())}
    found = difference(stored, wanted.records)
    written = [_letter_row(letter) for letter in (*found.added, *found.changed)]
    return Plan(found.report(), {PUT_LETTER: written, DROP_LETTER: found.gone})


def _partner_row(partner: Partner) -> tuple[object, ...]:
    return (
        partner.partner_id,
        partner.name,
        partner.type.value,
        partner.region,
        _iso(partner.certified_from),
        _iso(partner.certified_until),
        partner.first_line,
        partner.status.value,
        partner.programme,
    )


def _letter_row(letter: LetterOfAgency) -> tuple[object, ...]:
    return *letter_key(letter), _iso(letter.valid_from), _iso(letter.valid_until)


def _letter(row: Row) -> LetterOfAgency:
    return msgspec.convert(dict(zip(LETTER_FILE, row, strict=True)), LetterOfAgency)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _named(key: Hashable) -> str:
    return " ".join(str(part) for part in key if part) if isinstance(key, tuple) else str(key)
