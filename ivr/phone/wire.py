"""The wire: signed webhooks over HTTP, sent as the provider sends them."""

import hmac
import uuid
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlencode, urlsplit

from ivr.signature import signed_text

ATTEMPTS = 3  # the first, and the two more that our own URLs ask for
SECONDS = 15  # that the provider waits for an answer
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
FORBIDDEN = 403


class WireFault(Exception):  # noqa: N818 - the fault is on the other side
    """A webhook got no usable answer. `code` is what the provider would tell the fallback URL.

    `refused` says that the service wants none of it, `absent` that nothing listens at its address.
    """

    def __init__(self, words: str, code: str = "11200", *, refused: bool = False, absent: bool = False) -> None:
        super().__init__(words)
        self.code = code
        self.refused = refused
        self.absent = absent


class _NotConnectedError(OSError):
    """No connection could be made."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the service is, the address that it believes to have, and the account that signs.

    Requests go to `url`; they are signed as if they went to `public_base_url`.
    """

    url: str
    public_base_url: str
    auth_token: str
    account_sid: str


class Wire:
    """Sends webhooks for one call. `instant` says what time it is there; None leaves that to the service's clock."""

    def __init__(self, address: Address, instant: Callable[[], datetime | None]) -> None:
        self.address = address
        self._instant = instant

    def post(self, url: str, fields: Mapping[str, str]) -> str:
        """Deliver a webhook and return the answer's text. Raises WireFault once nothing more is worth trying."""
        target = self.target(url)
        body = urlencode(fields)
        headers = self._headers(target, fields)
        for left in reversed(range(ATTEMPTS)):
            try:
                status, text = self._send("POST", target, (body, headers))
            except (OSError, HTTPException) as error:
                if not left:
                    raise self._unanswered(error) from None
                continue
            if status < 500 or not left:
                return self._judged(status, text, target)
        raise AssertionError(ATTEMPTS)

    def fetch(self, url: str) -> None:
        """Fetch a sound, as the provider does: unsigned. Raises WireFault when there is none."""
        target = self.target(url)
        try:
            status, text = self._send("GET", target, ("", {"User-Agent": "TwilioProxy/1.1"}))
        except (OSError, HTTPException) as error:
            raise self._unanswered(error) from None
        self._judged(status, text, target)

    def target(self, url: str) -> str:
        """Return the path of one of our own URLs. Raises WireFault for anybody else's."""
        whole = url.partition("#")[0]
        base = self.address.public_base_url
        if whole.startswith("/"):
            return whole
        if not whole.startswith(f"{base}/"):
            raise WireFault(f"the service leads to {whole}, which is not under {base}: set PUBLIC_BASE_URL", "11100")
        return whole.removeprefix(base)

    def _headers(self, target: str, fields: Mapping[str, str]) -> dict[str, str]:
        text = self.address.public_base_url + target + signed_text(fields.items())
        mac = hmac.digest(self.address.auth_token.encode(), text.encode(), "sha1")
        instant = self._instant()
        clock = {} if instant is None else {"X-Partnerline-Instant": f"{instant:%Y-%m-%dT%H:%M:%S.%fZ}"}
        return {
            "Content-Type": FORM,
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": b64encode(mac).decode(),
            "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
            **clock,
        }

    def _send(self, method: str, target: str, content: tuple[str, Mapping[str, str]]) -> tuple[int, str]:
        parts = urlsplit(self.address.url)
        connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = connect(parts.netloc, timeout=SECONDS)
        body, headers = content
        try:
            _connect(connection)
            connection.request(method, target, body.encode() or None, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def _unanswered(self, error: Exception) -> WireFault:
        return WireFault(
            f"{self.address.url} does not answer ({error})", "11202", absent=isinstance(error, _NotConnectedError)
        )

    def _judged(self, status: int, text: str, target: str) -> str:
        if status < 300:
            return text
        words = " ".join(text.split())[:200]
        path = target.partition("1.")[0]
        if status == FORBIDDEN:
            raise WireFault(
                f"the service refused POST {path} (403 {words}). It signs with another token, believes to be at"
                f" another address than {self.address.public_base_url}, or is no demo and so takes no --at.",
                refused=True,
            )
        raise WireFault(f"the service answered {status} to {path}: {words}")


def _connect(connection: HTTPConnection) -> None:
    """Open a connection. Raises _NotConnectedError when there is nothing to connect to."""
    try:
        connection.connect()
    except OSError as error:
        raise _NotConnectedError(error.strerror or str(error)) from None
