"""Webhooks that come twice, ten at once, out of order, late, or long after: one effect, one answer, one end state."""

from itertools import permutations

import pytest
from paper import SATURDAY_NIGHT, TUESDAY_EVENING, TUESDAY_MORNING, PaperDirectory, Talk, desk_of
from phone import AppWire, Telephone
from service import LINE, RINGS, Service, what_the_log_says

from flows import turn
from flows.heard import DialEnded, HungUp, MessageLeft, RecordingReady


def answered_call(phone, at):
    call = phone.at(at).dials(LINE["us-standard"]).presses("1").presses("2")
    return call.is_busy().engineer_accepts().talks(60).engineer_hangs_up().hangs_up()


def voicemail(phone, at):
    call = phone.at(at).dials(LINE["us-voicemail"]).presses("2").presses("#").leaves_a_message(9).presses("1")
    return call.hangs_up().recording_arrives()


def outage(phone, at):
    call = phone.at(at).dials(LINE["us-standard"]).presses("1").presses("1").presses("1")
    return call.does_not_answer().machine_answers().hangs_up()


def informed(phone, at):
    return phone.at(at).dials(LINE["us-standard"], "anonymous").presses("620045").presses("1").presses("3").hangs_up()


STORIES = [
    (answered_call, TUESDAY_MORNING),
    (voicemail, TUESDAY_EVENING),
    (outage, SATURDAY_NIGHT),
    (informed, SATURDAY_NIGHT),
]


def end_state(service, call):
    """What is left of a call, without its own id and numbers."""
    said = what_the_log_says(service.call_of(call))
    legs = [(leg.destination, leg.result) for leg in service.call_of(call).legs]
    return {**said, "case": bool(said["case"])}, legs, service.outbox(call), call.dialled


def counted(service):
    return {table: len(rows) for table, rows in service.everything_stored().items()}


@pytest.mark.parametrize(("story", "at"), STORIES)
@pytest.mark.parametrize("chaos", [{"stutter": 2}, {"stutter": 5}, {"concurrent": 10}, {"stutter": 2, "concurrent": 3}])
def test_a_repeated_webhook_gets_the_same_bytes_and_has_no_second_effect(database_url, story, at, chaos):
    """F-E1: the telephone itself insists that every repetition is answered byte for byte."""
    service = Service(database_url)
    plain = story(service.phone, at)
    once = counted(service)
    shaky = story(Telephone(AppWire(service.app), **chaos), at)
    twice = counted(service)
    assert end_state(service, shaky) == end_state(service, plain)
    grown = {table: twice[table] - once[table] for table in ("calls", "turns", "cases", "outbox")}
    assert grown == {table: once[table] for table in grown}
    service.checks_out()
    service.close()


@pytest.mark.parametrize(("story", "at"), STORIES)
@pytest.mark.parametrize("seed", range(6))
def test_callbacks_in_any_order_come_to_the_same_end(service, story, at, seed):
    plain = story(service.phone, at)
    shuffled = story(Telephone(AppWire(service.app), seed=seed), at)
    shuffled.settle()
    assert service.call_of(shuffled).outcome == service.call_of(plain).outcome
    assert service.outbox(shuffled) == service.outbox(plain)
    service.checks_out()


def test_the_first_of_two_different_answers_to_one_question_wins(service):
    """F-E3: the same token with other keys is the provider repeating itself, whatever it now says."""
    call = service.dials(LINE["us-standard"]).presses("1")
    asked = service.phone.exchanges[-1]
    before = service.everything_stored()
    again = service.phone.post(asked.path, {**asked.form, "Digits": "2"})
    assert again.body == asked.body
    assert service.everything_stored() == before
    assert service.call_of(call).intent == "new"


def test_the_idempotency_header_is_not_needed_and_not_believed(service):
    call = service.dials(LINE["us-standard"]).presses("1")
    asked = service.phone.exchanges[-1]
    for headers in ({"I-Twilio-Idempotency-Token": "another"}, {"I-Twilio-Idempotency-Token": ""}):
        assert service.phone.post(asked.path, asked.form, headers=headers).body == asked.body
    assert service.call_of(call).turn == 2


def test_a_call_moves_freely_between_three_instances(database_url):
    """F-E5: nothing of a call is kept in a process."""
    instances = [Service(database_url) for _ in range(3)]
    wires = [AppWire(each.app) for each in instances]

    class RoundRobin(AppWire):
        turn = 0

        def send(self, request):
            self.turn += 1
            return wires[self.turn % 3].send(request)

    for story, at in STORIES:
        call = story(Telephone(RoundRobin(instances[0].app)), at)
        assert end_state(instances[1], call) == end_state(instances[2], story(instances[2].phone, at))
    instances[0].checks_out()
    for each in instances:
        each.close()


def test_a_whole_call_replayed_a_day_later_changes_nothing(service):
    """F-E11: the answer to a call that has long ended is to hang up."""
    answered_call(service.phone, TUESDAY_MORNING)
    voicemail(service.phone, TUESDAY_EVENING)
    replayed = list(service.phone.exchanges)
    before = service.everything_stored()
    service.passes(86_400)
    for each in replayed:
        reply = service.phone.post(each.path, dict(each.form))
        assert reply.status == 200
        assert b"<Dial" not in reply.body
        assert b"<Record" not in reply.body
    assert service.everything_stored() == before


def test_a_message_that_ends_with_hanging_up_is_sent_although_nobody_tells_us_that_the_call_is_over(service):
    """F-G4: the recording's own webhook is enough."""
    phone = Telephone(AppWire(service.app), at=SATURDAY_NIGHT, drop_status=True)
    call = phone.dials(LINE["us-voicemail"]).presses("2").presses("#").leaves_a_message(8, end="hangup")
    assert service.call_of(call).message.seconds == 8
    assert service.outbox(call) == {"voicemail"}


def test_the_end_of_a_call_that_never_reached_us_is_written_down_and_raises_an_alarm(service):
    """F-E7."""
    call = service.dials(LINE["us-standard"])
    form = {**service.phone.exchanges[-1].form, "CallSid": "CA" + "7" * 32, "CallStatus": "completed"}
    assert service.phone.post("/voice/status", {**form, "CallDuration": "31"}).status in (200, 204)
    (stub,) = service.query("SELECT outcome, flags FROM calls WHERE sid = ?", "CA" + "7" * 32)
    assert stub[0] == "system_failed"
    assert "NEVER_SERVED" in stub[1]
    assert service.call_of(call).outcome == ""


def test_facts_about_the_end_of_a_call_converge_in_every_order():
    """F-E8: the end of the caller's leg, of the engineer's, and of the recording, each perhaps twice."""
    start = (
        Talk("us-standard", at=SATURDAY_NIGHT, desk=desk_of(directory=PaperDirectory()))
        .keys("1", "1", "1")
        .engineer("1")
    )
    ended, dialled = HungUp("completed", 90), DialEnded("answered", bridged=True, seconds=40, over=True)
    ends = set()
    for order in permutations([ended, ended, dialled]):
        call = start.call
        for fact in order:
            call = told(call, fact, start)
        ends.add(
            (call.outcome, call.legs[0].result, call.legs[0].talk_seconds, call.flags, call.ended_by, call.last_step)
        )
    assert ends == {("connected", "connected", 40, (), "caller", "ringing")}


def test_so_do_those_about_a_message():
    start = Talk("us-voicemail", at=SATURDAY_NIGHT).keys("2", "")

    sid = "RE" + "2" * 32
    left, ended = MessageLeft(sid, 7, "hangup"), HungUp("completed", 30)
    ready = RecordingReady(sid, "completed", 7)
    ends = set()
    for order in permutations([left, ended, ready, ended]):
        call = start.call
        for fact in order:
            call = told(call, fact, start)
        call = told(call, ready, start)  # the provider repeats what nobody could place yet
        message = call.message
        ends.add((call.outcome, message and message.seconds, message and message.audio, call.ended_by, call.last_step))
    assert ends == {("voicemail_left", 7, "completed", "caller", "vm_record")}


def told(call, fact, talk):
    if isinstance(fact, HungUp | RecordingReady):
        turned = turn.notice(call, fact, talk.desk, talk.at)
    else:
        turned = turn.resume(call, 0, fact, talk.desk, talk.at)
    return turned.call.but(events=(), effects=()) if turned else call


def test_a_removed_destination_is_not_rung_by_a_call_that_started_before(service):
    """F-F6: a call keeps its version of the policy, but nobody is rung who is no longer listed."""
    talk = Talk().keys("1")
    listed = frozenset(talk.desk.policy.destinations) - {"us-tier2-engineer"}
    talk.desk = desk_of(listed=listed)
    talk.keys("2")
    assert talk.wait.number == RINGS["us-tier2-second"]


def test_our_own_lines_are_never_rung():
    policy = Talk().desk.policy
    contacts = {name: (each.number,) for name, each in policy.destinations.items()}
    contacts["us-tier2-engineer"] = (LINE["us-standard"],)
    talk = Talk(desk=desk_of(contacts=contacts)).keys("1", "2")
    assert talk.wait.number == RINGS["us-tier2-second"]
