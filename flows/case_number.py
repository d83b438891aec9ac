"""The check digit of a case number: the last digit, by Luhn's rule, so that a slip of the finger is noticed."""

import re

DIGITS = re.compile("[0-9]+")
DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # twice a digit, and the sum of the digits of that


def luhn_ok(text: str) -> bool:
    """Whether a text is two or more of the digits 0 to 9, the last of which is right for the others."""
    return len(text) > 1 and DIGITS.fullmatch(text) is not None and with_check_digit(text[:-1]) == text


def with_check_digit(body: str) -> str:
    """Return the digits with their check digit after them. Raises ValueError if the body is not digits alone."""
    if not DIGITS.fullmatch(body):
        raise ValueError(f"{body!r:.40} is not made of the digits 0 to 9")
    digits = [ord(digit) - ord("0") for digit in reversed(body)]
    total = sum(DOUBLED[digit] for digit in digits[::2]) + sum(digits[1::2])
    return body + str(-total % 10)
