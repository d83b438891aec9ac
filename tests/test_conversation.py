"""The conversation's table and its sentences, checked as a whole."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from flows.conversation import NODES, NOT_SPOKEN, faults
from flows.prompt_lint import lint, seconds
from flows.prompts import LOCALES, at_time, catalogue, digits, on_date, speak, tokens_of
from routing.fault import Level


def test_the_shipped_table_has_no_fault():
    """Every target and prompt exists, every node is reached, every wait hears something, every road has an end."""
    assert faults() == []


@pytest.mark.parametrize(
    ("node", "change", "fault"),
    [
        ("menu", {"to": ("nowhere",)}, "menu leads to nowhere, which is not there"),
        ("severity", {"prompts": ("sev.unheard",)}, "en-US: prompt sev.unheard is not there"),
        ("gate", {"hears": ()}, "gate waits and hears nothing"),
        ("announce", {"to": ("announce",)}, "announce has no way out"),
    ],
)
def test_a_broken_table_is_named(node, change, fault):
    broken = {**NODES, node: replace(NODES[node], **change)}
    assert fault in faults(broken)


def test_a_node_that_nobody_reaches_is_named():
    stray = replace(NODES["bye"], name="stray")
    assert "stray is never reached" in faults({**NODES, "stray": stray})


def test_no_shipped_prompt_is_an_error():
    assert [str(f) for f in lint() if f.level is Level.ERROR] == []


def test_every_prompt_is_shorter_than_twelve_seconds():
    for locale in LOCALES:
        slow = {key: seconds(text) for key, text in catalogue(locale).items() if seconds(text) > 12}
        assert slow == {}


def test_the_hash_key_is_called_what_the_caller_calls_it():
    assert "press pound" in speak("case.ask", "en-US")
    assert "press hash" in speak("case.ask", "en-GB")
    assert "press hash" in speak("case.ask", "en-AU")


def test_every_locale_says_the_same_things():
    keys = {locale: set(catalogue(locale)) for locale in LOCALES}
    assert keys["en-US"] == keys["en-GB"] == keys["en-AU"]
    assert tokens_of(catalogue("en-GB")["pid.ok"]) == {"pid"}
    assert set(NOT_SPOKEN) < keys["en-US"]


@pytest.mark.parametrize(
    ("number", "spoken"),
    [("48207195", "4 8 2, 0 7 1, 9 5"), ("347109", "3 4 7, 1 0 9"), ("0142", "0 1 4, 2"), ("", "")],
)
def test_numbers_are_read_a_digit_at_a_time_in_groups(number, spoken):
    assert digits(number) == spoken


TUESDAY_EVENING = datetime(2026, 7, 15, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "zone", "clock", "locale", "spoken"),
    [
        (datetime(2026, 7, 15, 12, tzinfo=UTC), "America/Los_Angeles", "Pacific", "en-US", "5 AM Pacific on Wednesday"),
        (datetime(2026, 7, 15, 4, 15, tzinfo=UTC), "America/Los_Angeles", "Pacific", "en-US", "9:15 PM Pacific today"),
        (datetime(2026, 7, 15, 7, tzinfo=UTC), "Europe/London", "UK time", "en-GB", "8 AM UK time today"),
        (datetime(2026, 7, 15, 11, tzinfo=UTC), "Europe/London", "UK time", "en-GB", "12 PM UK time today"),
        (
            datetime(2026, 7, 15, 16, tzinfo=UTC),
            "Asia/Singapore",
            "Singapore time",
            "en-AU",
            "12 AM Singapore time on Thursday",
        ),
        (datetime(2026, 7, 27, 7, tzinfo=UTC), "Europe/London", "UK time", "en-GB", "8 AM UK time on Monday, 27 July"),
        (
            datetime(2026, 7, 27, 12, tzinfo=UTC),
            "America/Los_Angeles",
            "Pacific",
            "en-US",
            "5 AM Pacific on Monday, July 27",
        ),
    ],
)
def test_an_instant_is_said_as_a_caller_there_would_say_it(instant, zone, clock, locale, spoken):
    assert at_time(instant, TUESDAY_EVENING, zone, clock, locale) == spoken


def test_a_date_is_said_in_the_country_s_order():
    assert on_date(date(2026, 1, 31), "en-US") == "January 31, 2026"
    assert on_date(date(2026, 1, 31), "en-GB") == "31 January 2026"


def test_a_prompt_that_is_not_there_is_named():
    with pytest.raises(KeyError, match=r"no\.such"):
        speak("no.such", "en-US")
