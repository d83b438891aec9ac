"""What we ask of the provider: recordings and calls as it knows them, a telephone call, a text."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Protocol

import msgspec

from ivr.rest import MEDIA_LIMIT, MEDIA_SECONDS, Gone
from ivr.settings import Settings

OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


class TheirRecording(msgspec.Struct, frozen=True):
    """A recording as the provider knows it. `status` is completed, absent, failed, processing, in-progress, ..."""

    sid: str
    call_sid: str
    status: str
    seconds: int
    source: str  # RecordVerb, DialVerb, ...


class TheirCall(msgspec.Struct, frozen=True):
    """A call as the provider knows it. `status` is its own word; `direction` is inbound, outbound-api, ..."""

    sid: str
    to: str
    from_: str
    status: str
    seconds: int
    direction: str
    parent_sid: str
    created_at: datetime
    ended_at: datetime | None

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self.status in OVER


class Outgoing(msgspec.Struct, frozen=True):
    """A telephone call to be placed: to whom, from which line, what is asked when it is answered and when it is over.

    It rings so many seconds and ends after so many at the latest.
    """

    to: str
    from_: str
    url: str
    status_url: str = ""
    rings: int = 25
    longest: int = 300


class Provider(Protocol):
    """The provider. Every method raises ivr.rest.ProviderFault."""

    def recording(self, sid: str) -> TheirRecording:
        """Return what the provider says of a recording."""

    def media(self, sid: str, limit: int = MEDIA_LIMIT, seconds: float = MEDIA_SECONDS) -> bytes:
        """Return a recording's audio as WAV, of at most `limit` bytes and in at most so many seconds."""

    def delete_recording(self, sid: str) -> bool:
        """Have a recording deleted; True once the provider says that there is none."""

    def recordings_since(self, instant: datetime) -> Iterable[TheirRecording]:
        """List the recordings that began at an instant or later."""

    def recordings_of(self, call_sid: str) -> Iterable[TheirRecording]:
        """List a call's recordings."""

    def call(self, sid: str) -> TheirCall:
        """Return what the provider says of a call."""

    def calls_since(self, instant: datetime) -> Iterable[TheirCall]:
        """List the calls that began at an instant or later."""

    def place_call(self, call: Outgoing, since: datetime | None = None, others: Collection[str] = ()) -> str:
        """Place a telephone call and return its id.

        With `since` it may have been placed before: then a call of ours to that number since that instant is looked
        for first, other than the `others`, which are known to be about something else.
        """

    def send_text(self, to: str, from_: str, body: str, since: datetime | None = None) -> str:
        """Send a text and return its id. With `since`, one of the same words since that instant is looked for first."""


class NoProvider:
    """Stands for the provider in a demo: each recording is a tone, and nobody is rung or written to."""

    def __init__(self, audio: Callable[[], bytes]) -> None:
        self._audio = audio

    def recording(self, sid: str) -> TheirRecording:
        """Say that a recording is complete."""
        return TheirRecording(sid, "", "completed", 0, "RecordVerb")

    def media(self, _sid: str, _limit: int = MEDIA_LIMIT, _seconds: float = MEDIA_SECONDS) -> bytes:
        """Return the tone."""
        return self._audio()

    def delete_recording(self, _sid: str) -> bool:
        """Say that there is none."""
        return True

    def recordings_since(self, _instant: datetime) -> Iterable[TheirRecording]:
        """List nothing."""
        return ()

    def recordings_of(self, _call_sid: str) -> Iterable[TheirRecording]:
        """List nothing."""
        return ()

    def call(self, sid: str) -> TheirCall:
        """Know no call."""
        raise Gone(f"there is no provider that could know call {sid}", 404)

    def calls_since(self, _instant: datetime) -> Iterable[TheirCall]:
        """List nothing."""
        return ()

    def place_call(self, _call: Outgoing, _since: datetime | None = None, _others: Collection[str] = ()) -> str:
        """Ring nobody."""
        return ""

    def send_text(self, _to: str, _from: str, _body: str, _since: datetime | None = None) -> str:
        """Write to nobody."""
        return ""


def has_provider(settings: Settings) -> bool:
    """Whether there is a provider to ask: not in a demo, unless it has been given one."""
    return settings.production or settings.twilio_api_base != type(settings).model_fields["twilio_api_base"].default
