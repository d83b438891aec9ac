"""What is compared, and the client that talks to it."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.caller import Script
from bench.load import Done
from bench.server import HOST, ROOT, Server, gunicorn
from bench.webhook import TOKEN

BASE = "https://voice.partnerline.example"
LINE = "+18442483221"
THREADS = 16  # the service's own default; the same on every side
CALLERS = tuple(f"+140855501{number:02d}" for number in range(100))


@dataclass(frozen=True)
class Contender:
    """A service under measurement: how to start it, and how to talk to it."""

    name: str
    command: Callable[[int], list[str]]
    environ: Mapping[str, str]
    script: Script
    callers: Sequence[str] = CALLERS

    def start(self, port: int, log: Path, prefix: Sequence[str] = ()) -> Server:
        """Start it, without waiting."""
        return Server([*prefix, *self.command(port)], port, {**self.environ, "PORT": str(port)}, log)


class Client:
    """The load client's process. It is kept, so that its start disturbs no measurement."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._orders = 0

    def run(self, contender: Contender, port: int, **how: float) -> Done:
        """Send load as Order describes it. Raises RuntimeError when any request was not answered as it should be."""
        self._orders += 1
        order = {"host": HOST, "port": port, "script": asdict(contender.script), "callers": contender.callers, **how}
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        if not pipe_in or not pipe_out:
            raise RuntimeError("the load client has no pipes")
        pipe_in.write(json.dumps({**order, "salt": f"{self._process.pid}.{self._orders}"}) + "\n")
        pipe_in.flush()
        done = Done(**json.loads(pipe_out.readline()))
        if done.failures:
            raise RuntimeError(f"{contender.name}: {len(done.failures)} failures, such as {done.failures[0]}")
        return done

    def close(self) -> None:
        """End it."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(10)


def floor() -> Contender:
    """Return the floor: a constant answer, the form parsed."""
    script = Script(BASE, "/voice", LINE, keys="1212121", status="/voice/status")
    return Contender("floor", lambda port: gunicorn("bench.floor:app", port, THREADS), {}, script)


def phone_tree() -> Contender:
    """Return the phone tree: signature checked, nothing stored."""
    environ = {"TWILIO_AUTH_TOKEN": TOKEN.decode()}
    script = Script(BASE, "/voice", LINE, keys="23")
    return Contender("phone tree", lambda port: gunicorn("bench.phone_tree:app", port, THREADS), environ, script)


def survey(folder: Path) -> Contender:
    """Return the survey: no signature, every answer saved through the ORM."""
    environ = {"SURVEY_URL": f"sqlite:///{folder}/survey.db"}
    script = Script(BASE, "/voice", LINE, keys="1234512345")
    return Contender("survey", lambda port: gunicorn("bench.survey:app", port, THREADS), environ, script)
