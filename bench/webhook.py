"""Voice webhooks as Twilio sends them, and its signature: written for the load client alone, to be light."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from urllib.parse import quote, quote_plus

TOKEN = b"0f1e2d3c4b5a69788796a5b4c3d2e1f0"
ACCOUNT = "AC00112233445566778899aabbccddeeff"
PASSPORT = ".".join(
    ("eyJhbGciOiJFUzI1NiIsInBwdCI6InNoYWtlbiIsInR5cCI6InBhc3Nwb3J0In0", "Zm9yYmVuY2g" * 24, "c2ln" * 20)
)
CALL_TOKEN = quote(  # as it comes: escaped once by itself, and again with the form
    '{"parentCallInfoToken":"eyJhbGciOiJFUzI1NiJ9.' + "YmVuY2g" * 40 + '","identityHeaderTokens":["' + PASSPORT + '"]}',
    "",
)
PLACE = {"City": "SAN JOSE", "State": "CA", "Zip": "95002", "Country": "US"}

Fields = dict[str, str]


def ringing(sid: str, caller: str, line: str) -> Fields:
    """Return the form of a call that comes in: 28 fields, as a US number with a verified caller gets them."""
    form = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "CallSid": sid, "CallStatus": "ringing"}
    form |= {"CallToken": CALL_TOKEN, "Direction": "inbound"}
    form |= {"From": caller, "Caller": caller, "To": line, "Called": line}
    form |= {side + part: text for side in ("From", "Caller", "To", "Called") for part, text in PLACE.items()}
    return form | {"StirVerstat": "TN-Validation-Passed-A", "StirPassportToken": PASSPORT}


def keyed(call: Fields, digits: str) -> Fields:
    """Return the form of a Gather's action: 31 fields."""
    return {**call, "CallStatus": "in-progress", "Digits": digits, "FinishedOnKey": "", "msg": "Gather End"}


def redirected(call: Fields) -> Fields:
    """Return the form of a Redirect."""
    return {**call, "CallStatus": "in-progress"}


def engineer(call: Fields, child: str, number: str) -> Fields:
    """Return the form of an engineer's own leg, when it is picked up."""
    own = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "CallSid": child, "ParentCallSid": call["CallSid"]}
    own |= {"CallStatus": "in-progress", "Direction": "outbound-dial"}
    own |= {"From": call["To"], "Caller": call["To"], "To": number, "Called": number}
    return own | {side + part: text for side in ("From", "Caller", "To", "Called") for part, text in PLACE.items()}


def dialled(call: Fields, child: str) -> Fields:
    """Return the form of a Dial's action after a conversation: 32 fields."""
    talked = {"DialCallStatus": "completed", "DialCallSid": child, "DialCallDuration": "63", "DialBridged": "true"}
    return {**call, "CallStatus": "in-progress", **talked}


def completed(call: Fields) -> Fields:
    """Return the form of the status callback at the end of a call."""
    end = {"CallDuration": "94", "Duration": "2", "Timestamp": "Wed, 18 Nov 2026 18:01:34 +0000", "SequenceNumber": "0"}
    return {**call, "CallStatus": "completed", "CallbackSource": "call-progress-events", **end}


@lru_cache(maxsize=65536)
def _pair(name: str, value: str) -> str:
    return f"{quote_plus(name)}={quote_plus(value)}"


def signature(url: str, fields: Mapping[str, str]) -> str:
    """Sign as Twilio does: HMAC-SHA1 over the address and then every name and value, sorted by name."""
    text = url + "".join(chain.from_iterable(sorted(fields.items())))
    return b64encode(hmac.digest(TOKEN, text.encode(), "sha1")).decode()


def request(base: str, target: str, fields: Fields, extra: str = "") -> bytes:
    """Return a whole signed request. `base` is what the server believes to be its public address."""
    body = "&".join([_pair(name, value) for name, value in fields.items()])
    return (
        f"POST {target} HTTP/1.1\r\nHost: {base.partition('://')[2]}\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nX-Forwarded-Proto: https\r\n"
        f"I-Twilio-Idempotency-Token: {fields['CallSid']}\r\nX-Twilio-Signature: {signature(base + target, fields)}\r\n"
        f"{extra}Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
