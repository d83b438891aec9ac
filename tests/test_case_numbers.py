"""Case numbers: the check digit, the sequence that never repeats, the blocks that processes take."""

import os
from concurrent.futures import ThreadPoolExecutor
from math import gcd

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.case_number import luhn_ok, with_check_digit
from recordings.case_numbers import BLOCK, STRIDE, CaseNumbers, is_case_number, number_of
from recordings.directory import SqlDirectory

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

DIGITS = st.text("0123456789", min_size=1, max_size=14)
NINE_MILLION = 9_000_000


@pytest.mark.parametrize("number", ["79927398713", "4539578763621486", "18", "00"])
def test_a_number_with_the_right_last_digit_is_accepted(number: str):
    """The first is the worked example of Luhn's rule, the second a card number that is printed for tests."""
    assert luhn_ok(number)
    assert with_check_digit(number[:-1]) == number


@pytest.mark.parametrize(
    "text",
    ["", "0", "7", "79927398710", "7992739871", "\u0667\u0669", "7992739871\u00b3", "79927398713\n", " 18", "1 8"],
)
def test_whatever_is_not_digits_with_the_right_one_at_the_end_is_refused(text: str):
    assert not luhn_ok(text)


@pytest.mark.parametrize("body", ["", "12a", "\uff11\uff12", "\u00b2", "12\n"])
def test_only_digits_get_a_check_digit(body: str):
    with pytest.raises(ValueError, match="not made of the digits"):
        with_check_digit(body)


@given(DIGITS, st.data())
def test_any_single_wrong_key_is_noticed(body: str, data: st.DataObject):
    number = with_check_digit(body)
    place = data.draw(st.integers(0, len(number) - 1))
    wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[place]]))

    assert luhn_ok(number)
    assert not luhn_ok(number[:place] + wrong + number[place + 1 :])


@given(DIGITS, st.data())
def test_two_neighbours_keyed_in_the_wrong_order_are_noticed_unless_they_are_0_and_9(body: str, data: st.DataObject):
    number = with_check_digit(body)
    place = data.draw(st.integers(0, len(number) - 2))
    first, second = number[place], number[place + 1]
    swapped = number[:place] + second + first + number[place + 2 :]

    assert luhn_ok(swapped) == (first == second or {first, second} == {"0", "9"})


def test_the_first_numbers_have_eight_digits_and_no_leading_zero():
    numbers = [number_of(n) for n in range(20_000)]

    assert len(set(numbers)) == len(numbers)
    assert all(len(number) == 8 and is_case_number(number) for number in numbers)


def test_nine_million_numbers_are_all_different_because_stride_and_circle_share_no_factor():
    assert gcd(STRIDE, 9 * 10**12) == 1


def test_neighbours_look_nothing_alike():
    """A caller who misreads a number must not end up in the case that was opened a minute before."""
    for n in range(1000):
        one, other = number_of(n), number_of(n + 1)
        assert sum(a != b for a, b in zip(one, other, strict=True)) >= 3


def test_after_the_last_number_of_eight_digits_come_those_of_nine():
    last, first = number_of(NINE_MILLION - 1), number_of(NINE_MILLION)

    assert (len(last), len(first)) == (8, 9)
    assert is_case_number(first)
    assert len(number_of(NINE_MILLION + 90_000_000)) == 10


@given(st.lists(st.integers(0, NINE_MILLION * 200), min_size=2, max_size=50, unique=True))
def test_no_two_numbers_are_ever_alike(counts: list[int]):
    assert len({number_of(n) for n in counts}) == len(counts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0000000",
        "01234566",
        "4820719",
        "48207190",
        "4820 7195",
        "1" * 13,
        "\uff14\uff18\uff12\uff10\uff17\uff11\uff19\uff15",
    ],
)
def test_what_cannot_be_a_case_number_is_refused(text: str):
    assert not is_case_number(text)


def test_numbers_taken_by_many_threads_and_directories_never_meet(store):
    directories = [SqlDirectory(store) for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(lambda n: directories[n % 4].new_case_number(), range(600)))

    assert len(set(numbers)) == 600
    assert all(is_case_number(number) for number in numbers)


def test_a_process_takes_numbers_by_the_block(store):
    numbers = CaseNumbers(store)
    for _ in range(BLOCK + 1):
        numbers.take()

    assert store.read(lambda conn: conn.execute("SELECT value FROM counters").fetchall(), 1) == [(2 * BLOCK,)]


def test_a_forked_child_does_not_share_what_is_left_of_its_parents_block(store):
    """A web server forks after it has loaded the application; both must not give out the same number."""
    numbers = CaseNumbers(store)
    numbers.take()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, numbers.take().encode())
        os._exit(0)
    mine = {numbers.take() for _ in range(BLOCK)}
    os.waitpid(child, 0)

    assert os.read(reader, 20).decode() not in mine
    os.close(reader)
    os.close(writer)
