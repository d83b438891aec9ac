"""Instants and stretches of time as people read them: no weekday that may be another one, no minute that was not."""

from datetime import UTC, datetime, timedelta

import pytest

from ivr.wording import counted_words, left_words, number_of, span_words, there

SUNDAY = datetime(2026, 11, 30, 0, 55, tzinfo=UTC)  # 29 Nov 16:55 in Los Angeles


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "Sun 16:55 PST"),
        (6, "Sun 16:55 PST"),
        (-6, "Sun 16:55 PST"),
        (7, "Sun 29 Nov 16:55 PST"),
        (-7, "Sun 29 Nov 16:55 PST"),
        (60, "Sun 29 Nov 2026 16:55 PST"),
    ],
)
def test_an_instant_has_its_date_where_the_weekday_may_be_of_another_week(days, words):
    assert there(SUNDAY, "America/Los_Angeles", SUNDAY + timedelta(days=days)) == words


@pytest.mark.parametrize(
    ("seconds", "counted", "left", "over"),
    [
        (0, "0 min", "0 min", "0 min"),
        (20, "20 s", "less than 1 min", "1 min"),
        (120, "2 min", "2 min", "2 min"),
        (61, "1 min 1 s", "1 min", "2 min"),
        (629, "10 min", "10 min", "11 min"),
        (7_199, "2 h", "1 h 59 min", "2 h"),
    ],
)
def test_what_has_counted_is_rounded_what_is_left_down_and_what_is_over_up(seconds, counted, left, over):
    amount = timedelta(seconds=seconds)
    assert (counted_words(amount), left_words(amount), span_words(amount)) == (counted, left, over)


def test_one_thing_is_no_plural():
    assert [number_of(1, each) for each in ("representatives", "policies", "blotted out")] == [
        "1 representative",
        "1 policy",
        "1 blotted out",
    ]
    assert number_of(0, "cases") == "0 cases"
