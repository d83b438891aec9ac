"""Events on their way to other systems: signed by the rules of Standard Webhooks, in order, and at least once."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec
from standardwebhooks import Webhook

from ivr.events import Shape
from ivr.jobs.job import Handler, Later, Refused
from ivr.outbound import Forbidden, Reply, post
from recordings.outbox import Job, Owed

GIVEN_UP = timedelta(hours=24)
LONGEST_WAIT = 3600.0  # seconds that a receiver may ask us to wait
GONE, TOO_MANY = 410, 429

_encode = msgspec.json.Encoder().encode


class Event(msgspec.Struct, frozen=True):
    """Something that other systems are told. `key` is stable, so that each is told once."""

    type: str
    key: str
    at: datetime
    data: Shape
    call_sid: str = ""
    case_number: str = ""


class NotTaken(Exception):  # noqa: N818 - a state of affairs: it is tried again
    """An endpoint did not take an event. The message says why, without the address."""


class Webhooks:
    """Knows who is told of events, and tells them. `private` lets addresses of this network be called: the demo."""

    def __init__(self, endpoints: Sequence[str], secret: str, *, private: bool = False) -> None:
        self._endpoints = tuple(endpoints)
        self._webhook = Webhook(secret) if secret else None
        self._private = private

    def handlers(self) -> Mapping[str, Handler]:
        """Return what carries out which kind of row."""
        return {"webhook": self.webhook}

    @property
    def listened_to(self) -> bool:
        """Whether anybody wants to be told."""
        return bool(self._endpoints)

    def owed(self, event: Event) -> tuple[Owed, ...]:
        """Return what has to be owed so that every endpoint is told of an event. Events of one case stay in order."""
        detail: Shape = {"type": event.type, "at": event.at, "data": event.data}
        about = event.case_number or event.call_sid
        return tuple(
            Owed(
                "webhook",
                f"{event.key}.event.{number}",
                {**detail, "endpoint": number},
                event.call_sid,
                event.case_number,
                f"webhook.{number}.{about}",
            )
            for number in range(len(self._endpoints))
        )

    def webhook(self, job: Job, at: datetime) -> None:
        """Post one event to one endpoint. Raises Later, Refused and NotTaken."""
        number = int(str(job.detail["endpoint"]))
        if self._webhook is None or number >= len(self._endpoints):
            raise Refused("EVENT_URLS does not name this endpoint any more")
        body = _encode({"type": job.detail["type"], "timestamp": job.detail["at"], "data": job.detail["data"]})
        try:
            reply = post(self._endpoints[number], body, self._headers(job, body, at), private=self._private)
        except Forbidden as error:
            raise Refused(f"endpoint {number}: {error}") from None
        _judge(reply, f"endpoint {number}", job, at)

    def _headers(self, job: Job, body: bytes, at: datetime) -> dict[str, str]:
        """Return the headers that prove who sends this. The id is the same each time that the event is sent."""
        assert self._webhook is not None  # noqa: S101 - looked at by the only caller
        ident = message_id(job.key)
        return {
            "Content-Type": "application/json",
            "User-Agent": "Partnerline",
            "webhook-id": ident,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._webhook.sign(ident, at.astimezone(UTC), body.decode()),
        }


def message_id(key: str) -> str:
    """Return the id of a message, without a full stop: that is what parts the signed text."""
    return f"msg_{hashlib.blake2s(key.encode(), digest_size=12).hexdigest()}"


def _judge(reply: Reply, endpoint: str, job: Job, at: datetime) -> None:
    if 200 <= reply.status < 300:
        return
    if reply.status == GONE:
        raise Refused(f"{endpoint} answered {GONE}: it wants no more events")
    wait = wait_of(reply.retry_after, at)
    if reply.status == TOO_MANY and wait is not None and at - job.created_at < GIVEN_UP:
        raise Later(wait, f"{endpoint} asked for {wait:.0f} s")
    raise NotTaken(f"{endpoint} answered {reply.status}")


def wait_of(retry_after: str, at: datetime) -> float | None:
    """Return how many seconds Retry-After asks for, an hour at most; None if it says nothing that can be read."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return min(float(text), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((aware - at).total_seconds(), 0.0), LONGEST_WAIT)
