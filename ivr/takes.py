"""The take in hand: the one recording that a caller can hear, the one that they have just spoken and may still change.

Twilio asks for it without a signature, so the URL carries a token, and the call must still be waiting for a decision.
"""

import io
import math
import struct
import wave
from collections.abc import Callable, Iterable
from functools import cache
from time import monotonic, sleep

from ivr import urls
from ivr.form import Environ, Refused
from ivr.guard import target_of
from ivr.ledger import Ledger
from ivr.observe import log
from ivr.provider import has_provider
from ivr.rest import Gone, ProviderFault, Rest, rest_for
from ivr.settings import Settings
from ivr.tokens import Seal, TakeToken
from ivr.voice import StartResponse, refuse
from recordings.store import StoreUnavailable

PATIENCE = 6.0  # seconds in which a recording that has just ended usually becomes ready
BETWEEN = 0.5  # seconds between two looks
AUDIO_LIMIT = 8 * 1024 * 1024  # bytes
RATE = 8000  # samples a second

Fetch = Callable[[str], bytes | None]


class Takes:
    """Answers GET /voice/take/<token>."""

    def __init__(self, seal: Seal, ledger: Ledger, fetch: Fetch) -> None:
        self._seal = seal
        self._ledger = ledger
        self._fetch = fetch

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request: with the take, with silence while it cannot be had, or with 404."""
        try:
            token = self._admit(environ)
        except Refused as refusal:
            return refuse(refusal, start_response, allow="GET")
        audio = self._fetch(token.recording) or silence()
        kind = "audio/wav" if audio.startswith(b"RIFF") else "audio/mpeg"
        start_response(
            "200 OK",
            [("Content-Type", kind), ("Content-Length", str(len(audio))), ("Cache-Control", "no-store")],
        )
        return (audio,)

    def _admit(self, environ: Environ) -> TakeToken:
        if environ["REQUEST_METHOD"] != "GET":
            raise Refused("405 Method Not Allowed", "method")
        token = self._seal.read_take(target_of(environ).removeprefix(urls.TAKE))
        if token is None or not self._is_in_hand(token):
            raise Refused("404 Not Found", "take")
        return token

    def _is_in_hand(self, token: TakeToken) -> bool:
        try:
            call = self._ledger.load(token.sid)
        except StoreUnavailable:
            return False
        if call is None or call.take is None or call.ended_at:
            return False
        return call.take.recording == token.recording


def fetch_for(settings: Settings) -> Fetch:
    """Return how a take is got: from Twilio, or, in a demo that has no Twilio, a tone that stands for it."""
    if has_provider(settings):
        return Provided(rest_for(settings)).fetch
    return lambda _recording: tone()


class Provided:
    """Takes from the provider, as soon as it has them."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def fetch(self, recording: str) -> bytes | None:
        """Return a recording's audio, waiting a little for it to be ready; None if it cannot be had in time."""
        deadline = monotonic() + PATIENCE
        while (left := deadline - monotonic()) > 0:
            try:
                return self._rest.audio(f"{recording}.mp3", AUDIO_LIMIT, left)
            except Gone:
                sleep(min(BETWEEN, left))
            except ProviderFault as fault:
                log.warning("Recording %s could not be fetched: %s", recording, fault)
                return None
        return None


@cache
def silence() -> bytes:
    """Return a fifth of a second of nothing, so that a call goes on where there is nothing to hear."""
    return _wav([0] * (RATE // 5))


@cache
def tone(seconds: int = 1) -> bytes:
    """Return a tone, which stands for a message where calls are simulated."""
    return _wav([int(8000 * math.sin(2 * math.pi * 440 * at / RATE)) for at in range(RATE * seconds)])


def _wav(samples: list[int]) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return written.getvalue()
