"""F-H8: a caller in an outage hangs up, at any second of the call: who was not reached is called back, and soon."""

from datetime import timedelta

import pytest
from paging import Paging
from paper import SATURDAY_NIGHT
from phone import AppWire, Telephone
from service import LINE, RINGS

from recordings import pages
from recordings.pages import Taken

STEPS = 80  # instants of each script, spread over the whole of it
SOON = timedelta(seconds=15)
WEEK = timedelta(weeks=1)


def nobody_answers(call):
    """Round after round on the line."""
    for _ in range(2):
        for _ in range(4):
            call.does_not_answer()
        call.stays_silent()


def machines_answer(call):
    call.machine_answers().machine_answers().engineer_accepts().talks(40)


def everybody_passes(call):
    call.engineer_passes().engineer_hangs_up_in_whisper().is_busy().engineer_accepts(after=15).talks(40)


def chooses_to_be_called_back(call):
    for _ in range(4):
        call.does_not_answer()
    call.presses("1").presses("1")


def begins(phone, **when):
    """Dial in the night from Saturday to Sunday, and say that production is down."""
    return phone.dials(LINE["us-standard"], **when).presses("1").presses("1").presses("1")


SCRIPTS = {
    "nobody answers": nobody_answers,
    "machines answer": machines_answer,
    "everybody passes": everybody_passes,
    "chooses to be called back": chooses_to_be_called_back,
}


def undisturbed(service, script):
    """How long the call lasts, and when the first telephone rings, if nobody hangs up."""
    phone = Telephone(AppWire(service.app), at=SATURDAY_NIGHT)
    call = begins(phone)
    rings = phone.seconds
    script(call)
    call.hangs_up()
    return rings, phone.seconds


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_whenever_they_hang_up_whoever_was_not_reached_is_called_back(service, script):
    """Every other call has a provider that reports late, twice and in another order."""
    paging = Paging(service)
    rings, lasts = undisturbed(service, script)
    seen = set()
    for step in range(STEPS):
        second = round(0.5 + step * lasts / STEPS, 2)
        saturday = SATURDAY_NIGHT + step * WEEK  # who calls more often than that pages nobody
        phone = Telephone(AppWire(service.app), at=saturday, seed=step if step % 2 else None)
        call = begins(phone, hangs_up_at=second)
        if not call.over:
            script(call)
        call.hangs_up()
        phone.settle()
        at = phone.clock.instant
        kept = service.call_of(call)
        assert kept.ended_at, f"{second} s: the call goes on"
        assert kept.outcome, f"{second} s: nothing is said of how it ended"
        reached = any(engineer.through for engineer in call.engineers)
        urgent = kept.severity in (0, 1)
        assert urgent or second < rings, f"{second} s: it was an outage already"
        if urgent and not reached:
            is_called_back(paging, call, kept.ended_at, second)
        else:
            is_left_alone(paging, call, at, second)
        seen.add((urgent, reached))
    expected = {(False, False), (True, False)}
    assert seen == (expected | {(True, True)} if script in (machines_answer, everybody_passes) else expected)


def is_called_back(paging, call, hung_up, second):
    """Assert a page that is owed at once, a task with the number, and that the first of the ladder is told."""
    service, store = paging.service, paging.store
    rows = service.query("SELECT created_at FROM outbox WHERE call_sid = ? AND kind IN ('page', 'call_back')", call.sid)
    owed = [store.moment(created) for (created,) in rows]
    assert any(hung_up - SOON <= at <= hung_up + SOON for at in owed), f"{second} s: nobody is paged"
    task = service.tasks(call)["call_back"]
    assert (task["number"], task["state"], task["severity"]) == ("+14085550142", "new", 1)
    assert task["case_number"]

    paging.works(hung_up + SOON)

    page = paging.page_of(call)
    first = pages.attempts(store, page.id)
    assert [each for each in first if each.destination in RINGS and each.at <= hung_up + SOON], f"{second} s: nobody"
    assert page.state == "climbing"
    assert pages.acknowledge(store, page.id, Taken("ada", "link"), hung_up + SOON)


def is_left_alone(paging, call, at, second):
    """Assert that nobody is told, and that nothing is owed beside what any call may leave."""
    paging.works(at + SOON)
    assert pages.of_call(paging.store, call.sid) == [], f"{second} s: somebody is paged"
    assert paging.service.outbox(call) <= {"alarm"}, f"{second} s"
    assert paging.service.tasks(call) == {}, f"{second} s"
