"""The processes themselves: starting, refusing to, answering, reading policies again, and stopping."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from phone import ServerWire, Telephone
from service import ENVIRONMENT, LINE, RINGS

from ivr.meanwhile import meanwhile
from ivr.settings import Fault
from routing.policy_file import FOLDER

TEXT = (FOLDER / "8x8-partner.yaml").read_text("utf-8")
PATIENCE = 60.0  # seconds, on a busy machine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**given: object) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if name not in {*ENVIRONMENT, "XDG_RUNTIME_DIR"}}
    return {**clean, **{name: str(value) for name, value in given.items()}}


@contextmanager
def running(folder: Path, *command: str, **given: object) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    """Run `ivr` in a folder until it answers; give the process, its port and what it writes."""
    port = free_port()
    out = folder / "out.txt"
    with out.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "ivr", *command],
            env=environment(PORT=port, **given),
            cwd=folder,
            stdout=file,
            stderr=file,
        )
    try:
        until(lambda: status(port, "/livez") == 200 or process.poll() is not None, out)
        yield process, port, out
    finally:
        process.terminate()
        process.wait(PATIENCE)


def until(holds, out: Path | None = None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, out.read_text() if out else "it never came about"
        time.sleep(0.05)


def get(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    except (OSError, HTTPException):
        return 0, ""
    finally:
        connection.close()


def status(port: int, path: str) -> int:
    return get(port, path)[0]


def greeting(port: int) -> str:
    call = Telephone(ServerWire(f"http://127.0.0.1:{port}")).dials(LINE["us-standard"])
    return call.spoken[0]


def refusal(folder: Path, *command: str, **given: object) -> list[str]:
    """Run `ivr` where it must not start, and give what it says."""
    run = subprocess.run(
        [sys.executable, "-m", "ivr", *command],
        env=environment(**{"PORT": free_port(), **given}),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    return run.stderr.splitlines()


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_process_says_everything_that_keeps_it_from_starting(tmp_path, command):
    """The environment, the policies, the contacts and the schema, all in one go."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "broken.yaml").write_text("programme: 7\n")
    (tmp_path / "contacts.yaml").write_text("x: {numbers: [7]}\n")

    lines = refusal(tmp_path, command, POLICY_DIR="policies", CONTACTS_FILE="contacts.yaml")

    for part in (
        "SECRET_KEY",
        "TWILIO_AUTH_TOKEN",
        "broken.yaml:",
        "contacts.yaml:1",
        "DATABASE_URL",
        "ivr db upgrade",
    ):
        assert any(part in line for line in lines), (part, lines)


def test_a_server_answers_calls_reads_policies_again_and_stops_when_told(tmp_path, sqlite_url):
    """A broken policy is not taken over: the service goes on as it was, and says why."""
    folder = tmp_path / "policies"
    folder.mkdir()
    given = {**ENVIRONMENT, "DATABASE_URL": sqlite_url, "POLICY_DIR": folder, "LOG_LEVEL": "INFO", "HOME": tmp_path}

    with running(tmp_path, "serve", **given) as (process, port, out):
        assert greeting(port) == "8x8 partner support."
        assert get(port, "/readyz")[0] == 200

        (folder / "ours.yaml").write_text("programme: 8x8-partner\n")
        process.send_signal(signal.SIGHUP)
        until(lambda: "Not taken over" in out.read_text(), out)
        assert greeting(port) == "8x8 partner support."

        (folder / "ours.yaml").write_text(TEXT.replace("brand: 8x8", "brand: Example"))
        process.send_signal(signal.SIGHUP)
        until(lambda: greeting(port) == "Example partner support.", out)

        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert all(json.loads(line) for line in out.read_text().splitlines()), "every line is JSON"
    assert not (tmp_path / ".gunicorn").exists(), "nobody can command the server through a socket"


def test_several_workers_add_up_their_figures(tmp_path, sqlite_url):
    given = {**ENVIRONMENT, "DATABASE_URL": sqlite_url, "WEB_CONCURRENCY": 2}

    with running(tmp_path, "serve", **given) as (_, port, _):
        for _ in range(12):
            greeting(port)
        for _ in range(4):
            assert 'partnerline_replies_total{kind="fresh"} 12.0' in get(port, "/metrics")[1]


def test_the_web_process_carries_no_rest_client(sqlite_url):
    """Twilio's library drags an asynchronous HTTP stack along, which no webhook needs."""
    code = (
        "import sys, ivr.serving, ivr.start, ivr.app;"
        "print([m for m in ('twilio', 'aiohttp', 'requests') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"


def test_the_demo_takes_a_call_and_stops_when_told(tmp_path):
    """From an empty folder: the line that it prints is called, and reaches the right desk."""
    given = {"IVR_ENV": "", "DATABASE_URL": "", "PUBLIC_BASE_URL": ""}
    with running(tmp_path, "demo", **given) as (process, port, out):
        until(lambda: "ivr call" in out.read_text(), out)
        assert f"http://127.0.0.1:{port}" in out.read_text()
        assert (tmp_path / "var" / "demo.json").stat().st_mode & 0o777 == 0o600

        tried = ["--to", "us-standard", "--from", "+14085550142", "--json", "--keys"]
        call = subprocess.run(
            [sys.executable, "-m", "ivr", "call", *tried, "1 2", "--at", "2026-11-24 10:15 America/Los_Angeles"],
            env=environment(),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert RINGS["us-tier2-engineer"] in call.stdout, call.stderr

        noted = (tmp_path / "var" / "demo.json").read_text()
        assert refusal(tmp_path, "demo", PORT=port)[0].startswith(f"ivr demo: port {port} is taken")
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)
    assert json.loads(noted)["auth_token"] == json.loads((tmp_path / "var" / "demo.json").read_text())["auth_token"]
    assert status(port, "/livez") == 0


def test_a_policy_that_lets_an_outage_fall_through_keeps_the_service_from_starting(tmp_path, sqlite_url):
    """The proof goes on in a process of its own while the rest is got ready; its verdict counts all the same."""
    (tmp_path / "policies").mkdir()
    guilty = TEXT.replace("urgent: yes}\n    does: ring\n    ring: [on_call]", "urgent: yes}\n    does: inform")
    (tmp_path / "policies" / "ours.yaml").write_text(guilty)

    lines = refusal(tmp_path, "serve", **{**ENVIRONMENT, "DATABASE_URL": sqlite_url, "POLICY_DIR": "policies"})

    assert any("ours.yaml:" in line and "RT" in line for line in lines), lines


def test_what_is_found_out_meanwhile_is_told_or_found_out_again():
    here, fault = os.getpid(), Fault("there", "is wrong.", "Mend it.")
    assert meanwhile(lambda: [fault])() == [fault]
    assert meanwhile(list)() == []

    def dies_elsewhere() -> list[Fault]:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return [fault]

    assert meanwhile(dies_elsewhere)() == [fault]
