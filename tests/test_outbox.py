"""The outbox: what is owed is done at least once, in order where order matters, and never silently not at all."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Thread

import pytest

from ivr.jobs.job import Later, Refused
from ivr.jobs.run import LONGEST_WAIT, MOST_ATTEMPTS, Runner, patience
from ivr.jobs.work import Worker
from recordings.outbox import LEASE, Owed, claim, finish, held, listing, owe_now, replay

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def letter(name, lane="", **detail):
    return Owed("letter", name, detail, "CA" + "0" * 32, "48207195", lane)


def keys(jobs):
    return [job.key for job in jobs]


def worker(store, handler):
    return Worker(store, {"letter": handler}, ())


def test_what_is_owed_twice_under_one_key_is_there_once(store):
    owe_now(store, [letter("one"), letter("one")], NOON)
    owe_now(store, [letter("one")], NOON)
    assert keys(claim(store, "a", NOON, 10)) == ["one"]


def test_nothing_is_claimed_before_its_time(store):
    owe_now(store, [Owed("letter", "later", not_before=NOON + SECOND)], NOON)
    assert claim(store, "a", NOON, 10) == []
    assert keys(claim(store, "a", NOON + SECOND, 10)) == ["later"]


def test_a_claim_ends_with_its_lease_and_a_worker_that_comes_back_changes_nothing(store):
    owe_now(store, [letter("one")], NOON)
    [lost] = claim(store, "dead", NOON, 10)
    assert claim(store, "alive", NOON + LEASE, 10) == []
    after = NOON + LEASE + SECOND
    assert held(store, lost.id, lost.attempts, after) is None
    [taken] = claim(store, "alive", after, 10)
    assert not finish(store, lost, after)
    assert finish(store, taken, after)
    assert listing(store, "waiting") == []


def test_rows_of_one_lane_are_done_in_order_and_a_bad_one_stops_no_other_lane(store):
    done = []

    def deliver(job, _at):
        if job.key == "a1" and job.attempts == 1:
            raise OSError("the receiver is down")
        done.append(job.key)

    owe_now(store, [letter("a1", "a"), letter("b1", "b"), letter("a2", "a"), letter("b2", "b"), letter("c")], NOON)
    working = worker(store, deliver)
    working.once(NOON)
    assert done == ["b1", "c", "b2"]
    working.once(NOON + timedelta(seconds=LONGEST_WAIT))
    assert done == ["b1", "c", "b2", "a1", "a2"]


def test_two_workers_never_claim_the_same_row(store):
    """F-D5: a thousand rows, four workers at once; each row is claimed once."""
    owe_now(store, [letter(f"row {n}") for n in range(1000)], NOON, timeout=30.0)
    claimed: Counter[str] = Counter()

    def take(name):
        while jobs := claim(store, name, NOON, 25):
            claimed.update(keys(jobs))

    threads = [Thread(target=take, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(claimed) == 1000
    assert set(claimed.values()) == {1}


def test_what_fails_is_tried_again_with_growing_patience(store):
    tried = []

    def fail(job, at):
        tried.append(at)
        raise OSError("no route to host")

    owe_now(store, [letter("one")], NOON)
    working = worker(store, fail)
    for second in range(0, 3600, 5):
        working.once(NOON + timedelta(seconds=second))
    gaps = [b - a for a, b in pairwise(tried)]
    assert len(tried) > 10
    assert max(gaps) <= timedelta(seconds=LONGEST_WAIT + 5)
    [waiting] = listing(store, "waiting")
    assert waiting.last_error == "OSError: no route to host"


def test_patience_grows_is_never_the_same_and_has_an_end():
    assert 1.0 <= patience(1) <= 2.0
    assert LONGEST_WAIT / 2 <= patience(200) <= LONGEST_WAIT
    assert len({patience(5) for _ in range(20)}) > 1


def test_not_yet_is_no_attempt(store):
    def not_yet(_job, _at):
        raise Later(60, "the call still goes on")

    owe_now(store, [letter("one")], NOON)
    working = worker(store, not_yet)
    for minute in range(5):
        working.once(NOON + timedelta(minutes=minute))
    assert claim(store, "a", NOON + timedelta(minutes=6), 1)[0].attempts == 1


def refused(_job, _at):
    raise Refused("the address does not exist")


@pytest.mark.parametrize("handlers", [{"letter": refused}, {}])
def test_what_will_never_work_is_a_dead_letter_with_an_alarm(store, handlers):
    owe_now(store, [letter("one")], NOON)
    [job] = claim(store, "a", NOON, 1)
    Runner(store, handlers).run(job.id, job.attempts, NOON)
    [dead] = listing(store, "dead")
    [alarm] = listing(store, "waiting")
    assert dead.last_error in ("the address does not exist", "nobody knows how to do letter")
    assert (alarm.job.kind, alarm.job.case_number, alarm.job.detail["job"]) == ("alarm", "48207195", job.id)


def test_after_a_day_of_trying_it_is_a_dead_letter_too(store):
    def fail(_job, _at):
        raise OSError("no route to host")

    owe_now(store, [letter("one")], NOON)
    store.write(lambda conn: conn.execute(store.sql("UPDATE outbox SET attempts = ?"), (MOST_ATTEMPTS - 1,)), 5.0)
    worker(store, fail).once(NOON)
    assert "one" in [each.job.key for each in listing(store, "dead")]


def test_an_alarm_that_cannot_be_given_raises_no_further_alarm(store):
    owe_now(store, [Owed("alarm", "one", {"why": "something"})], NOON)
    [job] = claim(store, "a", NOON, 1)
    Runner(store, {"alarm": refused}).run(job.id, job.attempts, NOON)
    assert listing(store, "waiting") == []
    assert len(listing(store, "dead")) == 1


def test_a_hundred_dead_letters_are_replayed_exactly_once_each(store):
    """O8."""
    done: Counter[str] = Counter()
    owe_now(store, [letter(f"row {n}") for n in range(100)], NOON, timeout=30.0)
    worker(store, refused).once(NOON)
    assert replay(store, kind="letter") == 100
    working = worker(store, lambda job, _at: done.update([job.key]))
    working.once(NOON + SECOND)
    working.once(NOON + SECOND * 2)
    assert len(done) == 100
    assert set(done.values()) == {1}


def test_what_a_receiver_lost_is_sent_to_it_again(store):
    sent = []
    working = worker(store, lambda job, _at: sent.append(job.key))
    owe_now(store, [letter("old")], NOON - timedelta(days=1))
    owe_now(store, [letter("new")], NOON)
    working.once(NOON)
    assert replay(store, kind="letter", since=NOON - SECOND) == 1
    working.once(NOON + SECOND)
    assert sent == ["old", "new", "new"]
