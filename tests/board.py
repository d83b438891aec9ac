"""A service of fixed documents, on which the telephone of `ivr call` is tried."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

from ivr.form import parse
from ivr.phone.leg import Leg, Numbers
from ivr.phone.people import People, Step
from ivr.phone.place import Occasion
from ivr.phone.script import ScriptedCaller, ScriptedEngineers, read_engineers, read_keys
from ivr.phone.wire import Address

BASE = "https://ivr.example.com"
TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT = f"AC{'5' * 32}"
LINE = "+18888988733"
CALLER = "+14085550199"
ENGINEER = "+14085550121"
START = datetime(2026, 7, 15, 3, 30, tzinfo=UTC)

Form = dict[str, str]
Answer = str | int | Callable[[Form], str | int]


class Board:
    """A service that answers each path with its document, or with a status; it remembers what it was sent."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.requests: list[tuple[str, Form]] = []
        self.signed: list[tuple[str, str, str]] = []
        self.instants: list[str | None] = []
        self.url = ""

    def sent_to(self, path: str) -> list[Form]:
        """Return the forms that a path was sent."""
        return [form for where, form in self.requests if where == path]

    def answer(self, path: str, form: Form) -> str | int:
        """Return what a request gets."""
        answer = self.answers.get(path, document())
        return answer(form) if callable(answer) else answer


def _handler(board: Board) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            form = {name: values[-1] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
            board.requests.append((self.path, form))
            board.signed.append((self.path, parse(body).signed, self.headers["X-Twilio-Signature"]))
            board.instants.append(self.headers["X-Partnerline-Instant"])
            self._send(board.answer(self.path, form))

        def do_GET(self) -> None:
            board.requests.append((self.path, {}))
            self._send(board.answer(self.path, {}))

        def _send(self, answer: str | int) -> None:
            text = "" if isinstance(answer, int) else answer
            self.send_response(answer if isinstance(answer, int) else 200)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_args: object) -> None:
            pass

    return Handler


@contextmanager
def serving(**answers: Answer) -> Iterator[Board]:
    """Serve documents: a path /voice/x is written voice_x."""
    board = Board({f"/{name.replace('_', '/')}": answer for name, answer in answers.items()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(board))
    board.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield board
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def document(*verbs: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{"".join(verbs)}</Response>'


def say(words: str) -> str:
    return f'<Say voice="Polly.Joanna-Neural" language="en-US">{words}</Say>'


def gather(*inside: str, action: str = "/voice/next", most: int = 1, finish: str = "", empty: str = "true") -> str:
    limit = f' numDigits="{most}"' if most else ""
    return (
        f'<Gather input="dtmf" action="{BASE}{action}#rc=2" method="POST" timeout="6"{limit} finishOnKey="{finish}"'
        f' actionOnEmptyResult="{empty}">{"".join(inside)}</Gather>'
    )


def redirect(path: str) -> str:
    return f'<Redirect method="POST">{BASE}{path}#rc=2</Redirect>'


RECORD = (
    f'<Record action="{BASE}/voice/taken#rc=2" method="POST" timeout="5" maxLength="30" finishOnKey="#" playBeep="true"'
    f' trim="trim-silence" recordingStatusCallback="{BASE}/voice/audio#rc=2" recordingStatusCallbackMethod="POST"'
    f' recordingStatusCallbackEvent="completed absent"/>{redirect("/voice/empty")}'
)
DIAL = (
    f'<Dial action="{BASE}/voice/dialled#rc=2" method="POST" timeout="20" timeLimit="14400" callerId="{LINE}">'
    f'<Number url="{BASE}/voice/whisper#rc=2" method="POST">{ENGINEER}</Number></Dial>'
)
WHISPER = document(gather(say("Press 1 to accept, 2 to pass."), action="/voice/accept", empty="false"), "<Hangup/>")


def accept(form: Form) -> str:
    return document() if form["Digits"] == "1" else document("<Hangup/>")


class Watcher:
    def show(self, step: Step) -> None:
        """Look away."""


def ring(board: Board, keys: str = "", agents: str = "answer", hangs_up_at: float | None = 900) -> Leg:
    """Place a call as told."""
    address = Address(board.url, BASE, TOKEN, ACCOUNT)
    occasion = Occasion(address, Numbers(LINE, CALLER), START, hangs_up_at=hangs_up_at)
    return occasion.place(People(ScriptedCaller(read_keys(keys)), ScriptedEngineers(read_engineers(agents)), Watcher()))


def told(leg: Leg) -> list[tuple[float, str, str]]:
    return [(round(step.at, 1), step.kind, step.text) for step in leg.steps]
