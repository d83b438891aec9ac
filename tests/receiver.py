"""A receiver of messages over HTTP: a real server on loopback that keeps what it is sent, and can refuse, fail or hang.

It checks signatures by the published rules of Standard Webhooks, with the standard library alone.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Self


@dataclass
class Got:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers every POST with `status`, after it has been let go where it `hangs`."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    got: list[Got] = field(default_factory=list)
    refused: list[Got] = field(default_factory=list)

    def __enter__(self) -> Self:
        receiver = self
        self._let_go = Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if len(body) < length:  # whoever sent it was killed in the middle
                    self.close_connection = True
                    return
                receiver.took(Got(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                if receiver.hangs:
                    receiver._let_go.wait(30)
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                receiver.refused.append(Got(self.path, {}, b"GET"))
                self.send_error(405)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def took(self, got: Got) -> None:
        (self.got if 200 <= self.status < 300 and not self.hangs else self.refused).append(got)

    @property
    def subjects(self) -> list[str]:
        return [got.json["title"] for got in self.got]


def is_signed(got: Got, secret: str) -> bool:
    """Whether one of the signatures is right: HMAC-SHA256 over id, timestamp and body, parted by full stops."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode(), got.body])
    right = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return any(hmac.compare_digest(f"v1,{right}", each) for each in got.headers["webhook-signature"].split())
