"""The store is slow, locked, read-only, full or gone: callers are answered in time and put through all the same."""

import resource
import sqlite3
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from paper import SATURDAY_NIGHT, TUESDAY_MORNING
from service import LINE, RINGS, Service

DEADLINE = 5.0  # seconds, for every webhook
LIVING_CHAIN = [
    RINGS[f"us-{who}"]
    for who in ("tier1-engineer", "tier1-second", "oncall-engineer", "oncall-lead", "oncall-manager", "oncall-director")
]


def file_of(service):
    return Path(service.parts.settings.database_url.removeprefix("sqlite:///"))


@contextmanager
def locked(service):
    """Another process holds the writer's lock."""
    with closing(sqlite3.connect(file_of(service), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def gone(service):
    """Somebody has moved the file away under the running service."""
    file = file_of(service)
    aside = file.with_suffix(".aside")
    file.rename(aside)
    yield
    aside.rename(file)


@contextmanager
def full(service):
    """The disk takes no more bytes: a limit on the size of files stands in for it."""
    with closing(sqlite3.connect(file_of(service), isolation_level=None)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def out_of_reach(service):
    """Every write is refused, as on a file system that was mounted read-only."""
    service.parts.store.write(lambda conn: conn.execute("PRAGMA query_only=ON").fetchall(), 2.0)
    yield
    service.parts.store.write(lambda conn: conn.execute("PRAGMA query_only=OFF").fetchall(), 2.0)


TROUBLES = [locked, gone, full, out_of_reach]


def slowest(service):
    return max(each.seconds for each in service.phone.exchanges)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_new_call_reaches_the_living_chain_without_the_store(service, trouble):
    with trouble(service):
        call = service.at(SATURDAY_NIGHT).dials(LINE["us-standard"]).hears("we have a technical problem")
        for number in (*LIVING_CHAIN, LIVING_CHAIN[0]):
            call.rings(number).does_not_answer()
        call.rings(LIVING_CHAIN[1]).machine_answers().rings(LIVING_CHAIN[2]).engineer_accepts()
        call.is_connected_to(LIVING_CHAIN[2]).talks(60).engineer_hangs_up()
        assert "Press 1 to accept" in call.whisper
    assert slowest(service) <= DEADLINE
    assert all("<Record" not in document.text for document in call.documents)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_service_is_whole_again_when_the_trouble_is_over(service, trouble):
    with trouble(service):
        service.dials(LINE["us-standard"]).hears("we have a technical problem").hangs_up()
    time.sleep(2.1)  # the breaker's rest
    call = service.dials(LINE["us-standard"]).hears("calling from Acme").presses("1").presses("2")
    call.rings(RINGS["us-tier2-engineer"]).engineer_accepts().talks(30).engineer_hangs_up().hangs_up()
    assert service.says(call, rule="R9", outcome="connected")
    service.checks_out()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_call_that_loses_the_store_in_the_middle_is_put_through_and_logged_as_r0_when_it_is_back(service, trouble):
    call = service.at(TUESDAY_MORNING).dials(LINE["us-standard"]).presses("1")
    with trouble(service):
        call.presses("2").hears("we have a technical problem").rings(LIVING_CHAIN[0]).does_not_answer()
    time.sleep(2.1)
    call.rings(LIVING_CHAIN[1]).engineer_accepts().talks(40).engineer_hangs_up().hangs_up()
    assert service.says(call, rule="R0", outcome="connected")
    assert "RESCUED" in service.call_of(call).flags
    service.checks_out()


def test_a_call_that_was_rescued_from_its_first_turn_is_in_the_log_too(service):
    with locked(service):
        call = service.at(SATURDAY_NIGHT).dials(LINE["us-standard"]).hears("we have a technical problem")
    time.sleep(2.1)
    call.rings(LIVING_CHAIN[0]).does_not_answer().rings(LIVING_CHAIN[1]).does_not_answer().hangs_up()
    assert service.says(call, rule="R0", outcome="system_failed", caller="+14085550142")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_nothing_is_called_saved_that_was_not_saved(service, trouble):
    """F-G9: whoever has just spoken a message is told, and put through."""
    call = service.at(SATURDAY_NIGHT).dials(LINE["us-voicemail"]).presses("2").presses("#")
    with trouble(service):
        call.leaves_a_message(9).hears("I couldn't save your message. I'm connecting you to an engineer")
        call.hears_no("Sent").rings(LIVING_CHAIN[0])


def test_after_three_failures_nobody_waits_for_the_store_any_more(service):
    with locked(service):
        for _ in range(3):
            service.dials(LINE["us-standard"]).hears("we have a technical problem")
        seen = len(service.phone.exchanges)
        call = service.dials(LINE["us-standard"]).hears("we have a technical problem")
        call.does_not_answer().does_not_answer()
        assert max(each.seconds for each in service.phone.exchanges[seen:]) <= 1.0


def test_a_forged_request_never_gets_as_far_as_the_store(service):
    """Invariant 28: while the store hangs, a forged request is refused at once, and waits for nothing."""
    service.dials(LINE["us-standard"]).presses("1")
    asked = service.phone.exchanges[-1]
    with locked(service):
        for path in ("/voice", "/voice/status", "/voice/fallback", asked.path):
            reply = service.phone.post(path, asked.form, signature="A" * 28)
            assert reply.status == 403
            assert reply.seconds < 1.0


def test_a_writer_that_holds_the_database_for_ten_seconds_costs_no_call(service):
    """F-B1: every webhook of those ten seconds is answered in time, and the service is whole afterwards."""
    with locked(service):
        until = time.monotonic() + 10
        while time.monotonic() < until:
            service.dials(LINE["us-standard"]).hears("we have a technical problem").rings(LIVING_CHAIN[0])
            time.sleep(0.5)
    assert slowest(service) <= DEADLINE
    time.sleep(2.1)
    service.dials(LINE["us-standard"]).hears("calling from Acme")
    service.checks_out()


def test_the_fallback_goes_on_where_the_call_was(service):
    call = service.dials(LINE["us-standard"]).presses("1").hears("If production is down")
    call.fails_over("11200").hears("If production is down").hears_no("Partner ID").presses("2")
    call.rings(RINGS["us-tier2-engineer"])


def test_a_second_fallback_in_the_same_turn_rings_people(service):
    call = service.dials(LINE["us-standard"]).presses("1").fails_over("12100").fails_over("12100")
    call.hears("we have a technical problem").rings(LIVING_CHAIN[0])


def test_the_fallback_of_a_call_that_nobody_knows_rings_people(service):
    call = service.dials(LINE["us-standard"])
    form = {
        **service.phone.exchanges[-1].form,
        "CallSid": "CA" + "8" * 32,
        "ErrorCode": "11200",
        "ErrorUrl": "https://169.254.169.254/latest",
    }
    reply = service.phone.post("/voice/fallback", form)
    assert LIVING_CHAIN[0] in reply.text
    assert "169.254" not in reply.text
    assert not call.ended


def test_a_number_that_no_policy_lists_is_answered_all_the_same(service):
    service.dials("+14085550100").hears("we have a technical problem")


def test_postgres_that_hangs_is_not_waited_for(postgres_server, postgres_url):
    """F-C2: the server does not refuse, it just never answers."""
    service = Service(postgres_url)
    call = service.at(TUESDAY_MORNING).dials(LINE["us-standard"]).presses("1")
    with postgres_server.frozen():
        call.presses("2").hears("we have a technical problem").rings(LIVING_CHAIN[0]).does_not_answer()
        service.dials(LINE["us-standard"]).hears("we have a technical problem")
        assert slowest(service) <= DEADLINE
    time.sleep(2.1)
    again = service.dials(LINE["us-standard"]).hears("calling from Acme").presses("1").presses("2").hangs_up()
    assert service.says(again, rule="R9")
    service.checks_out()
    service.close()


def test_postgres_that_restarts_in_mid_call_costs_no_call(postgres_server, postgres_url):
    """F-C1."""
    service = Service(postgres_url)
    call = service.at(TUESDAY_MORNING).dials(LINE["us-standard"]).presses("1")
    postgres_server.stop()
    postgres_server.start()
    call.presses("2")
    assert call.is_ringing() in ([RINGS["us-tier2-engineer"]], [LIVING_CHAIN[0]])
    call.engineer_accepts().talks(40).engineer_hangs_up().hangs_up()
    assert service.call_of(call).outcome == "connected"
    service.checks_out()
    service.close()


def test_without_redis_nothing_is_different(sqlite_url, monkeypatch):
    """F-D1: Redis holds nothing that a call needs."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    service = Service(sqlite_url)
    call = service.dials(LINE["us-standard"]).presses("1").presses("2").rings(RINGS["us-tier2-engineer"]).hangs_up()
    assert service.says(call, rule="R9")
    service.close()
