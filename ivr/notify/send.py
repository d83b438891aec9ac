"""Sending one note to one target, and saying what came of it. Nothing that is said about it holds a secret."""

import os
import re
import unicodedata
from enum import StrEnum

import msgspec
from apprise.common import OverflowMode

from flows.card_numbers import masked_cards
from ivr.notify.targets import PATIENCE, is_terminal, line_to, service_of
from ivr.notify.tell import Note

SUBJECT = 200  # characters
BODY = 8000
_HTTP = re.compile(r"error=([0-9]{3})\b")
_SMTP = re.compile(r"\(?\b(5[0-9]{2}), b['\"]")
PASSING = {408, 425, 429}  # refusals by HTTP that may be over in a while


class Result(StrEnum):
    """What came of an attempt. What failed may succeed later; what was refused will not."""

    SENT = "sent"
    FAILED = "failed"
    REFUSED = "refused"


class Delivery(msgspec.Struct, frozen=True):
    """The result of one attempt, and why it was not delivered."""

    result: Result
    why: str = ""


def send(target: str, note: Note) -> Delivery:
    """Send a note to one target and wait for the answer, ten seconds at most. It raises nothing."""
    note = Note(one_line(note.subject), cleaned(note.body)[:BODY])
    if is_terminal(target):
        return _printed(note)
    service = service_of(target)
    if service is None:
        return Delivery(Result.REFUSED, "the target cannot be used")
    # The limits of a message are the provider's; what is longer comes in several.
    service.overflow_mode = OverflowMode.SPLIT
    outcome = line_to(service).notify(
        body=note.body or note.subject, title=note.subject, body_format="text", timeout=PATIENCE, log_level=10
    )
    if outcome:
        return Delivery(Result.SENT)
    said = [entry.message for result in outcome.results for entry in result.logs()]
    return _undelivered(str(service.service_name), said)


def _undelivered(name: str, said: list[str]) -> Delivery:
    """Tell a refusal from a failure by what apprise says of the answer, and repeat nothing of it but its code."""
    text = " ".join(said)
    if found := _HTTP.search(text):
        code = int(found[1])
        refused = 400 <= code < 500 and code not in PASSING
        return Delivery(Result.REFUSED if refused else Result.FAILED, f"{name} answered {code}")
    if found := _SMTP.search(text):
        return Delivery(Result.REFUSED, f"{name} answered {found[1]}")
    return Delivery(Result.FAILED, f"{name} did not take it")


def _printed(note: Note) -> Delivery:
    text = "\n".join([f"* {note.subject}", *(f"  {line}" for line in note.body.splitlines())])
    try:
        os.write(1, text.encode() + b"\n")
    except OSError as error:
        return Delivery(Result.FAILED, f"it could not be printed: {error.strerror}")
    return Delivery(Result.SENT)


def one_line(text: str) -> str:
    """Return a text as one line that no mail header and no log can be broken with, and of sane length."""
    line = cleaned(" ".join(text.split()))
    return line if len(line) <= SUBJECT else line[: SUBJECT - 1] + "…"


def cleaned(text: str) -> str:
    """Return a text without control characters other than the ends of lines, and without the numbers of cards."""
    lines = ("".join(c for c in line if unicodedata.category(c)[0] != "C") for line in text.splitlines())
    return masked_cards("\n".join(lines))
