"""The environment: everything that is wrong is said at once, with its mend, and nothing secret is repeated."""

import re
from pathlib import Path

import pytest

from ivr import settings
from ivr.environment import load, survey
from ivr.settings import Environment, Settings, SettingsError, database_url

GOOD = {
    "PUBLIC_BASE_URL": "https://ivr.example.com",
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "0123456789abcdef" * 2,
    "SECRET_KEY": "a secret of at least thirty-two characters",
    "RECORDINGS_KEY": "2026:" + "A" * 43 + "=",
}
WEBHOOK_SECRET = "whsec_" + "A" * 44
NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture
def environ(monkeypatch):
    """Set the environment to exactly what is given, on top of a good one."""

    def put(**changes):
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in {**GOOD, **changes}.items():
            if value is not None:
                monkeypatch.setenv(name, value)

    put()
    return put


def faults() -> dict[str, str]:
    """Return each fault's line by the variable that it names."""
    _, found = survey()
    return {fault.where: str(fault) for fault in found}


def test_a_good_environment_is_read_and_everything_else_has_its_default(environ):
    found = load()

    assert found.ivr_env is Environment.PRODUCTION
    assert found.production
    assert found.port == 8080
    assert found.database_url == "sqlite:///var/partnerline.db"
    assert found.tokens == (GOOD["TWILIO_AUTH_TOKEN"],)


def test_an_empty_environment_names_everything_that_is_missing_at_once(environ):
    environ(PUBLIC_BASE_URL="", TWILIO_ACCOUNT_SID="", TWILIO_AUTH_TOKEN="", SECRET_KEY="", RECORDINGS_KEY="")

    with pytest.raises(SettingsError) as raised:
        load()

    assert {fault.where for fault in raised.value.faults} == set(GOOD)
    assert all(fault.mend for fault in raised.value.faults)
    assert str(raised.value).count("is not set.") == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TWILIO_AUTH_TOKEN", "0" * 31),
        ("TWILIO_AUTH_TOKEN", "0" * 31 + " "),
        ("TWILIO_AUTH_TOKEN_SECONDARY", "short"),
        ("TWILIO_ACCOUNT_SID", "AC123"),
        ("TWILIO_ACCOUNT_SID", "AC" + "G" * 32),
        ("PUBLIC_BASE_URL", "http://ivr.example.com"),
        ("PUBLIC_BASE_URL", "https://ivr.example.com/"),
        ("PUBLIC_BASE_URL", "https://ivr.example.com/prefix"),
        ("PUBLIC_BASE_URL", "https://user:password@ivr.example.com"),
        ("PUBLIC_BASE_URL", "https://our_ivr.example.com"),
        ("PUBLIC_BASE_URL", "ivr.example.com"),
        ("SECRET_KEY", "x" * 31),
        ("SECRET_KEY", GOOD["TWILIO_AUTH_TOKEN"]),
        ("TWILIO_API_BASE", "http://api.twilio.com"),
        ("POLICY_DIR", "/nowhere/at/all"),
        ("CONTACTS_FILE", "/nowhere/at/all.yaml"),
        ("IVR_FAILPOINT", "tx.after_commit:kill9"),
        ("IVR_ENV", "staging"),
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("WEB_CONCURRENCY", "0"),
        ("LOG_LEVEL", "CHATTY"),
        ("RECORDINGS_KEY", "2026:short"),
        ("RECORDINGS_KEY", "A" * 43 + "="),
        ("NOTIFY_URLS", "msteams://a"),
        ("NOTIFY_URLS", "mailto://duty@example.com, nonsense://hunter2"),
        ("NOTIFY_URLS", "terminal://"),
        ("EVENT_SECRET", "whsec_short"),
        ("VOICES", "en-US"),
        ("VOICES", 'en-US=Polly"Joanna'),
    ],
)
def test_production_refuses(environ, name, value):
    """One wrong value is one fault, which names the variable."""
    environ(**{name: value})

    assert set(faults()) == {name}


def test_what_cannot_be_read_does_not_hide_what_is_missing(environ):
    environ(PORT="eighty", SECRET_KEY=None)

    assert set(faults()) == {"PORT", "SECRET_KEY"}


@pytest.mark.parametrize("name", ["TWILIO_AUTH_TOKEN", "SECRET_KEY", "METRICS_TOKEN", "RECORDINGS_KEY", "EVENT_SECRET"])
def test_no_message_and_no_representation_repeats_a_secret(environ, name):
    environ(**{name: "hunter2"}, PORT="eighty")

    found, wrong = survey()

    assert "hunter2" not in repr(found) + str(found) + " ".join(map(str, wrong))


@pytest.mark.parametrize(
    "url", ["http://crm.example.com/", "https://user:hunter2@crm.example.com/", "ftp://crm.example.com", "crm"]
)
def test_events_go_to_https_addresses_without_a_log_in(environ, url):
    environ(EVENT_URLS=url, EVENT_SECRET=WEBHOOK_SECRET)

    assert set(faults()) == {"EVENT_URLS"}
    assert "hunter2" not in str(faults())


def test_events_need_a_secret(environ):
    environ(EVENT_URLS="https://crm.example.com/a, https://crm.example.org/b")

    assert set(faults()) == {"EVENT_SECRET"}


def test_several_targets_and_endpoints_are_told_apart_though_an_address_may_hold_commas(environ):
    environ(
        NOTIFY_URLS="mailto://duty@example.com?cc=a@example.com,b@example.com, slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        EVENT_URLS="https://crm.example.com/a,https://crm.example.org/b",
        EVENT_SECRET=WEBHOOK_SECRET,
    )

    found = load()

    assert [target.partition("://")[0] for target in found.operators] == ["mailto", "slack"]
    assert found.event_endpoints == ("https://crm.example.com/a", "https://crm.example.org/b")
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in repr(found)


def test_a_target_that_cannot_be_used_is_named_by_its_place_and_its_secret_is_not_repeated(environ):
    environ(NOTIFY_URLS="mailto://duty@example.com, slack://hunter2")

    assert "entry 2" in faults()["NOTIFY_URLS"]
    assert "hunter2" not in str(faults())


def test_the_demo_needs_no_recordings_key_but_one_that_is_given_must_be_one(environ):
    environ(IVR_ENV="demo", RECORDINGS_KEY=None)
    assert faults() == {}

    environ(IVR_ENV="demo", RECORDINGS_KEY="2026:AAAA")
    assert set(faults()) == {"RECORDINGS_KEY"}


def test_the_demo_may_run_on_http_and_fail_on_purpose(environ):
    environ(IVR_ENV="demo", PUBLIC_BASE_URL="http://127.0.0.1:8080", IVR_FAILPOINT="tx.after_commit:sleep:0.5")

    assert faults() == {}


def test_the_demo_too_needs_a_token_and_a_failpoint_that_means_something(environ):
    environ(IVR_ENV="demo", TWILIO_AUTH_TOKEN="", IVR_FAILPOINT="explode")

    assert set(faults()) == {"TWILIO_AUTH_TOKEN", "IVR_FAILPOINT"}


def test_two_tokens_are_good_during_a_rotation(environ):
    environ(TWILIO_AUTH_TOKEN_SECONDARY="f" * 32)

    assert load().tokens == (GOOD["TWILIO_AUTH_TOKEN"], "f" * 32)


def test_a_voice_can_be_chosen_for_a_locale(environ):
    environ(VOICES="en-US=Polly.Matthew-Neural, en-AU=Google.en-AU-Neural2-A")

    assert load().voice_of == {"en-US": "Polly.Matthew-Neural", "en-AU": "Google.en-AU-Neural2-A"}


def test_the_database_is_known_without_any_other_setting():
    assert database_url({}) == settings.DATABASE_URL
    assert database_url({"DATABASE_URL": ""}) == settings.DATABASE_URL
    assert database_url({"DATABASE_URL": "sqlite:///x.db"}) == "sqlite:///x.db"


def test_every_setting_is_documented_and_nothing_else_is():
    """docs/settings.md has one row for each variable that the service reads, with its default."""
    text = (Path(__file__).parent.parent / "docs" / "settings.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.+?) \|", text, re.MULTILINE))

    assert set(rows) == set(NAMES)
    for name, field in Settings.model_fields.items():
        documented = rows[name.upper()].strip("`")
        assert documented in ("none", "built in") or documented == str(getattr(field.default, "value", field.default))
