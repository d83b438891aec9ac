"""Importing the partner directory and the Letters of Agency from CSV files: all or nothing."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from recordings.csv_rows import BadRow, read_rows
from recordings.directory import ALL_PARTNERS, PARTNER_COLUMNS, read_partners
from recordings.store import Connection, Row, Store
from routing.partner import LetterOfAgency, Partner, RowFault, Status, read_loa_row, read_partner_row

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")
TIMEOUT = 60.0
DEMO = Path(__file__).parent / "demo"
PARTNER_FILE = (*PARTNER_COLUMNS, "representatives")
LETTER_KEY = ("partner_id", "customer", "service_number")
LETTER_FILE = (*LETTER_KEY, "valid_from", "valid_until")

# Two imports at a time would each start from what the other is about to change: this row makes the second one wait.
TAKE_TURN = (
    "INSERT INTO counters (name, value) VALUES ('directory', 1) "
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + 1"
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


class Report(msgspec.Struct, frozen=True):
    """What an import did. What was in the directory and is not in the file was deactivated.

    A partner that is deactivated stays in the directory with the status closed; a Letter of Agency is removed.
    """

    added: int
    changed: int
    unchanged: int
    deactivated: int


class ImportRefused(Exception):  # noqa: N818 - the fault is in the file
    """A file was not imported, no row of it. `rows` says of each bad row where it is and what is wrong with it."""

    def __init__(self, rows: Sequence[BadRow]) -> None:
        self.rows = tuple(sorted(rows, key=lambda row: row.line))
        super().__init__("; ".join(f"line {row.line}: {row.reason}" for row in self.rows))


class Listed(msgspec.Struct, Generic[K, R], frozen=True):
    """What a file holds, and the line of each record."""

    records: dict[K, R]
    lines: dict[K, int]


class Difference(msgspec.Struct, Generic[K, R], frozen=True):
    """How a file differs from the directory."""

    added: list[R]
    changed: list[R]
    unchanged: int
    gone: list[K]

    def report(self) -> Report:
        """Return the numbers."""
        return Report(len(self.added), len(self.changed), self.unchanged, len(self.gone))


class Transaction:
    """A connection in the middle of an import."""

    def __init__(self, store: Store, conn: Connection) -> None:
        self._sql, self._conn = store.sql, conn
        conn.execute(TAKE_TURN)

    def rows(self, sql: str) -> list[Row]:
        """Return all rows of a query."""
        return self._conn.execute(self._sql(sql)).fetchall()

    def each(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Execute a statement for each row of parameters."""
        if rows:
            self._conn.cursor().executemany(self._sql(sql), rows)


def import_partners(store: Store, path: Path, kind: Kind = Kind.PARTNERS) -> Report:
    """Make the directory, or its Letters of Agency, what a CSV file says.

    Raises ImportRefused, with every bad row, and then nothing has changed; OSError when the file cannot be read;
    StoreUnavailable.
    """
    if kind is Kind.PARTNERS:
        partners = read_file(path, PARTNER_FILE, read_partner_row, lambda partner: partner.partner_id)
        return store.write(lambda conn: _put_partners(Transaction(store, conn), partners.records), TIMEOUT)
    letters = read_file(path, LETTER_FILE, read_loa_row, letter_key)
    return store.write(lambda conn: _put_letters(Transaction(store, conn), letters), TIMEOUT)


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


def difference(stored: Mapping[K, R], wanted: Mapping[K, R]) -> Difference[K, R]:
    """Return what must be done to what is stored for it to be what is wanted."""
    added = [record for key, record in wanted.items() if key not in stored]
    changed = [record for key, record in wanted.items() if key in stored and stored[key] != record]
    gone = [key for key in stored if key not in wanted]
    return Difference(added, changed, len(wanted) - len(added) - len(changed), gone)


def _put_partners(run: Transaction, wanted: Mapping[str, Partner]) -> Report:
    stored = {partner.partner_id: partner for partner in read_partners(run.rows(ALL_PARTNERS))}
    alive = {key for key, partner in stored.items() if partner.status is not Status.CLOSED}
    found = difference({key: stored[key] for key in stored if key in wanted or key in alive}, wanted)
    written = [*found.added, *found.changed]
    run.each(PUT_PARTNER, [_partner_row(partner) for partner in written])
    run.each(DROP_NUMBERS, [(partner.partner_id,) for partner in found.changed])
    run.each(PUT_NUMBER, [(p.partner_id, place, n) for p in written for place, n in enumerate(p.representatives)])
    run.each(CLOSE_PARTNER, [(key,) for key in found.gone])
    return found.report()


def _put_letters(run: Transaction, wanted: Listed[tuple[str, str, str], LetterOfAgency]) -> Report:
    known = {row[0] for row in run.rows("SELECT partner_id FROM partners")}
    strange = [(line, key[0]) for key, line in wanted.lines.items() if key[0] not in known]
    if strange:
        raise ImportRefused([BadRow(line, f"partner_id {each!r} is not in the directory") for line, each in strange])
    stored = {letter_key(letter): letter for letter in map(_letter, run.rows(ALL_LETTERS))}
    found = difference(stored, wanted.records)
    run.each(PUT_LETTER, [_letter_row(letter) for letter in (*found.added, *found.changed)])
    run.each(DROP_LETTER, found.gone)
    return found.report()


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
