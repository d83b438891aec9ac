"""A webhook's body: capped, parsed once, and believed field by field only where its URL can be told so."""

import io
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.heard import Answered, DialEnded, HungUp, Keys, MessageLeft, Rang, RecordingReady, Silence
from ivr import hearing
from ivr.form import BODY_LIMIT, FIELDS_LIMIT, FORM_TYPE, Form, Refused, parse, read
from ivr.hearing import Strange
from ivr.tokens import Awaits, TurnToken

SID, CHILD, RECORDING = "CA" + "1" * 32, "CA" + "2" * 32, "RE" + "3" * 32
CALLER = {"CallSid": SID, "From": "+14085550142", "To": "+18888988733", "CallStatus": "in-progress"}
ENGINEER = {"CallSid": CHILD, "ParentCallSid": SID, "From": "+18888988733", "CallStatus": "in-progress"}


def form(**fields: str) -> Form:
    return parse(urlencode(fields).encode())


def token(awaits: Awaits, leg: int = 0) -> TurnToken:
    return TurnToken(SID, leg, 3, awaits)


# --- the caps


def environ(body: bytes, **changes: object) -> dict[str, object]:
    given = {"CONTENT_TYPE": FORM_TYPE, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    return {**given, **changes}


class Untouchable(io.BytesIO):
    """A body that must not be read."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError(f"{size} bytes were read")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"CONTENT_LENGTH": str(BODY_LIMIT + 1)}, "413"),
        ({"CONTENT_LENGTH": "9" * 400}, "413"),
        ({"CONTENT_LENGTH": ""}, "411"),
        ({"CONTENT_LENGTH": "-1"}, "411"),
        ({"CONTENT_LENGTH": "1e3"}, "411"),
        ({"CONTENT_LENGTH": "٣"}, "411"),
        ({"CONTENT_TYPE": "application/json"}, "415"),
        ({"CONTENT_TYPE": "multipart/form-data; boundary=x"}, "415"),
        ({"CONTENT_TYPE": ""}, "415"),
    ],
)
def test_what_is_no_form_of_ours_is_refused_before_a_byte_is_read(changes, status):
    asked = environ(b"", **{"wsgi.input": Untouchable(), **changes})

    with pytest.raises(Refused) as refused:
        read(asked)

    assert refused.value.status.startswith(status)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"&".join(b"a%d=1" % n for n in range(FIELDS_LIMIT + 1)), "400"),
        (b"&" * (FIELDS_LIMIT + 5), "400"),
        (b"From=%FF", "400"),
        (b"From=\xff", "400"),
        (b"From=%ED%A0%80", "400"),
    ],
)
def test_too_many_fields_and_broken_text_are_refused(body, status):
    with pytest.raises(Refused) as refused:
        read(environ(body))

    assert refused.value.status.startswith(status)


def test_a_body_shorter_than_it_says_is_refused():
    with pytest.raises(Refused):
        read(environ(b"a=1", CONTENT_LENGTH="4"))


def test_the_largest_allowed_body_is_read():
    body = b"a=" + b"x" * (BODY_LIMIT - 2)

    assert read(environ(body)).fields == {"a": "x" * (BODY_LIMIT - 2)}


def test_a_hundred_fields_are_read():
    fields = {f"field{n}": str(n) for n in range(FIELDS_LIMIT)}

    assert parse(urlencode(fields).encode()).fields == fields


# --- parsing


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), max_size=20), st.booleans())
def test_a_form_is_parsed_as_by_the_standard_library(pairs, twice):
    """Also where a value was escaped before, as CallToken is."""
    body = urlencode([(name, urlencode({"": value}) if twice else value) for name, value in pairs])
    expected = parse_qsl(body, keep_blank_values=True)

    parsed = parse(body.encode())

    assert parsed.fields == dict(expected)
    assert parsed.signed == "".join(name + value for name, value in sorted(set(expected)))


@settings(max_examples=300, deadline=None)
@given(st.text('%0123456789abcdefABCDEF25+&=ü/:,{}" ', max_size=60))
def test_any_text_is_parsed_as_by_the_standard_library(text):
    """Stray percent signs, lower-case escapes, separators in odd places."""
    try:
        expected = parse_qsl(text, keep_blank_values=True, errors="strict", encoding="utf-8")
    except UnicodeDecodeError:
        with pytest.raises(Refused):
            parse(text.encode())
    else:
        assert parse(text.encode()).fields == dict(expected)


def test_a_repeated_name_is_known():
    assert parse(b"a=1&b=2&a=1").repeated == {"a"}
    assert parse(b"a=1&b=2").repeated == frozenset()


# --- hearing


@pytest.mark.parametrize(
    ("number", "caller", "shown"),
    [
        ("+14085550142", "+14085550142", ""),
        ("anonymous", None, "anonymous"),
        ("Anonymous", None, "Anonymous"),
        ("RESTRICTED", None, "RESTRICTED"),
        ("", None, ""),
        ("+266696687", None, "+266696687"),
        ("+7378742833", None, "+7378742833"),
        ("+86282452253", None, "+86282452253"),
        ("+464", None, "+464"),
        ("+0123456789", None, "+0123456789"),
        ("sip:alice@example.com", None, "sip:alice@example.com"),
        ("client:alice", None, "client:alice"),
        ("٠١٢٣٤٥", None, "٠١٢٣٤٥"),
        ("a\x00b\u202ec\n", None, "abc"),
        ("x" * 500, None, "x" * 64),
    ],
)
def test_who_is_calling(number, caller, shown):
    """A number that is none is withheld, however it is spelt."""
    rang = hearing.rang(form(**{**CALLER, "From": number, "CallStatus": "ringing"}))

    assert rang == Rang(SID, "+18888988733", caller, shown)


def test_attestation_is_passed_on_where_it_is_a_word():
    ringing = {**CALLER, "CallStatus": "ringing"}

    assert hearing.rang(form(**ringing, StirVerstat="TN-Validation-Passed-A")).attestation == "TN-Validation-Passed-A"
    assert hearing.rang(form(**ringing, StirVerstat="<script>")).attestation == ""


TURNS = [
    (Awaits.KEYS, {"Digits": "1"}, Keys("1")),
    (Awaits.KEYS, {"Digits": "34*347109"}, Keys("34*347109")),
    (Awaits.KEYS, {"Digits": "#"}, Keys("#")),
    (Awaits.KEYS, {"Digits": "", "FinishedOnKey": "", "msg": "Gather End"}, Silence()),
    (Awaits.KEYS, {}, Silence()),
    (Awaits.ONWARD, {}, Silence()),
    (
        Awaits.MESSAGE,
        {"RecordingSid": RECORDING, "RecordingDuration": "12", "Digits": "#", "RecordingUrl": "https://x/y"},
        MessageLeft(RECORDING, 12, "key"),
    ),
    (
        Awaits.MESSAGE,
        {"RecordingSid": RECORDING, "RecordingDuration": "12", "Digits": "hangup"},
        MessageLeft(RECORDING, 12, "hangup"),
    ),
    (Awaits.MESSAGE, {"RecordingSid": RECORDING, "RecordingDuration": "0"}, MessageLeft(RECORDING, 0, "silence")),
    (
        Awaits.MESSAGE,
        {"RecordingUrl": f"https://api.twilio.com/x/Recordings/{RECORDING}", "RecordingDuration": "7"},
        MessageLeft(RECORDING, 7, "silence"),
    ),
    (Awaits.MESSAGE, {}, Silence()),
    (
        Awaits.DIAL,
        {"DialCallStatus": "completed", "DialBridged": "true", "DialCallDuration": "61", "DialCallSid": CHILD},
        DialEnded("answered", bridged=True, seconds=61),
    ),
    (Awaits.DIAL, {"DialCallStatus": "completed", "DialBridged": "false"}, DialEnded("answered", bridged=False)),
    (Awaits.DIAL, {"DialCallStatus": "completed"}, DialEnded("answered", bridged=False)),
    (Awaits.DIAL, {"DialCallStatus": "answered", "DialBridged": "true"}, DialEnded("answered", bridged=True)),
    (Awaits.DIAL, {"DialCallStatus": "busy"}, DialEnded("busy", bridged=False)),
    (Awaits.DIAL, {"DialCallStatus": "no-answer"}, DialEnded("no_answer", bridged=False)),
    (Awaits.DIAL, {"DialCallStatus": "failed"}, DialEnded("failed", bridged=False)),
    (Awaits.DIAL, {"DialCallStatus": "canceled"}, DialEnded("canceled", bridged=False)),
    (
        Awaits.DIAL,
        {"DialCallStatus": "canceled", "CallStatus": "completed"},
        DialEnded("canceled", bridged=False, over=True),
    ),
]


@pytest.mark.parametrize(("awaits", "fields", "heard"), TURNS)
def test_what_a_turn_hears(awaits, fields, heard):
    assert hearing.heard(form(**{**CALLER, **fields}), token(awaits)) == heard


def test_what_an_engineers_leg_hears():
    assert hearing.heard(form(**ENGINEER), token(Awaits.ANSWER, leg=1)) == Answered()
    assert hearing.heard(form(**ENGINEER, Digits="1"), token(Awaits.KEYS, leg=1)) == Keys("1")


STRANGE = [
    (Awaits.KEYS, {"Digits": "A"}),
    (Awaits.KEYS, {"Digits": "1\n"}),
    (Awaits.KEYS, {"Digits": "\u0661"}),
    (Awaits.KEYS, {"Digits": "\uff11"}),
    (Awaits.KEYS, {"Digits": "²"}),
    (Awaits.KEYS, {"Digits": "1w2"}),
    (Awaits.KEYS, {"Digits": "9" * 5000}),
    (Awaits.KEYS, {"Digits": "'; DROP TABLE calls; --"}),
    (Awaits.KEYS, {"Digits": "1", "RecordingSid": RECORDING}),
    (Awaits.KEYS, {"Digits": "1", "DialCallStatus": "completed"}),
    (Awaits.KEYS, {"Digits": "hangup"}),
    (Awaits.KEYS, {"Digits1": "234"}),
    (Awaits.KEYS, {"CallerZip": "95050Digits1"}),
    (Awaits.KEYS, {"Digits": "1", "CallSid": CHILD}),
    (Awaits.KEYS, {"Digits": "1", "CallSid": SID.lower()}),
    (Awaits.KEYS, {"Digits": "1", "CallStatus": "sleeping"}),
    (Awaits.KEYS, {"Digits": "1", "ParentCallSid": CHILD}),
    (Awaits.ONWARD, {"Digits": "1"}),
    (Awaits.MESSAGE, {"RecordingSid": RECORDING}),
    (Awaits.MESSAGE, {"RecordingSid": "RE1", "RecordingDuration": "1"}),
    (Awaits.MESSAGE, {"RecordingSid": RECORDING, "RecordingDuration": "-1"}),
    (Awaits.MESSAGE, {"RecordingSid": RECORDING, "RecordingDuration": "1", "DialBridged": "true"}),
    (Awaits.MESSAGE, {"RecordingDuration": "1"}),
    (Awaits.MESSAGE, {"RecordingDuration": f"12RecordingSid{RECORDING}"}),
    (Awaits.DIAL, {}),
    (Awaits.DIAL, {"DialCallStatus": "Completed"}),
    (Awaits.DIAL, {"DialCallStatus": "completed", "DialBridged": "yes"}),
    (Awaits.DIAL, {"DialCallStatus": "completed", "DialBridgedt": "rue"}),
    (Awaits.DIAL, {"DialCallStatus": "completed", "DialCallDuration": "a"}),
    (Awaits.DIAL, {"DialCallStatus": "completed", "Digits": "1"}),
]


@pytest.mark.parametrize(("awaits", "fields"), STRANGE)
def test_what_a_turn_cannot_hear_is_strange(awaits, fields):
    """A field outside its grammar, one that this wait cannot cause, or one that has vanished into its neighbour."""
    with pytest.raises(Strange):
        hearing.heard(form(**{**CALLER, **fields}), token(awaits))


@pytest.mark.parametrize("name", ["CallSid", "CallStatus", "Digits"])
def test_a_field_that_is_acted_on_comes_once(name):
    fields = {**CALLER, "Digits": "1"}
    twice = parse(urlencode([*fields.items(), (name, fields[name])]).encode())

    with pytest.raises(Strange, match=name):
        hearing.heard(twice, token(Awaits.KEYS))


@pytest.mark.parametrize(
    "fields",
    [
        {"CallSid": SID},
        {"CallSid": CHILD, "ParentCallSid": CHILD},
        {"CallSid": CHILD},
        {"ParentCallSid": "CA1"},
    ],
)
def test_an_engineers_leg_must_belong_to_the_call(fields):
    engineer = {key: value for key, value in ENGINEER.items() if key != "ParentCallSid"}
    with pytest.raises(Strange):
        hearing.heard(form(**{**engineer, **fields}), token(Awaits.ANSWER, leg=1))


@pytest.mark.parametrize(
    "fields",
    [
        {"To": ""},
        {"To": "+18888988733ToCity"},
        {"To": "sip:us@example.com"},
        {"From": "+14085550142FromCitySAN JOSE"},
        {"CallStatus": "completed"},
        {"Digits": "1"},
        {"RecordingSid": RECORDING},
        {"DialCallStatus": "busy"},
        {"ParentCallSid": CHILD},
    ],
)
def test_a_first_request_that_is_none_is_strange(fields):
    with pytest.raises(Strange):
        hearing.rang(form(**{**CALLER, "CallStatus": "ringing", **fields}))


def test_how_a_call_ends():
    ended = {**CALLER, "CallStatus": "completed", "CallDuration": "42"}

    assert hearing.hung_up(form(**ended)) == HungUp("completed", 42)
    assert hearing.hung_up(form(**{**CALLER, "CallStatus": "no-answer"})) == HungUp("no_answer", 0)
    assert hearing.hung_up(form(**CALLER)) is None
    with pytest.raises(Strange):
        hearing.hung_up(form(**{**CALLER, "CallStatus": "completed", "CallDuration4": "2"}))


@pytest.mark.parametrize(
    ("fields", "heard"),
    [
        ({"RecordingStatus": "completed", "RecordingDuration": "9"}, RecordingReady(RECORDING, "completed", 9)),
        ({"RecordingStatus": "absent"}, RecordingReady(RECORDING, "absent")),
        ({"RecordingStatus": "failed"}, RecordingReady(RECORDING, "failed")),
        ({"RecordingStatus": "in-progress"}, None),
    ],
)
def test_what_becomes_of_a_recording(fields, heard):
    """The callback has neither From nor To nor a call status."""
    told = form(CallSid=SID, RecordingSid=RECORDING, **fields)

    assert hearing.audio(told, token(Awaits.MESSAGE)) == heard


@pytest.mark.parametrize(
    "fields",
    [
        {"RecordingStatus": "lost"},
        {"RecordingStatus": "completed", "RecordingSid": "RE1"},
        {"RecordingStatus": "completed", "CallSid": CHILD},
        {"RecordingStatus": "completed", "RecordingDuration": "1.5"},
        {},
    ],
)
def test_a_recording_callback_that_is_none_is_strange(fields):
    with pytest.raises(Strange):
        hearing.audio(form(**{"CallSid": SID, "RecordingSid": RECORDING, **fields}), token(Awaits.MESSAGE))


def test_the_line_is_read_from_either_leg():
    assert hearing.line_of(form(**CALLER)) == "+18888988733"
    assert hearing.line_of(form(**ENGINEER)) == "+18888988733"
    assert hearing.line_of(form(**{**CALLER, "To": "sip:us@example.com"})) == ""
