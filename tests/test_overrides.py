"""Overrides and emergencies: what a person decides outranks every calendar, for a time."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from desks import EMEA, closed, desk, opened, spans, weekdays, z

from routing.holidays import HolidayRule
from routing.schedule import Basis, Override, Schedule


def override(*, opens: bool, start: str, end: str, reason: str = "drill", emergency: bool = False) -> Override:
    return Override("EMEA", opens, z(start), z(end), reason, emergency)


CLOSED = override(opens=False, start="2026-01-13 10:00", end="2026-01-13 12:00", reason="Fire drill")
OPEN = override(opens=True, start="2026-01-13 17:00", end="2026-01-13 20:00", reason="Release night")


def test_a_closing_override_shuts_an_open_desk_for_its_time_and_no_longer():
    before = EMEA.at(z("2026-01-13 09:59"), [CLOSED])

    assert before == opened(Basis.WEEKLY, "Tuesday 08:00-18:00", z("2026-01-13 12:00"), z("2026-01-13 10:00"))
    assert EMEA.at(z("2026-01-13 10:00"), [CLOSED]) == closed(
        Basis.OVERRIDE, "Fire drill", z("2026-01-13 12:00"), z("2026-01-13 18:00")
    )
    assert EMEA.at(z("2026-01-13 12:00"), [CLOSED]) == EMEA.at(z("2026-01-13 12:00"))


def test_an_opening_override_joins_the_hours_that_it_extends():
    assert EMEA.at(z("2026-01-13 12:00"), [OPEN]).next_closing == z("2026-01-13 20:00")
    assert spans(EMEA, "2026-01-13 12:00", "2026-01-14 07:00", [OPEN]) == ["01-13 12:00 - 01-13 20:00"]
    assert EMEA.boundaries(z("2026-01-13 12:00"), z("2026-01-14 07:00"), [OPEN]) == (z("2026-01-13 20:00"),)


def test_an_override_decides_on_a_holiday_and_on_a_special_date():
    day = date(2026, 1, 13)
    holiday = desk("EMEA", "Europe/London", "08:00-18:00", HolidayRule(add={day: "Off"}))
    special = Schedule("EMEA", "Europe/London", weekdays("08:00-18:00"), special={day: ()})

    for schedule in (holiday, special):
        assert schedule.at(z("2026-01-13 18:00"), [OPEN]).basis is Basis.OVERRIDE
        assert schedule.is_open(z("2026-01-13 18:00"), [OPEN])


def test_the_later_start_wins_whatever_the_order_they_are_given_in():
    reopened = override(opens=True, start="2026-01-13 11:00", end="2026-01-13 11:30", reason="All clear")

    for both in ([CLOSED, reopened], [reopened, CLOSED]):
        assert spans(EMEA, "2026-01-13 09:00", "2026-01-13 13:00", both) == [
            "01-13 09:00 - 01-13 10:00",
            "01-13 11:00 - 01-13 11:30",
            "01-13 12:00 - 01-13 13:00",
        ]
        assert EMEA.at(z("2026-01-13 11:15"), both).reason == "All clear"
        assert EMEA.at(z("2026-01-13 11:45"), both).reason == "Fire drill"


def test_an_emergency_beats_an_override_that_starts_later():
    fire = override(
        opens=False, start="2026-01-13 09:00", end="2026-01-13 19:00", reason="Building closed", emergency=True
    )
    hours = EMEA.at(z("2026-01-13 18:30"), [OPEN, fire])

    assert hours == closed(Basis.EMERGENCY, "Building closed", z("2026-01-13 19:00"), z("2026-01-13 20:00"))


def test_two_overrides_that_start_together_are_ranked_the_same_in_any_order():
    short = override(opens=True, start="2026-01-13 10:00", end="2026-01-13 11:00", reason="short")

    assert EMEA.at(z("2026-01-13 10:30"), [short, CLOSED]).reason == "short"
    assert EMEA.at(z("2026-01-13 10:30"), [CLOSED, short]).reason == "short"


def test_an_override_that_is_over_changes_nothing():
    assert EMEA.at(z("2026-01-14 09:00"), [CLOSED]) is EMEA.at(z("2026-01-14 09:00"))


def test_an_override_that_closes_for_months_moves_the_next_opening_behind_itself():
    strike = override(opens=False, start="2026-01-10 00:00", end="2026-06-06 12:00")

    assert EMEA.at(z("2026-01-13 09:00"), [strike]).next_opening == z("2026-06-08 07:00")


def test_an_override_keeps_its_instants_in_utc():
    london = ZoneInfo("Europe/London")
    twice = Override(
        "EMEA",
        opens=True,
        starts=datetime(2027, 10, 31, 1, 30, tzinfo=london),
        ends=datetime(2027, 10, 31, 1, 30, fold=1, tzinfo=london),
        reason="the doubled hour",
    )

    assert (twice.starts, twice.ends) == (z("2027-10-31 00:30"), z("2027-10-31 01:30"))


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (z("2026-01-13 10:00"), z("2026-01-13 10:00"), "not after its start"),
        (z("2026-01-13 10:00"), z("2026-01-13 09:00"), "not after its start"),
        (z("2026-01-13 10:00").replace(tzinfo=None), z("2026-01-13 11:00"), "aware instant"),
        (z("2026-01-13 10:00"), z("2026-01-13 11:00").replace(tzinfo=None), "aware instant"),
    ],
)
def test_an_override_without_a_proper_end_is_refused(start, end, words):
    with pytest.raises(ValueError, match=words):
        Override("EMEA", opens=True, starts=start, ends=end, reason="broken")
