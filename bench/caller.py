"""A caller: follows whatever TwiML it gets, key by key, until the keys run out or the call is hung up."""

import html
import re
from collections.abc import Generator
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.webhook import Fields, completed, dialled, engineer, keyed, redirected, request, ringing

_ACTION = re.compile(rb'<(Gather|Dial|Record)\b[^>]*\baction="([^"]+)"')
_REDIRECT = re.compile(rb"<Redirect\b[^>]*>([^<]+)</Redirect>")
_WHISPER = re.compile(rb'<Number\b[^>]*\burl="([^"]+)"[^>]*>([^<]+)<')

Talk = Generator[bytes, bytes, None]
Steps = Generator[tuple[str, Fields], bytes, None]
RESCUE = b"/voice/rescue"  # in a document of a service that could not think: valid, but not what is measured


@dataclass(frozen=True)
class Script:
    """What a caller does at one service: where the call comes in, which keys are pressed, what is told at the end."""

    base: str
    first: str
    line: str
    keys: str
    status: str = ""  # path of the status callback; none for services that take none
    instant: str = ""  # RFC 3339; the service is told that this is the time


def talk(script: Script, sid: str, caller: str) -> Talk:
    """Yield a call's requests one after another; each reply is sent in. Raises ValueError for a reply that is wrong."""
    extra = f"X-Partnerline-Instant: {script.instant}\r\n" if script.instant else ""
    call = ringing(sid, caller, script.line)
    steps = _steps(script, call)
    target, fields = next(steps)
    while True:
        reply = yield request(script.base, target, fields, extra)
        if target != script.status and (not reply.startswith(b"<?xml") or RESCUE in reply):
            raise ValueError(f"{target} answered {reply[:80]!r}")
        try:
            target, fields = steps.send(reply)
        except StopIteration:
            return


def _steps(script: Script, call: Fields) -> Steps:
    keys = iter(script.keys)
    reply = yield script.first, call
    while True:
        action, redirect = _ACTION.search(reply), _REDIRECT.search(reply)
        if action and action[1] == b"Gather":
            key = next(keys, None)
            if key is None:
                break
            reply = yield _target(action[2]), keyed(call, key)
        elif action and action[1] == b"Dial":
            child = "CA" + call["CallSid"][:1:-1]
            whisper = _WHISPER.search(reply)
            if whisper:
                yield from _engineer(engineer(call, child, whisper[2].decode()), _target(whisper[1]))
            reply = yield _target(action[2]), dialled(call, child)
        elif redirect:
            reply = yield _target(redirect[1]), redirected(call)
        else:
            break
    if script.status:
        yield script.status, completed(call)


def _engineer(leg: Fields, whisper: str) -> Steps:
    """Pick up, listen, and press 1 to take the call."""
    reply = yield whisper, leg
    action = _ACTION.search(reply)
    if action:
        yield _target(action[2]), keyed(leg, "1")


def _target(url: bytes) -> str:
    """Return the request target of a URL in TwiML; the fragment stays with Twilio."""
    parts = urlsplit(html.unescape(url.decode()))
    return parts.path + (f"?{parts.query}" if parts.query else "")
