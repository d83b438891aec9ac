"""The signature is Twilio's own, and nothing that a header can contain upsets it."""

import base64
import hashlib
import hmac
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from ivr.form import parse
from ivr.signature import Signature, signed_text

TOKEN = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
BASE = "https://ivr.example.com"
CALL = [
    ("CallSid", "CA" + "1" * 32),
    ("AccountSid", "AC" + "2" * 32),
    ("From", "+14085550142"),
    ("To", "+18888988733"),
    ("CallStatus", "ringing"),
    ("FromCity", "SAN JOSE"),
    ("CallerName", "Ünïcode & <Sons> = 100%+"),
    ("Digits", ""),
]


def library_signs(target: str, pairs: list[tuple[str, str]], token: str = TOKEN, base: str = BASE) -> str:
    """Sign as twilio's own library does, given what a web framework would have parsed."""
    return RequestValidator(token).compute_signature(base + target, MultiDict(pairs))


def is_genuine(target: str, pairs: list[tuple[str, str]], header: str | None, *tokens: str, base: str = BASE) -> bool:
    return Signature(base, tokens or (TOKEN,)).is_genuine(target, signed_text(set(pairs)), header)


def test_the_example_of_twilios_documentation_verifies():
    """The vector that Twilio prints in its security guide."""
    pairs = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]
    signature = Signature("https://mycompany.com", ["12345"])

    assert signature.is_genuine("/myapp.php?foo=1&bar=2", signed_text(pairs), "RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    assert not signature.is_genuine("/myapp.php?foo=1&bar=3", signed_text(pairs), "RSOYDt4T1cUTdK1PDd93/VVr8B8=")


@pytest.mark.parametrize("target", ["/voice", "/voice/status", "/voice/turn/1.CA00.0.3k.abc-_xyz"])
def test_what_the_library_signs_is_genuine(target):
    """The same text is signed as by RequestValidator."""
    assert is_genuine(target, CALL, library_signs(target, CALL))


def test_a_repeated_name_signs_its_distinct_values_in_order():
    """Twilio's library removes equal values and sorts the rest; so do we."""
    pairs = [*CALL, ("Digits", "9"), ("Digits", "1"), ("Digits", "9")]

    assert is_genuine("/voice", pairs, library_signs("/voice", pairs))
    assert not is_genuine("/voice", CALL, library_signs("/voice", pairs))


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAME = st.text(string.ascii_letters + string.digits + "_-.", min_size=1, max_size=12)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(NAME | TEXT, TEXT), max_size=35), st.sampled_from(["https", "http"]), st.booleans())
def test_our_signature_equals_the_librarys_on_any_form(pairs, scheme, has_port):
    """Whatever the fields, what the library computes we accept, and what it would refuse we refuse."""
    base = f"{scheme}://ivr.example.com" + (":8443" if has_port else "")
    header = library_signs("/voice", pairs, base=base)
    tampered = [*pairs, ("Extra", "1")]

    assert is_genuine("/voice", pairs, header, base=base)
    assert RequestValidator(TOKEN).validate(base + "/voice", MultiDict(pairs), header)
    agreed = RequestValidator(TOKEN).validate(base + "/voice", MultiDict(tampered), header)
    assert is_genuine("/voice", tampered, header, base=base) == agreed


@pytest.mark.parametrize("base", ["https://ivr.example.com", "http://127.0.0.1:8080", "https://ivr.example.com:8443"])
@pytest.mark.parametrize("port", ["", ":80", ":443", ":8080", ":8443"])
def test_the_port_may_or_may_not_be_signed(base, port):
    """Twilio is not consistent about the port, so the library tries both; ours takes the same ones."""
    scheme, host = base.split("://")
    header = library_signs("/voice", CALL, base=f"{scheme}://{host.split(':')[0]}{port}")

    agreed = RequestValidator(TOKEN).validate(base + "/voice", MultiDict(CALL), header)
    assert is_genuine("/voice", CALL, header, base=base) == agreed


def test_both_tokens_are_good_while_one_is_rotated():
    """During a rotation requests come signed with either."""
    header = library_signs("/voice", CALL, OTHER)

    assert not is_genuine("/voice", CALL, header, TOKEN)
    assert is_genuine("/voice", CALL, header, TOKEN, OTHER)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "A" * 28,
        "a" * 28,
        "=",
        "nonsense",
        "é" * 28,
        "\x00",
        "\ud800",
        "A" * 1_000_000,
        library_signs("/voice", CALL)[:-1],
        library_signs("/voice", CALL).lower(),
        library_signs("/voice", CALL) + " ",
        library_signs("/voice/status", CALL),
        library_signs("/voice?", CALL),
        library_signs("/voice", [*CALL[:-1], ("Digits", "1")]),
        library_signs("/voice", CALL, OTHER),
        base64.b64encode(hmac.digest(b"", (BASE + "/voice" + signed_text(CALL)).encode(), hashlib.sha1)).decode(),
    ],
)
def test_anything_else_is_forged_and_never_an_error(header):
    """A missing, odd or wrong header is a plain no."""
    assert is_genuine("/voice", CALL, header) is False


def test_a_parsed_body_signs_as_the_library_signs_the_decoded_fields():
    """Plus signs, percent escapes and empty values come out as Twilio meant them."""
    form = parse(b"From=%2B14085550142&City=SAN+JOSE&Empty=&Eq=a%3Db%26c&%C3%A9=%C3%BC&Bare")
    pairs = [("From", "+14085550142"), ("City", "SAN JOSE"), ("Empty", ""), ("Eq", "a=b&c"), ("é", "ü"), ("Bare", "")]

    assert form.fields == dict(pairs)
    assert is_genuine("/voice", pairs, library_signs("/voice", pairs))
    assert form.signed == signed_text(pairs)
