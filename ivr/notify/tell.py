"""Who is told, and on which channel: a note becomes rows of the outbox. Nothing is sent here."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from ivr.contacts import Contact
from recordings.outbox import Owed

OPERATORS = "operators"  # who is told when nobody else can be: NOTIFY_URLS
BUNDLED = timedelta(seconds=15)  # how long a note that is not urgent waits for others to the same people


class Note(msgspec.Struct, frozen=True):
    """What somebody is told: a line that starts with what matters, and what there is to know besides."""

    subject: str
    body: str = ""


class Tell(Protocol):
    """What turns a note into what has to be owed so that somebody is told; see Teller.tell."""

    def __call__(  # noqa: PLR0913 - the signature of Teller.tell
        self,
        to: str,
        note: Note,
        *,
        urgent: bool,
        key: str,
        at: datetime,
        call_sid: str = "",
        case_number: str = "",
    ) -> tuple[Owed, ...]:
        """Return the rows."""


class Teller:
    """Knows who is behind a destination, a desk or the operators, and so whom a note goes to.

    `desks` are the destinations that each desk rings; `operators` the targets of NOTIFY_URLS.
    """

    def __init__(
        self, contacts: Mapping[str, Contact], desks: Mapping[str, tuple[str, ...]], operators: tuple[str, ...]
    ) -> None:
        self._contacts = contacts
        self._desks = desks
        self._operators = operators

    def channels(self, to: str) -> tuple[str, ...]:
        """Return the targets of one contact, in order. They hold secrets: they are never stored nor logged."""
        if to == OPERATORS:
            return self._operators
        contact = self._contacts.get(to)
        return contact.notify if contact else ()

    def receivers(self, to: str) -> tuple[str, ...]:
        """Return whose contacts a note to somebody goes to.

        A desk without targets of its own is the people whom it rings; whoever has no target is the operators.
        """
        if self.channels(to):
            return (to,)
        reached: dict[tuple[str, ...], str] = {}
        for destination in self._desks.get(to, ()):
            if channels := self.channels(destination):
                reached.setdefault(channels, destination)
        return tuple(reached.values()) or (OPERATORS,)

    def tell(  # noqa: PLR0913 - everything that a row of the outbox says, by name
        self,
        to: str,
        note: Note,
        *,
        urgent: bool,
        key: str,
        at: datetime,
        call_sid: str = "",
        case_number: str = "",
        page: str = "",
    ) -> tuple[Owed, ...]:
        """Return what has to be owed so that somebody is told: `to` is a destination, a desk or "operators".

        What is urgent goes out on every channel at once; the rest on the first, bundled. The keys follow from `key`.
        """
        detail: dict[str, object] = {"subject": note.subject, "body": note.body, "urgent": urgent}
        if page:
            detail["page"] = page
        row = Owed("notify", key, detail, call_sid, case_number)
        rows = (each for who in self.receivers(to) for each in self._rows(who, row, urgent=urgent))
        return tuple(rows) if urgent else tuple(msgspec.structs.replace(each, not_before=at + BUNDLED) for each in rows)

    def _rows(self, who: str, row: Owed, *, urgent: bool) -> Iterator[Owed]:
        for channel in range(max(1, len(self.channels(who)) if urgent else 1)):
            yield on_channel(row, who, channel, urgent=urgent)


def on_channel(row: Owed, who: str, channel: int, *, urgent: bool) -> Owed:
    """Return a row as it is for one channel of one contact."""
    lane = f"{who}.{channel}.{row.case_number or row.call_sid or row.key}" if urgent else digest_lane(who, channel)
    detail = {**row.detail, "to": who, "channel": channel}
    return msgspec.structs.replace(row, key=f"{row.key}.{who}.{channel}", detail=detail, lane=lane)


def digest_lane(who: str, channel: int) -> str:
    """Return the lane of notes that are bundled. A further channel is slow by itself, and so has a lane by itself."""
    return f"{who}.digest" if channel == 0 else f"{who}.digest.{channel}"
