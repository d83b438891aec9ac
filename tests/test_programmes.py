"""Policies and contacts at the start: who is rung, which version a call lives by, and every fault at once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from paper import PaperDirectory, shipped
from pydantic import SecretStr

from ivr.contacts_file import read_contacts
from ivr.programmes import Desks, Programmes, load
from ivr.settings import Settings, SettingsError
from recordings.policy_texts import PolicyText, keep, text_of
from routing.policy_file import FOLDER

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TEXT = (FOLDER / "8x8-partner.yaml").read_text("utf-8")
REAL = "+13034997111"  # a public time service: nobody's telephone, and not reserved for fiction
US = "+18888988733"


def settings(**changes: object) -> Settings:
    given = {"ivr_env": "demo", "secret_key": SecretStr("s" * 32), **changes}
    return Settings(**given)


def faults(**changes: object) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        load(settings(**changes), None)
    return [str(fault) for fault in raised.value.faults]


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


# --- contacts


def test_contacts_are_read_in_ring_order_with_their_line(tmp_path):
    path = written(
        tmp_path / "contacts.yaml",
        'us-tier1-engineer:\n  numbers: ["+1 408 555 0190", "+44 20 7946 0190"]\n  notify: ["mailto://duty@example.com"]\n'
        "us-oncall-lead: {numbers: []}\n",
    )

    found = read_contacts(path)

    assert found["us-tier1-engineer"].numbers == ("+14085550190", "+442079460190")
    assert found["us-tier1-engineer"].notify == ("mailto://duty@example.com",)
    assert found["us-oncall-lead"].numbers == ()
    assert [contact.file_line for contact in found.values()] == [1, 4]


def test_no_contacts_at_all_is_a_file_too(tmp_path):
    assert read_contacts(written(tmp_path / "contacts.yaml", "# nobody yet\n")) == {}


def test_every_fault_of_the_contacts_is_reported_with_its_line(tmp_path):
    path = written(
        tmp_path / "contacts.yaml",
        "good: {numbers: ['+1 408 555 0190']}\n"
        "unquoted: {numbers: [+14085550190]}\n"
        "words: {numbers: ['the duty phone']}\n"
        "premium: {numbers: ['+1 900 555 0199']}\n"
        "string: {numbers: '+1 408 555 0190'}\n"
        "misspelt: {number: ['+1 408 555 0190']}\n"
        "nothing:\n"
        "Bad Id: {numbers: []}\n",
    )

    with pytest.raises(SettingsError) as raised:
        read_contacts(path)

    lines = [str(fault).removeprefix(f"{path}:") for fault in raised.value.faults]
    assert [line.split(":")[0] for line in lines] == ["2", "3", "4", "5", "6", "7", "8"]
    assert "without its plus" in lines[0]
    assert "quote it" in lines[0].lower()


@pytest.mark.parametrize("text", ["a: [", "- a\n- b\n", "a: {numbers: []}\na: {numbers: []}\n", "\x00"])
def test_what_is_no_contacts_file_is_one_fault_that_names_it(tmp_path, text):
    path = written(tmp_path / "contacts.yaml", text)

    with pytest.raises(SettingsError, match=r"contacts\.yaml"):
        read_contacts(path)


def test_a_contact_that_no_policy_asks_for_is_a_fault(tmp_path):
    path = written(tmp_path / "contacts.yaml", "us-teir1: {numbers: ['+1 408 555 0190']}\n")

    (fault,) = faults(contacts_file=path)

    assert "contacts.yaml:1: no policy has a destination us-teir1." in fault


# --- production


def test_production_refuses_numbers_that_are_reserved_for_fiction():
    """The shipped policies ring nobody real: a file of contacts must give every destination a number."""
    found = faults(ivr_env="production")

    assert len(found) == len(shipped().destinations)
    assert all("reserved for fiction" in fault and "CONTACTS_FILE" in fault for fault in found)


def test_production_refuses_a_destination_without_a_number(tmp_path):
    name = next(iter(shipped().destinations))
    path = written(tmp_path / "contacts.yaml", f"{name}: {{numbers: []}}\n")

    assert any(f"{name} has no number" in fault for fault in faults(ivr_env="production", contacts_file=path))


def test_production_starts_when_everybody_is_somebody(tmp_path):
    lines = [f"{name}: {{numbers: ['{REAL}']}}" for name in shipped().destinations]
    path = written(tmp_path / "contacts.yaml", "\n".join(lines))

    listing = load(settings(ivr_env="production", contacts_file=path), None)

    assert set(listing.contacts(listing.first()).values()) == {(REAL,)}


@pytest.mark.parametrize("env", ["demo", "production"])
def test_our_own_lines_are_never_rung_and_a_contact_that_names_one_is_refused(tmp_path, env):
    path = written(tmp_path / "contacts.yaml", f"us-tier1-engineer: {{numbers: ['{US}']}}\n")

    assert any("one of our own lines" in fault for fault in faults(ivr_env=env, contacts_file=path))


# --- policies


def test_a_number_leads_to_its_policy():
    listing = load(settings(), NOW)

    assert listing.of_line(US) is listing.policies["8x8-partner"]
    assert listing.of_line("+15005550006") is None
    assert US in listing.our_lines


def test_a_policy_of_the_same_programme_comes_in_the_place_of_the_shipped_one(tmp_path):
    written(tmp_path / "ours.yaml", TEXT.replace("brand: 8x8", "brand: Example"))

    listing = load(settings(policy_dir=tmp_path), None)

    assert list(listing.policies) == ["8x8-partner"]
    assert listing.first().brand == "Example"


def test_a_number_belongs_to_one_programme(tmp_path):
    written(tmp_path / "other.yaml", TEXT.replace("programme: 8x8-partner", "programme: other"))

    found = faults(policy_dir=tmp_path)

    assert len(found) == len(shipped().lines)
    assert all("is a line of two programmes" in fault for fault in found)


def test_a_programme_has_one_file(tmp_path):
    for name in ("one.yaml", "two.yaml"):
        written(tmp_path / name, TEXT)

    assert any("Keep one file for each programme" in fault for fault in faults(policy_dir=tmp_path))


def test_faults_of_policies_and_contacts_are_reported_together(tmp_path):
    written(tmp_path / "broken.yaml", "programme: broken\nlines: 7\n")
    contacts = written(tmp_path / "contacts.yml", "x: {numbers: [7]}\n")

    found = faults(policy_dir=tmp_path, contacts_file=contacts)

    assert any("broken.yaml:" in fault for fault in found)
    assert any("contacts.yml:1" in fault for fault in found)


def test_a_policy_that_lets_an_outage_fall_through_is_refused(tmp_path):
    """The proof runs before the first call: the guilty row is named."""
    written(
        tmp_path / "ours.yaml",
        TEXT.replace("urgent: yes}\n    does: ring\n    ring: [on_call]", "urgent: yes}\n    does: inform"),
    )

    with pytest.raises(SettingsError, match=r"ours\.yaml:[0-9]+: RT"):
        load(settings(policy_dir=tmp_path), NOW)


# --- versions


def older() -> PolicyText:
    """The shipped policy as it was before somebody renamed the brand and dropped a destination."""
    return PolicyText("0000old", "8x8-partner", TEXT.replace("brand: 8x8", "brand: Before"))


def desks(texts: dict[str, str]) -> Desks:
    return Desks(Programmes([shipped()], {}), PaperDirectory(), texts.get)


def test_a_call_lives_by_the_version_that_it_started_with():
    desk = desks({"0000old": older().text}).desk_for("0000old", "8x8-partner")

    assert desk.policy.brand == "Before"
    assert desk.listed == frozenset(shipped().destinations)


def test_a_call_of_a_version_that_is_lost_goes_on_under_the_one_in_force():
    assert desks({}).desk_for("gone", "8x8-partner").policy is shipped()


def test_a_version_is_looked_up_once():
    texts = {"0000old": older().text}
    found = desks(texts)
    first = found.desk_for("0000old", "8x8-partner")
    texts.clear()

    assert found.desk_for("0000old", "8x8-partner") is first


def test_the_text_of_every_version_is_kept(store):
    listing = load(settings(), None)

    keep(store, listing.texts, NOW, 3.0)
    keep(store, listing.texts, NOW, 3.0)

    assert text_of(store, listing.first().version, 3.0) == TEXT
    assert text_of(store, "never", 3.0) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("locale: en-AU", "locale: fr-FR"), "is to speak fr-FR, which has no prompts"),
        (("say: [route.t2]", "say: [route.t9]"), "says route.t9, which is no prompt"),
    ],
)
def test_a_policy_that_would_have_us_say_what_we_cannot_is_refused(tmp_path, change, said):
    written(tmp_path / "8x8-partner.yaml", TEXT.replace(*change))
    found = [fault for fault in faults(policy_dir=tmp_path) if said in fault]
    assert found
    assert all("8x8-partner.yaml:" in fault for fault in found)
