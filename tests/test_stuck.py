"""Nobody answers: not the people on call for an hour, and not the machines of others while somebody telephones."""

from contextlib import closing, contextmanager
from datetime import timedelta
from itertools import pairwise
from threading import Event, Thread
from time import monotonic, sleep

import pytest
import rest
from office import Office
from paging import ON_CALL
from paper import SATURDAY_NIGHT, TUESDAY_MORNING
from receiver import Receiver
from rest import Rest, serving
from service import LINE, RINGS
from test_kill import routed, spoken

from recordings import pages
from recordings.pages import CLIMBING, Taken

MINUTE = timedelta(minutes=1)
PATIENCE = 20  # seconds
PEOPLE = (*ON_CALL, "us-tier2")


@pytest.fixture
def inbox():
    with Receiver() as inbox:
        yield inbox


@pytest.fixture
def account():
    account = Rest()
    with serving(account):
        yield account


@pytest.fixture
def office(sqlite_url, tmp_path, inbox, account):
    people = {name: [f"json://{inbox.host}/{name}"] for name in PEOPLE}
    given = {"TWILIO_API_BASE": account.url, "NOTIFY_URLS": f"json://{inbox.host}/operators"}
    with closing(Office(sqlite_url, tmp_path, people, **given)) as office:
        account.now = lambda: office.phone.clock.instant
        yield office


# --- the people


def test_for_an_hour_nobody_answers_an_outage_and_nobody_gives_up(office, inbox):
    """F-H6: rung again and again, paged again and again until somebody has it; the line is never let go."""
    clock = office.at(SATURDAY_NIGHT).phone.clock
    call = office.phone.dials(LINE["us-standard"]).presses("1").presses("1").presses("1")
    since, rung, told, taken_at = clock.seconds, [], [], 40 * 60

    def works():
        office.worker.once(clock.instant)
        told.extend((clock.seconds, got.path[1:]) for got in inbox.got)
        inbox.got.clear()
        clock.rings_at(clock.seconds + 15, works)

    works()
    while clock.seconds < since + 3600:
        if taken_at and clock.seconds > since + taken_at:
            (page,) = pages.of_call(office.parts.store, call.sid)
            assert page.state == CLIMBING
            assert pages.acknowledge(office.parts.store, page.id, Taken("ada", "link"), clock.instant)
            taken_at, quiet_since = 0, clock.seconds
        if call.is_ringing():
            rung.append(clock.seconds)
            call.does_not_answer()
        else:
            call.stays_silent()
        assert not call.over, "the line was let go"

    verbs = {verb.name for document in call.documents for verb in document}
    assert not verbs & {"Record", "Hangup", "Reject"}
    assert len(rung) >= 80
    assert max(later - earlier for earlier, later in pairwise(rung)) <= 45
    assert set(call.dialled) == {RINGS[name] for name in ON_CALL}, "somebody on call was never rung"
    before = [at for at, who in told if who in ON_CALL and at <= quiet_since]
    assert before[0] - since <= 5 * 60
    assert max(later - earlier for earlier, later in pairwise([*before, quiet_since])) <= 5 * 60 + 30
    assert {who for at, who in told if at <= quiet_since} >= {*ON_CALL}
    missed_at = since + 3500  # about then the first response is overdue, and that is another page
    assert [who for at, who in told if who in ON_CALL and quiet_since + 30 < at < missed_at] == [], "somebody has it"

    call.hangs_up()
    office.works(clock.instant, clock.instant + MINUTE, timedelta(seconds=15))
    assert office.tasks(call)["call_back"]["why"] == "not reached"
    assert pages.of_call(office.parts.store, call.sid)[-1].state == CLIMBING, "nobody is asked to call back"
    assert inbox.got
    assert office.examined(clock.instant + MINUTE) == []


# --- the machines


@contextmanager
def stuck_worker(office, inbox, account):
    """A worker, while each machine that it turns to takes its request and says nothing."""
    go_on, stop = Event(), Event()

    def waits(answer):
        go_on.wait(PATIENCE)
        rest.hang_up(answer)

    account.fails(waits, times=10_000)
    inbox.hangs = True
    thread = Thread(target=office.worker.run, args=(office.settings, stop, lambda: office.phone.clock.instant))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        go_on.set()
        inbox._let_go.set()
        thread.join(60)
    assert not thread.is_alive()


def test_while_every_other_machine_hangs_callers_are_served_as_ever(office, inbox, account):
    """F-I3: no webhook waits for the provider's REST side, nor for anybody who is told of something."""
    outage = office.at(SATURDAY_NIGHT).dials(LINE["us-standard"]).presses("1").presses("1").presses("1").hangs_up()
    spoken(office.phone)
    office.phone.passes(60)
    with stuck_worker(office, inbox, account):
        ends = monotonic() + PATIENCE
        while not (inbox.refused and account.asked):
            assert monotonic() < ends, "the worker does not even try"
            sleep(0.05)
        sent = len(office.phone.exchanges)
        talk, message = routed(office.at(TUESDAY_MORNING).phone), spoken(office.at(SATURDAY_NIGHT).phone)
        new_outage = office.dials(LINE["us-standard"]).presses("1").presses("1").presses("1").engineer_accepts()
        new_outage.talks(60).engineer_hangs_up().hangs_up()
    exchanges = office.phone.exchanges[sent:]
    assert len(exchanges) > 20
    assert all(each.status == 200 or (each.status == 204 and not each.body) for each in exchanges)
    assert max(each.seconds for each in exchanges) < 3
    assert office.says(talk, outcome="connected")
    assert office.says(new_outage, outcome="connected")
    assert office.call_of(message).message
    assert office.tasks(outage)["call_back"]["state"] == "new"
    office.checks_out()
