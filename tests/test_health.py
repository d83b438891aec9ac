"""Alive, ready, and the figures: what an operator sees, and what nobody else does."""

import json
import logging
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from service import LINE, Service, listing, settings_for

from ivr.app import create_app
from ivr.clock import now
from ivr.observe import JsonLines
from recordings.engines import open_store
from recordings.outbox import Owed, owe_now
from recordings.store import StoreUnavailable

LOCAL = {"REMOTE_ADDR": "127.0.0.1"}
REMOTE = {"REMOTE_ADDR": "203.0.113.7"}


@pytest.fixture
def service(sqlite_url):
    found = Service(sqlite_url)
    yield found
    found.close()


def client_of(url: str, token: str = ""):
    settings = settings_for(url).model_copy(update={"metrics_token": SecretStr(token)})
    return create_app(settings, listing()).test_client()


def figures(client) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return every sample of /metrics by name and label values."""
    text = client.get("/metrics", environ_overrides=LOCAL).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, tuple(sample.labels.values())): sample.value for sample in samples}


def test_a_ready_service_says_so(sqlite_url):
    client = client_of(sqlite_url)

    assert client.get("/livez").json == {"alive": True}
    assert client.get("/readyz", environ_overrides=REMOTE).json == {"ready": True}
    told = client.get("/readyz", environ_overrides=LOCAL).json
    assert told["store"] == "ok"
    assert told["policies"] == {"8x8-partner": listing().first().version}


def test_readiness_is_a_real_write(service):
    """What it writes is the text of every policy in force, which calls in progress will need after the next release."""
    service.parts.store.write(lambda conn: conn.execute("DELETE FROM policies"), 5.0)
    service.app.test_client().get("/readyz")

    (row,) = service.query("SELECT version, text FROM policies")
    assert row[0] == listing().first().version


def test_without_a_store_it_is_alive_and_not_ready():
    client = client_of("sqlite:////nowhere/at/all.db")

    assert client.get("/livez").status_code == 200
    found = client.get("/readyz", environ_overrides=REMOTE)
    assert (found.status_code, found.json) == (503, {"ready": False})
    assert client.get("/readyz", environ_overrides=LOCAL).json["store"] != "ok"


@pytest.mark.parametrize(
    ("environ", "headers", "status"),
    [
        (LOCAL, {}, 200),
        ({"REMOTE_ADDR": "::1"}, {}, 200),
        (LOCAL, {"X-Forwarded-For": "203.0.113.7"}, 403),
        (LOCAL, {"Forwarded": "for=203.0.113.7"}, 403),
        (REMOTE, {}, 403),
        (REMOTE, {"Authorization": "Bearer wrong"}, 403),
        (REMOTE, {"Authorization": "Bearer "}, 403),
        (REMOTE, {"Authorization": "Bearer é"}, 403),
        (REMOTE, {"Authorization": "Bearer a-token"}, 200),
        (LOCAL, {"X-Forwarded-For": "203.0.113.7", "Authorization": "Bearer a-token"}, 200),
    ],
)
def test_the_figures_are_for_this_machine_or_a_token(sqlite_url, environ, headers, status):
    """A proxy on this machine passes on everybody's requests, so what it passes on is not this machine's."""
    reply = client_of(sqlite_url, "a-token").get("/metrics", environ_overrides=environ, headers=headers)

    assert reply.status_code == status


def test_without_a_token_set_none_is_good(sqlite_url):
    headers = {"Authorization": "Bearer "}

    assert client_of(sqlite_url).get("/metrics", environ_overrides=REMOTE, headers=headers).status_code == 403


def test_the_figures_move(service):
    client = service.app.test_client()
    before = figures(client)

    service.dials(LINE["us-standard"]).presses("1").hangs_up()
    service.phone.post("/voice", {"AccountSid": "x"}, signature=None)
    service.phone.post("/voice", {"AccountSid": service.parts.settings.twilio_account_sid})

    after = figures(client)

    def grew(name: str, *labels: str) -> float:
        return after[name, labels] - before.get((name, labels), 0)

    assert grew("partnerline_replies_total", "fresh") == 2
    assert grew("partnerline_replies_total", "noted") == 1
    assert grew("partnerline_replies_total", "refused") == 1
    assert grew("partnerline_replies_total", "rescue") == 1
    assert grew("partnerline_signature_failures_total") == 1
    assert grew("partnerline_anomalies_total", "CallStatus") == 1
    assert grew("partnerline_turn_seconds_count", "severity") == 2


def test_a_failing_store_can_be_seen():
    client = client_of("sqlite:////nowhere/at/all.db")
    ledger = client.application.extensions["partnerline"].ledger
    before = figures(client)["partnerline_store_failures_total", ()]

    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            ledger.load("CA" + "0" * 32)

    assert figures(client)["partnerline_store_failures_total", ()] == before + 3
    assert figures(client)["partnerline_breaker_open", ()] == 1


def test_any_other_line_is_json_on_one_line_and_never_long():
    """Whatever a message contains, it cannot end its line or pose as another."""
    for text in ("a\nb", "a\r\n{}", "\x1b[31m", "\u2028", "é" * 5000, '"}{"', "x" * 1_000_000):
        record = logging.LogRecord("ivr", logging.ERROR, "", 0, text, None, None)
        line = JsonLines().format(record)
        assert "\n" not in line
        assert line.isascii()
        assert len(line) <= 4000
        assert json.loads(line)["level"] == "ERROR"


def test_what_there_is_to_do_is_counted(sqlite_url):
    client = client_of(sqlite_url)
    store = open_store(sqlite_url)
    owe_now(store, [Owed("letter", "one"), Owed("letter", "two")], now() - timedelta(minutes=5))
    store.close()

    samples = figures(client)

    assert samples["partnerline_backlog", ("waiting",)] == 2
    assert samples["partnerline_backlog", ("dead",)] == 0
    assert 299 < samples["partnerline_oldest_job_seconds", ()] < 400
