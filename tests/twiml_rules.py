"""The standing checks: what every reply to the telephone must be, whatever a story is about."""

import re
from collections.abc import Iterator

from twiml_reader import Document, Verb, fault, read_document
from wire import WEBHOOK_SECONDS, Reply

RETRY_FRAGMENT = "#rc=2&rp=ct,rt,5xx&ct=2000&rt=6000&tt=15000"
MOST_BYTES = 64 * 1024
MOST_CHARACTERS = 4096
MOST_NUMBERS = 10

URL = r"[^\s]+"
COUNT = r"[1-9][0-9]{0,4}"
SECONDS = r"0|[1-9][0-9]{0,4}"
YES_OR_NO = r"true|false"
WORD = r"[A-Za-z][A-Za-z0-9._-]*"
E164 = r"\+[1-9][0-9]{6,14}"
RECORDED = {
    "recordingStatusCallback": URL,
    "recordingStatusCallbackMethod": "POST",
    "recordingStatusCallbackEvent": r"(in-progress|completed|absent)( (in-progress|completed|absent))*",
    "trim": r"trim-silence|do-not-trim",
}

GRAMMAR: dict[str, dict[str, str]] = {
    "Say": {"voice": WORD, "language": r"[a-z]{2,3}(-[A-Z]{2})?"},
    "Play": {"loop": COUNT},
    "Pause": {"length": SECONDS},
    "Gather": {
        "input": "dtmf",
        "action": URL,
        "method": "POST",
        "timeout": COUNT,
        "numDigits": COUNT,
        "finishOnKey": r"[0-9*#]?",
        "actionOnEmptyResult": YES_OR_NO,
    },
    "Record": {
        "action": URL,
        "method": "POST",
        "timeout": SECONDS,
        "maxLength": COUNT,
        "finishOnKey": r"[0-9*#]*",
        "playBeep": YES_OR_NO,
        "transcribe": YES_OR_NO,
        "transcribeCallback": URL,
        **RECORDED,
    },
    "Dial": {
        "action": URL,
        "method": "POST",
        "timeout": r"[5-9]|[1-9][0-9]|[1-5][0-9]{2}|600",
        "timeLimit": COUNT,
        "callerId": E164,
        "answerOnBridge": YES_OR_NO,
        "ringTone": r"[a-z]{2}(-old)?",
        "record": r"do-not-record|record-from-(answer|ringing)(-dual)?",
        **RECORDED,
    },
    "Number": {
        "url": URL,
        "method": "POST",
        "statusCallback": URL,
        "statusCallbackMethod": "POST",
        "statusCallbackEvent": r"(initiated|ringing|answered|completed)( (initiated|ringing|answered|completed))*",
    },
    "Redirect": {"method": "POST"},
    "Hangup": {},
    "Reject": {"reason": r"rejected|busy"},
}
EXPLICIT = {
    "Gather": ("action", "timeout", "finishOnKey", "actionOnEmptyResult"),
    "Record": ("action", "maxLength", "finishOnKey"),
    "Dial": ("timeout", "timeLimit", "callerId"),
}
INSIDE = {"Gather": {"Say", "Play", "Pause"}, "Dial": {"Number"}}
CALLER_VERBS = frozenset(GRAMMAR) - {"Number"}
WHISPER_VERBS = frozenset({"Say", "Play", "Pause", "Gather", "Hangup"})
CALLBACKS = ("action", "url", "statusCallback", "recordingStatusCallback", "transcribeCallback")


def voice_document(reply: Reply, base: str, verbs: frozenset[str] = CALLER_VERBS) -> Document:
    """Check a reply that a call waits for, and read it; `verbs` are those that may stand in <Response>."""
    if reply.status != 200:
        fault(f"a voice webhook is answered 200, not {reply.status}", reply.text)
    kind = reply.headers.get("content-type", "")
    if kind.partition(";")[0].strip() != "text/xml":
        fault(f"the content type of TwiML is text/xml, not {kind!r}", reply.text)
    if len(reply.body) > MOST_BYTES:
        fault(f"a document has at most 64 KB, not {len(reply.body)} bytes", reply.text[:2000])
    if reply.seconds > WEBHOOK_SECONDS:
        fault(f"Twilio waits 15 s, not {reply.seconds:.1f} s", reply.text)
    document = read_document(reply.body)
    faults = [*_faults(document.verbs, verbs, base)]
    if faults:
        fault("; ".join(faults), document.text)
    return document


def callback_answer(reply: Reply) -> None:
    """Check a reply that nobody waits for: 204 with nothing, or 200 with an empty <Response/>."""
    if reply.status == 204 and not reply.body:
        return
    if reply.status != 200:
        fault(f"a callback is answered 204 or 200, not {reply.status}", reply.text)
    kind = reply.headers.get("content-type", "")
    if kind.partition(";")[0].strip() != "text/xml" or read_document(reply.body).verbs:
        fault(f"a callback is answered with an empty <Response/> of type text/xml, not {kind!r}", reply.text)


def _faults(verbs: tuple[Verb, ...], allowed: frozenset[str] | set[str], base: str) -> Iterator[str]:
    for position, verb in enumerate(verbs):
        if verb.name not in allowed:
            yield f"<{verb.name}> may not stand here"
            continue
        yield from _attribute_faults(verb, base)
        yield from _content_faults(verb, base)
        if verb.name == "Reject" and position:
            yield "<Reject> comes first, or the call is answered already"
        if verb.name == "Record" and [after.name for after in verbs[position + 1 : position + 2]] != ["Redirect"]:
            yield "<Record> is followed by a <Redirect>, for a recording that stays empty"
        yield from _faults(verb.children, INSIDE.get(verb.name, set()), base)


def _attribute_faults(verb: Verb, base: str) -> Iterator[str]:
    grammar = GRAMMAR[verb.name]
    for name, value in verb.attributes.items():
        if name not in grammar:
            yield f"<{verb.name}> has no attribute {name}"
        elif not re.fullmatch(grammar[name], value):
            yield f"<{verb.name} {name}={value!r}> is not {grammar[name]}"
        elif name in CALLBACKS:
            yield from _url_faults(f"<{verb.name} {name}>", value, base)
    for name in EXPLICIT.get(verb.name, ()):
        if name not in verb.attributes:
            yield f"<{verb.name}> states its {name}"


def _content_faults(verb: Verb, base: str) -> Iterator[str]:
    match verb.name:
        case "Say" if len(verb.text) > MOST_CHARACTERS:
            yield f"<Say> has at most {MOST_CHARACTERS} characters, not {len(verb.text)}"
        case "Redirect":
            yield from _url_faults("<Redirect>", verb.text, base)
        case "Play" if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:[0-9]+)?/\S+", verb.text):
            yield f"<Play> has an absolute https URL, not {verb.text!r}"
        case "Dial" if not 1 <= len(verb.children) <= MOST_NUMBERS:
            yield f"<Dial> has one to ten numbers, not {len(verb.children)}"
        case "Number" if not re.fullmatch(E164, verb.text):
            yield f"<Number> has an E.164 number, not {verb.text!r}"


def _url_faults(place: str, url: str, base: str) -> Iterator[str]:
    address, hash_sign, fragment = url.partition("#")
    if not address.startswith("https://") or not address.startswith(base + "/"):
        yield f"{place} is absolute, https and ours ({base}), not {url!r}"
    elif not re.fullmatch(r"[A-Za-z0-9._~/-]+(\?[A-Za-z0-9._~=&-]*)?", address.removeprefix(base)):
        yield f"{place} has only characters that no framework decodes, not {url!r}"
    if hash_sign + fragment != RETRY_FRAGMENT:
        yield f"{place} ends in {RETRY_FRAGMENT}, not {hash_sign + fragment!r}"
