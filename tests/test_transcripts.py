"""Transcripts: kept sealed, masked, never trusted, never waited for."""

import base64
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from studio import AT, Studio

from flows.card_numbers import masked_cards
from flows.outage_words import says_outage
from ivr.jobs.transcripts import prepared
from ivr.transcribed import MOST
from ivr.transcribed import sealed as sealed_text
from recordings import kept
from recordings.outbox import Owed


def card(chance, length):
    digits = [chance.randrange(10) for _ in range(length - 1)]
    digits[0] = digits[0] or 4
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[::-1][::2])
    return "".join(map(str, [*digits, -(doubled + sum(digits[::-1][1::2])) % 10]))


def spelt(chance, digits):
    style = chance.choice(("", " ", "-", "every", "."))
    if style == "every":
        return " ".join(digits)
    return style.join(digits[at : at + 4] for at in range(0, len(digits), 4))


def test_of_a_thousand_card_numbers_none_is_left():
    chance = Random(7)
    for number in range(1000):
        digits = card(chance, 13 + number % 7)
        text = f"my card is {spelt(chance, digits)} thank you, call 408 555 0142"
        masked = masked_cards(text)
        assert masked.endswith("thank you, call 408 555 0142")
        assert not any(letter in "0123456789" for letter in masked.partition("thank")[0]), text


@pytest.mark.parametrize(
    "text",
    ["", "408 555 0142", "case 4820 7195", "1234567890123", "0000000000000000", "room 41 11, 1111"],
)
def test_other_numbers_stay(text):
    assert masked_cards(text) == text


def test_a_card_number_in_the_middle_of_more_digits_is_masked_too():
    assert "4111111111111111" not in masked_cards("99994111111111111111888877776666")


@given(st.text(alphabet="0123456789 -.x", max_size=300))
def test_masking_changes_digits_only_and_once_is_enough(text):
    masked = masked_cards(text)
    assert len(masked) == len(text)
    assert all(new in (old, "*") for new, old in zip(masked, text, strict=True))
    assert masked_cards(masked) == masked


DOWN = [
    "Production is down.",
    "hi, our PRODUCTION SYSTEM is completely down",
    "Everything is down, please call",
    "we have an outage since nine",
    "this is a total outage",
    "Nobody can call us",
    "no one can log in",
    "we can\u2019t make any calls",
    "all our phones are down",
    "the   network\nis   offline",
    "it is a severity one",
]
UP = [
    "",
    "please call me back about the invoice",
    "I was told to calm down and wait",
    "nobody called me back",
    "we sat down with production planning",
    "production",
]


@pytest.mark.parametrize("text", DOWN)
def test_word_of_an_outage_is_heard(text):
    assert says_outage(text)


@pytest.mark.parametrize("text", UP)
def test_other_words_are_no_outage(text):
    assert not says_outage(text)


@pytest.fixture
def studio(store, tmp_path):
    return Studio(store, tmp_path / "audio")


def transcribed(studio, text, status="completed", recording=""):
    call = studio.voicemail()
    sid = call.message.recording
    studio.parts.write(lambda conn: kept.expect(conn, studio.store, (sid, call.sid, "message", 5), AT))
    owes(studio, call, text, status, "transcript")
    return call


def owes(studio, call, text, status, key):
    sid = call.message.recording
    detail = {"recording": sid, "status": status, "sealed": sealed_text(text[:MOST], sid, studio.keys)}
    studio.owes(Owed("transcript", f"{sid}.{key}", detail, call.sid, call.case_number))
    studio.works()


def test_a_transcript_is_kept_sealed_and_an_outage_in_it_flags_and_pages(studio):
    call = transcribed(studio, "Production is down. My card is 4111 1111 1111 1111.")
    row = kept.find(studio.store, call.message.recording)
    assert studio.keys.open(row.transcript, row.sid).decode() == "Production is down. My card is **** **** **** ****."
    assert row.transcript_state == "completed"
    [(flags,)] = studio.query("SELECT flags FROM tasks")
    assert flags.split().count("PRODUCTION_DOWN") == 1
    [page] = studio.jobs("page")
    assert page.detail == {
        "kind": "outage",
        "case": call.case_number,
        "why": "the message says that production is down",
    }
    assert [kind for (kind,) in studio.query("SELECT kind FROM work_log")] == ["flagged"]


def test_a_second_transcript_changes_nothing(studio):
    call = transcribed(studio, "please call back")
    owes(studio, call, "production is down", "completed", "again")
    row = kept.find(studio.store, call.message.recording)
    assert studio.keys.open(row.transcript, row.sid) == b"please call back"
    assert studio.jobs("page") == []


def test_a_failed_one_is_noted_and_a_later_one_still_counts(studio):
    call = transcribed(studio, "", "failed")
    row = kept.find(studio.store, call.message.recording)
    assert (row.transcript, row.transcript_state) == (None, "failed")
    owes(studio, call, "hello", "completed", "again")
    assert kept.find(studio.store, call.message.recording).transcript_state == "completed"


def test_one_that_comes_before_its_recording_is_known_waits(studio):
    call = studio.voicemail()
    owes(studio, call, "everything is down", "completed", "early")
    assert studio.jobs("page") == []
    sid = call.message.recording
    studio.parts.write(lambda conn: kept.expect(conn, studio.store, (sid, call.sid, "message", 5), AT))
    studio.works(minutes=(2,))
    assert len(studio.jobs("page")) == 1


HOSTILE = [
    "x" * 200_000,
    "4111 " * 40_000,
    "\x00\r\n\x1b[2J<script>alert(1)</script>'; DROP TABLE tasks; --",
    "\u202e\ud800 lone",
    "\u8d85\u7d1a\u3000" * 3000,
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_words_are_kept_as_words(studio, number):
    call = transcribed(studio, HOSTILE[number])
    row = kept.find(studio.store, call.message.recording)
    text = studio.keys.open(row.transcript, row.sid).decode()
    assert text == prepared(HOSTILE[number][:MOST])
    assert len(text) <= MOST
    assert text.isprintable()


def test_one_that_was_not_sealed_by_us_is_refused_at_once(studio):
    call = studio.voicemail()
    sid = call.message.recording
    studio.parts.write(lambda conn: kept.expect(conn, studio.store, (sid, call.sid, "message", 5), AT))
    other = base64.b64encode(studio.keys.seal(b"production is down", "RE" + "9" * 32)).decode()
    for key, sealed in (("a", "not base64"), ("b", base64.b64encode(b"plain").decode()), ("c", other)):
        detail = {"recording": sid, "status": "completed", "sealed": sealed}
        studio.owes(Owed("transcript", key, detail, call.sid))
    studio.works()
    assert studio.query("SELECT DISTINCT state FROM outbox WHERE kind = 'transcript'") == [("dead",)]
    assert kept.find(studio.store, sid).transcript is None
