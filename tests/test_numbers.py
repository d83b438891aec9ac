"""Telephone numbers are read as they are published, and only harmless ones may be rung."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import numbers
from routing.numbers import NumberFault, parse

# Every line of the partner guide as it is printed there, and what it is.
PUBLISHED = [
    ("+1 888 898 8733", "+18888988733"),
    ("+1 408 687 4120", "+14086874120"),
    ("+1 844 248 3221", "+18442483221"),
    ("+1 408 956 6066", "+14089566066"),
    ("+1 206 337 6849", "+12063376849"),
    ("+44 2070966060", "+442070966060"),
    ("+ 44 2070966060", "+442070966060"),
    ("+44 203 953 5407", "+442039535407"),
    ("+44 203 989 4985", "+442039894985"),
    ("+44 161 956 3300", "+441619563300"),
    ("+61 180 064 8574", "+611800648574"),
    ("+61 1300088917", "+611300088917"),
    ("+61 282 017 456", "+61282017456"),
]


@pytest.mark.parametrize(("typed", "e164"), PUBLISHED)
def test_a_published_number_is_read_as_it_is_printed(typed, e164):
    assert parse(typed) == e164


@pytest.mark.parametrize(
    ("typed", "region", "e164"),
    [
        ("+44 (0) 20 7946 0123", None, "+442079460123"),
        ("+44 (0)20-7946-0123", None, "+442079460123"),
        ("+1 (408) 555-0142", None, "+14085550142"),
        ("+1.408.555.0142", None, "+14085550142"),
        ("  +1\u00a0408\u00a0555\u20110142 ", None, "+14085550142"),
        ("020 7946 0123", "GB", "+442079460123"),
        ("(408) 555-0142", "US", "+14085550142"),
        ("180 064 8574", "AU", "+611800648574"),
        ("+44 7700 900123", None, "+447700900123"),  # kept for drama, so in no assigned range
        ("+14085550142", "GB", "+14085550142"),  # a country code outranks the region
    ],
)
def test_the_usual_ways_of_typing_give_one_e164(typed, region, e164):
    assert parse(typed, region) == e164


@pytest.mark.parametrize(
    ("typed", "region", "words"),
    [
        ("", None, "is no telephone number"),
        ("call us", None, "is no telephone number"),
        ("1-800-FLOWERS", "US", "is no telephone number"),
        ("+44 20 7946 0123 ext 5", None, "is no telephone number"),
        ("+442079460123\n+1", None, "is no telephone number"),
        (
            "+\uff14\uff14\uff12\uff10\uff17\uff19\uff14\uff16\uff10\uff11\uff12\uff13",
            None,
            "is no telephone number",
        ),  # full width
        ("+44\u06620\u06667946 0123", None, "is no telephone number"),  # Arabic digits
        ("+44 20" + " " * 60 + "7946 0123", None, "is no telephone number"),
        ("9" * 5000, "US", "is no telephone number"),
        ("020 7946 0123", None, "put one in front"),
        ("020 7946 0123", "Atlantis", "check country code"),
        ("+999 123 456 789", None, "check country code"),
        ("+1 555 123 4567", None, "check every digit"),
        ("+44 20 7946", None, "check every digit"),
    ],
)
def test_what_is_no_number_is_refused_with_its_mend(typed, region, words):
    with pytest.raises(NumberFault, match=words) as fault:
        parse(typed, region)

    assert len(str(fault.value)) < 200


FICTION = [
    "+14085550100",
    "+14085550199",
    "+12125550123",
    "+18005550142",
    "+442079460000",
    "+442079460999",
    "+441134960000",
    "+441144960123",
    "+441154960123",
    "+441164960123",
    "+441174960123",
    "+441184960999",
    "+441214960123",
    "+441314960123",
    "+441414960123",
    "+441514960123",
    "+441614960123",
    "+441914980123",
    "+442896496123",
    "+442920180123",
    "+441632960000",
    "+441632960999",
    "+447700900000",
    "+447700900999",
    "+448081570123",
    "+443069990123",
    "+61255501234",
    "+61270101234",
    "+61355501234",
    "+61770101234",
    "+61855501234",
    "+611800160401",
    "+611800975707",
    "+611300975711",
    "+61491570006",
    "+61491570156",
    "+61491570159",
    "+61491571804",
    "+61491579455",
    "+33199001234",
    "+33639981234",
]

NEIGHBOURS = [  # one step outside each range
    "+14085550099",
    "+14085550200",
    "+442079461000",
    "+442079459999",
    "+441194960123",
    "+441714960123",
    "+441134961000",
    "+441632961000",
    "+447700901000",
    "+447700899999",
    "+61255511234",
    "+61271101234",
    "+61455501234",
    "+611800160402",
    "+611800975706",
    "+611300975712",
    "+61491570007",
    "+61491570155",
    "+61491570160",
    "+4420794601234",
    "14085550142",
    "+14085550142\n",
]


@pytest.mark.parametrize("e164", FICTION)
def test_a_number_kept_for_fiction_is_known_may_be_listed_and_reads_back(e164):
    assert numbers.is_fictional(e164)
    assert numbers.destination_fault(e164) is None
    assert parse(e164) == e164


@pytest.mark.parametrize("e164", NEIGHBOURS)
def test_a_number_next_to_a_fictional_range_is_real(e164):
    assert not numbers.is_fictional(e164)


def test_acma_lists_thirty_mobiles_for_fiction():
    mobiles = [f"+6149157{last:04}" for last in range(10_000)]

    assert sum(map(numbers.is_fictional, mobiles)) == 30


RINGABLE = [
    "+18888988733",  # toll-free
    "+12063376849",  # fixed or mobile, nobody can tell
    "+15062345678",  # Canada
    "+442070966060",  # fixed
    "+447400123456",  # mobile
    "+448001111111",  # freephone
    "+61282017456",
    "+61412345678",
    "+611800648574",
    "+6561234567",
    "+6581234567",
    "+33123456789",
    "+33612345678",
]


@pytest.mark.parametrize("e164", RINGABLE)
def test_ordinary_numbers_of_the_listed_countries_may_be_rung(e164):
    assert numbers.destination_fault(e164) is None


COSTLY = {
    "premium": [f"+1900{n}" for n in range(2345600, 2345620)]
    + [f"+4490{n}" for n in range(98790100, 98790115)]  # Ofcom's drama numbers among premium ones included
    + [f"+44871{n}" for n in range(2345600, 2345610)]
    + [f"+33899{n}" for n in range(123450, 123460)]
    + [f"+611900{n}" for n in range(654320, 654330)]
    + [f"+651900{n}" for n in range(1234560, 1234565)],
    "shared-cost": [f"+611300{n}" for n in range(88910, 88920)] + ["+611300088917", "+61131234"],
    "premium or shared-cost": [f"+44845{n}" for n in range(1234560, 1234570)],
    "satellite": [f"+881{n}" for n in range(612345670, 612345685)]
    + [f"+882{n}" for n in range(13123450, 13123465)]
    + [f"+883{n}" for n in range(510001230, 510001240)]
    + [f"+870{n}" for n in range(773123450, 773123460)]
    + [f"+61147{n}" for n in range(123450, 123455)]
    + [f"+1600{n}" for n in range(2345670, 2345675)],
    "international premium": [f"+979{n}" for n in range(123456780, 123456790)],
    "Guernsey, Jersey, Isle of Man": [f"+447911{n}" for n in range(123450, 123455)]
    + [f"+447781{n}" for n in range(123450, 123455)]
    + [f"+447797{n}" for n in range(712340, 712345)]
    + [f"+447624{n}" for n in range(123450, 123455)]
    + ["+441481720000", "+441534720000", "+441624720000"],
    "personal, pager, access": ["+447012345678", "+447640123456", "+443331234567", "+15002345678", "+15332345678"],
    "Caribbean and Pacific +1": [f"+1{area}2345678" for area in (242, 246, 264, 268, 284, 340, 345, 441, 473, 649, 664)]
    + [f"+1{area}2345678" for area in (671, 684, 721, 758, 767, 784, 787, 809, 868, 869, 876, 939)]
    + ["+18765550142"],
    "other countries": [f"+960{n}" for n in range(7712340, 7712350)] + [f"+371{n}" for n in range(22345670, 22345680)],
    "pay-per-call exchanges": [f"+1212976{n}" for n in range(1230, 1235)] + ["+14085551212", "+12125554321"],
    "unassigned": ["+15551234567", "+17002345678", "+447612345678", "+33700123456", "+61145123456"],
    "internet": ["+33970123456", "+6531234567"],
    "Christmas and Cocos Islands": ["+61891641234", "+61891621234"],
}


@pytest.mark.parametrize(("why", "e164s"), COSTLY.items(), ids=COSTLY)
def test_a_number_that_may_cost_a_fortune_is_never_rung(why, e164s):
    passed = [e164 for e164 in e164s if numbers.destination_fault(e164) is None]

    assert passed == [], why


@pytest.mark.parametrize(
    ("e164", "words"),
    [
        ("+19002345678", "is a premium-rate number"),
        ("+611300088917", "is a shared-cost number"),
        ("+881612345678", "belongs to no single country"),
        ("+447911123456", "belongs to GG; we ring only US, CA, GB"),
        ("+12129761234", "is a pay-per-call or directory number"),
        ("+61147123456", "is an internet or satellite number"),
        ("+17002345678", "is in no assigned range"),
    ],
)
def test_a_refusal_says_why(e164, words):
    assert f"{e164} {words}" in numbers.destination_fault(e164)


def test_the_list_of_costly_numbers_is_long_enough_to_mean_something():
    assert sum(map(len, COSTLY.values())) >= 200


@pytest.mark.parametrize(
    "text", ["", "+", "anonymous", "+0123456789", "sip:desk@example.com", "442079460123", "+44 20 7946 0123"]
)
def test_what_is_not_e164_is_never_rung(text):
    assert "not an E.164 number" in numbers.destination_fault(text)


@given(st.text(max_size=40))
def test_no_text_breaks_the_judging_or_the_showing_of_numbers(text):
    numbers.destination_fault(text)
    numbers.national(text)
    numbers.diallable_abroad(text)
    numbers.is_mobile(text)
    assert numbers.masked(text) == "withheld" or re.fullmatch("…[0-9]{4}", numbers.masked(text))


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_whatever_may_be_rung_is_in_an_allowed_country(e164):
    if numbers.destination_fault(e164) is None:
        assert e164.startswith(("+1", "+44", "+61", "+65", "+33"))


@pytest.mark.parametrize("e164", ["+611800648574", "+611300088917"])
def test_the_australian_freephone_numbers_cannot_be_dialled_from_abroad(e164):
    assert not numbers.diallable_abroad(e164)


@pytest.mark.parametrize("e164", ["+61282017456", "+442070966060", "+18888988733", "+14085550142"])
def test_ordinary_numbers_can_be_dialled_from_abroad(e164):
    assert numbers.diallable_abroad(e164)


@pytest.mark.parametrize(
    ("e164", "shown"),
    [
        ("+14085550142", "(408) 555-0142"),
        ("+442079460123", "020 7946 0123"),
        ("+611800648574", "1800 648 574"),
        ("anonymous", "anonymous"),
    ],
)
def test_a_number_is_shown_as_its_country_writes_it(e164, shown):
    assert numbers.national(e164) == shown


def test_a_masked_number_keeps_four_digits_and_a_missing_one_is_withheld():
    assert numbers.masked("+14085550142") == "…0142"
    assert numbers.masked(None) == "withheld"
    assert numbers.masked("") == "withheld"
    assert numbers.masked("anonymous") == "withheld"
    assert numbers.last4("+14085550142") == "0142"


def test_only_a_number_that_is_surely_mobile_counts_as_one():
    assert numbers.is_mobile("+447700900123")
    assert numbers.is_mobile("+61491570006")
    assert not numbers.is_mobile("+442079460123")
    assert not numbers.is_mobile("+14085550142")


def test_only_one_module_knows_the_library():
    """phonenumbers stays behind one door."""
    root = Path(numbers.__file__).parents[1]
    folders = ("routing", "flows", "recordings", "ivr")
    users = [
        path.name
        for folder in folders
        for path in (root / folder).rglob("*.py")
        if re.search(r"^\s*(import|from) phonenumbers", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]

    assert users == ["numbers.py"]
