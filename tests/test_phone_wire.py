"""The telephone's wire: the signature, the request as the service meets it, and requests that Twilio never sent."""

import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from forgery import forged_signatures, moved_into_path, resplit, tampered
from phone import AUTH_TOKEN, PUBLIC_BASE_URL, ServerWire, Telephone, sign
from switchboard import LINE, Switchboard, gather, phone_to, response, say, verb
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict
from wire import AppWire, Request, pairs

MENU = response(gather("/menu", say("Press 1."), numDigits=1))
BYE = response(say("Goodbye."), verb("Hangup"))
GATHERED = {"AccountSid": "AC01", "CallSid": "CA02", "Digits": "1234", "From": "+14085550142", "To": LINE}


def test_the_signature_is_the_one_of_the_published_example():
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }

    signature = sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2#rc=2", form)

    assert signature == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize(
    "form",
    [
        {},
        GATHERED,
        {"b": "2", "a": "", "B": "1", "A": "\u00e9\U0001f600 + & ="},
        [("Tag", "y"), ("Tag", "x"), ("Tag", "y"), ("Sid", "1")],
    ],
    ids=["empty", "usual", "odd", "repeated"],
)
def test_the_signature_agrees_with_the_reference(form):
    url = f"{PUBLIC_BASE_URL}/voice/turn/1.CA02.0.1.x-_?a=%27"

    assert RequestValidator(AUTH_TOKEN).validate(url, MultiDict(pairs(form)), sign(AUTH_TOKEN, url, form))


def test_the_application_meets_the_request_that_gunicorn_would_show_it():
    phone, service = phone_to({})

    form = {"To": "+1 2", "Name": "\u00e9"}
    phone.post("/v%C3%A9?a=%27b", form, headers={"X-Odd": "yes"})

    [environ] = service.environs
    expected = {
        "REQUEST_METHOD": "POST",
        "RAW_URI": "/v%C3%A9?a=%27b",
        "PATH_INFO": "/v\u00c3\u00a9",
        "QUERY_STRING": "a=%27b",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=UTF-8",
        "CONTENT_LENGTH": "21",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "voice.partnerline.example",
        "HTTP_X_ODD": "yes",
        "SERVER_PORT": "443",
        "HTTP_X_TWILIO_SIGNATURE": sign(AUTH_TOKEN, f"{PUBLIC_BASE_URL}/v%C3%A9?a=%27b", form),
        "wsgi.url_scheme": "https",
    }
    assert {name: environ[name] for name in expected} == expected
    assert len(environ["HTTP_I_TWILIO_IDEMPOTENCY_TOKEN"]) == 36
    assert service.forms == [("/v\u00c3\u00a9", form)]


def test_an_application_must_start_its_response_once_and_is_closed():
    closed = []

    class Body(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    def app(_environ, start_response):
        write = start_response("200 OK", [("X-Case", "Kept")])
        write(b"a")
        return Body([b"b"])

    def twice(_environ, start_response):
        start_response("200 OK", [])
        start_response("200 OK", [])
        return []

    reply = AppWire(app).send(Request("GET", "/", {}))
    assert (reply.status, reply.headers, reply.body, closed) == (200, {"x-case": "Kept"}, b"ab", [True])
    with pytest.raises(AssertionError, match="twice"):
        AppWire(twice).send(Request("GET", "/", {}))


class Quiet(WSGIRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Say nothing on stderr."""


@pytest.fixture
def served() -> Iterator[tuple[Switchboard, str]]:
    service = Switchboard({"/voice": MENU, "/menu": BYE})
    with make_server("127.0.0.1", 0, service, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield service, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_running_server_gets_the_same_call_signed_for_its_public_address(served):
    service, address = served
    phone = Telephone(ServerWire(address))

    call = phone.dials(LINE).hears("Press 1").presses("1").hears("Goodbye")

    assert [path for path, _ in service.forms] == ["/voice", "/menu", "/voice/status"]
    signature = sign(AUTH_TOKEN, f"{PUBLIC_BASE_URL}/menu", call.exchanges[1].form)
    assert service.environs[1]["HTTP_X_TWILIO_SIGNATURE"] == signature
    assert service.environs[1]["HTTP_HOST"] == "voice.partnerline.example"
    assert (call.exchanges[1].status, call.exchanges[1].seconds > 0) == (200, True)


def test_a_server_that_is_not_there_is_a_network_error():
    with pytest.raises(ConnectionRefusedError):
        Telephone(ServerWire("http://127.0.0.1:1")).dials(LINE)


def test_raw_requests_can_be_unsigned_or_signed_by_somebody_else_and_are_not_checked():
    phone, service = phone_to({"/voice": "403 no"})

    assert phone.post("/voice", GATHERED, signature=None).status == 403
    phone.post("/voice", GATHERED, signature="")
    phone.post("/voice", GATHERED, token="other")
    phone.post("/voice?a=1", GATHERED, method="GET")

    signatures = [environ.get("HTTP_X_TWILIO_SIGNATURE") for environ in service.environs]
    url = f"{PUBLIC_BASE_URL}/voice"
    assert signatures == [None, "", sign("other", url, GATHERED), sign(AUTH_TOKEN, f"{url}?a=1")]
    assert service.forms[3] == ("/voice", {})


def test_no_forged_signature_is_the_right_one_and_no_tampered_form_keeps_it():
    phone, _ = phone_to({})
    url = f"{PUBLIC_BASE_URL}/voice"
    right = sign(phone.auth_token, url, GATHERED)

    forged = dict(forged_signatures(phone, "/voice", GATHERED))
    assert len(forged) == 17
    assert right not in forged.values()
    changed = dict(tampered(GATHERED))
    assert len(changed) == 3 * len(GATHERED)
    assert right not in {sign(phone.auth_token, url, form) for form in changed.values()}


def test_a_signed_form_can_be_cut_up_anew_and_keeps_its_signature():
    url = f"{PUBLIC_BASE_URL}/voice"
    right = sign(AUTH_TOKEN, url, GATHERED)

    variants = [dict(form) for form in resplit(GATHERED)]

    assert len(variants) > 30
    shared = {"From": "+14085550142", "FromCity": "SAN JOSE", "Zip": "1"}
    assert {sign(AUTH_TOKEN, url, form) for form in resplit(shared)} == {sign(AUTH_TOKEN, url, shared)}
    assert GATHERED not in variants
    assert {sign(AUTH_TOKEN, url, form) for form in variants} == {right}
    assert any(form.get("Digits") == "1234From+14085550142" for form in variants)
    assert any(form.get("Digits1") == "234" for form in variants)
    path, form = moved_into_path("/voice", GATHERED)
    assert (path, sign(AUTH_TOKEN, PUBLIC_BASE_URL + path, form)) == ("/voiceAccountSidAC01", right)
