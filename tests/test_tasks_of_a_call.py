"""What a call leaves to be answered by a person: a message, a call back, or nothing; and by when."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from logbook import AT, PATIENCE, begun, key, rows, went_on
from paper import SATURDAY_NIGHT, TUESDAY_MORNING, Talk, desk_of, shipped
from service import LINE

from flows.call import CallBack, Message, Turned
from flows.heard import DialEnded, MessageLeft
from flows.task import id_of, tasks_of
from recordings.directory import SqlDirectory
from recordings.engines import open_store
from recordings.log import CallLog
from routing.aftercare import Abandoned

ACME_PHONE, STRANGER = "+14085550142", "+442079460999"
MINUTES = timedelta(minutes=1)
BUSY = DialEnded("busy", bridged=False)


def left_by(talk):
    return {task.kind: task for task in tasks_of(talk.call, talk.desk)}


def test_an_id_follows_from_its_key():
    assert id_of("CA1.message") == id_of("CA1.message") != id_of("CA1.call_back")
    assert len(id_of("CA1.message")) == 20


def test_a_message_is_a_task_for_the_home_desk_due_when_its_caller_was_told():
    talk = Talk("us-voicemail", at=SATURDAY_NIGHT).keys("2", "").hears(MessageLeft("RE1", 20)).keys("1")
    task = left_by(talk)["message"]
    assert (task.id, task.call_sid, task.case_number) == (
        id_of(f"{talk.call.sid}.message"),
        talk.call.sid,
        talk.call.case_number,
    )
    assert (task.desk, task.number, task.why) == ("us-tier2", ACME_PHONE, "escalation voicemail")
    assert (task.recording, task.seconds, task.due_at) == ("RE1", 20, talk.call.message_due)
    assert (task.partner_id, task.partner_name, task.severity) == ("347109", "Acme", None)
    assert (task.programme, task.policy, task.region) == ("8x8-partner", talk.call.policy, "us")


def test_a_take_that_was_not_sent_is_no_task():
    talk = Talk("us-voicemail", at=SATURDAY_NIGHT).keys("2", "").hears(MessageLeft("RE1", 20))
    assert left_by(talk) == {}
    assert left_by(talk.keys("*").hangs_up()) == {}


def outage(**options):
    return Talk("us-standard", at=SATURDAY_NIGHT, **options).keys("1", "1", "1")


def queueing():
    """A caller whom nobody has answered in two rounds, and who is offered a call back."""
    talk = Talk().keys("1", "2")
    while talk.call.node != "hold_choices":
        talk.hears(BUSY)
    return talk


OWED = {  # how the call ended -> why the caller is to be called back, and where; None: they are not
    "an outage that nobody answered": (lambda: outage().hangs_up(), ("not reached", ACME_PHONE)),
    "an outage of a caller without a number": (
        lambda: Talk(caller=None, at=SATURDAY_NIGHT).keys("0", "1", "1", "1", "1").hangs_up(),
        ("not reached", ""),
    ),
    "a caller who asked for it": (lambda: queueing().keys("1", "1").hangs_up(), ("asked", ACME_PHONE)),
    "while the number was still being confirmed": (
        lambda: queueing().keys("1", "2", "442079460123").hangs_up(),
        ("abandoned", "+442079460123"),
    ),
    "in the queue": (lambda: queueing().hangs_up(), ("abandoned", ACME_PHONE)),
    "while ringing": (lambda: Talk().keys("1", "2").hangs_up(), ("abandoned", ACME_PHONE)),
    "while ringing, unknown": (lambda: Talk(caller=STRANGER).keys("0", "1", "1", "2").hangs_up(), None),
    "in the menu": (lambda: Talk().keys("1").hangs_up(), None),
    "at once": (lambda: Talk().hangs_up(2), None),
    "after a conversation": (
        lambda: Talk().keys("1", "2").engineer("1").hears(DialEnded("answered", bridged=True, seconds=60)).hangs_up(),
        None,
    ),
    "in a conversation": (lambda: Talk().keys("1", "2").engineer("1").hangs_up(), None),
    "after a message": (
        lambda: queueing().keys("2", "").hears(MessageLeft("RE1", 9)).keys("1").hangs_up(),
        None,
    ),
}


@pytest.mark.parametrize(("call", "owed"), OWED.values(), ids=OWED)
def test_who_is_called_back_and_why(call, owed):
    talk = call()
    task = left_by(talk).get("call_back")
    assert (task and (task.why, task.number)) == owed
    assert [effect.key for effect in talk.effects if effect.kind == "call_back"] == (
        [f"{talk.call.sid}.call_back"] if owed else []
    )


def test_nobody_who_merely_hangs_up_is_called_back_where_the_policy_says_so():
    desk = desk_of(replace(shipped(), call_back_when_abandoned=Abandoned.NO))
    assert left_by(Talk(desk=desk).keys("1", "2").hangs_up()) == {}
    assert left_by(outage(desk=desk).hangs_up())["call_back"].why == "not reached"


def test_an_outage_is_called_back_within_a_quarter_of_an_hour_and_the_rest_while_somebody_is_awake():
    urgent = left_by(outage().hangs_up())["call_back"]
    assert urgent.due_at == urgent.received_at + 15 * MINUTES
    assert (urgent.severity, urgent.flags) == (1, ("S1_UNANSWERED",))
    calm = left_by(Talk(at=TUESDAY_MORNING).keys("1", "2").hangs_up())["call_back"]
    assert calm.due_at == calm.received_at + 240 * MINUTES  # on a Tuesday some escalation desk is always open
    late = tasks_of(queueing().call.but(call_back=CallBack(ACME_PHONE, SATURDAY_NIGHT, "asked")), desk_of())[0]
    assert late.due_at > SATURDAY_NIGHT + timedelta(hours=20)


def test_an_outage_that_was_not_reached_has_a_case_even_if_none_was_opened_on_the_way():
    talk = outage()
    talk.call = talk.call.but(case_number="")
    talk.hangs_up()
    assert talk.call.case_number
    assert left_by(talk)["call_back"].case_number == talk.case.number == talk.call.case_number
    assert {effect.detail.get("case") for effect in talk.effects if effect.kind in ("page", "call_back")} == {
        talk.call.case_number
    }


def test_every_call_says_once_that_it_has_ended():
    for talk in (Talk(), outage(), queueing()):
        talk.hangs_up().hangs_up()
        assert [each.key for each in talk.effects if each.kind == "ended"] == [f"{talk.call.sid}.ended"]


# --- as they are stored


@pytest.fixture
def other(database_url: str) -> Iterator[CallLog]:
    """The log as another process has it."""
    with closing(open_store(database_url)) as store:
        yield CallLog(store)


STORED = "id, state, version, number, why, severity, audio, recording, look_at, received_at, due_at, flags"


def with_tasks(**fields):
    """A turn that leaves what the call then has to leave."""

    def step(call):
        turned, reply = went_on(**fields)(call)
        return Turned(turned.call, None, None, tasks_of(turned.call, DESK)), reply

    return step


DESK = desk_of()
OWED_SINCE = CallBack(ACME_PHONE, AT, "asked")


def test_a_task_is_stored_in_the_transaction_of_its_turn(log, store):
    log.turn(key("CA1", 0), begun("CA1"), PATIENCE)
    log.turn(key("CA1", 1), with_tasks(message=Message("RE1", 9, AT), call_back=OWED_SINCE), PATIENCE)
    message, call_back = rows(store, f"SELECT {STORED} FROM tasks ORDER BY kind DESC")
    at = store.instant(AT)
    new = ("new", 1, ACME_PHONE)
    assert message[:10] == (id_of("CA1.message"), *new, "escalation voicemail", None, "expected", "RE1", at, at)
    assert call_back[:10] == (id_of("CA1.call_back"), *new, "asked", None, "none", None, at, at)
    assert call_back[10] == store.instant(tasks_of(log.load("CA1"), DESK)[1].due_at)


def test_a_task_that_nobody_has_taken_follows_its_call_and_no_other_one_does(log, other, store):
    log.turn(key("CA1", 0), begun("CA1"), PATIENCE)
    log.turn(key("CA1", 1), with_tasks(call_back=OWED_SINCE), PATIENCE)
    log.turn(key("CA1", 2), with_tasks(severity=1, flags=("S1_UNANSWERED",)), PATIENCE)
    assert rows(store, "SELECT severity, flags FROM tasks") == [(1, "S1_UNANSWERED")]
    store.write(
        lambda conn: conn.execute("UPDATE tasks SET state = 'claimed', holder = 'somebody', version = 2"), PATIENCE
    )
    other.turn(key("CA1", 3), with_tasks(severity=2), PATIENCE)
    assert rows(store, "SELECT severity, state, holder, version FROM tasks") == [(1, "claimed", "somebody", 2)]


def test_what_is_known_of_a_messages_audio_is_not_forgotten_by_a_later_turn(log, other, store):
    log.turn(key("CA1", 0), begun("CA1"), PATIENCE)
    log.turn(key("CA1", 1), with_tasks(message=Message("RE1", 9, AT)), PATIENCE)
    store.write(lambda conn: conn.execute("UPDATE tasks SET audio = 'stored'"), PATIENCE)
    other.turn(key("CA1", 2), with_tasks(flags=("PATIENT_MODE",)), PATIENCE)
    assert rows(store, "SELECT audio, flags FROM tasks") == [("stored", "PATIENT_MODE")]
    other.turn(key("CA1", 3), with_tasks(message=Message("RE2", 7, AT)), PATIENCE)
    assert rows(store, "SELECT audio, recording, seconds FROM tasks") == [("expected", "RE2", 7)]


@pytest.mark.parametrize("audio", ["absent", "failed"])
def test_a_message_whose_audio_is_known_to_be_missing_says_so_from_the_first(log, store, audio):
    log.turn(key("CA1", 0), begun("CA1"), PATIENCE)
    log.turn(key("CA1", 1), with_tasks(message=Message("RE1", 9, AT, audio)), PATIENCE)
    assert rows(store, "SELECT audio FROM tasks") == [(audio,)]


def test_a_task_is_written_again_only_when_it_has_changed(log, store):
    log.turn(key("CA1", 0), begun("CA1"), PATIENCE)
    log.turn(key("CA1", 1), with_tasks(call_back=OWED_SINCE), PATIENCE)
    store.write(lambda conn: conn.execute("DELETE FROM tasks"), PATIENCE)
    log.turn(key("CA1", 2), with_tasks(typed="12"), PATIENCE)
    assert rows(store, "SELECT id FROM tasks") == []


def test_a_turn_that_comes_too_late_leaves_no_task(log, other, store):
    log.turn(key("CA1", 0), begun("CA1"), PATIENCE)
    other.turn(key("CA1", 1), went_on(), PATIENCE)
    log.turn(key("CA1", 1), with_tasks(call_back=OWED_SINCE), PATIENCE)
    assert rows(store, "SELECT id FROM tasks") == []


def test_a_case_lives_by_the_policy_of_its_call_and_is_to_be_looked_at_at_once(service):
    call = service.at(TUESDAY_MORNING).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("2")
    started = service.call_of(call).started_at
    store = service.parts.store
    read = "SELECT policy, look_at, opened_at, level, severity_now, status FROM cases WHERE call_sid = ?"
    ((policy, look_at, opened_at, *rest),) = service.query(read, call.sid)
    assert (policy, store.moment(look_at), store.moment(opened_at)) == (service.call_of(call).policy, started, started)
    assert rest == [0, None, "open"]
    service.parts.store.write(
        lambda conn: conn.execute("UPDATE cases SET look_at = NULL, severity_now = 1, level = 2"), PATIENCE
    )
    call.hangs_up()
    ((_, look_at, _, *rest),) = service.query(read, call.sid)
    assert rest == [2, 1, "open"]


def test_the_severity_of_a_case_is_the_one_it_was_corrected_to(service):
    call = service.at(TUESDAY_MORNING).dials(LINE["us-standard"], ACME_PHONE).presses("1").presses("3").hangs_up()
    number = service.call_of(call).case_number
    store = service.parts.store
    store.write(lambda conn: conn.execute("UPDATE cases SET severity_now = 2, status = 'resolved'"), PATIENCE)
    found = SqlDirectory(store).case(number)
    assert (found.severity, found.closed) == (2, False)
    store.write(lambda conn: conn.execute("UPDATE cases SET status = 'closed'"), PATIENCE)
    assert SqlDirectory(store).case(number).closed
