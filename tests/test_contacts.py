"""Contacts: who is one person, who has a day off, and what a file of contacts may say."""

from itertools import permutations

import pytest
from desks import z
from paper import shipped

from ivr.contacts import Contact, off, person_of, persons, strangers
from ivr.contacts_file import read_contacts
from ivr.settings import SettingsError


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        ({"a": ["1"], "b": ["2"]}, {"a": "a", "b": "b"}),
        ({"a": ["1"], "b": ["1"]}, {"a": "a", "b": "a"}),
        ({"a": ["1"], "b": ["2", "1"], "c": ["2"]}, {"a": "a", "b": "a", "c": "a"}),
        ({"a": ["1"], "b": ["2"], "c": ["1", "2"], "d": ["3"]}, {"a": "a", "b": "a", "c": "a", "d": "d"}),
        ({"a": ["1"], "b": []}, {"a": "a"}),
        ({"a": ["mailto://x"], "b": ["+1", "mailto://x"]}, {"a": "a", "b": "a"}),
        ({}, {}),
    ],
)
def test_destinations_that_share_a_way_to_them_are_one_person_in_whatever_order_they_are_listed(reach, expected):
    for order in permutations(reach):
        assert persons({name: reach[name] for name in order}) == expected


def test_nobody_is_behind_a_destination_without_a_number_and_a_target():
    policy = shipped()
    first, second, *_ = policy.destinations
    contacts = {first: Contact(()), second: Contact((), ("mailto://duty@example.com",))}

    who = person_of(policy, contacts)

    assert who(first) is None
    assert who(second) == second
    assert who("no such destination") is None


@pytest.mark.parametrize(
    ("instant", "away"),
    [
        ("2026-12-24 07:59", False),  # still the 23rd in California
        ("2026-12-24 08:00", True),
        ("2026-12-25 07:59", True),
        ("2026-12-25 08:00", False),
        ("2026-12-28 12:00", True),
        ("2027-01-01 07:59", True),
        ("2027-01-01 08:00", False),
    ],
)
def test_a_day_off_is_a_day_of_the_regions_own_calendar(tmp_path, instant, away):
    path = tmp_path / "contacts.yaml"
    path.write_text(
        "us-oncall-lead: {numbers: ['+1 408 555 0190'], off: [2026-12-24, 2026-12-28/2026-12-31]}\n", "utf-8"
    )

    is_off = off(read_contacts(path), "America/Los_Angeles")

    assert is_off("us-oncall-lead", z(instant)) is away
    assert not is_off("somebody-else", z(instant))


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{off: 2026-12-24}", "off is not a list"),
        ("{off: [christmas]}", "'christmas' is no day off"),
        ("{off: ['2026-13-01']}", "is no day off"),
        ("{off: [2026-12-31/2026-12-24]}", "ends before it begins"),
        ("{notify: ['slack://hunter2']}", "notify, entry 1, is no target that can be used (it begins with slack://)"),
        ("{notify: [hunter2]}", "notify, entry 1, is no URL"),
        ("{notify: [7]}", "notify, entry 1, is no URL"),
        ("{notify: ['terminal://', 'nonsense://hunter2']}", "notify, entry 2"),
    ],
)
def test_a_fault_is_said_with_its_line_and_without_the_secret(tmp_path, entry, problem):
    path = tmp_path / "contacts.yaml"
    path.write_text(f"# people\nus-tier1-engineer: {entry}\n", "utf-8")

    with pytest.raises(SettingsError) as raised:
        read_contacts(path)

    assert f"{path}:2" in str(raised.value)
    assert problem in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_date_that_no_calendar_has_is_a_fault_too(tmp_path):
    path = tmp_path / "contacts.yaml"
    path.write_text("us-tier1-engineer: {off: [2026-13-01]}\n", "utf-8")

    with pytest.raises(SettingsError, match=r"contacts\.yaml: cannot be read: month must be in 1\.\.12"):
        read_contacts(path)


def test_a_desk_may_have_targets_but_no_numbers(tmp_path):
    policy = shipped()
    desk = next(name for name in policy.desks if name not in policy.destinations)

    assert list(strangers([policy], {desk: Contact((), ("slack://x",))}, tmp_path)) == []
    (fault,) = strangers([policy], {desk: Contact(("+14085550190",))}, tmp_path)
    assert f"{desk} is a desk" in str(fault)
