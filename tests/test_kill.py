"""A worker killed with signal 9, at every step of a call and on both sides of the commit: nobody notices."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from paper import SATURDAY_NIGHT, TUESDAY_MORNING
from phone import ServerWire, Telephone
from service import ENVIRONMENT, LINE, RINGS, Service, what_the_log_says

PLACES = ["recv.verified", "tx.before_commit", "tx.after_commit", "resp.before_send"]


@contextmanager
def server(url, folder, failpoint="", **environ):
    """`ivr serve` in processes of its own; gives the port and the master."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {
        **os.environ,
        **ENVIRONMENT,
        "DATABASE_URL": url,
        "PORT": str(port),
        "IVR_FAILPOINT": failpoint,
        "LOG_LEVEL": "INFO",
        **environ,
    }
    command = [str(Path(sys.executable).with_name("ivr")), "serve"]
    out = (folder / f"serve-{port}.log").open("wb")
    process = subprocess.Popen(command, env=given, cwd=folder, stdout=out, stderr=out)
    try:
        wait_for(port, process)
        yield port, process
    finally:
        process.terminate()
        process.wait(20)
        out.close()


def wait_for(port, process):
    for _ in range(300):
        assert process.poll() is None, "the server did not start"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server does not listen")


def telephone(port, at, **chaos):
    return Telephone(ServerWire(f"http://127.0.0.1:{port}"), at=at, **chaos)


def routed(phone):
    call = phone.dials(LINE["us-standard"]).presses("1").presses("2")
    return call.does_not_answer().engineer_accepts().talks(60).engineer_hangs_up().hangs_up()


def spoken(phone):
    call = phone.dials(LINE["us-voicemail"]).presses("2").presses("#").leaves_a_message(9).presses("1")
    return call.hangs_up().recording_arrives()


def left_behind(service, call):
    said = what_the_log_says(service.call_of(call))
    legs = [(leg.destination, leg.result) for leg in service.call_of(call).legs]
    rows = service.query("SELECT count(*) FROM turns WHERE sid = ? AND leg >= 0", call.sid)
    return {**said, "case": bool(said["case"])}, legs, rows, sorted(service.outbox(call))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("turn", [3, 4])
def test_a_worker_that_dies_at_any_step_leaves_what_an_undisturbed_call_leaves(tmp_path, sqlite_url, place, turn):
    """F-A1, F-A2: each worker dies at its third or fourth pass, so that the deaths fall on every step of a call."""
    service = Service(sqlite_url)
    with server(sqlite_url, tmp_path, f"{place}:kill9@{turn}") as (port, _):
        for story, at in ((routed, TUESDAY_MORNING), (spoken, SATURDAY_NIGHT)):
            shaken = story(telephone(port, at, retries=PATIENT))
            calm = story(service.at(at).phone)
            assert left_behind(service, shaken) == left_behind(service, calm)
    service.checks_out()
    service.close()


def workers_started(folder):
    return sum(log.read_text().count("Booting worker") for log in folder.glob("serve-*.log"))


PATIENT = 40  # tries; a real provider tries twice and then asks the fallback URL, but a worker is back in a second


def test_nothing_acknowledged_is_lost_while_workers_are_killed_at_random(tmp_path, sqlite_url):
    """F-A3: a storm of signal 9 under calls; every acknowledged turn is in the log once, and the database is whole."""
    service = Service(sqlite_url)
    with server(sqlite_url, tmp_path, WEB_CONCURRENCY="2") as (port, master):
        stop = Event()
        killer = Thread(target=kill_workers, args=(master.pid, stop))
        killer.start()
        calls = []
        try:
            for _ in range(12):
                phone = telephone(port, TUESDAY_MORNING, retries=PATIENT)
                calls.append((phone, routed(phone)))
        finally:
            stop.set()
            killer.join()
    for phone, call in calls:
        kept = service.query("SELECT leg, turn, reply FROM turns WHERE sid = ? AND leg >= 0", call.sid)
        replies = [bytes(reply) if reply is not None else b"" for *_, reply in kept]
        acknowledged = [one.body for one in phone.exchanges if one.path.startswith("/voice/turn") and one.status == 200]
        assert all(body in replies for body in acknowledged)
        assert service.says(call, rule="R9", outcome="connected")
        assert RINGS["us-tier2-second"] in call.dialled
    assert service.query("PRAGMA integrity_check") == [("ok",)]
    service.checks_out()
    service.close()


def kill_workers(master, stop):
    while not stop.wait(0.7):
        found = subprocess.run(["pgrep", "-P", str(master)], check=False, capture_output=True, text=True).stdout.split()
        for pid in found[:1]:
            os.kill(int(pid), signal.SIGKILL)


def test_the_service_says_everything_that_keeps_it_from_starting(tmp_path):
    """No token, no secret, no https, and nobody to ring but numbers reserved for fiction."""
    environ = {**os.environ, "IVR_ENV": "production", "DATABASE_URL": f"sqlite:///{tmp_path}/none.db"}
    for name in ("TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID", "SECRET_KEY", "PUBLIC_BASE_URL"):
        environ.pop(name, None)
    command = [str(Path(sys.executable).with_name("ivr")), "serve"]
    run = subprocess.run(command, env=environ, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60)
    assert run.returncode != 0
    for name in ("TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID", "SECRET_KEY", "PUBLIC_BASE_URL"):
        assert name in run.stderr
    assert "Traceback" not in run.stderr
