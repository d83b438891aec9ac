"""The breaker leaves a failing store alone for a moment, and lets one try at a time find out whether it is back."""

import pytest

from ivr.breaker import FAILURES, REST, Breaker
from recordings.store import StoreUnavailable


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def fail(breaker: Breaker, error: type[Exception] = StoreUnavailable) -> None:
    with pytest.raises(error), breaker:
        raise error("gone")


def is_let_through(breaker: Breaker) -> bool:
    """Use the store, and say whether that was tried at all."""
    try:
        with breaker:
            return True
    except StoreUnavailable:
        return False


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock) -> Breaker:
    return Breaker(clock)


def test_it_opens_after_three_failures_in_a_row(breaker):
    for _ in range(FAILURES):
        assert not breaker.is_open
        fail(breaker)

    assert breaker.is_open
    assert not is_let_through(breaker)


def test_a_success_between_failures_starts_the_count_anew(breaker):
    for _ in range(3):
        fail(breaker)
        fail(breaker)
        assert is_let_through(breaker)

    assert not breaker.is_open


def test_only_a_store_that_cannot_be_used_counts(breaker):
    for _ in range(10):
        fail(breaker, LookupError)

    assert not breaker.is_open


def test_after_a_rest_one_may_try_and_the_others_wait_for_it(breaker, clock):
    for _ in range(FAILURES):
        fail(breaker)
    clock.seconds += REST

    with breaker:
        assert not is_let_through(breaker)
    assert not breaker.is_open
    assert is_let_through(breaker)


def test_a_failed_try_makes_for_another_rest(breaker, clock):
    for _ in range(FAILURES):
        fail(breaker)
    clock.seconds += REST
    fail(breaker)

    assert not is_let_through(breaker)
    clock.seconds += REST
    assert is_let_through(breaker)
