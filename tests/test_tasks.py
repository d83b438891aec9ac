"""Tasks: one person has each, and only a partner who was reached, or a reason, ends the wait. On both engines."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import msgspec
import pytest
from casefile import HOUR, MINUTE, NUMBER, TUESDAY, action, case, message, policy_of, put_case, put_task, query

from flows.work import Already, Objection
from recordings.casebook import view as case_now
from recordings.latest import latest
from recordings.tasks import Asked, act, claim, listing, load
from recordings.work_log import append, entries_of

LATER = TUESDAY + 30 * MINUTE


@pytest.fixture
def task(store):
    """A stored message of a stored case."""
    put_case(store, case(severity=2, region="us", desk="us-tier2"))
    return put_task(store, message(TUESDAY, TUESDAY + 4 * HOUR), look_at=TUESDAY + MINUTE).task


def row(store, task):
    columns = "state, holder, desk, answered_by, version"
    return query(store, f"SELECT {columns} FROM tasks WHERE id = ?", task.id)[0]


def do(store, task, kind, at=LATER, by="ada", **detail):
    return act(store, task.id, action(kind, at, by, **detail), policy_of)


def test_of_two_people_who_claim_at_once_exactly_one_has_it_and_the_other_is_told_who(store, task):
    people, start = [f"person {number}" for number in range(8)], Barrier(8)

    def try_to(who):
        start.wait(10)
        try:
            return claim(store, task.id, action("claimed", LATER, who)).holder
        except Objection as refusal:
            return refusal

    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(try_to, people))
    winner = row(store, task)[1]
    assert [end for end in ends if end == winner] == [winner]
    refusals = [end for end in ends if isinstance(end, Objection)]
    assert len(refusals) == 7
    assert all(f"{winner} has it since 14 Jul 2026 09:30Z" in refusal.why for refusal in refusals)
    assert all(f"ask {winner} to release it" in refusal.mend for refusal in refusals)
    assert [entry.actor for entry in entries_of(store, task.id)] == [winner]


def test_the_second_is_told_even_if_the_clock_of_its_machine_is_behind(store, task):
    do(store, task, "claimed")
    with pytest.raises(Objection, match="ada has it"):
        do(store, task, "claimed", LATER - 1.5 * MINUTE, "bo")


def test_whoever_looked_at_an_older_version_is_asked_to_look_again(store, task):
    claim(store, task.id, action("claimed", LATER), version=0)
    do(store, task, "released")
    with pytest.raises(Objection, match="look at it again"):
        claim(store, task.id, action("claimed", LATER, "bo"), version=0)


def test_a_task_is_given_back_reassigned_and_taken_again(store, task):
    do(store, task, "claimed")
    assert do(store, task, "released").state == "new"
    do(store, task, "claimed", by="bo")
    assert do(store, task, "reassigned", by="lead", to="cy").holder == "cy"
    assert row(store, task)[:2] == ("claimed", "cy")
    with pytest.raises(Objection, match="cy has it"):
        do(store, task, "released", by="bo")


def test_a_call_back_that_reaches_the_partner_stops_the_clock_and_is_the_cases_first_response(store, task):
    do(store, task, "claimed")
    view = do(store, task, "answered", outcome="reached")
    assert (view.state, view.answered_by, view.answered_at) == ("answered", "ada", LATER)
    assert row(store, task)[0] == "answered"
    now = case_now(store, NUMBER, policy_of, LATER + HOUR)
    assert now.clock(f"escalation.{task.id}").clock.ended_at == LATER
    assert now.clock("first_response").clock.ended_at == LATER
    assert [entry.kind for entry in entries_of(store, NUMBER)] == ["response"]


def test_a_case_that_was_responded_to_gets_no_second_response_from_its_message(store, task):
    put_call_answered = action("response", TUESDAY + MINUTE, logged=LATER)
    from recordings.casebook import act as act_on_case

    act_on_case(store, NUMBER, put_call_answered, policy_of)
    do(store, task, "answered", outcome="reached")
    assert [entry.kind for entry in entries_of(store, NUMBER)] == ["response"]


@pytest.mark.parametrize("outcome", ["no_answer", "left_word"])
def test_an_attempt_that_reached_nobody_is_logged_and_leaves_it_owed(store, task, outcome):
    view = do(store, task, "answered", outcome=outcome)
    assert (view.state, len(view.attempts)) == ("new", 1)
    assert case_now(store, NUMBER, policy_of, LATER).clock(f"escalation.{task.id}").running
    assert do(store, task, "answered", outcome="reached").state == "answered"


def test_a_task_is_closed_with_a_reason_only(store, task):
    with pytest.raises(Objection, match="no reason"):
        do(store, task, "closed")
    assert do(store, task, "closed", reason="left twice").state == "closed"
    with pytest.raises(Objection, match="it was closed"):
        do(store, task, "claimed", by="bo")


def test_anybody_answers_under_their_own_name_what_somebody_else_has(store, task):
    do(store, task, "claimed")
    with pytest.raises(Objection, match="reached, left_word, no_answer"):
        do(store, task, "answered", outcome="perhaps")
    view = do(store, task, "answered", by="bo", outcome="reached")
    assert (view.state, view.answered_by, view.holder) == ("answered", "bo", "ada")
    assert entries_of(store, task.id)[-1].says("holder") == "ada"


def test_a_second_claim_of_the_same_person_writes_nothing(store, task):
    do(store, task, "claimed")
    before = query(store, "SELECT * FROM tasks")
    with pytest.raises(Already, match="you have it already"):
        do(store, task, "claimed")
    assert query(store, "SELECT * FROM tasks") == before
    assert len(entries_of(store, task.id)) == 1


def test_the_last_instant_is_that_of_a_case_of_its_task_or_of_any(store, task):
    assert latest(store, task.id) == latest(store, NUMBER) == latest(store) == TUESDAY + MINUTE
    do(store, task, "claimed", LATER)
    assert latest(store, task.id) == latest(store, NUMBER) == latest(store) == LATER
    assert latest(store, "f" * 20) is None


def test_a_refusal_changes_nothing_at_all(store, task):
    before = query(store, "SELECT * FROM tasks"), query(store, "SELECT * FROM cases")
    with pytest.raises(Objection):
        do(store, task, "released")
    assert (query(store, "SELECT * FROM tasks"), query(store, "SELECT * FROM cases")) == before
    assert entries_of(store, task.id) == ()


def test_tasks_are_listed_by_the_time_that_is_left(store, task):
    for number, hours in enumerate((2, 1, 3)):
        other = message(TUESDAY, TUESDAY + hours * HOUR, id=f"{number}" * 20, case_number="", desk="emea-tier2")
        put_task(store, other)
    ids = [view.task.id for view in listing(store, Asked(), LATER)]
    assert ids == ["1" * 20, "0" * 20, "2" * 20, task.id]
    assert [view.task.id for view in listing(store, Asked(desk="us-tier2"), LATER)] == [task.id]
    do(store, task, "answered", outcome="reached")
    assert len(listing(store, Asked(), LATER)) == 3
    assert [view.state for view in listing(store, Asked(("answered",)), LATER)] == ["answered"]


def test_a_task_without_a_case_is_answered_all_the_same(store):
    alone = put_task(store, message(TUESDAY, TUESDAY + HOUR, kind="call_back", case_number="")).task
    assert do(store, alone, "answered", outcome="reached").state == "answered"


def test_a_task_that_is_not_there_is_named(store):
    with pytest.raises(Objection, match="no task of that id"):
        load(store, "f" * 20, LATER)
    with pytest.raises(Objection, match="no task of that id"):
        claim(store, "f" * 20, action("claimed", LATER))


def test_an_entry_that_is_there_is_left_alone(store, task):
    do(store, task, "note", text="rang the office")
    (written,) = entries_of(store, task.id)
    changed = msgspec.structs.replace(written, actor="somebody else")
    fresh = msgspec.structs.replace(written, key="another", at=datetime(2026, 7, 14, 12, tzinfo=UTC))
    assert store.write(lambda conn: append(conn, store, [changed, fresh]), 5.0) == 1
    assert entries_of(store, task.id) == (written, fresh)
