"""The worker's rounds: calls whose end was never heard of are closed, and what waits to be done is counted."""

import logging
from datetime import timedelta

import pytest
from paper import SATURDAY_NIGHT, TUESDAY_MORNING
from service import LINE, Service, settings_for

from ivr.housekeeping import Rounds
from ivr.service import assemble

LATER = TUESDAY_MORNING + timedelta(hours=5)


@pytest.fixture
def service(sqlite_url):
    found = Service(sqlite_url)
    yield found
    found.close()


@pytest.fixture
def rounds(service):
    """The rounds of a production worker over the same store."""
    url = service.parts.settings.database_url
    settings = settings_for(url).model_copy(update={"ivr_env": "production"})
    worker = assemble(settings, service.parts.programmes)
    yield Rounds(worker)
    worker.store.close()


def test_a_call_whose_end_was_lost_is_closed_once_no_talk_could_last_that_long(service, rounds):
    lost = service.at(TUESDAY_MORNING).dials(LINE["us-standard"]).presses("1")

    rounds.once(TUESDAY_MORNING + timedelta(hours=4))
    assert service.call_of(lost).ended_at is None

    rounds.once(LATER)
    kept = service.call_of(lost)
    assert (kept.ended_at, kept.ended_by, kept.outcome) == (LATER, "caller", "abandoned_ivr")
    service.checks_out()

    rounds.once(LATER + timedelta(hours=5))
    assert service.call_of(lost) == kept


def test_an_outage_whose_end_was_lost_is_paged_and_owed_a_call_back(service, rounds):
    lost = service.at(SATURDAY_NIGHT).dials(LINE["us-standard"]).presses("1").presses("1").presses("1")
    lost.does_not_answer()

    rounds.once(SATURDAY_NIGHT + timedelta(hours=5))

    assert {"page", "call_back"} <= service.outbox(lost)
    service.checks_out()


def test_a_call_that_goes_on_is_left_alone(service, rounds):
    call = service.at(TUESDAY_MORNING).dials(LINE["us-standard"])
    service.at(LATER)
    call.presses("1")

    rounds.once(LATER + timedelta(minutes=1))

    assert service.call_of(call).ended_at is None


def test_the_demo_closes_nothing_because_its_calls_choose_their_own_time(service):
    call = service.at(TUESDAY_MORNING).dials(LINE["us-standard"])

    Rounds(service.parts).once(LATER)

    assert service.call_of(call).ended_at is None


def test_what_waits_to_be_done_is_said_when_it_changes(service, rounds, caplog):
    call = service.at(SATURDAY_NIGHT).dials(LINE["us-standard"]).presses("1").presses("1").presses("1").hangs_up()
    waiting = service.query("SELECT count(*) FROM outbox")[0][0]
    assert service.outbox(call)

    with caplog.at_level(logging.INFO, "ivr"):
        for _ in range(3):
            rounds.once(SATURDAY_NIGHT)

    assert caplog.messages == [f"{waiting} effects of calls wait to be carried out."]


def test_a_store_that_is_gone_is_left_for_the_next_round(service, caplog):
    worker = assemble(settings_for("sqlite:////nowhere/at/all.db"), service.parts.programmes)

    with caplog.at_level(logging.WARNING, "ivr"):
        Rounds(worker).once(LATER)

    assert "left out" in caplog.text
