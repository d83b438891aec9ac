"""The carrier: delivers webhooks as Twilio does, and as badly as Twilio is allowed to."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from http.client import HTTPException
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

from clock import Clock
from twiml_reader import Document
from twiml_rules import callback_answer, voice_document
from wire import ACCOUNT_SID, AUTH_TOKEN, Form, Reply, Request, Wire, pairs, sign

SIGNED = "(the right one)"
INSTANT_HEADER = "X-Partnerline-Instant"
TOKEN_HEADER = "I-Twilio-Idempotency-Token"
HABITUAL = {
    "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    "User-Agent": "TwilioProxy/1.1",
    "Accept": "*/*",
    "X-Forwarded-For": "203.0.113.10",
    "X-Forwarded-Proto": "https",
}


@dataclass(frozen=True)
class Exchange:
    """One request that was sent, and its reply; a repeated field name is there with its last value."""

    path: str
    form: Mapping[str, str]
    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


@dataclass(frozen=True)
class Chaos:
    """What goes wrong on purpose.

    stutter, concurrent: each webhook goes out so many times, one after the other or at once; the replies must be equal.
    retries: how often a webhook that meets no answer or a 5xx is sent again before the fallback URL is asked (Twilio:
    2); with 0 it fails the test. seed: asynchronous callbacks come late, out of order and twice, and what Twilio leaves
    open is drawn; None is the plain order. loss: the share of asynchronous callbacks lost under a seed. drop_status: no
    status callback ever arrives.
    """

    stutter: int = 1
    concurrent: int = 1
    retries: int = 0
    seed: int | None = None
    loss: float = 0.0
    drop_status: bool = False


class Undelivered(Exception):  # noqa: N818 - a fact of the network, which the fallback URL answers
    """A webhook got no usable answer, retries included; carries Twilio's error code and the URL."""

    def __init__(self, code: str, url: str) -> None:
        super().__init__(f"{code} at {url}")
        self.code = code
        self.url = url


class Carrier:
    """Signs, sends, repeats and checks; keeps every exchange."""

    def __init__(
        self,
        wire: Wire,
        *,
        auth_token: str = AUTH_TOKEN,
        account_sid: str = ACCOUNT_SID,
        clock: Clock | None = None,
        stamp: Callable[[float], dict[str, str]] | None = None,
        fetch_media: bool = False,
        **chaos: Any,
    ) -> None:
        self.wire = wire
        self.auth_token = auth_token
        self.account_sid = account_sid
        self.clock = clock or Clock()
        self.stamp = stamp
        self.fetch_media = fetch_media
        self.chaos = Chaos(**chaos)
        self.chance = Random(self.chaos.seed)
        self.exchanges: list[Exchange] = []
        self.undelivered: list[str] = []
        self._outstanding: list[tuple[str, Form]] = []
        self._in_gap = False
        self._lock = threading.Lock()

    def turn(self, url: str, form: Form, verbs: frozenset[str]) -> Document:
        """Deliver a webhook that the call waits for, and read its document; raises Undelivered."""
        self._delivers_some()
        return voice_document(self._delivers(url, form), self.wire.base, verbs)

    def later(self, url: str, form: Form) -> None:
        """Deliver a callback that nobody waits for: at once, or under a seed whenever it pleases."""
        is_status = dict(pairs(form)).get("CallbackSource") == "call-progress-events"
        if self._in_gap or (is_status and self.chaos.drop_status) or self.draws(self.chaos.loss):
            return
        if self.chaos.seed is None:
            self._calls_back(url, form)
        else:
            self._outstanding += [(url, form)] * (2 if self.draws(0.3) else 1)

    def settle(self) -> None:
        """Deliver the callbacks that are outstanding, in the seed's order."""
        self.chance.shuffle(self._outstanding)
        while self._outstanding:
            self._calls_back(*self._outstanding.pop())

    @contextmanager
    def gap(self) -> Iterator[None]:
        """Lose every asynchronous callback that falls due inside the block."""
        self._in_gap = True
        try:
            yield
        finally:
            self._in_gap = False

    def draws(self, share: float = 0.5) -> bool:
        """Draw a lot for what Twilio leaves open; without a seed always the plain way, False."""
        return self.chaos.seed is not None and self.chance.random() < share

    def media(self, url: str) -> None:
        """Fetch what a Play names, if this telephone does that: by GET, unsigned, and it must be audio."""
        if not self.fetch_media or not url.startswith(self.wire.base):
            return
        path = url.partition("#")[0].removeprefix(self.wire.base)
        reply = self._sends(self.request(path, method="GET", signature=None))
        if reply.status != 200 or not reply.headers.get("content-type", "").startswith("audio/"):
            raise AssertionError(f"{url} is not audio: {reply.status} {reply.headers.get('content-type')}")

    def post(self, path: str, form: Form = (), **forged: Any) -> Reply:
        """Send one raw request, right or forged in the ways of `request`, and give the reply unchecked."""
        return self._sends(self.request(path, form, **forged))

    def request(
        self,
        path: str,
        form: Form = (),
        *,
        method: str = "POST",
        token: str | None = None,
        signature: str | None = SIGNED,
        headers: Mapping[str, str] | None = None,
    ) -> Request:
        """Build a request as Twilio would, or with another token, another signature or none (None), more headers."""
        params = () if method == "GET" else form
        if signature == SIGNED:
            signature = sign(token or self.auth_token, self.wire.base + path, params)
        body = urlencode(pairs(params), errors="surrogatepass").encode()
        sent = {
            "Host": urlsplit(self.wire.base).netloc,
            **HABITUAL,
            "Content-Length": str(len(body)),
            TOKEN_HEADER: str(uuid4()),
            **self._stamps(),
            **({} if signature is None else {"X-Twilio-Signature": signature}),
            **(headers or {}),
        }
        return Request(method, path, sent, body)

    def _stamps(self) -> dict[str, str]:
        stamps = self.stamp(self.clock.seconds) if self.stamp else {}
        if self.clock.instant is not None:
            instant = self.clock.instant.astimezone(UTC).isoformat(timespec="milliseconds")
            stamps = {INSTANT_HEADER: instant.replace("+00:00", "Z"), **stamps}
        return stamps

    def _calls_back(self, url: str, form: Form) -> None:
        try:
            callback_answer(self._delivers(url, form))
        except Undelivered as failure:
            self.undelivered.append(str(failure))

    def _delivers_some(self) -> None:
        with self._lock:
            lots = [(self.draws(), callback) for callback in self._outstanding]
            now, self._outstanding = [one for due, one in lots if due], [one for due, one in lots if not due]
        for url, form in now:
            self._calls_back(url, form)

    def _delivers(self, url: str, form: Form) -> Reply:
        """Deliver one webhook, as often as chaos wants, and insist on one answer."""
        request = self.request(url.partition("#")[0].removeprefix(self.wire.base), form)
        replies = self._delivers_at_once(request)
        for _ in range(self.chaos.stutter - 1):
            replies.append(self._insists(self._repeat(request)))
        for other in replies[1:]:
            if (other.status, other.body) != (replies[0].status, replies[0].body):
                raise AssertionError(f"{url} sent twice has two answers:\n{replies[0].text}\n--- and\n{other.text}")
        return replies[0]

    def _delivers_at_once(self, request: Request) -> list[Reply]:
        if self.chaos.concurrent == 1:
            return [self._insists(request)]
        copies = [request, *(self._repeat(request) for _ in range(self.chaos.concurrent - 1))]
        with ThreadPoolExecutor(len(copies)) as pool:
            return list(pool.map(self._insists, copies))

    def _repeat(self, request: Request) -> Request:
        """Send it again: whether the idempotency token is there, and is the same, is promised nowhere."""
        headers = dict(request.headers)
        if self.draws():
            headers[TOKEN_HEADER] = str(uuid4())
        elif self.draws():
            del headers[TOKEN_HEADER]
        return replace(request, headers=headers)

    def _insists(self, request: Request) -> Reply:
        """Send until there is an answer, as often as the retry fragment allows."""
        code = ""
        for _ in range(1 + self.chaos.retries):
            try:
                reply = self._sends(request)
            except (OSError, HTTPException):
                if not self.chaos.retries:
                    raise
                code = "11205"
            else:
                if reply.status < 500 or not self.chaos.retries:
                    return reply
                code = "11200"
        raise Undelivered(code, self.wire.base + request.target)

    def _sends(self, request: Request) -> Reply:
        reply = self.wire.send(request)
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        exchange = Exchange(request.target, form, reply.status, reply.headers, reply.body, reply.seconds)
        with self._lock:
            self.exchanges.append(exchange)
        return reply
