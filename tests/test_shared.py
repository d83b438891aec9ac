"""Redis, real: whether it answers is known at once, also when it hangs or is not there, and no call depends on it."""

import time

from postgres_server import free_port
from service import LINE, RINGS, Service, listing, settings_for

from ivr.app import create_app

AT_ONCE = 3.0  # seconds; the client of its own accord would wait a minute


def ready(url, redis_url):
    app = create_app(settings_for(url, REDIS_URL=redis_url), listing())
    reply = app.test_client().get("/readyz", environ_overrides={"REMOTE_ADDR": "127.0.0.1"})
    app.extensions["partnerline"].store.close()
    return reply


def test_a_redis_that_answers_is_ok(redis, sqlite_url):
    assert ready(sqlite_url, redis.url).json["redis"] == "ok"


def test_none_is_ok_too(sqlite_url):
    assert ready(sqlite_url, "").json["redis"] == "ok"


def test_one_that_refuses_or_hangs_is_told_at_once_and_the_service_stays_ready(redis, sqlite_url):
    redis.hang()
    for unusable in (redis.url, f"redis://127.0.0.1:{free_port()}/0"):
        started = time.monotonic()
        reply = ready(sqlite_url, unusable)
        assert time.monotonic() - started < AT_ONCE
        assert reply.status_code == 200
        assert reply.json["redis"].startswith(("TimeoutError", "ConnectionError"))
    redis.go_on()


def test_a_call_is_the_same_with_redis_hanging(redis, sqlite_url, monkeypatch):
    redis.hang()
    monkeypatch.setenv("REDIS_URL", redis.url)
    service = Service(sqlite_url)
    call = service.dials(LINE["us-standard"]).presses("1").presses("2").rings(RINGS["us-tier2-engineer"]).hangs_up()
    assert service.says(call, rule="R9")
    assert max(each.seconds for each in service.phone.exchanges) < AT_ONCE
    service.close()
    redis.go_on()
