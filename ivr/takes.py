"""The take in hand: the one recording that a caller can hear, the one that they have just spoken and may still change.

Twilio asks for it without a signature, so the URL carries a token, and the call must still be waiting for a decision.
"""

import io
import math
import struct
import wave
from base64 import b64encode
from collections.abc import Callable, Iterable
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic, sleep
from urllib.parse import urlsplit

from ivr import urls
from ivr.form import Environ, Refused
from ivr.guard import target_of
from ivr.ledger import Ledger
from ivr.observe import log
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
    if settings.production or settings.twilio_api_base != type(settings).model_fields["twilio_api_base"].default:
        return Provider(settings).fetch
    return lambda _recording: tone()


class Provider:
    """Fetches recordings from Twilio. The address is built from our own settings and the recording's id alone."""

    def __init__(self, settings: Settings) -> None:
        self._base = urlsplit(settings.twilio_api_base)
        self._path = f"/2010-04-01/Accounts/{settings.twilio_account_sid}/Recordings/"
        login = f"{settings.twilio_account_sid}:{settings.twilio_auth_token.get_secret_value()}"
        self._headers = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}

    def fetch(self, recording: str) -> bytes | None:
        """Return a recording's audio, waiting a little for it to be ready; None if it cannot be had in time."""
        deadline = monotonic() + PATIENCE
        while (left := deadline - monotonic()) > 0:
            try:
                status, audio = self._get(recording, left)
            except (OSError, HTTPException) as error:
                log.warning("Recording %s could not be fetched: %s", recording, error)
                return None
            if status == 200 and len(audio) <= AUDIO_LIMIT:
                return audio
            if status != 404:
                log.warning("Recording %s could not be fetched: status %s", recording, status)
                return None
            sleep(min(BETWEEN, left))
        return None

    def _get(self, recording: str, timeout: float) -> tuple[int, bytes]:
        connect = HTTPSConnection if self._base.scheme == "https" else HTTPConnection
        connection = connect(self._base.hostname or "", self._base.port, timeout=timeout)
        try:
            connection.request("GET", f"{self._path}{recording}.mp3", headers=self._headers)
            response = connection.getresponse()
            return response.status, response.read(AUDIO_LIMIT + 1)
        finally:
            connection.close()


@cache
def silence() -> bytes:
    """Return a fifth of a second of nothing, so that a call goes on where there is nothing to hear."""
    return _wav([0] * (RATE // 5))


@cache
def tone() -> bytes:
    """Return a second of a tone, which stands for a message where calls are simulated."""
    return _wav([int(8000 * math.sin(2 * math.pi * 440 * at / RATE)) for at in range(RATE)])


def _wav(samples: list[int]) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return written.getvalue()
