"""Calls whose end was never heard of are closed, once no talk could last that long."""

from datetime import timedelta

import pytest
from paper import SATURDAY_NIGHT, TUESDAY_MORNING
from service import LINE, Service, settings_for

from ivr.housekeeping import LostCalls
from ivr.service import assemble

LATER = TUESDAY_MORNING + timedelta(hours=5)


@pytest.fixture
def service(sqlite_url):
    found = Service(sqlite_url)
    yield found
    found.close()


@pytest.fixture
def lost_calls(service):
    """What a production worker does over the same store."""
    url = service.parts.settings.database_url
    settings = settings_for(url).model_copy(update={"ivr_env": "production"})
    worker = assemble(settings, service.parts.programmes)
    yield LostCalls(worker)
    worker.store.close()


def test_a_call_whose_end_was_lost_is_closed_once_no_talk_could_last_that_long(service, lost_calls):
    lost = service.at(TUESDAY_MORNING).dials(LINE["us-standard"]).presses("1")

    lost_calls.close(TUESDAY_MORNING + timedelta(hours=4))
    assert service.call_of(lost).ended_at is None

    lost_calls.close(LATER)
    kept = service.call_of(lost)
    assert (kept.ended_at, kept.ended_by, kept.outcome) == (LATER, "caller", "abandoned_ivr")
    service.checks_out()

    lost_calls.close(LATER + timedelta(hours=5))
    assert service.call_of(lost) == kept


def test_an_outage_whose_end_was_lost_is_paged_and_owed_a_call_back(service, lost_calls):
    lost = service.at(SATURDAY_NIGHT).dials(LINE["us-standard"]).presses("1").presses("1").presses("1")
    lost.does_not_answer()

    lost_calls.close(SATURDAY_NIGHT + timedelta(hours=5))

    assert {"page", "call_back"} <= service.outbox(lost)
    service.checks_out()


def test_a_call_that_goes_on_is_left_alone(service, lost_calls):
    call = service.at(TUESDAY_MORNING).dials(LINE["us-standard"])
    service.at(LATER)
    call.presses("1")

    lost_calls.close(LATER + timedelta(minutes=1))

    assert service.call_of(call).ended_at is None
