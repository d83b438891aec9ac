"""Public holidays, as observed, with the days that an office adds or works through."""

from datetime import date

import pendulum
import pytest
from desks import closed, desk, spans, weekdays, z

from routing.holidays import HolidayRule, covers, predicted
from routing.schedule import Basis, Schedule

US_DAYS = HolidayRule("US")


def test_an_office_closes_on_the_day_a_holiday_is_observed():
    schedule = desk("US", "America/Los_Angeles", "05:00-18:00", US_DAYS)
    hours = schedule.at(z("2026-07-03 15:00"))

    assert hours == closed(Basis.HOLIDAY, "Independence Day (observed)", z("2026-07-06 12:00"), z("2026-07-07 01:00"))


@pytest.mark.parametrize(
    ("place", "day", "name"),
    [
        (("US", None), "2027-06-18", "Juneteenth National Independence Day (observed)"),
        (("US", None), "2026-09-07", "Labor Day"),
        (("GB", "ENG"), "2026-04-06", "Easter Monday"),
        (("GB", "ENG"), "2026-12-28", "Boxing Day (observed)"),
        (("GB", "SCT"), "2026-04-06", None),
        (("SG", None), "2026-11-09", "Deepavali (observed)"),
        (("SG", None), "2026-05-01", "Labour Day"),
        (("AU", "NSW"), "2026-06-08", "King's Birthday"),
        (("AU", "NSW"), "2026-04-27", "ANZAC Day (observed)"),
        (("FR", None), "2026-07-14", "National Day"),
        (("FR", None), "2026-07-15", None),
    ],
)
def test_country_holidays_have_english_names(place, day, name):
    assert HolidayRule(*place).on(date.fromisoformat(day)) == name


def test_a_desk_adds_days_of_its_own_and_works_through_others():
    rule = HolidayRule("US", remove=frozenset({date(2026, 10, 12)}), add={date(2026, 11, 27): "Day after Thanksgiving"})

    assert US_DAYS.on(date(2026, 10, 12)) == "Columbus Day"
    assert rule.on(date(2026, 10, 12)) is None
    assert rule.on(date(2026, 11, 27)) == "Day after Thanksgiving"
    assert rule.on(date(2026, 12, 25)) == "Christmas Day"


def test_an_added_day_outlives_its_removal():
    day = date(2026, 12, 25)

    assert HolidayRule("US", remove=frozenset({day}), add={day: "Closed, really"}).on(day) == "Closed, really"


@pytest.mark.parametrize(
    ("country", "subdivision", "words"),
    [
        ("UK", None, "use an ISO code such as"),
        ("ZZ", None, "use an ISO code such as"),
        ("us", None, "use an ISO code such as"),
        ("HolidayBase", None, "use an ISO code such as"),
        ("", None, "use an ISO code such as"),
        ("GB", None, "name one of ENG, NIR, SCT, WLS"),
        ("GB", "LON", "name one of ENG, NIR, SCT, WLS"),
        ("AU", None, "name one of ACT, NSW"),
        ("SG", "X", "leave it out"),
        (None, "ENG", "has no country"),
    ],
)
def test_a_place_without_a_calendar_is_refused_with_its_mend(country, subdivision, words):
    with pytest.raises(ValueError, match=words):
        HolidayRule(country, subdivision)


@pytest.mark.parametrize(
    "place", [("US", None), ("GB", "ENG"), ("SG", None), ("AU", "NSW"), ("FR", None)], ids=lambda place: place[0]
)
def test_next_years_holidays_are_there(place):
    """Without them the desks would open on next year's holidays. From October on a forecast is not enough."""
    today, rule = pendulum.today("UTC"), HolidayRule(*place)
    mend = "raise the version of `holidays` in requirements/ to its newest release and run the suite again"

    assert covers(rule, today.year + 1), f"no holidays of {place} for {today.year + 1}: {mend}"
    if today.month >= 10:
        forecast = [day.isoformat() for day in predicted(rule, today.year + 1)]
        assert forecast == [], f"holidays of {place} are still forecasts on {forecast}: {mend}"


def test_a_year_without_data_is_noticed():
    assert not covers(HolidayRule("SG"), 2250)
    assert covers(HolidayRule(add={}), 2250)


def test_movable_days_far_ahead_are_known_to_be_forecasts():
    movable = predicted(HolidayRule("SG"), 2090)

    assert movable
    assert list(movable) == sorted(movable)
    assert predicted(HolidayRule("SG", remove=frozenset(movable)), 2090) == ()
    assert predicted(HolidayRule("FR"), 2090) == ()
    assert predicted(HolidayRule(), 2090) == ()


def test_a_holiday_does_not_cut_the_window_of_the_evening_before():
    """The night from Monday to a Tuesday off is Monday's."""
    nights = Schedule(
        "night", "Europe/London", weekdays("22:00-02:00"), holidays=HolidayRule(add={date(2026, 1, 13): "Off"})
    )

    assert spans(nights, "2026-01-12 12:00", "2026-01-15 12:00") == [
        "01-12 22:00 - 01-13 02:00",
        "01-14 22:00 - 01-15 02:00",
    ]
    assert nights.at(z("2026-01-13 01:59")).basis is Basis.WEEKLY
    assert nights.at(z("2026-01-13 02:00")).basis is Basis.HOLIDAY
    assert nights.at(z("2026-01-14 00:00")).reason == "outside the hours of Wednesday, 22:00-02:00"
