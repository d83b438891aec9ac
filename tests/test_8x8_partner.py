"""The shipped 8x8-partner policy, beside the tables that its sources publish."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from paper import shipped

from routing import numbers
from routing.policy import LineKind
from routing.policy_file import FOLDER, policy_files, read_policy, shipped_policies
from routing.policy_model import json_schema

POLICY = shipped()

CONTACT_TABLE = [
    # what is published                region  kind         E.164            locale
    ("+1 888 898 8733 (toll free)", "us", "standard", "+18888988733", "en-US"),
    ("+1 408 687 4120 (direct)", "us", "standard", "+14086874120", "en-US"),
    ("+1 844 248 3221", "us", "certified", "+18442483221", "en-US"),
    ("+1 408 956 6066 (older hotline)", "us", "certified", "+14089566066", "en-US"),
    ("+1 206 337 6849", "us", "voicemail", "+12063376849", "en-US"),
    ("+44 2070966060", "emea", "standard", "+442070966060", "en-GB"),
    ("+44 203 953 5407", "emea", "certified", "+442039535407", "en-GB"),
    ("+44 203 989 4985", "emea", "voicemail", "+442039894985", "en-GB"),
    ("+61 180 064 8574 (both)", "apac", "shared", "+611800648574", "en-AU"),
    ("+61 1300088917 (direct)", "apac", "standard", "+611300088917", "en-AU"),
    ("+61 282 017 456", "apac", "voicemail", "+61282017456", "en-AU"),
]


@pytest.mark.parametrize(("published", "region", "kind", "number", "locale"), CONTACT_TABLE)
def test_every_published_number_is_a_line(published, region, kind, number, locale):
    line = POLICY.lines[number]

    assert (line.region, line.kind, line.locale) == (region, LineKind(kind), locale)
    assert numbers.parse(published.partition(" (")[0]) == number


def test_there_are_no_other_lines():
    assert {row[3] for row in CONTACT_TABLE} == set(POLICY.lines)
    assert POLICY.repeated == ()


HOURS = [
    # desk          telephone, Monday to Friday                    escalation desk
    ("us-tier1", "05:00-18:00", "America/Los_Angeles", "05:00-18:00", "America/Los_Angeles"),
    ("us-tier2", "05:00-18:00", "America/Los_Angeles", "05:00-18:00", "America/Los_Angeles"),
    ("emea-tier1", "08:00-18:00", "Europe/London", "09:00-18:30", "Europe/Paris"),
    ("emea-tier2", "08:00-18:00", "Europe/London", "07:00-18:30", "Europe/Paris"),
    ("apac-tier1", "09:00-18:00", "Asia/Singapore", "08:00-17:00", "Australia/Sydney"),
    ("apac-tier2", "09:00-18:00", "Asia/Singapore", "08:00-17:00", "Australia/Sydney"),
]


@pytest.mark.parametrize(("name", "telephone", "zone", "escalation", "its_zone"), HOURS)
def test_every_desk_keeps_the_published_hours_by_local_clocks(name, telephone, zone, escalation, its_zone):
    desk = POLICY.desks[name]

    for schedule, hours, place in (
        (desk.hours, telephone, zone),
        (desk.escalation_hours, escalation, its_zone),
    ):
        assert schedule.zone == place
        assert [[str(window) for window in day] for day in schedule.weekly] == [[hours]] * 5 + [[], []]


def test_every_region_has_a_desk_of_each_tier_and_nothing_else():
    assert {(row[0].split("-")[0], int(row[0][-1])) for row in HOURS} == {
        (d.region, d.tier) for d in POLICY.desks.values()
    }


HOLIDAYS = [
    ("us-tier1", "2026-11-26", "Thanksgiving"),
    ("emea-tier1", "2026-12-28", "Boxing Day, on the Monday after"),
    ("emea-tier2", "2027-03-29", "Easter Monday, kept in England"),
    ("apac-tier2", "2026-08-10", "National Day of Singapore, on the Monday after"),
]


@pytest.mark.parametrize(("name", "day", "holiday"), HOLIDAYS)
def test_desks_keep_the_holidays_of_their_country(name, day, holiday):
    hours = POLICY.desks[name].hours
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(hours.zone))

    assert not hours.at(noon).open, holiday
    assert hours.at(noon - timedelta(days=7)).open


@pytest.mark.parametrize(
    ("name", "day"),
    [("us-tier1", "2026-07-03"), ("emea-tier1", "2027-07-14"), ("apac-tier2", "2027-01-26")],
    ids=["Independence Day on the Friday before", "Bastille Day", "Australia Day"],
)
def test_escalation_desks_keep_the_holidays_of_their_own_country(name, day):
    hours = POLICY.desks[name].escalation_hours
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(hours.zone))

    assert not hours.at(noon).open


WEEKS = [
    # a Monday                 us              emea            apac
    ("2026-01-12", "13:00-02:00", "08:00-18:00", "01:00-10:00"),  # winter
    ("2026-07-13", "12:00-01:00", "07:00-17:00", "01:00-10:00"),  # summer
    ("2026-03-16", "12:00-01:00", "08:00-18:00", "01:00-10:00"),  # America has changed its clocks, London has not
    ("2026-10-26", "12:00-01:00", "08:00-18:00", "01:00-10:00"),  # London has, America has not
]


@pytest.mark.parametrize(("monday", "us", "emea", "apac"), WEEKS)
def test_the_hours_in_utc(monday, us, emea, apac):
    start = datetime.fromisoformat(monday).replace(tzinfo=UTC)

    for region, expected in (("us", us), ("emea", emea), ("apac", apac)):
        (opens, closes), *_ = POLICY.desk(region, 1).hours.openings(start, start + timedelta(days=2))
        assert f"{opens:%H:%M}-{closes:%H:%M}" == expected


@pytest.mark.parametrize(
    ("monday", "closes", "nobody"), [("2026-01-12", "Sat 02:00", 47), ("2026-07-13", "Sat 01:00", 48)]
)
def test_from_monday_to_saturday_somebody_is_always_there_and_then_nobody(monday, closes, nobody):
    start = datetime.fromisoformat(monday).replace(tzinfo=UTC)
    week = [start + timedelta(minutes=minute) for minute in range(7 * 24 * 60)]
    schedules = [POLICY.desk(region, 1).hours for region in POLICY.regions]

    there = [minute for minute in week if any(schedule.is_open(minute) for schedule in schedules)]

    assert f"{there[0]:%a %H:%M}" == "Mon 01:00"
    assert f"{there[-1] + timedelta(minutes=1):%a %H:%M}" == closes
    assert there[-1] - there[0] == timedelta(minutes=len(there) - 1)  # without a gap
    assert timedelta(weeks=1) - timedelta(minutes=len(there)) == timedelta(hours=nobody)


def test_in_summer_apac_opens_at_the_minute_at_which_the_us_closes():
    seam = datetime(2026, 7, 15, 1, tzinfo=UTC)
    us, apac = (POLICY.desk(region, 1).hours for region in ("us", "apac"))

    assert (us.is_open(seam - timedelta(seconds=1)), apac.is_open(seam - timedelta(seconds=1))) == (True, False)
    assert (us.is_open(seam), apac.is_open(seam)) == (False, True)


TARGETS = [
    # severity, certified with first line, everyone else, updates of both
    (1, "1 h elapsed", "0.5 h elapsed", "4 h elapsed"),
    (2, "4 h elapsed", "2 h elapsed", "24 h working days"),
    (3, "6 h working days", "24 h working days", "36 h working days"),
]


def test_the_targets_of_both_tables():
    partner, premium = (POLICY.targets[name] for name in ("partner", "premium"))

    assert partner.updates == premium.updates
    assert [
        (n, aim(partner.first_response[n]), aim(premium.first_response[n]), aim(partner.updates[n]))
        for n in POLICY.severities
    ] == TARGETS
    assert aim(POLICY.escalation_response) == "4 h follow the sun"


def aim(target):
    return f"{target.amount / timedelta(hours=1):g} h {target.counts}"


def test_an_escalation_rises_through_the_three_levels_of_its_tier():
    for region in POLICY.regions:
        one, two = (POLICY.escalation_ladder(region, tier) for tier in (1, 2))

        assert [level.role for level in one.levels] == ["lead", "team manager", "director"], region
        assert [level.role for level in two.levels] == ["lead or team manager", "director", "vice president"], region
        assert {level.hours for level in one.levels} == {POLICY.desk(region, 1).escalation_hours}
        assert {level.wait for level in (*one.levels, *two.levels)} == {timedelta(hours=4)}
        assert not one.urgent


def test_a_page_rises_every_five_minutes_through_the_people_on_call():
    for region in POLICY.regions:
        ladder = POLICY.page_ladder(region)

        assert [level.destinations for level in ladder.levels] == list(POLICY.on_call[region])
        assert {level.wait for level in ladder.levels} == {ladder.repeat} == {timedelta(minutes=5)}
        assert ladder.urgent
        assert {level.hours for level in ladder.levels} == {None}


def test_the_chain_follows_the_sun():
    assert {region: POLICY.neighbours(region) for region in POLICY.regions} == {
        "us": ("apac", "emea"),
        "apac": ("emea", "us"),
        "emea": ("us", "apac"),
    }


def test_letters_of_agency_are_required_in_two_regions_of_three():
    assert {region.id: region.loa_required for region in POLICY.regions.values()} == {
        "us": True,
        "emea": True,
        "apac": False,
    }


def test_clocks_are_spoken_the_way_the_region_says_them():
    assert [region.clock for region in POLICY.regions.values()] == ["Pacific", "UK time", "Singapore time"]


def test_the_on_call_ladder_rises_from_the_engineer_to_the_director():
    for region, levels in POLICY.on_call.items():
        roles = [POLICY.destinations[name].role for level in levels for name in level]

        assert roles == ["engineer on call", "team lead on call", "manager on call", "director on call"], region


def test_whom_we_ring_is_fiction_and_everybody_has_a_telephone_of_their_own():
    rung = [destination.number for destination in POLICY.destinations.values()]

    assert all(map(numbers.is_fictional, rung))
    assert len(set(rung)) == len(rung)
    assert not set(rung) & set(POLICY.lines)


def test_every_destination_is_rung_or_told_by_a_desk_or_a_ladder():
    rung = {name for desk in POLICY.desks.values() for name in desk.ring}
    rung |= {name for levels in POLICY.on_call.values() for level in levels for name in level}
    rung |= {name for ladder in POLICY.ladders.values() for level in ladder.levels for name in level.destinations}

    assert rung == set(POLICY.destinations)


def test_every_published_value_says_where_and_when():
    for place, origin in POLICY.provenances.items():
        assert origin.source, place
        assert f"{origin.verified_on}" == "2026-11-02", place


def test_our_readings_are_marked_as_such():
    assert {place for place, origin in POLICY.provenances.items() if origin.assumed} == {
        "lines.us-certified-older",
        "lines.apac-shared",
        *(f"schedules.{region}-contact" for region in POLICY.regions),
        "schedules.us-escalation",
        *(f"schedules.{region}-tier{tier}-escalation" for region in ("emea", "apac") for tier in (1, 2)),
        "targets.partner",
        *(f"ladders.{region}-tier{tier}" for region in POLICY.regions for tier in (1, 2)),
        "call_back_due",
        "acceptance",
        "partner_id",
    }


def test_editors_get_the_form_of_today():
    """When this fails: .venv/bin/python -c "from routing import policy_model as m; print(m.json_schema(), end='')"."""
    assert (FOLDER / "policy.schema.json").read_text() == json_schema()
    for path in shipped_policies():
        assert path.read_text().startswith("# yaml-language-server: $schema=policy.schema.json\n")


def test_the_version_is_that_of_the_text(tmp_path):
    path = tmp_path / "8x8-partner.yaml"
    text = shipped_policies()[0].read_text()
    path.write_text(text)
    same = read_policy(path).version
    path.write_text(text + "# a remark\n")

    assert same == POLICY.version
    assert read_policy(path).version != POLICY.version


def test_a_file_of_the_same_name_takes_the_place_of_the_shipped_one(tmp_path):
    (tmp_path / "8x8-partner.yaml").write_text("")
    (tmp_path / "another.yaml").write_text("")

    found = policy_files(tmp_path)

    assert tmp_path / "8x8-partner.yaml" in found
    assert tmp_path / "another.yaml" in found
    assert FOLDER / "8x8-partner.yaml" not in found
