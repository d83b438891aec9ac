"""Twilio through its own library, on our wire: it builds requests and reads answers, and opens no connection itself."""

import logging
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from twilio.base.exceptions import TwilioException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from ivr.provider import Outgoing, TheirCall, TheirRecording
from ivr.rest import MEDIA_LIMIT, MEDIA_SECONDS, PLACING_WITHIN, WITHIN, Gone, Question, Rest, Spoilt

RECORDING_SID = re.compile("RE[0-9a-f]{32}")
MOST = 20_000  # calls or recordings that one question lists
AT_A_TIME = 1000
RECENT = 200  # calls and texts to one number that are looked through before another is sent
SKEW = timedelta(seconds=30)  # by which the provider's clock may be behind ours


class TwilioWire(HttpClient):
    """Carries the library's requests to our host, whatever host it has put into them."""

    def __init__(self, rest: Rest, within: float = WITHIN) -> None:
        super().__init__(logging.getLogger("ivr.provider"), is_async=False)
        self._rest = rest
        self._within = within

    def request(  # noqa: PLR0913, PLR0917 - the library's own signature
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,  # noqa: ARG002
        auth: tuple[str, str] | None = None,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002
        allow_redirects: bool = False,  # noqa: ARG002, FBT001, FBT002
    ) -> Response:
        """Ask, and return the answer as the library wants it. Raises ProviderFault for every answer but a good one."""
        parts = urlsplit(uri)
        query = {**dict(parse_qsl(parts.query)), **(params or {})}
        answered = self._rest.ask(Question(method.upper(), parts.path, query, data or {}, within=self._within))
        return Response(answered.status, answered.body.decode("utf-8", "replace"), answered.headers)


class Twilio:
    """Twilio, asked as ivr.provider.Provider says."""

    def __init__(self, rest: Rest, account_sid: str, token: str) -> None:
        self._rest = rest
        self._client = _client(rest, account_sid, token, WITHIN)
        self._hasty = _client(rest, account_sid, token, PLACING_WITHIN)

    def recording(self, sid: str) -> TheirRecording:
        """Return what Twilio says of a recording."""
        with _plainly():
            return _recording(self._client.recordings(_checked(sid)).fetch())

    def media(self, sid: str, limit: int = MEDIA_LIMIT, seconds: float = MEDIA_SECONDS) -> bytes:
        """Return a recording's audio. The address is built from our own settings and the recording's id alone."""
        return self._rest.audio(f"{_checked(sid)}.wav", limit, seconds)

    def delete_recording(self, sid: str) -> bool:
        """Have a recording deleted; True once Twilio says that there is none."""
        try:
            with _plainly():
                self._client.recordings(_checked(sid)).delete()
        except Gone:
            return True
        return False

    def recordings_since(self, instant: datetime) -> Iterable[TheirRecording]:
        """List the recordings that began at an instant or later."""
        with _plainly():
            found = self._client.recordings.stream(date_created_after=instant, limit=MOST, page_size=AT_A_TIME)
            return [_recording(each) for each in found]

    def recordings_of(self, call_sid: str) -> Iterable[TheirRecording]:
        """List a call's recordings."""
        with _plainly():
            return [_recording(each) for each in self._client.recordings.list(call_sid=call_sid, limit=AT_A_TIME)]

    def call(self, sid: str) -> TheirCall:
        """Return what Twilio says of a call."""
        with _plainly():
            return _call(self._client.calls(sid).fetch())

    def calls_since(self, instant: datetime) -> Iterable[TheirCall]:
        """List the calls that began at an instant or later."""
        with _plainly():
            found = self._client.calls.stream(start_time_after=instant, limit=MOST, page_size=AT_A_TIME)
            return [_call(each) for each in found]

    def place_call(self, call: Outgoing, since: datetime | None = None, others: Collection[str] = ()) -> str:
        """Place a telephone call, unless one is found that was placed already, and return its id."""
        with _plainly():
            if since and (placed := self._placed(call, since, others)):
                return placed
            status = {"status_callback": call.status_url, "status_callback_event": ["completed"]}
            made = self._hasty.calls.create(
                to=call.to,
                from_=call.from_,
                url=call.url,
                method="POST",
                timeout=call.rings,
                time_limit=call.longest,
                **(status if call.status_url else {}),
            )
            return str(made.sid)

    def _placed(self, call: Outgoing, since: datetime, others: Collection[str]) -> str:
        listed = (_call(each) for each in self._hasty.calls.list(to=call.to, limit=RECENT))
        ours = (each for each in listed if each.direction == "outbound-api" and each.from_ == call.from_)
        return next((each.sid for each in ours if each.created_at >= since - SKEW and each.sid not in others), "")

    def send_text(self, to: str, from_: str, body: str, since: datetime | None = None) -> str:
        """Send a text, unless one of the same words was sent already, and return its id."""
        with _plainly():
            if since:
                for each in self._client.messages.list(to=to, from_=from_, limit=RECENT):
                    if each.body == body and _instant(each.date_created) >= since - SKEW:
                        return str(each.sid)
            return str(self._client.messages.create(to=to, from_=from_, body=body).sid)


def _client(rest: Rest, account_sid: str, token: str, within: float) -> Client:
    """Return the library's client; each of its questions takes so many seconds at the most."""
    wire, deaf = TwilioWire(rest, within), {"none": ""}  # whatever TWILIO_REGION says, the host is ours
    return Client(account_sid, token, http_client=wire, environment=deaf)  # type: ignore[no-untyped-call]


@contextmanager
def _plainly() -> Iterator[None]:
    """Turn whatever the library makes of an answer that is not as promised into a fault of the provider."""
    try:
        yield
    except (TwilioException, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Spoilt(f"the provider's answer makes no sense: {type(error).__name__} {error}"[:300]) from None


def _checked(sid: str) -> str:
    if not RECORDING_SID.fullmatch(sid):
        raise Gone("that is no recording's id", 404)
    return sid


def _recording(each: Any) -> TheirRecording:  # noqa: ANN401 - the library's own class
    return TheirRecording(each.sid, each.call_sid or "", str(each.status), int(each.duration or 0), str(each.source))


def _call(each: Any) -> TheirCall:  # noqa: ANN401 - the library's own class
    return TheirCall(
        each.sid,
        each.to or "",
        each._from or "",  # noqa: SLF001 - the library has no other name for it
        str(each.status),
        int(each.duration or 0),
        each.direction or "",
        each.parent_call_sid or "",
        _instant(each.start_time or each.date_created),
        _instant(each.end_time) if each.end_time else None,
    )


def _instant(told: datetime | None) -> datetime:
    if told is None:
        raise ValueError("it does not say when")
    return told.astimezone(UTC)
