"""A leg: one party on the line, who carries documents out verb by verb and answers their Gathers."""

import math
import re
from collections import deque
from collections.abc import Mapping
from typing import Self
from uuid import uuid4

from carrier import Carrier, Undelivered
from clock import whole
from listener import Listener
from twiml_reader import Document, Verb
from twiml_rules import CALLER_VERBS

MOST_REDIRECTS = 10
KEY_SECONDS = 0.3


def new_sid(prefix: str) -> str:
    """Make up a SID: CA for a call, RE for a recording."""
    return prefix + uuid4().hex


class Leg(Listener):
    """Goes on through documents until a person must act or the line is closed."""

    verbs = CALLER_VERBS

    def __init__(self, carrier: Carrier, identity: Mapping[str, str]) -> None:
        super().__init__(carrier)
        self.identity = dict(identity)
        self.sid = self.identity["CallSid"]
        self.status = "ringing"
        self.answered_at: float | None = None
        self.documents: list[Document] = []
        self._rest: deque[Verb] = deque()
        self._spoke_outside_gather = False
        self._left_quietly = False

    # --- what the person does

    def presses(self, keys: str, after: float | None = None) -> Self:
        """Press keys in one burst, once the prompt is over or `after` seconds into it.

        What a Gather leaves over goes into the next one; a key that meets no Gather, or speech outside one, is lost.
        """
        if not re.fullmatch("[0-9*#A-D]+", keys):
            raise ValueError(f"not keys: {keys!r}")
        if not self._is_there():
            return self
        self._listens(math.inf if after is None else after)
        unpressed = deque(keys)
        self._spoke_outside_gather = False
        while unpressed and self.is_asked and not self._spoke_outside_gather:
            self._types(unpressed)
        self.lost_keys += "".join(unpressed)
        return self

    def stays_silent(self) -> Self:
        """Hear the prompt out and let the wait pass."""
        if not self._is_there():
            return self
        gather = self._asking()
        self._listens()
        self._passes(gather.number("timeout", 5))
        if self.is_asked:
            self.notes("-- silence")
            self._gather_ends("", "")
        return self

    def submits(self, **fields: str) -> Self:
        """Answer the Gather in progress with raw form fields, whatever they are."""
        action = self._asking()["action"]
        self._listens()
        self.waiting, self._last_key = None, len(self._spoken)
        self._asks(action, **fields)
        return self

    @property
    def is_asked(self) -> bool:
        """Tell whether a Gather is in progress."""
        return not self.over and self.waiting is not None and self.waiting.name == "Gather"

    # --- being answered

    @property
    def seconds(self) -> int:
        """How long the line has been open since it was answered."""
        return 0 if self.answered_at is None else whole(self.carrier.clock.seconds - self.answered_at)

    def is_answered(self) -> None:
        """Be answered, unless that has happened: from now on the call counts, and costs."""
        if self.answered_at is None:
            self.status, self.answered_at = "in-progress", self.carrier.clock.seconds

    def progress(self, sequence: int) -> dict[str, str]:
        """Give the fields that every status callback adds."""
        return {
            "CallDuration": str(self.seconds),
            "Timestamp": self.carrier.clock.timestamp,
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(sequence),
        }

    # --- carrying out documents

    def _asks(self, url: str, **fields: str) -> None:
        """Request a document and carry it out."""
        self._fetches(url, **fields)
        self._runs()

    def _fetches(self, url: str, **fields: str) -> None:
        try:
            document = self.carrier.turn(url, self._form(**fields), self.verbs)
        except Undelivered as failure:
            document = self._recovers(failure)
        self._takes_up(document)

    def _takes_up(self, document: Document) -> None:
        self.documents.append(document)
        self._rest = deque(document.verbs)

    def _runs(self) -> None:
        """Carry out what is left of the document, following redirects."""
        for _ in range(1 + MOST_REDIRECTS):
            target = self._runs_document()
            if not target:
                return
            self._fetches(target)
        raise self.failure(f"more than {MOST_REDIRECTS} redirects in a row")

    def _runs_document(self) -> str:
        """Carry out verbs until one waits; give the target of a Redirect that is met."""
        while self._rest and not self.waiting and not self.over:
            verb = self._rest.popleft()
            if verb.name == "Redirect":
                return verb.text
            self._performs(verb)
        if not self.waiting and not self.over:
            self._reaches_the_end()
        return ""

    def _performs(self, verb: Verb) -> None:
        match verb.name:
            case "Hangup":
                self._ends("the service hung up")
            case "Gather":
                self.waiting = verb
                self._is_played(verb.children)
            case _:
                self._spoke_outside_gather = True
                self._is_played((verb,))
                self._listens()

    def _types(self, unpressed: deque[str]) -> None:
        """Type into the Gather in progress until it ends: by the finish key, by its length, or by the wait."""
        gather = self._asking()
        digits = finished_on = ""
        self._prompts = []
        while unpressed and not finished_on and len(digits) < gather.number("numDigits", len(digits) + 1):
            key = unpressed.popleft()
            self._passes(KEY_SECONDS)
            if key == gather.get("finishOnKey", "#"):
                finished_on = key
            else:
                digits += key
        if not finished_on and len(digits) != gather.number("numDigits"):
            self._passes(gather.number("timeout", 5))
        if self.is_asked:
            self.notes(f"-- presses {digits}{finished_on}")
            self._gather_ends(digits, finished_on)

    def _gather_ends(self, digits: str, finished_on: str) -> None:
        gather, self.waiting = self._asking(), None
        self._last_key = len(self._spoken)
        if not digits and gather.get("actionOnEmptyResult", "false") == "false":
            self._runs()
            return
        fields = {"Digits": digits, "FinishedOnKey": finished_on, "msg": "Gather End"}
        if not digits and self.carrier.draws():
            del fields["Digits"]
        self._asks(gather["action"], **fields)

    # --- what each kind of leg decides for itself

    def _reaches_the_end(self) -> None:
        self._ends("fell off the end")

    def _ends(self, reason: str) -> None:
        self.ending = reason
        self.waiting = None

    def _recovers(self, failure: Undelivered) -> Document:
        raise failure

    # --- small things

    def _form(self, **fields: str) -> dict[str, str]:
        return {**self.identity, "CallStatus": self.status, **fields}

    def _is_there(self) -> bool:
        """Tell whether the person can act; one whose line was cut, as planned, does nothing any more."""
        if self.over and not self._left_quietly:
            raise self.failure(f"nobody is on the line: {self.ending}")
        return not self.over

    def _asking(self) -> Verb:
        if self.waiting is None or self.waiting.name != "Gather":
            raise self.failure("nobody is asking for keys now")
        return self.waiting
