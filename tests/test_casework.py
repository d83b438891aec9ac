"""The case as it stands: status, severity, clocks and tasks are sums of entries, whatever order those came in."""

from datetime import UTC, datetime

import pytest
from casefile import FRIDAY_17_55_PT, HOUR, MINUTE, NUMBER, TUESDAY, action, case, entry, message, policy
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.case_actions import case_entry
from flows.case_rounds import next_look, owed_entries
from flows.casework import case_view
from flows.taskwork import owner_of
from flows.work import Objection
from routing.clock import State

MONDAY_DUE = datetime(2026, 7, 20, 1, 55, tzinfo=UTC)  # 5 min on Friday, the rest from Sydney's Monday 08:00


def view(*entries, at=TUESDAY + HOUR, tasks=(), row=None):
    return case_view(row or case(), tasks, entries, policy(), at)


def refused(kind, *entries, at=TUESDAY + HOUR, row=None, **detail):
    """Return what is objected to an action."""
    with pytest.raises(Objection) as refusal:
        case_entry(view(*entries, at=at, row=row), action(kind, at, **detail), entries, policy())
    return str(refusal.value)


# --- the first response


def test_the_first_response_runs_from_the_calls_arrival_by_the_target_of_its_severity():
    clock = view().clock("first_response").clock
    assert (clock.started_at, clock.due_at, clock.state) == (TUESDAY, TUESDAY + 4 * HOUR, State.RUNNING)
    assert clock.left == 3 * HOUR


@pytest.mark.parametrize("kind", ["response", "update"])
def test_the_first_word_to_the_partner_meets_it(kind):
    clock = view(entry(kind, TUESDAY + 30 * MINUTE)).clock("first_response").clock
    assert (clock.state, clock.ended_at) == (State.MET, TUESDAY + 30 * MINUTE)


def test_an_engineer_who_accepts_the_call_has_responded_at_that_instant():
    now = view(row=case(answered_at=TUESDAY + MINUTE))
    assert now.clock("first_response").clock.ended_at == TUESDAY + MINUTE
    assert now.responded_at == TUESDAY + MINUTE
    assert now.clock("update.1").clock.started_at == TUESDAY + MINUTE


def test_a_note_is_no_response():
    assert view(entry("note", TUESDAY + MINUTE, reason="looked at it")).clock("first_response").running


def test_a_case_of_unknown_severity_has_no_response_clock_until_somebody_says_what_it_is():
    row = case(severity=None)
    assert view(row=row).clocks == ()
    corrected = entry("severity", TUESDAY + MINUTE, severity=3, reason="asked them")
    assert view(corrected, row=row).clock("first_response").clock.due_at == TUESDAY + 6 * HOUR


def test_a_corrected_severity_moves_a_running_clock_and_no_finished_one():
    raised = entry("severity", TUESDAY + 2 * HOUR, severity=1, reason="it got worse", call="CA")
    late = view(raised, at=TUESDAY + 3 * HOUR)
    assert (late.severity, late.clock("first_response").clock.due_at) == (1, TUESDAY + HOUR)
    done = view(raised, entry("response", TUESDAY + HOUR + MINUTE), at=TUESDAY + 3 * HOUR)
    assert done.clock("first_response").clock.due_at == TUESDAY + 4 * HOUR
    assert done.clock("first_response").clock.state is State.MET


def test_a_resolved_case_awaits_no_first_response_any_more():
    assert not view(entry("resolved", TUESDAY + MINUTE)).clock("first_response").running


# --- pauses


def test_a_pause_stops_the_clock_with_its_reason_and_an_end_moves_the_due_instant():
    paused = entry("paused", TUESDAY + HOUR, reason="waiting for call examples")
    now = view(paused, at=TUESDAY + 2 * HOUR)
    clock = now.clock("first_response").clock
    assert (clock.state, clock.why, clock.due_at) == (State.PAUSED, "waiting for call examples", None)
    assert now.paused is not None
    resumed = view(paused, entry("resumed", TUESDAY + 3 * HOUR), at=TUESDAY + 4 * HOUR)
    assert resumed.clock("first_response").clock.due_at == TUESDAY + 6 * HOUR
    assert resumed.paused is None


def test_no_pause_of_the_case_moves_what_a_caller_was_told():
    told = message(FRIDAY_17_55_PT, MONDAY_DUE)
    row = case(opened_at=FRIDAY_17_55_PT, region="us", desk="us-tier2")
    paused = entry("paused", FRIDAY_17_55_PT + MINUTE, reason="busy")
    clock = view(paused, tasks=(told,), row=row, at=FRIDAY_17_55_PT + HOUR).clock(f"escalation.{told.task.id}")
    assert clock.clock.due_at == MONDAY_DUE


# --- updates


def test_each_word_to_the_partner_ends_one_update_clock_and_starts_the_next():
    told = [entry("response", TUESDAY + HOUR), entry("update", TUESDAY + 20 * HOUR)]
    now = view(*told, at=TUESDAY + 21 * HOUR)
    spans = [(c.id, c.clock.started_at, c.clock.ended_at, c.clock.state) for c in now.clocks[1:]]
    assert spans == [
        ("update.1", TUESDAY + HOUR, TUESDAY + 20 * HOUR, State.MET),
        ("update.2", TUESDAY + 20 * HOUR, None, State.RUNNING),
    ]


def test_updates_are_owed_until_the_case_is_resolved_and_again_once_it_is_reopened():
    told = (entry("response", TUESDAY + HOUR), entry("resolved", TUESDAY + 2 * HOUR))
    assert not any(clock.running for clock in view(*told, at=TUESDAY + 9 * HOUR).clocks)
    again = entry("reopened", TUESDAY + 5 * HOUR, reason="it is back")
    running = [clock for clock in view(*told, again, at=TUESDAY + 9 * HOUR).clocks if clock.running]
    assert [(clock.id, clock.clock.started_at) for clock in running] == [("update.2", TUESDAY + 5 * HOUR)]


def test_a_severity_without_update_target_owes_none():
    now = view(entry("response", TUESDAY + HOUR), row=case(severity=3))
    assert [clock.id for clock in now.clocks] == ["first_response"]


def test_an_update_that_is_written_late_moves_the_number_of_the_next_clock_and_not_its_key():
    first, third = entry("response", TUESDAY + HOUR), entry("update", TUESDAY + 3 * HOUR)
    before = view(first, third, at=TUESDAY + 4 * HOUR).clock("update.2")
    late = entry("update", TUESDAY + 2 * HOUR)
    after = view(first, third, late, at=TUESDAY + 4 * HOUR).clock("update.3")
    assert before.key == after.key


# --- messages


def test_the_clock_of_a_message_is_due_when_the_caller_was_told_and_sleeps_over_the_weekend():
    told = message(FRIDAY_17_55_PT, MONDAY_DUE)
    row = case(opened_at=FRIDAY_17_55_PT, region="us", desk="us-tier2", severity=None, response_due=MONDAY_DUE)
    (clock,) = view(tasks=(told,), row=row, at=FRIDAY_17_55_PT + 20 * HOUR).clocks
    assert (clock.id, clock.table) == (f"escalation.{told.task.id}", "escalation")
    assert (clock.clock.due_at, clock.clock.state) == (row.response_due, State.PAUSED)
    assert "Mon 2026-07-20 08:00 in Australia/Sydney" in clock.clock.why
    assert clock.clock.counted == 5 * MINUTE


@pytest.mark.parametrize(
    ("outcome", "state"), [("reached", State.MET), ("left_word", State.RUNNING), ("no_answer", State.RUNNING)]
)
def test_only_a_partner_who_was_reached_has_been_answered(outcome, state):
    told = message(TUESDAY, TUESDAY + 4 * HOUR)
    tried = entry("answered", TUESDAY + HOUR, subject=told.task.id, outcome=outcome)
    now = view(tried, tasks=(told,), at=TUESDAY + 2 * HOUR)
    assert now.clock(f"escalation.{told.task.id}").clock.state is state
    assert len(now.tasks[0].attempts) == 1


def test_the_due_instant_that_was_told_stands_whatever_the_policy_would_say_now():
    told = message(TUESDAY, TUESDAY + 90 * MINUTE)
    clock = view(tasks=(told,), at=TUESDAY + 100 * MINUTE).clock(f"escalation.{told.task.id}").clock
    assert (clock.due_at, clock.state) == (TUESDAY + 90 * MINUTE, State.MISSED)


# --- status and the resolution cycle


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        ([], "open"),
        (["resolved"], "resolved"),
        (["resolved", "accepted"], "closed"),
        (["resolved", "accepted", "reopened"], "open"),
        (["resolved", "reopened", "resolved"], "resolved"),
        (["closed"], "closed"),
    ],
)
def test_the_status_follows_from_what_was_done(kinds, status):
    entries = [entry(kind, TUESDAY + number * MINUTE, reason="so") for number, kind in enumerate(kinds, 1)]
    assert view(*entries).status == status


def test_acceptance_is_asked_three_times_a_working_day_apart_and_then_the_case_closes():
    entries, at, told = [entry("resolved", TUESDAY + HOUR)], TUESDAY + HOUR, []
    for _ in range(9):
        now = view(*entries, at=at)
        new = owed_entries(now, policy(), at)
        entries += new
        told += [(each.kind, each.at) for each in new]
        at = next_look(view(*entries, at=at), policy())
        if at is None:
            break
    first = TUESDAY + HOUR
    asked = [("acceptance_asked", first + days * 24 * HOUR) for days in (0, 1, 2)]
    assert told == [*asked, ("closed", first + 3 * 24 * HOUR)]
    assert view(*entries, at=first + 90 * HOUR).status == "closed"


def test_the_next_look_is_at_the_warning_then_just_after_the_due_instant_then_never():
    at = TUESDAY + HOUR
    looks = []
    entries = []
    while at is not None and len(looks) < 5:
        entries += owed_entries(view(*entries, at=at), policy(), at)
        at = next_look(view(*entries, at=at), policy())
        looks.append(at)
    due = TUESDAY + 4 * HOUR
    assert looks == [TUESDAY + 3 * HOUR, due + (due.resolution), None]
    assert [each.kind for each in entries] == ["warned", "breached"]
    assert [each.at for each in entries] == [TUESDAY + 3 * HOUR, due]


def test_a_response_at_the_due_instant_is_in_time():
    met = view(entry("response", TUESDAY + 4 * HOUR), at=TUESDAY + 9 * HOUR)
    assert owed_entries(met, policy(), met.at) == ()


# --- what is refused, and what to do instead


@pytest.mark.parametrize(
    ("kind", "before", "detail", "words"),
    [
        ("resumed", [], {}, "not paused"),
        ("paused", [], {}, "no reason"),
        ("paused", ["paused"], {"reason": "x"}, "resume it first"),
        ("accepted", [], {}, "not resolved"),
        ("reopened", [], {"reason": "x"}, "it is open"),
        ("resolved", ["resolved"], {}, "it is resolved"),
        ("response", ["closed"], {}, "reopen it first"),
        ("severity", [], {"severity": 3}, "no reason"),
        ("severity", [], {"severity": 4, "reason": "x"}, "has no severity 4"),
        ("severity", [], {"severity": 2, "reason": "x"}, "its severity is 2"),
        ("closed", [], {}, "no reason"),
        ("note", [], {"text": " "}, "empty"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_mend(kind, before, detail, words):
    entries = [entry(each, TUESDAY + MINUTE, reason="so") for each in before]
    assert words in refused(kind, *entries, **detail)


def test_severity_1_is_only_taken_by_phone_and_the_number_to_ring_is_given():
    words = refused("severity", severity=1, reason="they wrote so")
    assert "only taken by phone" in words
    assert "+442070966060" in words


def test_a_severity_1_can_be_lowered_with_a_reason_and_raised_again_with_a_call():
    lowered = action("severity", TUESDAY + HOUR, severity=2, reason="a workaround is there")
    assert case_entry(view(row=case(severity=1)), lowered, (), policy()).detail["severity"] == 2
    raised = action("severity", TUESDAY + HOUR, severity=1, reason="down again", call="CA" + "3" * 32)
    assert case_entry(view(), raised, (), policy()).detail["call"] == "CA" + "3" * 32


@pytest.mark.parametrize(("at", "logged", "words"), [(-HOUR, HOUR, "before the call"), (9 * HOUR, HOUR, "not come")])
def test_nothing_is_done_before_the_call_nor_in_the_future(at, logged, words):
    done = action("response", TUESDAY + at, logged=TUESDAY + logged)
    with pytest.raises(Objection, match=words):
        case_entry(view(), done, (), policy())


def test_an_escalation_ends_at_the_last_level():
    ladder = policy().escalation_ladder("emea", 2)
    up = [entry("escalated", TUESDAY + MINUTE, level=len(ladder.levels), reason="so")]
    assert "last of" in refused("escalated", *up, reason="more")


# --- order does not matter

KINDS = (
    "response",
    "update",
    "paused",
    "resumed",
    "resolved",
    "accepted",
    "reopened",
    "closed",
    "note",
    "escalated",
    "severity",
    "acceptance_asked",
    "flagged",
)
TOLD = message(TUESDAY, TUESDAY + 4 * HOUR)
_case_entries = st.builds(
    lambda kind, minutes, number: entry(
        kind, TUESDAY + minutes * MINUTE, f"{NUMBER}.{number:03d}", severity=number % 3 + 1, level=1, flag="F"
    ),
    st.sampled_from(KINDS),
    st.integers(0, 20).map(lambda step: step * 30),
    st.integers(0, 200),
)
_task_entries = st.builds(
    lambda kind, minutes, number: entry(
        kind,
        TUESDAY + minutes * MINUTE,
        f"t.{number:03d}",
        TOLD.task.id,
        outcome=("reached", "no_answer")[number % 2],
        to="emea-tier2",
    ),
    st.sampled_from(("claimed", "released", "handed", "answered", "closed", "reassigned")),
    st.integers(0, 20).map(lambda step: step * 30),
    st.integers(0, 200),
)
_entries = st.lists(st.one_of(_case_entries, _task_entries), max_size=12, unique_by=lambda each: each.key)


@settings(max_examples=150, deadline=None)
@given(st.data(), _entries, st.integers(0, 30))
def test_neither_the_order_of_the_entries_nor_how_often_they_come_changes_the_case(data, entries, hours):
    at = TUESDAY + hours * HOUR
    shuffled = data.draw(st.permutations(entries + entries[: len(entries) // 2]))
    once = view(*entries, tasks=(TOLD,), at=at)
    again = view(*shuffled, tasks=(TOLD,), at=at)
    assert again == once
    assert owed_entries(again, policy(), at) == owed_entries(once, policy(), at)


@settings(max_examples=80, deadline=None)
@given(_entries)
def test_whatever_was_done_the_clocks_run_forwards_and_one_of_a_kind_runs_at_most(entries):
    now = view(*entries, tasks=(TOLD,), at=TUESDAY + 12 * HOUR)
    for each in now.clocks:
        assert each.clock.due_at is None or each.clock.due_at >= each.clock.started_at
        assert each.clock.ended_at is None or each.clock.ended_at >= each.clock.started_at
    assert sum(each.running for each in now.clocks if each.id.startswith("update")) <= 1
    assert now.status == "open" or not any(c.running for c in now.clocks if not c.id.startswith("escalation"))


# --- whose task it is


@pytest.mark.parametrize(
    ("at", "desk", "until"),
    [
        ((17, 20, 0), "us-tier2", (18, 1, 0)),  # home, on a Friday afternoon
        ((18, 1, 0), "apac-tier2", (19, 22, 0)),  # all closed: Sydney's Monday comes first
        ((19, 22, 0), "apac-tier2", (20, 7, 0)),
        ((20, 7, 0), "emea-tier2", (20, 12, 0)),
        ((20, 12, 0), "us-tier2", (21, 1, 0)),
        ((21, 1, 0), "apac-tier2", (21, 7, 0)),
    ],
)
def test_a_task_that_nobody_has_follows_the_sun_and_comes_home(at, desk, until):
    told = message(FRIDAY_17_55_PT, MONDAY_DUE)
    owner = owner_of(told.task, policy(), datetime(2026, 7, *at, tzinfo=UTC))
    assert owner == (desk, datetime(2026, 7, *until, tzinfo=UTC))
