"""The caller's leg: who is calling whom, the webhooks of the call, and what is written down of it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime

from ivr.phone.clock import PhoneClock, spoken_seconds
from ivr.phone.people import People, Step
from ivr.phone.twiml import Pause, Play, Say, TwimlFault, Verb, read
from ivr.phone.wire import Wire, WireFault

MOST_DOCUMENTS = 600  # in one call; more is a circle
SOUND = 3.0  # seconds that a recording is taken to last


@dataclass(frozen=True, slots=True)
class Numbers:
    """What was dialled, and from where: an E.164 number, or a word for a withheld one."""

    to: str
    caller: str


class Leg:
    """A caller's leg. `steps` is everything that has happened on it, in order."""

    def __init__(self, numbers: Numbers, wire: Wire, clock: PhoneClock, people: People) -> None:
        self.sid = f"CA{secrets.token_hex(16)}"
        self.numbers = numbers
        self.wire = wire
        self.clock = clock
        self.people = people
        self.steps: list[Step] = []
        self.there = False  # whether the service was there when it was last asked
        self._documents = 0

    def note(self, kind: str, text: str = "", seconds: float = 0) -> None:
        """Write down what has happened, and show it."""
        step = Step(self.clock.elapsed, kind, text, seconds)
        self.steps.append(step)
        self.people.face.show(step)

    def show(self, verb: Verb) -> None:
        """Begin something that is heard."""
        if isinstance(verb, Say):
            self.note("said", verb.text)
        elif isinstance(verb, Play):
            self.wire.fetch(verb.url)
            self.note("played", "the recording", SOUND)

    def hear(self, verb: Verb) -> None:
        """Hear something to its end."""
        self.show(verb)
        self.clock.spend(length(verb))

    def fetch(self, url: str, **fields: str) -> tuple[Verb, ...]:
        """Deliver a webhook of this leg, and return the document that comes back, if need be from the fallback URL.

        Raises WireFault when neither answers, and TwimlFault for a document that cannot be carried out.
        """
        self._documents += 1
        if self._documents > MOST_DOCUMENTS:
            raise TwimlFault(f"the conversation goes round in a circle: {MOST_DOCUMENTS} documents in one call")
        whole = {**self.fields(), "CallStatus": "in-progress", **fields}
        was_there = self.there
        try:
            return read(self._post(url, whole))
        except WireFault as fault:
            if fault.refused or (fault.absent and not was_there):
                raise
            self.note("trouble", str(fault))
            return read(self._post("/voice/fallback", {**whole, "ErrorCode": fault.code, "ErrorUrl": url}))

    def tell(self, url: str, **fields: str) -> None:
        """Deliver news that waits for no document. That it could not be delivered is only noted."""
        try:
            self.wire.post(url, {**self.fields(), **fields})
        except WireFault as fault:
            self.note("trouble", str(fault))

    def report_end(self) -> None:
        """Tell the service, if there is one, that the call is over."""
        if not self.there:
            return
        self.tell(
            "/voice/status",
            CallStatus="completed",
            CallDuration=str(round(self.clock.elapsed)),
            CallbackSource="call-progress-events",
            SequenceNumber="0",
            Timestamp=format_datetime(self.clock.instant),
        )

    def _post(self, url: str, fields: Mapping[str, str]) -> str:
        self.there = True
        try:
            return self.wire.post(url, fields)
        except WireFault as fault:
            self.there = not fault.absent
            raise

    def fields(self) -> Mapping[str, str]:
        """Return what every webhook of this leg says."""
        to, caller = self.numbers.to, self.numbers.caller
        return {
            "CallSid": self.sid,
            "AccountSid": self.wire.address.account_sid,
            "ApiVersion": "2010-04-01",
            "Direction": "inbound",
            "From": caller,
            "To": to,
            "Caller": caller,
            "Called": to,
        }


def length(verb: Verb) -> float:
    """Return how many seconds something takes to be heard."""
    match verb:
        case Say(text):
            return spoken_seconds(text)
        case Play():
            return SOUND
        case Pause(seconds):
            return seconds
    return 0.0
