"""Card numbers in what somebody said or wrote: masked before it is kept anywhere."""

import re

SHORTEST, LONGEST = 13, 19  # digits of a card number
MASK = "*"
# Digits with at most three blanks, dots or dashes between two of them.
_RUN = re.compile(r"[0-9](?:[\s.\-\u2010-\u2015]{0,3}[0-9]){12,}")


def masked_cards(text: str) -> str:
    """Return the text with what may be card numbers masked: 13 to 19 digits, the last of them a right check digit."""
    return _RUN.sub(lambda found: _masked(found[0]), text)


def _masked(run: str) -> str:
    places = [place for place, letter in enumerate(run) if letter in "0123456789"]
    digits = [int(run[place]) for place in places]
    hidden = [places[each] for begin, end in _cards(digits) for each in range(begin, end)]
    letters = list(run)
    for place in hidden:
        letters[place] = MASK
    return "".join(letters)


def _cards(digits: list[int]) -> list[tuple[int, int]]:
    """Return the stretches that may be card numbers; they may overlap, since nobody says where one begins."""
    return [
        (begin, begin + length)
        for length in range(SHORTEST, LONGEST + 1)
        for begin in range(len(digits) - length + 1)
        if _checks_out(digits[begin : begin + length])
    ]


def _checks_out(digits: list[int]) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1), and they are not all zeros."""
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return any(digits) and (sum(digits[::-2]) + sum(doubled)) % 10 == 0
