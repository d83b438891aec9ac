"""Twilio's REST side, as far as it is asked: recordings, calls and messages of one account, on loopback.

It knows nothing of the service and of Twilio's library. What goes wrong is scripted; what was asked is written down.
"""

import base64
import gzip
import io
import json
import math
import re
import struct
import threading
import time
import wave
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import uuid4

ACCOUNT_SID = "AC00112233445566778899aabbccddeeff"
AUTH_TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
ACCOUNT = f"/2010-04-01/Accounts/{ACCOUNT_SID}"
PATH = re.compile(rf"{ACCOUNT}/(Recordings|Calls|Messages)(?:/([A-Z]{{2}}[0-9a-f]{{32}}))?\.(json|wav|mp3)")
PAGE = 50


@dataclass
class Asked:
    """One request that came in."""

    method: str
    path: str
    form: dict[str, str]
    status: int = 0


@dataclass
class Tape:
    """A recording in the provider's keeping. `ready` after so many requests for its media."""

    sid: str
    call_sid: str
    audio: bytes
    created_at: datetime
    status: str = "completed"
    source: str = "RecordVerb"
    seconds: int = 5
    ready: int = 0
    deleted: bool = False


@dataclass
class Ring:
    """A call as the provider knows it."""

    sid: str
    to: str
    from_: str
    status: str
    created_at: datetime
    seconds: int = 0
    direction: str = "inbound"
    ended_at: datetime | None = None
    body: str = ""


Fault = Callable[["Answer"], None]


@dataclass
class Rest:
    """The account: what it holds, what goes wrong next, and what it was asked."""

    tapes: dict[str, Tape] = field(default_factory=dict)
    calls: dict[str, Ring] = field(default_factory=dict)
    texts: dict[str, Ring] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    faults: deque[tuple[str, Fault]] = field(default_factory=deque)
    down: bool = False
    now: Callable[[], datetime] = lambda: datetime(2026, 7, 14, 20, 30, tzinfo=UTC)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def holds(self, call_sid: str, sid: str = "", **known: object) -> Tape:
        """Keep a recording."""
        tape = Tape(sid or "RE" + uuid4().hex, call_sid, speech(), self.now())
        self.tapes[tape.sid] = replace(tape, **known)
        return self.tapes[tape.sid]

    def knows(self, sid: str, to: str, from_: str, status: str = "completed", **known: object) -> Ring:
        """Keep a call."""
        self.calls[sid] = replace(Ring(sid, to, from_, status, self.now()), **known)
        return self.calls[sid]

    def fails(self, fault: Fault, on: str = "", times: int = 1) -> None:
        """Have the next requests whose path or method contains a text fail in a way."""
        self.faults.extend([(on, fault)] * times)

    def count(self, method: str = "", part: str = "") -> int:
        """Return how many requests came in."""
        return sum(each.method == method or not method for each in self.asked if part in each.path)

    def statuses(self) -> Counter[int]:
        return Counter(each.status for each in self.asked)

    def fault_for(self, line: str) -> Fault | None:
        with self.lock:
            for place, (part, fault) in enumerate(self.faults):
                if part in line:
                    del self.faults[place]
                    return fault
        return None


class Answer(BaseHTTPRequestHandler):
    """Answers one request."""

    rest: Rest
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.close_connection = True
        length = int(self.headers.get("Content-Length") or 0)
        self.form = dict(parse_qsl(self.rfile.read(length).decode()))
        self.asked = Asked(self.command, self.path, self.form)
        with self.rest.lock:
            self.rest.asked.append(self.asked)
        fault = self.rest.fault_for(f"{self.command} {self.path}")
        with suppress(OSError):  # whoever asked may have gone
            if self.rest.down:
                self.says(503)
            elif fault:
                fault(self)
            else:
                self.properly()

    def properly(self) -> None:
        """Answer as Twilio does."""
        login = "Basic " + base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
        found = PATH.fullmatch(urlsplit(self.path).path)
        if self.headers.get("Authorization") != login:
            self.says(401, {"code": 20003, "message": "Authenticate", "status": 401})
        elif not found:
            self.nothing()
        else:
            kind, sid, form = found.groups()
            getattr(self, f"_{kind.lower()}")(sid, form)

    def _recordings(self, sid: str | None, form: str) -> None:
        tapes = self.rest.tapes
        if sid is None:
            self._lists("recordings", [each for each in tapes.values() if not each.deleted], tape_json, "DateCreated>")
        elif sid not in tapes or tapes[sid].deleted:
            self.nothing()
        elif self.command == "DELETE":
            tapes[sid].deleted = True
            self.says(204)
        elif form == "json":
            self.says(200, tape_json(tapes[sid]))
        elif tapes[sid].status != "completed" or tapes[sid].ready > 0:
            tapes[sid].ready -= 1
            self.nothing()
        else:
            self.sends(tapes[sid].audio, "audio/x-wav" if form == "wav" else "audio/mpeg")

    def _calls(self, sid: str | None, _form: str) -> None:
        if self.command == "POST":
            made = Ring("CA" + uuid4().hex, self.form["To"], self.form["From"], "queued", self.rest.now())
            self.rest.calls[made.sid] = replace(made, direction="outbound-api")
            self.says(201, ring_json(self.rest.calls[made.sid]))
        elif sid is None:
            self._lists("calls", list(self.rest.calls.values()), ring_json, "StartTime>")
        elif sid in self.rest.calls:
            self.says(200, ring_json(self.rest.calls[sid]))
        else:
            self.nothing()

    def _messages(self, sid: str | None, _form: str) -> None:
        if self.command == "POST":
            made = Ring("SM" + uuid4().hex, self.form["To"], self.form["From"], "queued", self.rest.now())
            self.rest.texts[made.sid] = replace(made, body=self.form["Body"])
            self.says(201, ring_json(self.rest.texts[made.sid]))
        else:
            self._lists("messages", list(self.rest.texts.values()), ring_json, "DateSent>")

    def _lists(self, name: str, found: list, shown: Callable, since: str) -> None:
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        for key, attribute in (("To", "to"), ("CallSid", "call_sid"), ("From", "from_")):
            found = [each for each in found if key not in query or getattr(each, attribute) == query[key]]
        if since in query:
            begin = datetime.fromisoformat(query[since])
            found = [each for each in found if each.created_at >= begin]
        found.sort(key=lambda each: each.created_at, reverse=True)
        size, page = int(query.get("PageSize", PAGE)), int(query.get("Page", 0))
        size = min(size, 200)  # so that there always are several pages of many
        more = len(found) > (page + 1) * size
        rest = "&".join(f"{k}={v}" for k, v in query.items() if k not in ("Page", "PageSize"))
        following = f"{urlsplit(self.path).path}?{rest}&PageSize={size}&Page={page + 1}&PageToken=PT{page}"
        rows = [shown(each) for each in found[page * size : (page + 1) * size]]
        self.says(200, {name: rows, "page": page, "page_size": size, "next_page_uri": following if more else None})

    def nothing(self) -> None:
        self.says(404, {"code": 20404, "message": f"The requested resource {self.path} was not found", "status": 404})

    def says(self, status: int, body: object = None, **headers: str) -> None:
        content = json.dumps(body).encode() if body is not None else b""
        self.sends(content, "application/json", status, **headers)

    def sends(self, content: bytes, kind: str, status: int = 200, **headers: str) -> None:
        self.asked.status = status
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


def tape_json(tape: Tape) -> dict[str, object]:
    return {
        "account_sid": ACCOUNT_SID,
        "sid": tape.sid,
        "call_sid": tape.call_sid,
        "status": tape.status,
        "duration": str(tape.seconds),
        "source": tape.source,
        "channels": 1,
        "date_created": format_datetime(tape.created_at),
        "start_time": format_datetime(tape.created_at),
        "uri": f"/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{tape.sid}.json",
        "media_url": "http://169.254.169.254/latest/meta-data",
    }


def ring_json(ring: Ring) -> dict[str, object]:
    return {
        "account_sid": ACCOUNT_SID,
        "sid": ring.sid,
        "to": ring.to,
        "from": ring.from_,
        "status": ring.status,
        "direction": ring.direction,
        "duration": str(ring.seconds),
        "date_created": format_datetime(ring.created_at),
        "start_time": format_datetime(ring.created_at),
        "end_time": format_datetime(ring.ended_at) if ring.ended_at else None,
        "parent_call_sid": None,
        "body": ring.body,
    }


def speech(seconds: float = 3.0, loud: float = 0.5, rate: int = 8000) -> bytes:
    """A WAV file, as loud as that."""
    height = int(32767 * loud)
    wavelet = [int(height * math.sin(2 * math.pi * each / 40)) for each in range(40)]
    count = int(seconds * rate)
    samples = (wavelet * (count // 40 + 1))[:count]
    written = io.BytesIO()
    with wave.open(written, "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes(struct.pack(f"<{count}h", *samples))
    return written.getvalue()


# What can go wrong with a request. Each takes the answer's place.


def status(code: int, **headers: str) -> Fault:
    return lambda answer: answer.says(code, {"code": code, "message": "no", "status": code}, **headers)


def busy(seconds: int = 1) -> Fault:
    return status(429, Retry_After=str(seconds))


def redirect(to: str) -> Fault:
    return lambda answer: answer.says(302, None, Location=to)


def html(answer: Answer) -> None:
    answer.sends(b"<html><h1>Maintenance</h1></html>", "text/html")


def hang_up(answer: Answer) -> None:
    answer.connection.close()


def wrong_length(answer: Answer) -> None:
    answer.sends(speech()[:5000], "audio/x-wav", Content_Length=str(len(speech())))


def cut_short(answer: Answer) -> None:
    """Half a file whose length is declared as it is: only the file itself says that something is missing."""
    answer.sends(speech()[:5000], "audio/x-wav")


def gzip_bomb(answer: Answer) -> None:
    answer.sends(gzip.compress(bytes(20_000_000)), "audio/x-wav", Content_Encoding="gzip")


def too_long(answer: Answer) -> None:
    answer.sends(b"RIFF", "audio/x-wav", Content_Length=str(2 * 1024**3))


def endless(answer: Answer) -> None:
    """A body without a length, for as long as anybody takes it."""
    answer.asked.status = 200
    answer.send_response(200)
    answer.send_header("Content-Type", "audio/x-wav")
    answer.end_headers()
    with suppress(OSError):
        while True:
            answer.wfile.write(bytes(1 << 20))


def drip(answer: Answer) -> None:
    """A byte now and then."""
    answer.asked.status = 200
    answer.send_response(200)
    answer.send_header("Content-Type", "audio/x-wav")
    answer.send_header("Content-Length", "100000")
    answer.end_headers()
    with suppress(OSError):
        for _ in range(200):
            answer.wfile.write(b"R")
            answer.wfile.flush()
            time.sleep(0.05)


def drip_headers(answer: Answer) -> None:
    with suppress(OSError):
        for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 200:
            answer.connection.sendall(bytes([letter]))
            time.sleep(0.05)


def hangs(answer: Answer) -> None:
    answer.connection.settimeout(5)
    with suppress(OSError):
        answer.connection.recv(1)


def done_but_lost(answer: Answer) -> None:
    """What was asked for is done, and nobody hears of it."""
    answer.wfile = io.BytesIO()
    answer.properly()
    answer.connection.close()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Whoever asked may go at any time."""


@contextmanager
def serving(rest: Rest) -> Iterator[Rest]:
    """Serve an account on loopback while the block runs."""
    server = Server(("127.0.0.1", 0), type("Answering", (Answer,), {"rest": rest}))
    rest.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield rest
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def later(minutes: float, of: datetime) -> datetime:
    return of + timedelta(minutes=minutes)
