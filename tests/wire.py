"""The wire between the telephone and the service: Twilio's signature, and two ways to carry a request."""

import base64
import hashlib
import hmac
import http.client
import io
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes, urlsplit

AUTH_TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
ACCOUNT_SID = "AC00112233445566778899aabbccddeeff"
PUBLIC_BASE_URL = "https://voice.partnerline.example"
WEBHOOK_SECONDS = 15.0

Form = Mapping[str, str] | Sequence[tuple[str, str]]


def pairs(form: Form) -> list[tuple[str, str]]:
    """Give the fields of a form in order, repeated names included."""
    return list(form.items()) if isinstance(form, Mapping) else list(form)


def sign(token: str, url: str, params: Form = ()) -> str:
    """Sign a form POST: HMAC-SHA1 over the URL without fragment, then each name and value sorted by name, in base64.

    A name that is repeated contributes its distinct values in order. A GET is signed with no params.
    """
    values: dict[str, set[str]] = {}
    for name, value in pairs(params):
        values.setdefault(name, set()).add(value)
    signed = url.partition("#")[0] + "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    digest = hmac.new(token.encode(), signed.encode("utf-8", "surrogatepass"), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


@dataclass(frozen=True)
class Request:
    """What goes over the wire: the target is path and query exactly as they stand in the request line."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """What came back: header names in lower case, seconds as measured."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float = field(default=0.0, compare=False)

    @property
    def text(self) -> str:
        """The body as text, for messages."""
        return self.body.decode("utf-8", "replace")


class Wire(Protocol):
    """Carries a request to the service that calls itself `base`; raises OSError or HTTPException if it cannot."""

    @property
    def base(self) -> str:
        """The PUBLIC_BASE_URL of the service: what Twilio believes it is talking to, and signs."""

    def send(self, request: Request) -> Reply:
        """Carry one request and wait for the reply."""


Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class AppWire:
    """Calls a WSGI application in this process, with the environ that gunicorn would build behind a proxy."""

    def __init__(self, app: Application, base: str = PUBLIC_BASE_URL) -> None:
        self.app = app
        self.base = base

    def send(self, request: Request) -> Reply:
        """Run the application to the end of its body and close it, as a WSGI server must."""
        answer: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[..., Any]:
            if answer and exc_info is None:
                raise AssertionError("start_response was called twice")
            answer[:] = [(status, headers)]
            return written.append

        started = time.perf_counter()
        chunks = self.app(environ_of(request, self.base), start_response)
        try:
            written.extend(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        seconds = time.perf_counter() - started
        status, headers = answer[0]
        lowered = {name.lower(): value for name, value in headers}
        return Reply(int(status.split(" ", 1)[0]), lowered, b"".join(written), seconds)


GUNICORN = {
    "SCRIPT_NAME": "",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_SOFTWARE": "gunicorn",
    "REMOTE_ADDR": "127.0.0.1",
    "REMOTE_PORT": "49152",
    "wsgi.version": (1, 0),
    "wsgi.input_terminated": True,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


def environ_of(request: Request, base: str) -> Environ:
    """Build the WSGI environ of a request that reached gunicorn through a TLS proxy on the same host."""
    path, _, query = request.target.partition("?")
    public = urlsplit(base)
    environ: Environ = {
        **GUNICORN,
        "REQUEST_METHOD": request.method,
        "RAW_URI": request.target,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": public.hostname,
        "SERVER_PORT": str(public.port or 443),
        "wsgi.url_scheme": public.scheme,
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    return environ


class ServerWire:
    """Speaks HTTP to a running server, whose own address differs from the public one; a fresh connection each time."""

    def __init__(self, server: str, base: str = PUBLIC_BASE_URL) -> None:
        self.server = server
        self.base = base

    def send(self, request: Request) -> Reply:
        """Send the request line and headers exactly as they are given."""
        where = urlsplit(self.server)
        connection = http.client.HTTPConnection(where.hostname or "127.0.0.1", where.port or 80, WEBHOOK_SECONDS)
        started = time.perf_counter()
        try:
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                connection.putheader(name, value)
            connection.endheaders(request.body)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, body, time.perf_counter() - started)
