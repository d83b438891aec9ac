"""The rounds: one warning and one breach for each clock, and every task at the desk whose turn it is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from casefile import (
    FRIDAY_17_55_PT,
    HOUR,
    MINUTE,
    NUMBER,
    TUESDAY,
    action,
    case,
    message,
    policy,
    policy_of,
    put_case,
    put_task,
    query,
)
from paper import shipped
from service import LINE

from ivr.jobs.clocks import Clocks
from ivr.jobs.hand_over import HandOver
from recordings.casebook import act as act_on_case
from recordings.casebook import view as case_now
from recordings.outbox import Owed
from recordings.tasks import act as act_on_task
from recordings.work_log import entries_of

MONDAY_DUE = datetime(2026, 7, 20, 1, 55, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def tell(to, note, *, urgent, key, at, call_sid="", case_number=""):
    """Owe one notice to whoever is meant."""
    detail = {"to": to, "subject": note.subject, "urgent": urgent}
    return (Owed("notify", f"{key}.{to}", detail, call_sid, case_number),)


def rounds(store):
    return HandOver(store, policy_of, tell), Clocks(store, policy_of, tell)


def go(store, at):
    for each in rounds(store):
        each(at)


def written(store, subject=NUMBER):
    """What the service has written of a case or task: kind, when it was, when it was written."""
    entries = entries_of(store, subject)
    return [(e.kind, e.at, e.logged_at) for e in entries if e.actor == "service"]


def notices(store, kind="notify"):
    import msgspec

    rows = query(store, "SELECT detail FROM outbox WHERE kind = ? ORDER BY id", kind)
    return [msgspec.json.decode(detail) for (detail,) in rows]


def look_at(store, number=NUMBER):
    (stored,) = query(store, "SELECT look_at FROM cases WHERE number = ?", number)[0]
    return store.moment(stored) if stored is not None else None


def minutes(start, end):
    """Every minute from one instant to another, a little after the full minute."""
    at = start + 7 * SECOND
    while at < end:
        yield at
        at += MINUTE


# --- warnings and breaches


def test_a_clock_that_nobody_stops_is_warned_of_once_and_breached_once_at_most_a_minute_late(store):
    put_case(store, case(), look_at=TUESDAY)
    for at in minutes(TUESDAY + 2 * HOUR, TUESDAY + 5 * HOUR):
        go(store, at)
    (warned, breached, raised) = written(store)
    assert warned[:2] == ("warned", TUESDAY + 3 * HOUR)
    assert breached[:2] == ("breached", TUESDAY + 4 * HOUR)
    assert raised[0] == "escalated"
    assert all(timedelta() <= logged - at <= MINUTE for _, at, logged in (warned, breached))
    assert [(note["to"], note["urgent"]) for note in notices(store)] == [("emea-tier2", False)] * 2
    assert look_at(store) is None


def test_a_breach_calls_the_next_level_of_the_ladder(store):
    put_case(store, case(), look_at=TUESDAY)
    go(store, TUESDAY + 4 * HOUR + SECOND)
    (page,) = notices(store, "page")
    why = "first response was missed"
    assert page == {"kind": "escalation", "case": NUMBER, "level": 1, "why": why, "desk": "emea-tier2"}
    assert query(store, "SELECT key FROM outbox WHERE kind = 'page'") == [(f"{NUMBER}.escalation.1",)]
    assert query(store, "SELECT level FROM cases") == [(1,)]


def test_a_missed_severity_1_is_urgent(store):
    put_case(store, case(severity=1), look_at=TUESDAY)
    go(store, TUESDAY + HOUR + SECOND)
    (note,) = notices(store)
    assert note["urgent"]
    assert note["subject"].startswith(
        "Missed: Severity 1, case 482 071 95, Cobalt: first response was due Tue 11:00 BST"
    )


def test_a_clock_that_was_met_is_never_breached(store):
    put_case(store, case(), look_at=TUESDAY)
    go(store, TUESDAY + 3 * HOUR)
    act_on_case(store, NUMBER, action("response", TUESDAY + 4 * HOUR), policy_of)
    for at in minutes(TUESDAY + 4 * HOUR, TUESDAY + 6 * HOUR):
        go(store, at)
    assert [kind for kind, *_ in written(store)] == ["warned"]


def test_an_engineer_who_accepted_the_call_has_met_the_first_response(store):
    put_case(store, case(answered_at=TUESDAY + MINUTE), look_at=TUESDAY)
    go(store, TUESDAY + 5 * HOUR)
    assert written(store) == []
    assert look_at(store) == TUESDAY + MINUTE + 18 * HOUR  # the warning of the first update


def test_a_response_that_is_written_late_removes_no_breach_and_shows_in_the_case(store):
    put_case(store, case(), look_at=TUESDAY)
    go(store, TUESDAY + 4 * HOUR + SECOND)
    late = action("response", TUESDAY + 3 * HOUR, logged=TUESDAY + 5 * HOUR)
    now = act_on_case(store, NUMBER, late, policy_of)
    clock = now.clock("first_response")
    assert (clock.clock.state, clock.breached_at) == ("met", TUESDAY + 4 * HOUR)
    go(store, TUESDAY + 6 * HOUR)
    assert [kind for kind, *_ in written(store)].count("breached") == 1


def test_a_response_that_came_late_is_a_breach_even_if_no_worker_was_there_in_between(store):
    put_case(store, case(), look_at=TUESDAY)
    act_on_case(store, NUMBER, action("response", TUESDAY + 5 * HOUR), policy_of)
    go(store, TUESDAY + 5 * HOUR + SECOND)
    assert [(kind, at) for kind, at, _ in written(store)] == [("breached", TUESDAY + 4 * HOUR)]
    assert notices(store, "page") == []  # it has come: nobody is called for it


def test_a_pause_takes_the_case_out_of_the_rounds_until_somebody_ends_it(store):
    put_case(store, case(), look_at=TUESDAY)
    act_on_case(store, NUMBER, action("paused", TUESDAY + HOUR, reason="waiting for call examples"), policy_of)
    assert look_at(store) is None
    act_on_case(store, NUMBER, action("resumed", TUESDAY + 9 * HOUR), policy_of)
    assert look_at(store) == TUESDAY + 11 * HOUR
    for at in minutes(TUESDAY + 11 * HOUR - MINUTE, TUESDAY + 12 * HOUR + 2 * MINUTE):
        go(store, at)
    assert [(kind, at) for kind, at, _ in written(store)][:2] == [
        ("warned", TUESDAY + 11 * HOUR),
        ("breached", TUESDAY + 12 * HOUR),
    ]


@pytest.mark.parametrize("jump", [-timedelta(days=1), -HOUR, HOUR, timedelta(days=1)])
def test_a_clock_that_jumps_sends_nothing_twice(store, jump):
    put_case(store, case(), look_at=TUESDAY)
    for at in (TUESDAY + 3 * HOUR, TUESDAY + 4 * HOUR + SECOND, TUESDAY + 5 * HOUR):
        go(store, at)
        store.write(lambda conn: conn.execute("UPDATE cases SET look_at = opened_at").rowcount, 5.0)
        go(store, at + jump)
        store.write(lambda conn: conn.execute("UPDATE cases SET look_at = opened_at").rowcount, 5.0)
    kinds = [kind for kind, *_ in written(store)]
    assert kinds.count("warned") <= 1
    assert kinds.count("breached") == 1
    assert len(notices(store)) == len([kind for kind in kinds if kind != "escalated"])


def test_a_case_whose_call_goes_on_is_looked_at_again_and_again_until_it_is_settled(store):
    put_case(store, case(severity=None), look_at=TUESDAY, ended_at=TUESDAY + 5 * MINUTE)
    go(store, TUESDAY + MINUTE)
    assert look_at(store) == TUESDAY + MINUTE + 30 * SECOND
    go(store, TUESDAY + 16 * MINUTE)
    assert look_at(store) is None


# --- two workers


def test_two_rounds_at_once_write_each_of_200_cases_once(store):
    for number in range(200):
        row = case(number=f"{number:08d}", call_sid=f"CA{number:032d}", severity=1)
        put_case(store, row, look_at=TUESDAY)
    at = TUESDAY + HOUR + SECOND
    with ThreadPoolExecutor(2) as pool:
        looked = list(pool.map(lambda _: rounds(store)[1].go(at), range(2)))
    assert sum(looked) == 200
    counts = "SELECT kind, count(*), count(DISTINCT subject) FROM work_log GROUP BY kind ORDER BY kind"
    assert query(store, counts) == [("breached", 200, 200), ("escalated", 200, 200)]
    assert query(store, "SELECT kind, count(*) FROM outbox GROUP BY kind ORDER BY kind") == [
        ("notify", 200),
        ("page", 200),
    ]


def test_a_case_that_cannot_be_read_stops_no_other(store, caplog):
    put_case(store, case(number="00000001", call_sid="CA1", desk="no-such-desk", region="nowhere"), look_at=TUESDAY)
    put_case(store, case(), look_at=TUESDAY + SECOND)
    go(store, TUESDAY + 4 * HOUR + SECOND)
    assert next(kind for kind, *_ in written(store)) == "breached"
    assert look_at(store, "00000001") == TUESDAY + 4 * HOUR + SECOND + MINUTE
    assert "00000001 could not be looked at" in caplog.text


# --- acceptance


def test_a_resolved_case_is_asked_about_three_times_and_then_closed(store):
    put_case(store, case(answered_at=TUESDAY), look_at=TUESDAY)
    act_on_case(store, NUMBER, action("resolved", TUESDAY + HOUR), policy_of)
    asked = []
    for at in minutes(TUESDAY + HOUR, TUESDAY + HOUR + 3 * 24 * HOUR + 3 * MINUTE):
        due = look_at(store)
        if due and due <= at:
            go(store, at)
            asked.append(at)
    kinds = [kind for kind, *_ in written(store)]
    assert kinds == ["acceptance_asked"] * 3 + ["closed"]
    assert all(24 * HOUR <= later - earlier <= 24 * HOUR + MINUTE for earlier, later in pairwise(asked))
    assert query(store, "SELECT status, look_at FROM cases") == [("closed", None)]
    assert "(3 of 3)" in notices(store)[2]["subject"]


# --- Friday, 17:55


def test_a_friday_evening_message_sleeps_over_the_weekend_and_is_handed_to_whoever_opens_first(store):
    row = case(opened_at=FRIDAY_17_55_PT, region="us", desk="us-tier2", severity=None, partner_name="Acme Resale")
    put_case(store, row, look_at=FRIDAY_17_55_PT)
    told = put_task(store, message(FRIDAY_17_55_PT, MONDAY_DUE), look_at=FRIDAY_17_55_PT)
    saturday, monday = FRIDAY_17_55_PT + 5 * MINUTE, MONDAY_DUE - 2 * HOUR
    for at in (*minutes(FRIDAY_17_55_PT, saturday + 30 * MINUTE), *minutes(monday, MONDAY_DUE + 3 * MINUTE)):
        go(store, at)
    ((kind, at, logged),) = written(store, told.task.id)
    assert kind == "handed"
    assert timedelta() <= at - saturday <= MINUTE
    assert logged == at
    assert query(store, "SELECT desk FROM tasks") == [("apac-tier2",)]
    asleep = case_now(store, NUMBER, policy_of, FRIDAY_17_55_PT + 20 * HOUR).clocks[0].clock
    assert (asleep.state, asleep.due_at) == ("paused", MONDAY_DUE)
    kinds = [(kind, at) for kind, at, _ in written(store)]
    assert kinds[:2] == [("warned", MONDAY_DUE - HOUR), ("breached", MONDAY_DUE)]
    assert [note["to"] for note in notices(store)] == ["apac-tier2"] * 3
    assert notices(store, "page")[0]["why"] == "answer to a message was missed"


def test_the_friday_story_from_the_telephone_to_the_breach(service):
    call = service.at(FRIDAY_17_55_PT).dials(LINE["us-voicemail"], "+14085550142").presses("2").presses("#")
    call.leaves_a_message(20).presses("1").hears("Sent. Your reference is").hangs_up()
    number, store = service.call_of(call).case_number, service.parts.store
    policy_then = shipped()
    hand, watch = (
        kind(store, lambda version, programme: service.parts.desks.desk_for(version, programme).policy, tell)
        for kind in (HandOver, Clocks)
    )
    ((task, due),) = query(store, "SELECT id, due_at FROM tasks WHERE case_number = ?", number)
    assert store.moment(due) == service.call_of(call).message_due == MONDAY_DUE
    for at in (FRIDAY_17_55_PT + 2 * MINUTE, FRIDAY_17_55_PT + 20 * MINUTE, MONDAY_DUE - HOUR, MONDAY_DUE + SECOND):
        hand(at)
        watch(at)
    assert [kind for kind, *_ in written(store, task)] == ["handed"]
    assert query(store, "SELECT desk FROM tasks WHERE id = ?", task) == [("apac-tier2",)]
    asleep = case_now(store, number, lambda *_: policy_then, FRIDAY_17_55_PT + 20 * HOUR)
    assert asleep.clock(f"escalation.{task}").clock.why.startswith("nobody is on duty until Mon 2026-07-20 08:00")
    assert [(kind, at) for kind, at, _ in written(store, number)][:2] == [
        ("warned", MONDAY_DUE - HOUR),
        ("breached", MONDAY_DUE),
    ]


def test_a_claimed_task_stays_where_it_is(store):
    put_case(store, case(opened_at=FRIDAY_17_55_PT, region="us", desk="us-tier2"), look_at=FRIDAY_17_55_PT)
    told = put_task(store, message(FRIDAY_17_55_PT, MONDAY_DUE), look_at=FRIDAY_17_55_PT)
    act_on_task(store, told.task.id, action("claimed", FRIDAY_17_55_PT + 2 * MINUTE), policy_of)
    go(store, FRIDAY_17_55_PT + 6 * MINUTE)
    assert query(store, "SELECT desk, holder FROM tasks") == [("us-tier2", "ada")]
    act_on_task(store, told.task.id, action("released", FRIDAY_17_55_PT + 9 * MINUTE), policy_of)
    go(store, FRIDAY_17_55_PT + 10 * MINUTE)
    assert query(store, "SELECT desk, holder FROM tasks") == [("apac-tier2", None)]


def test_two_workers_hand_a_task_over_once(store):
    for number in range(50):
        told = message(FRIDAY_17_55_PT, MONDAY_DUE, id=f"{number:020d}", case_number="")
        put_task(store, told, look_at=FRIDAY_17_55_PT)
    with ThreadPoolExecutor(2) as pool:
        looked = list(pool.map(lambda _: rounds(store)[0].go(FRIDAY_17_55_PT + 6 * MINUTE), range(2)))
    assert sum(looked) == 50
    assert query(store, "SELECT count(*), count(DISTINCT subject) FROM work_log WHERE kind = 'handed'") == [(50, 50)]
    assert query(store, "SELECT count(*) FROM outbox WHERE kind = 'notify'") == [(50,)]


def test_the_policy_of_the_tests_is_the_shipped_one_but_for_its_targets():
    assert policy().escalation_response.amount == 4 * HOUR
