"""Case numbers: eight digits that look random, never meet, and end in a check digit (call script, case number)."""

import os
import re
from collections.abc import Iterator

from flows.case_number import luhn_ok, with_check_digit
from recordings.store import Store

SHORTEST = 7  # digits before the check digit, until those numbers run out
STRIDE = 5_562_307  # about 0.618 of the first range: numbers given one after another lie far apart
OFFSET = 3_141_593
BLOCK = 50  # numbers that a process takes at a time; those it does not give out are never given out
TIMEOUT = 2.0
CASE_NUMBER = re.compile("[1-9][0-9]{7,11}")
TAKE_BLOCK = (
    "INSERT INTO counters (name, value) VALUES ('case_number', ?) "
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value RETURNING value"
)

Block = tuple[int, Iterator[int]]  # the process that reserved it, and what is left of it


def number_of(n: int) -> str:
    """Return the n-th case number, counted from 0; no two are alike. After nine million of eight digits come nine.

    Within one length they are strides around a circle: a permutation, because stride and circle share no factor.
    """
    digits, circle = SHORTEST, 9 * 10 ** (SHORTEST - 1)
    while n >= circle:
        n, digits, circle = n - circle, digits + 1, circle * 10
    return with_check_digit(str(10 ** (digits - 1) + (n * STRIDE + OFFSET) % circle))


def is_case_number(text: str) -> bool:
    """Whether a text can be a case number: its length, its first and its last digit are right."""
    return CASE_NUMBER.fullmatch(text) is not None and luhn_ok(text)


class CaseNumbers:
    """Gives out numbers from a block that this process has reserved in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._block: Block = (0, iter(()))

    def take(self) -> str:
        """Return a number that nobody has been given. Raises StoreUnavailable when a new block cannot be reserved.

        Threads need no lock for it: an iterator gives each item once, and two that reserve at the same time only waste
        a block.
        """
        owner, left = self._block
        n = next(left, None) if owner == os.getpid() else None
        if n is None:
            left = iter(self._reserve())
            n = next(left)
            self._block = (os.getpid(), left)
        return number_of(n)

    def _reserve(self) -> range:
        sql = self._store.sql(TAKE_BLOCK)
        rows = self._store.write_one(lambda conn: conn.execute(sql, (BLOCK,)).fetchall(), TIMEOUT)
        end: int = rows[0][0]
        return range(end - BLOCK, end)
