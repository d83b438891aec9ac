"""The words of notes. What matters comes first; of a caller's number only the last four digits are there."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from ivr.notify.tell import Note
from ivr.wording import grouped
from recordings.outbox import Job
from routing.numbers import masked

ROOM = 6000  # characters of a message with several notes


class Left(msgspec.Struct, frozen=True):
    """What a desk is told of an escalation voicemail. `due` is when the caller was promised an answer."""

    partner: str
    region: str
    seconds: int
    due: datetime | None
    case: str
    number: str
    severity: int | None = None


def voicemail(left: Left, zone: str) -> Note:
    """Say that an escalation voicemail was left, with times in the desk's zone. No word of it is repeated."""
    who = f"{left.partner or 'a caller who is not identified'} ({left.region.upper()})"
    due = f"reply due {local(left.due, zone)}" if left.due else "reply due as soon as you can"
    case = f"case {grouped(left.case)}" if left.case else "no case"
    severity = f" Severity {left.severity}." if left.severity is not None else ""
    body = f"{case[0].upper()}{case[1:]}.{severity} The caller's number ends in {masked(left.number)}."
    return Note(f"Escalation voicemail from {who}, {length(left.seconds)}, {due}, {case}", body)


def alarm(why: str, call_sid: str, case_number: str) -> Note:
    """Say that something needs an operator."""
    about = [f"Call {call_sid}."] if call_sid else []
    about += [f"Case {grouped(case_number)}."] if case_number else []
    return Note(f"Alarm: {why}", " ".join(about))


def text_of_case(case_number: str) -> str:
    """Return the text message with a case number."""
    return f"Your support case number is {grouped(case_number)}. Please have it ready when you call again."


def local(at: datetime, zone: str) -> str:
    """Return an instant as people at a desk read it: "Mon 07:55 PST"."""
    return at.astimezone(ZoneInfo(zone)).strftime("%a %H:%M %Z")


def length(seconds: int) -> str:
    """Return a length of time as "0:42"."""
    return f"{seconds // 60}:{seconds % 60:02d}"


def reference(key: str) -> str:
    """Return what a note goes by, the same each time that it is sent, so that a repeat can be known as one."""
    return f"ref {hashlib.blake2s(key.encode(), digest_size=4).hexdigest()}"


def note_of(job: Job) -> Note:
    """Return the note that a row of the outbox holds, with its reference."""
    subject, body = str(job.detail.get("subject", "")), str(job.detail.get("body", ""))
    return Note(subject, "\n\n".join(filter(None, (body, reference(job.key)))))


def bundle(jobs: Sequence[Job]) -> Note:
    """Return one note for several rows. One that may have been delivered before says so."""
    return together([note_of(job) for job in jobs], repeat=any(job.attempts > 1 for job in jobs))


def together(notes: Sequence[Note], *, repeat: bool) -> Note:
    """Return one note that holds several, each as a paragraph."""
    subject = notes[0].subject if len(notes) == 1 else f"{notes[0].subject} (and {len(notes) - 1} more)"
    body = notes[0].body if len(notes) == 1 else "\n\n".join(f"{note.subject}\n{note.body}" for note in notes)
    return Note(f"Repeat: {subject}" if repeat else subject, body)


def fitting(jobs: Iterable[Job]) -> int:
    """Return how many rows go into one message, one at least."""
    room, count = ROOM, 0
    for job in jobs:
        note = note_of(job)
        room -= len(note.subject) + len(note.body) + 3
        if room < 0 and count:
            break
        count += 1
    return count
