"""Asking the provider: its moods, its limits, and that nothing is done twice or asked elsewhere."""

import itertools
import socket
import time
from datetime import timedelta

import pytest
import rest
from carrier import Carrier
from rest import ACCOUNT_SID, AUTH_TOKEN, Rest, serving, speech
from studio import AT, CALLER, LINE, Studio
from wire import PUBLIC_BASE_URL, AppWire

from ivr.jobs.assembly import provider_for
from ivr.provider import NoProvider, Outgoing
from ivr.rest import Busy, Denied, Gone, ProviderFault, Spoilt, Unavailable
from ivr.rest import Rest as Wire
from ivr.takes import Provided, tone
from ivr.tokens import Seal
from ivr.twilio_rest import Twilio
from ivr.urls import Urls
from recordings.outbox import LEASE

SID = "RE" + "5" * 32
CALL = "CA" + "7" * 32
PERSON = "+14085550177"
URL = "https://voice.partnerline.example/voice/page/x"


@pytest.fixture
def account():
    with serving(Rest()) as account:
        yield account


@pytest.fixture
def twilio(account):
    return twilio_at(account.url)


def twilio_at(url, token=AUTH_TOKEN):
    return Twilio(Wire(url, ACCOUNT_SID, token), ACCOUNT_SID, token)


MOODS = {
    "404": (rest.status(404), Gone),
    "410": (rest.status(410), Gone),
    "400": (rest.status(400), Denied),
    "401": (rest.status(401), Denied),
    "403": (rest.status(403), Denied),
    "408": (rest.status(408), Unavailable),
    "429": (rest.busy(7), Busy),
    "500": (rest.status(500), Unavailable),
    "502": (rest.status(502), Unavailable),
    "503": (rest.status(503), Unavailable),
    "hang up": (rest.hang_up, Unavailable),
    "elsewhere": (rest.redirect("http://127.0.0.1:9/"), Spoilt),
    "a page": (rest.html, Spoilt),
}


@pytest.mark.parametrize("name", MOODS)
@pytest.mark.parametrize("ask", ["recording", "media", "delete_recording", "call", "recordings_since"])
def test_every_mood_of_the_provider_has_one_name(account, twilio, name, ask):
    fault, meant = MOODS[name]
    account.holds(CALL, SID)
    account.fails(fault)
    about = {"call": CALL, "recordings_since": AT}.get(ask, SID)
    if ask == "delete_recording" and meant is Gone:
        assert twilio.delete_recording(SID)
    elif ask == "delete_recording" and name == "a page":
        assert not twilio.delete_recording(SID), "whatever it says, it is asked again until there is none"
    else:
        with pytest.raises(meant):
            getattr(twilio, ask)(about)
    assert len(account.asked) == 1, "nothing is asked twice without being told to"


def test_nobody_at_the_other_end_is_unavailable():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Unavailable):
        twilio_at(f"http://127.0.0.1:{port}").recording(SID)


LIMITS = {
    "a byte now and then": rest.drip,
    "a header now and then": rest.drip_headers,
    "nothing at all": rest.hangs,
    "a body without an end": rest.endless,
    "two gigabytes": rest.too_long,
    "a gzip bomb": rest.gzip_bomb,
    "less than was declared": rest.wrong_length,
    "no audio": rest.html,
}


@pytest.mark.parametrize("name", LIMITS)
def test_audio_that_is_too_long_too_slow_or_none_is_let_go_in_time(account, twilio, name):
    account.holds(CALL, SID)
    account.fails(LIMITS[name])
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        twilio.media(SID, limit=10_000_000, seconds=0.5)
    assert time.monotonic() - begun < 2.0
    assert twilio.media(SID) == speech()


def test_a_busy_provider_is_left_alone_for_as_long_as_it_says(account, twilio):
    account.fails(rest.busy(60))
    with pytest.raises(Busy) as busy:
        twilio.recording(SID)
    assert busy.value.retry_after == 60
    for _ in range(50):
        with pytest.raises(Busy):
            twilio.recording(SID)
    assert len(account.asked) == 1


def test_a_long_list_is_read_to_its_end(account, twilio):
    for number in range(650):
        account.holds(CALL, f"RE{number:032x}", created_at=AT + timedelta(seconds=number))
    assert len(list(twilio.recordings_since(AT + timedelta(seconds=100)))) == 550
    assert len(list(twilio.recordings_of(CALL))) == 650


def test_a_list_that_would_lead_elsewhere_is_not_followed(account, twilio):
    def elsewhere(answer):
        answer.says(200, {"recordings": [], "page": 0, "next_page_uri": "/2010-04-01/Accounts/AC9/Recordings.json"})

    account.fails(elsewhere)
    with pytest.raises(ProviderFault):
        list(twilio.recordings_since(AT))
    assert len(account.asked) == 1


HOSTILE = [
    f"{scheme}{host}{path}"
    for scheme, host, path in itertools.product(
        ("http://", "https://", "file://", "gopher://", "//", "ftp://"),
        (
            "169.254.169.254",
            "[::1]",
            "0x7f.1",
            "2130706433",
            "user:pw@127.0.0.1:9",
            "localhost:6379",
            "api.twilio.com@evil.example",
            "evil.example",
            "127.0.0.1.nip.io",
            "metadata.google.internal",
        ),
        (
            "/",
            f"/2010-04-01/Accounts/AC{'9' * 32}/Recordings/{SID}",
            f"/../{SID}.wav",
            f"/Recordings/{SID}",
            "/\r\nX: y",
        ),
    )
]


def test_no_recording_url_ever_leads_anywhere_but_to_the_provider(sqlite_url, account, tmp_path, monkeypatch):
    """Three hundred addresses in the callback: what is fetched comes from our own base, by the recording's id."""
    from service import SECRET, Service

    assert len(HOSTILE) == 300
    went: list[object] = []
    real = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", lambda sock, at: went.append(at) or real(sock, at))
    service = Service(sqlite_url)
    studio = Studio(service.parts.store, tmp_path / "audio", account)
    call = studio.voicemail()
    account.holds(call.sid, call.message.recording)
    callback = Urls(PUBLIC_BASE_URL, Seal(SECRET)).recording(call.sid, 1)
    path = callback.partition("#")[0].removeprefix(PUBLIC_BASE_URL)
    carrier = Carrier(AppWire(service.app))
    for url in HOSTILE:
        form = {
            "AccountSid": ACCOUNT_SID,
            "CallSid": call.sid,
            "RecordingSid": call.message.recording,
            "RecordingUrl": url,
            "RecordingStatus": "completed",
            "RecordingDuration": "5",
        }
        assert carrier.post(path, form).status in (200, 400)
    studio.works(minutes=(0, 1))
    assert studio.states() == {"stored": 1}
    port = int(account.url.rpartition(":")[2])
    assert {at[1] for at in went} == {port}
    assert account.count("GET", ".wav") == 1
    service.close()


@pytest.mark.parametrize(
    "sid", ["", "RE1", "RE" + "5" * 31 + "/", "../" + SID, SID + "?x", SID + "\n", "CA" + "5" * 32]
)
def test_what_is_no_recordings_id_is_never_asked_for(account, twilio, sid):
    for ask in (twilio.recording, twilio.media):
        with pytest.raises(Gone):
            ask(sid)
    assert account.asked == []


PLACED = Outgoing(PERSON, LINE, URL, URL)
LOST = {
    "done but lost": (rest.done_but_lost, True),
    "500": (rest.status(500), False),
    "hang up": (rest.hang_up, False),
    "busy": (rest.busy(1), False),
    "nothing": (None, True),
}


@pytest.mark.parametrize("name", LOST)
def test_a_call_that_may_have_been_placed_is_looked_for_before_it_is_placed_again(account, name):
    """Forty times five ways of losing the answer: there is never more than one call."""
    fault, _ = LOST[name]
    for number in range(40):
        twilio = twilio_at(account.url)
        call = Outgoing(f"+1408555{number:04d}", LINE, URL, URL)
        if fault:
            account.fails(fault, "POST", times=1 + number % 2)
        sid = ""
        for attempt in range(4):
            try:
                sid = twilio.place_call(call, account.now() if attempt else None)
                break
            except ProviderFault:
                twilio = twilio_at(account.url)
        placed = [each.sid for each in account.calls.values() if each.to == call.to]
        assert placed == [sid]


def test_a_call_about_something_else_is_not_taken_for_this_one(account, twilio):
    other = twilio.place_call(PLACED)
    assert twilio.place_call(PLACED, AT - timedelta(minutes=1)) == other
    again = twilio.place_call(PLACED, AT - timedelta(minutes=1), {other})
    assert again != other
    account.knows("CA" + "1" * 32, PERSON, LINE, created_at=AT - timedelta(hours=1), direction="outbound-api")
    assert twilio.place_call(PLACED, AT + timedelta(minutes=5)) not in (other, again)
    assert account.asked[0].form["StatusCallbackEvent"] == "completed"
    assert account.asked[0].form["TimeLimit"] == "300"


@pytest.mark.parametrize("code", [400, 401, 404])
def test_what_was_refused_is_not_tried_again_by_itself(account, twilio, code):
    account.fails(rest.status(code), "POST", times=9)
    with pytest.raises((Denied, Gone)):
        twilio.place_call(PLACED)
    assert len(account.asked) == 1


def test_a_text_that_may_have_been_sent_is_looked_for_first(account, twilio):
    account.fails(rest.done_but_lost, "POST")
    with pytest.raises(Unavailable):
        twilio.send_text(CALLER, LINE, "Case 4820 7195")
    sid = twilio.send_text(CALLER, LINE, "Case 4820 7195", since=AT)
    assert list(account.texts) == [sid]
    assert twilio.send_text(CALLER, LINE, "Case 1", since=AT) != sid


def test_the_environment_does_not_change_whom_we_ask(account, monkeypatch):
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    account.holds(CALL, SID)
    assert twilio_at(account.url).recording(SID).call_sid == CALL


def test_a_wrong_token_is_turned_away(account):
    account.holds(CALL, SID)
    with pytest.raises(Denied):
        twilio_at(account.url, "f" * 32).media(SID)


def test_a_demo_has_a_tone_for_every_recording_and_asks_nobody():
    from service import settings_for

    provider = provider_for(settings_for("sqlite://"), lambda: tone(5))
    assert isinstance(provider, NoProvider)
    assert provider.media(SID) == tone(5)
    assert provider.recording(SID).status == "completed"
    assert provider.delete_recording(SID)
    assert [*provider.calls_since(AT), *provider.recordings_since(AT), *provider.recordings_of(CALL)] == []
    assert provider.place_call(PLACED) == provider.send_text(CALLER, LINE, "x") == ""
    with pytest.raises(Gone):
        provider.call(CALL)
    real = provider_for(settings_for("sqlite://", TWILIO_API_BASE="http://127.0.0.1:9"), tone)
    assert isinstance(real, Twilio)


def test_a_take_that_the_caller_wants_to_hear_is_waited_for_a_little_and_no_longer(account, twilio):
    wire = Wire(account.url, ACCOUNT_SID, AUTH_TOKEN)
    account.holds(CALL, SID, ready=1)
    assert Provided(wire).fetch(SID) == speech()
    assert account.count("GET", ".mp3") == 2
    account.fails(rest.status(503))
    assert Provided(wire).fetch(SID) is None


class Watched(Wire):
    """Keeps what was asked, and how long each answer may take."""

    def __init__(self, *account):
        super().__init__(*account)
        self.asked = []

    def ask(self, question):
        self.asked.append((question.method, question.within))
        return super().ask(question)


def test_a_call_that_is_looked_for_and_then_placed_is_done_well_within_a_lease(account):
    wire = Watched(account.url, ACCOUNT_SID, AUTH_TOKEN)
    Twilio(wire, ACCOUNT_SID, AUTH_TOKEN).place_call(PLACED, AT)
    assert [method for method, _ in wire.asked] == ["GET", "POST"]
    assert sum(within for _, within in wire.asked) <= LEASE.total_seconds() - 10
