"""The provider's REST side, as requests and answers: one host, no redirect, limits on size and time, plain faults."""

import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import SHUT_RDWR
from threading import Timer
from time import monotonic
from urllib.parse import urlencode, urlsplit

import msgspec

from ivr.clock import now
from ivr.settings import Settings

CONNECT = 5.0  # seconds until there is a connection
WITHIN = 15.0  # seconds that a question may take from beginning to end
PLACING_WITHIN = 10.0  # a call may be looked for and then placed: twice this is well within a job's lease
PAGE_LIMIT = 8 * 1024 * 1024  # bytes of an answer: a page of a thousand calls is two megabytes
MEDIA_LIMIT = 50 * 1024 * 1024
MEDIA_SECONDS = 60.0
PIECE = 64 * 1024
SHORTEST_REST = 1.0  # seconds for which a provider that is busy is left alone
LONGEST_REST = 600.0


class ProviderFault(Exception):  # noqa: N818 - each kind of it is a state of affairs
    """The provider has not done what it was asked for. `status` is its answer, 0 if there was none."""

    def __init__(self, what: str, status: int = 0) -> None:
        self.status = status
        super().__init__(what)


class Gone(ProviderFault):
    """The provider does not have it (404), or not yet."""


class Denied(ProviderFault):
    """The provider will not do it (401, 403, 400 and the like): to ask again changes nothing."""


class Busy(ProviderFault):
    """The provider has been asked too often (429). Nothing was done; ask again after `retry_after` seconds."""

    def __init__(self, what: str, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(what, 429)


class Unavailable(ProviderFault):
    """The provider did not answer properly: 5xx, no connection, too slow. What was asked for may have been done."""


class Spoilt(Unavailable):
    """The provider's answer is not what was asked for: a redirect, too long, cut short, or something else entirely."""


class Answered(msgspec.Struct, frozen=True):
    """An answer as it came, with the names of its headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Question(msgspec.Struct, frozen=True):
    """One request: method, path below the host, query and form; how many bytes and seconds the answer may take."""

    method: str
    path: str
    query: Mapping[str, object] = {}
    form: Mapping[str, object] = {}
    limit: int = PAGE_LIMIT
    within: float = WITHIN


class Rest:
    """Asks one host, in the name of one account. While the provider is busy it is not asked at all."""

    def __init__(self, base: str, account_sid: str, token: str) -> None:
        self._base = urlsplit(base)
        self.account = f"/2010-04-01/Accounts/{account_sid}"
        self._authorization = f"Basic {b64encode(f'{account_sid}:{token}'.encode()).decode()}"
        self._resting_until = 0.0

    def ask(self, question: Question) -> Answered:
        """Return the answer if it is a good one. Raises ProviderFault."""
        what = f"{question.method} {question.path}"
        if not question.path.startswith(f"{self.account}/"):
            raise Denied(f"{what} is not in our account")
        if (rest := self._resting_until - monotonic()) > 0:
            raise Busy(f"{what} was not asked: the provider is busy", rest)
        try:
            answered = self._asked(question)
        except ssl.SSLCertVerificationError as error:
            raise Unavailable(f"{what}: the provider's certificate is not good: {error.verify_message}") from None
        except (OSError, HTTPException) as error:
            raise Unavailable(f"{what}: {type(error).__name__} {error}".rstrip()) from None
        self._judge(what, answered)
        return answered

    def audio(self, name: str, limit: int = MEDIA_LIMIT, seconds: float = MEDIA_SECONDS) -> bytes:
        """Return a recording's audio by its id and format, such as RE...wav. Raises ProviderFault."""
        answered = self.ask(Question("GET", f"{self.account}/Recordings/{name}", limit=limit, within=seconds))
        kind = answered.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not kind.startswith("audio/"):
            raise Spoilt(f"{name} came as {kind[:60] or 'nothing that says what it is'}, which is no audio")
        return answered.body

    def _asked(self, question: Question) -> Answered:
        ends = monotonic() + question.within
        connection = self._connection(min(CONNECT, question.within))
        try:
            connection.connect()
            with _cut_off(connection, ends - monotonic()):
                self._send(connection, question)
                response = connection.getresponse()
                headers = {name.lower(): value for name, value in response.getheaders()}
                body = _read(response, headers, question.limit) if response.status < 300 else b""
        finally:
            connection.close()
        if monotonic() >= ends:
            raise Unavailable(f"{question.method} {question.path}: longer than {question.within:.0f} s")
        return Answered(response.status, headers, body)

    def _connection(self, timeout: float) -> HTTPConnection:
        host, port = self._base.hostname or "", self._base.port
        if self._base.scheme == "https":
            return HTTPSConnection(host, port, timeout=timeout, context=_context())
        return HTTPConnection(host, port, timeout=timeout)

    def _send(self, connection: HTTPConnection, question: Question) -> None:
        query = urlencode(question.query, doseq=True)
        body = urlencode(question.form, doseq=True).encode() if question.method == "POST" else None
        headers = {"Authorization": self._authorization, "Accept-Encoding": "identity", "Connection": "close"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.sock.settimeout(question.within)
        connection.request(question.method, f"{question.path}?{query}" if query else question.path, body, headers)

    def _judge(self, what: str, answered: Answered) -> None:
        status = answered.status
        if status < 300:
            return
        what = f"{what}: the provider says {status}"
        if status == 429:
            seconds = _rest(answered.headers.get("retry-after", ""))
            self._resting_until = monotonic() + seconds
            raise Busy(what, seconds)
        if status in (404, 410):
            raise Gone(what, status)
        if status < 400:
            raise Spoilt(f"{what}, and we follow nobody elsewhere", status)
        raise (Denied if status < 500 and status != 408 else Unavailable)(what, status)


def rest_for(settings: Settings) -> Rest:
    """Return how the provider is asked under these settings. Nothing is opened before the first question."""
    token = settings.twilio_auth_token.get_secret_value()
    return Rest(settings.twilio_api_base, settings.twilio_account_sid, token)


@contextmanager
def _cut_off(connection: HTTPConnection, seconds: float) -> Iterator[None]:
    """Cut a connection off at a moment, for a byte now and then would keep every other time limit from ending."""
    sock = connection.sock  # a response that ends with its connection takes it over

    def cut() -> None:
        with suppress(OSError, ValueError):
            sock.shutdown(SHUT_RDWR)

    timer = Timer(max(0.0, seconds), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _read(response: HTTPResponse, headers: Mapping[str, str], limit: int) -> bytes:
    """Return the body, as long as it said it would be, and never more than the limit."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Spoilt("the answer is packed, which we did not ask for", response.status)
    declared = response.length
    if declared is not None and declared > limit:
        raise Spoilt(f"the answer has {declared} bytes, more than {limit}", response.status)
    body = bytearray()
    while piece := response.read1(PIECE):
        body += piece
        if len(body) > limit:
            raise Spoilt(f"the answer has more than {limit} bytes", response.status)
    if declared is not None and len(body) != declared:
        raise Spoilt(f"the answer ends after {len(body)} of {declared} bytes", response.status)
    return bytes(body)


def _rest(retry_after: str) -> float:
    """Return for how many seconds to leave the provider alone; it says so in seconds, or as a date."""
    seconds = 0.0
    if retry_after.isascii() and retry_after.isdecimal():
        seconds = float(retry_after[:6])
    elif retry_after:
        with suppress(ValueError, TypeError):
            seconds = (parsedate_to_datetime(retry_after) - now()).total_seconds()
    return min(LONGEST_REST, max(SHORTEST_REST, seconds))


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
