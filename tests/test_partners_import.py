"""Importing the directory: all of a file or nothing of it, and every bad row named with its line and reason."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recordings import partners
from recordings.difference import Report
from recordings.directory import SqlDirectory
from recordings.partners import ImportRefused, Kind, import_partners
from recordings.store import StoreUnavailable
from routing.partner import Status

HEADER = "partner_id,name,type,region,certified_from,certified_until,first_line,status,representatives,programme"
ACME = "347109,Acme,resale,us,2024-02-01,,yes,active,+14085550142,8x8-partner"
COBALT = "518820,Cobalt,wholesale,emea,2023-09-01,,yes,active,+442079460142,8x8-partner"
BEACON = "620045,Beacon,agency,us,,,no,active,+14085550143,8x8-partner"
LOA_HEADER = "partner_id,customer,service_number,valid_from,valid_until"
LETTER = "620045,Northwind Dental,+14085550171,2025-01-01,"


@pytest.fixture
def write(tmp_path: Path):
    """Write a CSV file of some lines, and return where it is."""

    def write(*lines: str, end: str = "\n", encoding: str = "utf-8") -> Path:
        file = tmp_path / "file.csv"
        file.write_bytes(end.join([*lines, ""]).encode(encoding))
        return file

    return write


def refused(store, file: Path, kind: Kind = Kind.PARTNERS) -> list[tuple[int, str]]:
    """Return what an import says is wrong, having made sure that it has changed nothing."""
    before = SqlDirectory(store).partners()
    with pytest.raises(ImportRefused) as caught:
        import_partners(store, file, kind)
    assert SqlDirectory(store).partners() == before
    return [(row.line, row.reason) for row in caught.value.rows]


def ids(store) -> dict[str, str]:
    return {partner.partner_id: partner.status.value for partner in SqlDirectory(store).partners()}


def test_a_first_import_adds_everything(store, write):
    assert import_partners(store, write(HEADER, ACME, COBALT)) == Report(2, 0, 0, 0)
    assert ids(store) == {"347109": "active", "518820": "active"}


def test_a_second_import_says_what_was_added_changed_unchanged_and_deactivated(store, write):
    import_partners(store, write(HEADER, ACME, COBALT))
    renamed = ACME.replace("Acme", "Acme Voice")

    assert import_partners(store, write(HEADER, renamed, BEACON)) == Report(1, 1, 0, 1)
    assert ids(store) == {"347109": "active", "518820": "closed", "620045": "active"}
    assert SqlDirectory(store).partner("347109").name == "Acme Voice"


def test_the_same_file_again_changes_nothing(store, write):
    file = write(HEADER, ACME, COBALT)
    import_partners(store, file)

    assert import_partners(store, file) == Report(0, 0, 2, 0)
    assert import_partners(store, write(HEADER, ACME)) == Report(0, 0, 1, 1)
    assert import_partners(store, write(HEADER, ACME)) == Report(0, 0, 1, 0)


def test_a_partner_that_comes_back_is_alive_again(store, write):
    import_partners(store, write(HEADER, ACME, COBALT))
    import_partners(store, write(HEADER, ACME))

    assert import_partners(store, write(HEADER, ACME, COBALT)) == Report(0, 1, 1, 0)
    assert ids(store)["518820"] == "active"


def test_representatives_are_added_removed_and_reordered(store, write):
    directory = SqlDirectory(store)
    for numbers in ("+14085550142 +14085550143", "+14085550143", "+14085550144 +14085550143", ""):
        import_partners(store, write(HEADER, ACME.replace("+14085550142", numbers)))
        assert directory.partner("347109").representatives == tuple(numbers.split())
    assert directory.partners_of("+14085550143") == ()


@pytest.mark.parametrize("column", range(1, 10))
def test_a_change_in_any_column_is_a_change(store, write, column):
    text = "x,Acme 2,wholesale,emea,2024-02-02,2030-01-01,no,suspended,+14085550199,8x8-referral"
    other, cells = text.split(","), ACME.split(",")
    import_partners(store, write(HEADER, ACME))
    changed = ",".join([*cells[:column], other[column], *cells[column + 1 :]])

    assert import_partners(store, write(HEADER, changed)) == Report(0, 1, 0, 0)
    assert import_partners(store, write(HEADER, changed)) == Report(0, 0, 1, 0)


# What a file may look like


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_byte_order_mark_and_line_ends_do_not_matter(store, write, encoding, end):
    assert import_partners(store, write(HEADER, ACME, end=end, encoding=encoding)) == Report(1, 0, 0, 0)


def test_columns_may_come_in_any_order_and_more_of_them(store, write):
    names, cells = HEADER.split(","), ACME.split(",")
    file = write(",".join(["note", *reversed(names), "x"]), ",".join(["hello", *reversed(cells), "y"]))

    assert import_partners(store, file) == Report(1, 0, 0, 0)
    assert import_partners(store, write(HEADER, ACME)) == Report(0, 0, 1, 0)


def test_quotes_are_read_as_rfc_4180_has_them(store, write):
    name = '"Acme ""Voice"", Inc."'
    import_partners(store, write(HEADER, ACME.replace("Acme", name)))

    assert SqlDirectory(store).partner("347109").name == 'Acme "Voice", Inc.'


def test_names_may_be_in_any_script(store, write):
    import_partners(store, write(HEADER, ACME.replace("Acme", "\u00c6ther \u682a\u5f0f\u4f1a\u793e")))

    assert SqlDirectory(store).partner("347109").name == "\u00c6ther \u682a\u5f0f\u4f1a\u793e"


def test_empty_lines_are_nothing(store, write):
    assert import_partners(store, write(HEADER, "", ACME, "", "")) == Report(1, 0, 0, 0)


# What is refused


def test_every_bad_row_is_named_with_its_line_and_nothing_is_imported(store, write):
    import_partners(store, write(HEADER, ACME))
    bad = refused(
        store,
        write(
            HEADER,
            COBALT,
            ACME.replace("us", "mars").replace("yes", "maybe"),
            '620045,"two\nlines",agency,us,,,no,active,,8x8-partner',
            BEACON.replace("620045", "62004x"),
        ),
    )

    assert [line for line, _ in bad] == [3, 3, 4, 6]
    assert [reason.split()[0] for _, reason in bad] == ["region", "first_line", "name", "partner_id"]


def test_a_partner_id_that_is_there_twice_is_refused_with_both_lines(store, write):
    assert refused(store, write(HEADER, ACME, COBALT, ACME)) == [
        (4, "347109 is on line 2 already: keep one of the two")
    ]


def test_too_few_and_too_many_cells_are_refused(store, write):
    found = refused(store, write(HEADER, ACME.removesuffix(",8x8-partner"), ACME + ",more"))

    assert found == [
        (2, "has 9 cells, but the first line names 10 columns"),
        (3, "has 11 cells, but the first line names 10 columns"),
    ]


def test_missing_and_doubled_columns_are_named_once_and_not_for_every_row(store, write):
    header = HEADER.replace("region,", "").replace("name,", "name,name,")
    found = refused(store, write(header, ACME, COBALT))

    assert [(line, reason.split(":")[0]) for line, reason in found] == [
        (1, "column region is missing"),
        (1, "column name is there twice"),
    ]


def test_an_empty_file_and_one_without_rows_are_refused(store, write):
    """Else a truncated export would close every partner."""
    import_partners(store, write(HEADER, ACME))

    assert refused(store, write()) == [(1, "the file is empty: its first line must name the columns")]
    assert refused(store, write(HEADER)) == [(2, "the file has no rows, and would close the whole directory")]


def test_bytes_that_are_not_utf_8_are_refused_row_by_row(store, tmp_path):
    file = tmp_path / "file.csv"
    rows = [HEADER, ACME, COBALT.replace("Cobalt", "Caf\u00e9"), BEACON.replace("Beacon", "\u00c6ther")]
    file.write_bytes("\n".join(rows).encode("latin-1"))

    assert refused(store, file) == [(n, "is not UTF-8: save the file as UTF-8") for n in (3, 4)]


def test_broken_quotes_are_refused_where_the_row_begins(store, write):
    found = refused(store, write(HEADER, '347109,"Acme"x,resale,us,,,no,active,,p', COBALT, '1,"never closed'))

    assert [line for line, _ in found] == [2, 4]
    assert all("is no CSV" in reason for _, reason in found)


@pytest.mark.parametrize("cell", ["\u0663\u0664\u0667", "0", "=1+1", "1" * 13, ""])
def test_only_digits_make_a_partner_id(store, write, cell):
    found = refused(store, write(HEADER, ACME.replace("347109", cell)))

    assert found[0][1].startswith("partner_id")


# Letters of Agency


def test_letters_are_added_changed_and_removed(store, write):
    import_partners(store, write(HEADER, ACME, BEACON))
    other = "620045,Pinewood Library,,2025-07-01,2026-07-01"

    assert import_partners(store, write(LOA_HEADER, LETTER, other), Kind.LETTERS) == Report(2, 0, 0, 0)
    assert import_partners(store, write(LOA_HEADER, LETTER, other), Kind.LETTERS) == Report(0, 0, 2, 0)
    longer = other.replace("2026", "2027")
    assert import_partners(store, write(LOA_HEADER, longer), Kind.LETTERS) == Report(0, 1, 0, 1)


def test_a_letter_of_an_agency_that_is_not_in_the_directory_is_refused(store, write):
    import_partners(store, write(HEADER, ACME, BEACON))
    strange = LETTER.replace("620045", "999999")

    assert refused(store, write(LOA_HEADER, LETTER, strange), Kind.LETTERS) == [
        (3, "partner_id '999999' is not in the directory")
    ]


def test_a_letter_that_is_there_twice_is_refused(store, write):
    import_partners(store, write(HEADER, ACME, BEACON))

    assert refused(store, write(LOA_HEADER, LETTER, LETTER + "2030-01-01"), Kind.LETTERS) == [
        (3, "620045 Northwind Dental +14085550171 is on line 2 already: keep one of the two")
    ]


# Several at a time


def test_an_import_begins_again_when_another_came_in_between(store, tmp_path):
    """It has compared its file with a directory that is not there any more."""
    mine, theirs = tmp_path / "mine.csv", tmp_path / "theirs.csv"
    mine.write_text(f"{HEADER}\n{ACME}")
    theirs.write_text(f"{HEADER}\n{COBALT}")
    wanted = partners.read_file(mine, partners.PARTNER_FILE, partners.read_partner_row, lambda p: p.partner_id).records
    others = [lambda: import_partners(store, theirs)]

    def plan(conn):
        planned = partners._plan_partners(conn, wanted)
        while others:
            others.pop()()
        return planned

    assert partners._import(store, plan) == Report(1, 0, 0, 1)
    assert ids(store) == {"347109": "active", "518820": "closed"}


def test_imports_at_the_same_time_leave_the_directory_as_one_of_them_wants_it(store, tmp_path):
    files = []
    for n in range(4):
        files.append(tmp_path / f"{n}.csv")
        files[-1].write_text("\n".join([HEADER, *(ACME.replace("347109", str(100 * (n + 1) + k)) for k in range(30))]))
    with ThreadPoolExecutor(4) as threads:
        outcomes = [threads.submit(import_partners, store, file) for file in files]
    errors = [outcome.exception() for outcome in outcomes]

    assert all(error is None or isinstance(error, StoreUnavailable) for error in errors)
    alive = {pid for pid, status in ids(store).items() if status == Status.ACTIVE}
    assert alive in [{str(100 * (n + 1) + k) for k in range(30)} for n in range(4)]


def test_a_partner_id_that_nobody_could_key_is_refused(store, write):
    file = write(HEADER, ACME, ACME.replace("347109", "34710"))
    with pytest.raises(ImportRefused) as caught:
        import_partners(store, file, lengths=frozenset({6}))
    assert [(row.line, row.reason) for row in caught.value.rows] == [
        (3, "partner_id '34710' has 5 digits: callers are asked for 6")
    ]
    assert SqlDirectory(store).partners() == []


@pytest.mark.parametrize(
    ("change", "encoding", "said"),
    [
        (",", "utf-16", "the file is UTF-16: save it as UTF-8"),
        (";", "utf-8", "the columns are not separated by commas: save the file with commas between them"),
        ("\t", "utf-8", "the columns are not separated by commas: save the file with commas between them"),
    ],
)
def test_a_file_of_another_kind_is_told_in_one_line_what_it_is(store, write, change, encoding, said):
    file = write(HEADER.replace(",", change), ACME.replace(",", change), encoding=encoding)
    assert refused(store, file) == [(1, said)]
