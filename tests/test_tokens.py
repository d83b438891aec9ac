"""Tokens say which call and turn a URL belongs to, and nobody else can write one."""

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twiml_rules import RETRY_FRAGMENT

from ivr import urls
from ivr.tokens import Awaits, RescueToken, Seal, TakeToken, TurnToken
from ivr.urls import Urls

SID, OTHER = "CA" + "1" * 32, "CA" + "2" * 32
SEAL = Seal("a secret of at least thirty-two characters")
TURN = TurnToken(SID, 0, 3, Awaits.KEYS)


@pytest.mark.parametrize("awaits", Awaits)
@pytest.mark.parametrize(("leg", "turn"), [(0, 1), (0, 999_999), (1, 0), (12, 3)])
def test_a_turns_token_is_read_as_it_was_written(leg, turn, awaits):
    token = TurnToken(SID, leg, turn, awaits)

    assert SEAL.read_turn(SEAL.turn(token)) == token


def test_rescue_and_take_tokens_are_read_as_they_were_written():
    rescue = RescueToken(SID, "+18888988733", 41)
    take = TakeToken(SID, "RE" + "3" * 32)

    assert SEAL.read_rescue(SEAL.rescue(rescue)) == rescue
    assert SEAL.read_take(SEAL.take(take)) == take


def test_a_token_of_one_kind_is_none_of_another():
    """Each kind of URL has its own domain, so that a token cannot be carried from one to another."""
    assert SEAL.read_turn(SEAL.turn(TURN), "audio") is None
    assert SEAL.read_turn(SEAL.turn(TURN, "audio")) is None
    assert SEAL.read_rescue(SEAL.rescue(RescueToken(SID, "+1", 0)), "screen") is None
    assert SEAL.read_take(SEAL.turn(TURN)) is None


def test_another_secret_writes_other_tokens():
    assert Seal("another secret of at least thirty-two").read_turn(SEAL.turn(TURN)) is None


def test_every_changed_character_spoils_a_token():
    token = SEAL.turn(TURN)
    for at, old in enumerate(token):
        for new in {"0", "1", "a", "A", "-", "."} - {old}:
            assert SEAL.read_turn(token[:at] + new + token[at + 1 :]) is None, (at, new)


@pytest.mark.parametrize("wrong", ["", ".", "1", SEAL.turn(TURN) + "\n", " " + SEAL.turn(TURN), SEAL.turn(TURN)[:-1]])
def test_what_is_no_token_is_none(wrong):
    assert SEAL.read_turn(wrong) is None


@settings(max_examples=300, deadline=None)
@given(st.text(string.printable, max_size=80) | st.text(max_size=80))
def test_no_text_is_a_token_by_chance(text):
    assert SEAL.read_turn(text) is None
    assert SEAL.read_rescue(text) is None
    assert SEAL.read_take(text) is None


def test_a_token_of_a_version_that_we_do_not_take_is_none():
    """Even if it were sealed rightly: a version is accepted by name."""
    text = f"9.{SID}.0.3k"

    assert SEAL.read_turn(f"{text}.{SEAL._mac('turn', text)}") is None


def test_every_url_is_absolute_ours_and_says_how_to_try_again():
    place = Urls("https://ivr.example.com", SEAL)
    rescue = RescueToken(SID, "+18888988733", 0)
    written = [
        place.turn(SID, 0, 1, Awaits.KEYS),
        place.recording(SID, 1),
        place.rescue(rescue),
        place.screen(rescue),
    ]

    assert len(set(written)) == 4
    for url in written:
        assert re.fullmatch(r"https://ivr\.example\.com/voice/[a-z\-]+/[A-Za-z0-9._\-]+#.+", url)
        assert url.endswith(RETRY_FRAGMENT)


def test_a_take_is_fetched_without_ceremony():
    """Media requests carry no fragment and no signature: the token is all there is."""
    url = Urls("https://ivr.example.com", SEAL).take(SID, "RE" + "3" * 32)

    assert url.startswith(f"https://ivr.example.com{urls.TAKE}1.{SID}.RE")
    assert "#" not in url
