"""Partners, their certification, and the rows of the directory's files."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.partner import (
    Certification,
    LetterOfAgency,
    Partner,
    PartnerType,
    RowFault,
    Status,
    read_loa_row,
    read_partner_row,
)

ROW = {
    "partner_id": "347109",
    "name": "Acme",
    "type": "resale",
    "region": "us",
    "certified_from": "2025-01-01",
    "certified_until": "2026-12-31",
    "first_line": "yes",
    "status": "active",
    "representatives": "+14085550142 +442079460123",
    "programme": "8x8-partner",
}

LETTER = {
    "partner_id": "620045",
    "customer": "Lighthouse",
    "service_number": "+14085550177",
    "valid_from": "2026-01-01",
    "valid_until": "2026-12-31",
}


def acme(**changes) -> Partner:
    return msgspec.structs.replace(read_partner_row(ROW), **changes)


def test_a_row_becomes_a_partner():
    assert read_partner_row(ROW) == Partner(
        partner_id="347109",
        name="Acme",
        type=PartnerType.RESALE,
        region="us",
        certified_from=date(2025, 1, 1),
        certified_until=date(2026, 12, 31),
        first_line=True,
        status=Status.ACTIVE,
        representatives=("+14085550142", "+442079460123"),
        programme="8x8-partner",
    )


def test_a_partner_survives_being_stored_as_json():
    partner = acme(certified_until=None)

    assert msgspec.json.decode(msgspec.json.encode(partner), type=Partner) == partner


def test_a_partner_and_a_letter_cannot_be_changed():
    with pytest.raises(AttributeError):
        acme().status = Status.CLOSED
    with pytest.raises(AttributeError):
        read_loa_row(LETTER).valid_until = None


@pytest.mark.parametrize(
    ("since", "until", "on", "grace", "standing"),
    [
        ("2025-01-01", "2026-12-31", "2024-12-31", 0, "none"),
        ("2025-01-01", "2026-12-31", "2025-01-01", 0, "valid"),
        ("2025-01-01", "2026-12-31", "2026-12-31", 0, "valid"),  # the last day counts whole
        ("2025-01-01", "2026-12-31", "2027-01-01", 0, "expired"),
        ("2025-01-01", "2026-12-31", "2027-01-01", 1, "valid"),
        ("2025-01-01", "2026-12-31", "2027-01-14", 14, "valid"),
        ("2025-01-01", "2026-12-31", "2027-01-15", 14, "expired"),
        ("2025-01-01", "", "2099-12-31", 0, "valid"),  # open-ended
        ("2025-01-01", "9999-12-31", "2099-12-31", 30, "valid"),
        ("2026-06-01", "2026-06-01", "2026-06-01", 0, "valid"),  # one day
        ("", "", "2026-06-01", 0, "none"),  # never certified
        ("", "", "2026-06-01", 30, "none"),
    ],
)
def test_certification_on_a_day(since, until, on, grace, standing):
    partner = read_partner_row(ROW | {"certified_from": since, "certified_until": until})

    assert partner.certification(date.fromisoformat(on), grace) is Certification(standing)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 3000), st.integers(0, 60), st.integers(-100, 4000))
def test_a_certification_is_none_then_valid_then_expired(since, length, grace, days):
    """It never comes back, and grace only puts the end off."""
    partner = acme(certified_from=since, certified_until=since + timedelta(days=length))
    expected = "none" if days < 0 else "valid" if days <= length + grace else "expired"

    assert partner.certification(since + timedelta(days=days), grace) == expected


def test_white_space_around_a_cell_is_forgiven():
    padded = {column: f" \t{cell} " for column, cell in ROW.items()}

    assert read_partner_row(padded) == read_partner_row(ROW)


def test_column_order_does_not_matter_and_other_columns_are_ignored():
    row = dict(reversed(list(ROW.items()))) | {"comment": "x", None: ["too", "many"]}

    assert read_partner_row(row) == read_partner_row(ROW)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("partner_id", "1"),
        ("partner_id", "00"),
        ("partner_id", "012345678901"),
        ("name", "A" * 120),
        ("name", "Müller & Söhne, 株式会社"),
        ("type", "agency"),
        ("type", "wholesale"),
        ("type", "referral"),
        ("region", "emea"),
        ("region", "apac"),
        ("certified_until", ""),
        ("first_line", "no"),
        ("status", "suspended"),
        ("status", "closed"),
        ("representatives", ""),
        ("representatives", "+61255501234   +447700900123"),
        ("programme", "zynstra"),
    ],
)
def test_a_good_cell_is_taken(column, cell):
    read_partner_row(ROW | {column: cell})


@pytest.mark.parametrize(
    ("column", "cell", "mend"),
    [
        ("partner_id", "", "write 1 to 12 digits"),
        ("partner_id", "0", "not a single 0"),
        ("partner_id", "PA109", "write 1 to 12 digits"),
        ("partner_id", "1234567890123", "write 1 to 12 digits"),
        ("partner_id", "347 109", "write 1 to 12 digits"),
        ("partner_id", "34710\u0669", "write 1 to 12 digits"),
        ("partner_id", "\uff13\uff14\uff17", "write 1 to 12 digits"),
        ("partner_id", "34\u00b2", "write 1 to 12 digits"),
        ("partner_id", "-347109", "write 1 to 12 digits"),
        ("partner_id", "347109.0", "write 1 to 12 digits"),
        ("name", "", "printable characters"),
        ("name", "A" * 121, "1 to 120"),
        ("name", "Ac\nme", "printable characters"),
        ("name", "Ac\x00me", "printable characters"),
        ("name", "Ac\u202eme", "printable characters"),
        ("type", "Resale", "write one of agency, resale, wholesale, referral"),
        ("type", "", "write one of agency"),
        ("region", "EMEA", "write one of us, emea, apac"),
        ("region", "uk", "write one of us, emea, apac"),
        ("certified_from", "01/01/2025", "as in 2026-12-31"),
        ("certified_from", "2025-1-1", "as in 2026-12-31"),
        ("certified_from", "20250101", "as in 2026-12-31"),
        ("certified_from", "2025-W01-1", "as in 2026-12-31"),
        ("certified_from", "2025-02-29", "as in 2026-12-31"),
        ("certified_from", "2025-01-01T00:00", "as in 2026-12-31"),
        ("certified_from", "never", "as in 2026-12-31"),
        ("certified_until", "\u0662\u0660\u0662\u0666-12-31", "as in 2026-12-31"),
        ("first_line", "Yes", "write one of yes, no"),
        ("first_line", "true", "write one of yes, no"),
        ("first_line", "", "write one of yes, no"),
        ("status", "", "write one of active, suspended, closed"),
        ("status", "inactive", "write one of active, suspended, closed"),
        ("representatives", "14085550142", "write + and digits only"),
        ("representatives", "+1 408 555 0142", "write + and digits only"),
        ("representatives", "+14085550142,+14085550143", "write + and digits only"),
        ("representatives", "+14085550142;", "write + and digits only"),
        ("representatives", "+15551234567", "check every digit"),
        ("representatives", "+14085550142 +14085550142", "name each once"),
        ("programme", "", "write the id of a policy"),
        ("programme", "8x8 partner", "write the id of a policy"),
        ("programme", "../8x8", "write the id of a policy"),
    ],
)
def test_a_bad_cell_is_named_with_its_value_and_its_mend(column, cell, mend):
    with pytest.raises(RowFault) as fault:
        read_partner_row(ROW | {column: cell})

    (words,) = fault.value.faults
    assert words.startswith(f"{column} {cell!r:.80} ")
    assert mend in words


@pytest.mark.parametrize(("since", "until"), [("", "2026-12-31"), ("2027-01-01", "2026-12-31")])
def test_a_certification_that_ends_before_it_begins_is_refused(since, until):
    with pytest.raises(RowFault, match="certified_until '2026-12-31' has no certified_from on or before it"):
        read_partner_row(ROW | {"certified_from": since, "certified_until": until})


def test_every_fault_of_a_row_is_reported_at_once():
    with pytest.raises(RowFault) as fault:
        read_partner_row({"partner_id": "0", "type": "agent", "representatives": "x +1 y"})

    assert [words.split()[0] for words in fault.value.faults] == list(ROW)
    assert "name is missing: add the column, and a cell for it to every line" in fault.value.faults
    assert "'x'" in fault.value.faults[-2]
    assert "'y'" in fault.value.faults[-2]
    assert str(fault.value) == "; ".join(fault.value.faults)


def test_a_line_that_is_too_short_is_a_fault_of_its_last_cells():
    with pytest.raises(RowFault, match="programme is missing"):
        read_partner_row(ROW | {"programme": None})


@given(st.dictionaries(st.sampled_from(list(ROW)), st.text(max_size=30)))
def test_any_row_is_read_or_refused_in_words(cells):
    row = ROW | cells
    try:
        partner = read_partner_row(row)
    except RowFault:
        if not cells:  # the row itself is good
            raise
    else:
        assert partner.partner_id == row["partner_id"].strip()
        assert partner.name == row["name"].strip()


def test_a_row_becomes_a_letter_of_agency():
    assert read_loa_row(LETTER) == LetterOfAgency(
        "620045", "Lighthouse", "+14085550177", date(2026, 1, 1), date(2026, 12, 31)
    )


@pytest.mark.parametrize(
    ("until", "on", "holds"),
    [
        ("2026-12-31", "2025-12-31", False),
        ("2026-12-31", "2026-01-01", True),
        ("2026-12-31", "2026-12-31", True),
        ("2026-12-31", "2027-01-01", False),
        ("", "2099-01-01", True),
    ],
)
def test_a_letter_holds_on_its_first_and_its_last_day(until, on, holds):
    assert read_loa_row(LETTER | {"valid_until": until}).in_force(date.fromisoformat(on)) is holds


def test_a_letter_may_be_about_all_services_of_the_customer():
    assert read_loa_row(LETTER | {"service_number": ""}).service_number == ""


@pytest.mark.parametrize(
    ("column", "cell", "mend"),
    [
        ("partner_id", "0", "write 1 to 12 digits"),
        ("customer", "", "printable characters"),
        ("service_number", "4085550177", "write + and digits only"),
        ("service_number", "+15551234567", "check every digit"),
        ("valid_from", "", "as in 2026-12-31"),
        ("valid_from", "2027-01-01", "has no valid_from on or before it"),
        ("valid_until", "31.12.2026", "as in 2026-12-31"),
    ],
)
def test_a_letter_with_a_bad_cell_is_refused(column, cell, mend):
    with pytest.raises(RowFault, match=mend.replace("+", r"\+")):
        read_loa_row(LETTER | {column: cell})
