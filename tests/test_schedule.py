"""Opening hours: the facts of the published contact table, weeks, windows and special dates."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pendulum
import pytest
from desks import APAC, AROUND_THE_CLOCK, DESKS, EMEA, US, closed, desk, opened, spans, weekdays, z

from routing.holidays import HolidayRule
from routing.schedule import Basis, Schedule, Window, next_boundary

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def somebody_open(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Return when at least one desk of the contact table is open."""
    joined: list[tuple[datetime, datetime]] = []
    for opens, closes in sorted(span for each in DESKS for span in each.openings(start, end)):
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(closes, joined[-1][1]))
        else:
            joined.append((opens, closes))
    return joined


# What the published hours come to in UTC. The EMEA desk keeps London time although the guide prints GMT.


@pytest.mark.parametrize(
    ("schedule", "winter", "summer"),
    [
        (US, "01-13 13:00 - 01-14 02:00", "07-14 12:00 - 07-15 01:00"),
        (EMEA, "01-13 08:00 - 01-13 18:00", "07-14 07:00 - 07-14 17:00"),
        (APAC, "01-13 01:00 - 01-13 10:00", "07-14 01:00 - 07-14 10:00"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_tuesday_in_winter_and_in_summer(schedule, winter, summer):
    assert winter in spans(schedule, "2026-01-12 12:00", "2026-01-16 00:00")
    assert summer in spans(schedule, "2026-07-13 12:00", "2026-07-17 00:00")


@pytest.mark.parametrize(
    ("monday", "first", "last", "nobody"),
    [
        ("2026-01-12", "2026-01-12 01:00", "2026-01-17 02:00", 47 * HOUR),
        ("2026-07-13", "2026-07-13 01:00", "2026-07-18 01:00", 48 * HOUR),
    ],
    ids=["winter", "summer"],
)
def test_the_week_has_no_gap_from_monday_to_saturday_and_then_two_days_of_nobody(monday, first, last, nobody):
    start = z(f"{monday} 00:00")
    this_week, next_week = somebody_open(start, start + 11 * DAY)

    assert this_week == (z(first), z(last))
    assert next_week[0] - this_week[1] == nobody


def test_the_us_hands_over_to_apac_with_an_hour_to_spare_in_winter():
    at = z("2026-01-13 01:30")

    assert US.is_open(at)
    assert APAC.is_open(at)
    assert US.at(at).next_closing - APAC.openings(at - 12 * HOUR, at)[0][0] == HOUR


def test_the_us_hands_over_to_apac_at_the_very_instant_in_summer():
    at = z("2026-07-14 01:00")

    assert US.at(at - SECOND).next_closing == at
    assert APAC.at(at - SECOND).next_opening == at
    assert [US.is_open(at - SECOND), APAC.is_open(at - SECOND)] == [True, False]
    assert [US.is_open(at), APAC.is_open(at)] == [False, True]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-03-09", "2026-03-27"),
        ("2026-10-26", "2026-10-30"),
        ("2027-03-15", "2027-03-26"),
        ("2027-11-01", "2027-11-05"),
    ],
)
def test_in_the_weeks_between_the_clock_changes_only_one_of_two_regions_has_moved(first, last):
    """From 14 to 28 March and from 31 October to 7 November 2027, and their like, California is on summer time."""
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        if day.weekday() < 5:
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            assert US.openings(noon - HOUR, noon + 16 * HOUR) == ((noon, noon + 13 * HOUR),)
            assert EMEA.openings(noon - 11 * HOUR, noon + 11 * HOUR) == ((noon - 4 * HOUR, noon + 6 * HOUR),)
        day += DAY


@pytest.mark.parametrize(
    ("day", "gap"),
    [("2026-01-13", ("02:00", "08:00")), ("2026-07-14", ("01:00", "07:00"))],
    ids=["winter", "summer"],
)
def test_a_singapore_holiday_leaves_six_hours_without_anybody(day, gap):
    off = desk("APAC", "Asia/Singapore", "09:00-18:00", HolidayRule(add={date.fromisoformat(day): "a holiday"}))
    start, end = (z(f"{day} {clock}") for clock in gap)

    assert not any(each.openings(start, end) for each in (US, EMEA, off))
    assert US.at(start - SECOND).next_closing == start
    assert EMEA.at(end - SECOND).next_opening == end


@pytest.mark.parametrize(
    ("nine_in_sydney", "wait"),
    [("2026-01-11 22:00", 3 * HOUR), ("2026-07-12 23:00", 2 * HOUR)],
    ids=["winter", "summer"],
)
def test_a_sydney_partner_at_nine_on_monday_is_too_early_for_every_desk(nine_in_sydney, wait):
    at = z(nine_in_sydney)
    sydney = desk("Sydney", "Australia/Sydney", "09:00-17:00")

    assert sydney.at(at - SECOND).next_opening == at
    assert min(each.at(at).next_opening for each in DESKS) - at == wait


# Weekly windows, and what the answer says.


def test_an_answer_names_the_day_and_its_hours():
    opening, closing = z("2026-07-14 12:00"), z("2026-07-15 01:00")

    assert US.at(opening) == opened(Basis.WEEKLY, "Tuesday 05:00-18:00", opening + DAY, closing)
    assert US.at(closing) == closed(
        Basis.WEEKLY, "outside the hours of Tuesday, 05:00-18:00", opening + DAY, closing + DAY
    )
    assert US.at(z("2026-07-18 12:00")) == closed(
        Basis.WEEKLY, "closed all day on Saturday", z("2026-07-20 12:00"), z("2026-07-21 01:00")
    )


def test_an_instant_means_the_same_in_any_zone_and_make():
    at = z("2026-07-14 12:00")

    for same in (
        at.astimezone(ZoneInfo("Asia/Singapore")),
        pendulum.instance(at).in_timezone("Pacific/Kiritimati"),
    ):
        assert US.at(same) == US.at(at)
        assert US.openings(same, same + DAY) == US.openings(at, at + DAY)


def test_around_the_clock_is_one_opening_without_seams_or_end():
    start, end = z("2026-01-01 00:00"), z("2028-03-01 12:00")

    assert AROUND_THE_CLOCK.openings(start, end) == ((start, end),)
    assert AROUND_THE_CLOCK.boundaries(start, end) == ()
    assert AROUND_THE_CLOCK.at(start) == opened(Basis.WEEKLY, "Thursday 00:00-24:00", None, None)


def test_windows_of_a_day_that_touch_or_overlap_are_one_opening():
    windows = tuple(map(Window.parse, ("12:00-14:00", "09:00-12:00", "13:00-17:00")))
    schedule = Schedule("lunch", "Europe/London", (windows, (), (), (), (), (), ()))

    assert spans(schedule, "2026-01-12 00:00", "2026-01-13 00:00") == ["01-12 09:00 - 01-12 17:00"]
    assert schedule.at(z("2026-01-12 12:00")).next_closing == z("2026-01-12 17:00")


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens():
    schedule = Schedule("night", "Europe/London", (*(((),) * 4), (Window.parse("22:00-02:00"),), (), ()))

    assert spans(schedule, "2026-01-12 00:00", "2026-01-19 00:00") == ["01-16 22:00 - 01-17 02:00"]
    assert schedule.at(z("2026-01-17 01:00")).reason == "Friday 22:00-02:00"
    assert schedule.at(z("2026-01-17 02:00")).reason == "closed all day on Saturday"


def test_equal_ends_make_a_window_of_a_whole_day():
    schedule = Schedule("long", "Asia/Singapore", ((Window.parse("09:00-09:00"),), *(((),) * 6)))

    assert spans(schedule, "2026-01-11 00:00", "2026-01-17 00:00") == ["01-12 01:00 - 01-13 01:00"]


def test_openings_are_cut_at_both_ends_and_half_open():
    assert spans(EMEA, "2026-01-12 09:00", "2026-01-12 10:00") == ["01-12 09:00 - 01-12 10:00"]
    assert spans(EMEA, "2026-01-12 18:00", "2026-01-13 08:00") == []
    assert spans(EMEA, "2026-01-13 08:00", "2026-01-12 08:00") == []


def test_boundaries_include_the_first_instant_and_leave_out_the_last():
    opening, closing = z("2026-01-12 08:00"), z("2026-01-12 18:00")

    assert EMEA.boundaries(opening, closing) == (opening,)
    assert EMEA.boundaries(opening + SECOND, closing + SECOND) == (closing,)


def test_a_year_can_be_asked_of_at_its_ends():
    for at in (z("2026-12-31 23:59"), z("2027-01-01 00:00"), z("2027-12-31 23:59")):
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
            there = at.astimezone(ZoneInfo(zone))
            schedule = Schedule("edge", zone, ((Window.parse("00:00-24:00"),),) * 7)
            assert schedule.is_open(there)
            assert schedule.at(there).reason == f"{there:%A} 00:00-24:00"


def test_a_schedule_answers_for_more_years_than_it_keeps():
    for year in range(1990, 2041):
        noon = datetime(year, 1, 15, 12, tzinfo=UTC)
        assert EMEA.is_open(noon) is (noon.weekday() < 5)


@pytest.mark.parametrize("year", [1, 1969, 2200, 9999])
def test_a_year_beyond_all_calendars_is_refused(year):
    with pytest.raises(ValueError, match="ask for one from 1970 to 2199"):
        EMEA.at(datetime(year, 6, 1, tzinfo=UTC))


def test_an_opening_thirteen_months_ahead_is_seen_and_one_fifteen_months_ahead_is_not():
    schedule = Schedule("rare", "UTC", ((),) * 7, special={date(2027, 6, 1): (Window.parse("09:00-10:00"),)})

    assert schedule.at(z("2026-05-01 00:00")).next_opening == z("2027-06-01 09:00")
    assert schedule.at(z("2026-03-01 00:00")).next_opening is None
    assert spans(schedule, "2025-01-01 00:00", "2029-01-01 00:00") == ["06-01 09:00 - 06-01 10:00"]


def test_the_one_opening_in_years_is_found_however_far_ahead_it_is():
    start = z("2026-06-10 12:00")
    for days in range(415, 440):
        day = (start + days * DAY).date()
        schedule = Schedule("rare", "UTC", ((),) * 7, special={day: (Window.parse("09:00-10:00"),)})
        assert schedule.openings(start, start + 900 * DAY) == ((z(f"{day} 09:00"), z(f"{day} 10:00")),)


def test_what_comes_after_the_turn_of_the_year_is_seen_from_before_it():
    """Here the desk closes over the new year and from then on never again, or once more in March."""
    over_new_year = {date(2026, 12, 30) + n * DAY: "closed" for n in range(12)}
    march = {date(2027, 3, 1): "closed"}

    for days_off, closing in ((over_new_year, None), (over_new_year | march, z("2027-03-01 00:00"))):
        schedule = Schedule("24x7", "UTC", AROUND_THE_CLOCK.weekly, holidays=HolidayRule(add=days_off))
        assert schedule.at(z("2026-12-31 12:00")) == closed(Basis.HOLIDAY, "closed", z("2027-01-11 00:00"), closing)
        assert schedule.at(z("2026-12-29 12:00")).next_opening == z("2027-01-11 00:00")


def test_a_schedule_that_never_opens_says_so():
    never = Schedule("never", "UTC", ((),) * 7)

    assert never.at(z("2026-01-12 00:00")) == closed(Basis.WEEKLY, "closed all day on Monday", None, None)


def test_the_next_boundary_is_the_next_opening_or_closing_or_else_midnight():
    assert next_boundary(EMEA, z("2026-07-14 08:00")) == z("2026-07-14 17:00")
    assert next_boundary(EMEA, z("2026-07-14 17:00")) == z("2026-07-15 07:00")
    assert next_boundary(AROUND_THE_CLOCK, z("2026-07-14 08:00")) == z("2026-07-14 23:00")


def test_a_schedule_equals_another_with_the_same_hours_and_can_be_a_key():
    same = desk("US", "America/Los_Angeles", "05:00-18:00")
    same.at(z("2026-01-12 00:00"))

    assert same == US
    assert len({same, US}) == 1
    assert same != desk("US", "America/Los_Angeles", "05:00-17:00")


@pytest.mark.parametrize(
    ("zone", "week", "words"),
    [
        ("Europe/Londn", weekdays("09:00-17:00"), "IANA name"),
        ("GMT+1 or so", weekdays("09:00-17:00"), "IANA name"),
        ("../etc/passwd", weekdays("09:00-17:00"), "IANA name"),
        ("Europe", weekdays("09:00-17:00"), "IANA name"),
        ("", weekdays("09:00-17:00"), "IANA name"),
        ("Europe/London", ((),) * 5, "give seven, Monday first"),
    ],
)
def test_a_broken_schedule_does_not_come_to_life(zone, week, words):
    with pytest.raises(ValueError, match=words):
        Schedule("broken", zone, week)


def test_an_instant_without_a_zone_is_refused_everywhere():
    naive = datetime(2026, 1, 12, 9)  # noqa: DTZ001 - the point of the test
    for ask in (US.at, US.is_open, US.local, lambda at: US.openings(at, at), lambda at: next_boundary(US, at)):
        with pytest.raises(ValueError, match="give an aware instant"):
            ask(naive)


@pytest.mark.parametrize(
    ("text", "opens", "closes"),
    [("05:00-18:00", 300, 1080), ("00:00-24:00", 0, 1440), ("22:00-02:30", 1320, 150), ("18:00-00:00", 1080, 0)],
)
def test_a_window_is_read_and_printed_alike(text, opens, closes):
    assert Window.parse(text) == Window(opens, closes)
    assert str(Window(opens, closes)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "09:00",
        "5:00-18:00",
        "05:00 - 18:00",
        "05:00-18:00 ",
        "05:00-18:00\n",
        "05.00-18.00",
        "09:00-10:00-11:00",
        "24:00-06:00",
        "09:00-24:01",
        "09:60-10:00",
        "25:00-26:00",
        "-1:00-10:00",
        "\u0660\u0669:00-10:00",
    ],
)
def test_anything_else_is_no_window(text):
    with pytest.raises(ValueError, match="write HH:MM-HH:MM"):
        Window.parse(text)


@pytest.mark.parametrize(("opens", "closes"), [(-1, 10), (1440, 10), (10, 1441), (10, -1)])
def test_a_minute_that_no_day_has_makes_no_window(opens, closes):
    with pytest.raises(ValueError, match="a window opens at"):
        Window(opens, closes)


EVE = date(2026, 12, 24)


def test_a_special_date_replaces_the_windows_of_its_day():
    schedule = Schedule("EMEA", "Europe/London", weekdays("08:00-18:00"), special={EVE: (Window.parse("08:00-12:00"),)})

    assert schedule.at(z("2026-12-24 09:00")) == opened(
        Basis.SPECIAL, "2026-12-24 08:00-12:00", z("2026-12-25 08:00"), z("2026-12-24 12:00")
    )
    assert schedule.at(z("2026-12-24 13:00")).reason == "outside the hours of 2026-12-24, 08:00-12:00"


def test_a_special_date_without_windows_is_closed():
    schedule = Schedule("EMEA", "Europe/London", weekdays("08:00-18:00"), special={EVE: ()})

    assert schedule.at(z("2026-12-24 09:00")).reason == "closed all day on 2026-12-24"
    assert schedule.at(z("2026-12-24 09:00")).next_opening == z("2026-12-25 08:00")


def test_a_special_date_opens_a_day_that_the_week_does_not():
    schedule = Schedule(
        "EMEA",
        "Europe/London",
        weekdays("08:00-18:00"),
        special={date(2026, 12, 26): (Window.parse("10:00-12:00"),)},
    )

    assert spans(schedule, "2026-12-25 20:00", "2026-12-27 20:00") == ["12-26 10:00 - 12-26 12:00"]


def test_a_holiday_outranks_a_special_date():
    schedule = Schedule(
        "EMEA",
        "Europe/London",
        weekdays("08:00-18:00"),
        special={EVE: (Window.parse("08:00-12:00"),)},
        holidays=HolidayRule(add={EVE: "Office closed"}),
    )

    assert schedule.at(z("2026-12-24 09:00")).basis is Basis.HOLIDAY
