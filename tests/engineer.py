"""The other side of a Dial: engineers' phones that ring, hear a whisper, and are bridged or not."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from carrier import Undelivered
from leg import Leg, new_sid
from twiml_reader import Document, Verb
from twiml_rules import WHISPER_VERBS

RING_SECONDS = 5.0
NETWORK_SECONDS = 5.0


class Engineer(Leg):
    """One number of a Dial: the child call, from ringing to its end."""

    verbs = WHISPER_VERBS

    def __init__(self, dialling: "Dialling", noun: Verb) -> None:
        caller, caller_id = dialling.caller, dialling.verb["callerId"]
        identity = {
            "CallSid": new_sid("CA"),
            "ParentCallSid": caller.sid,
            "AccountSid": caller.identity["AccountSid"],
            "ApiVersion": caller.identity["ApiVersion"],
            "Direction": "outbound-dial",
            **dict.fromkeys(("From", "Caller"), caller_id),
            **dict.fromkeys(("To", "Called"), noun.text),
            **{side + place: "" for side in ("From", "To") for place in ("City", "State", "Zip", "Country")},
        }
        super().__init__(caller.carrier, identity)
        self.number = noun.text
        self.through = False
        self._noun = noun
        self._dialling = dialling
        self._sequence = 0
        self.log = caller.log
        self.documents = caller.documents

    @property
    def over(self) -> bool:
        """Tell whether the whisper is done with: connected, or hung up."""
        return self.through or self.ended

    @property
    def whisper(self) -> str:
        """What the engineer was told before the bridge."""
        return " ".join(self.spoken)

    def starts_ringing(self) -> None:
        """Be dialled."""
        self.notes(f"-- rings {self.number}")
        self.tells("initiated", "initiated")
        self.tells("ringing", "ringing")

    def answers(self, after: float = RING_SECONDS) -> Self:
        """Pick up and hear the whisper, up to where a key is wanted; without a whisper, be connected at once."""
        if not self._is_there() or self.answered_at is not None:
            return self
        self._passes(after)
        if self.over:
            return self
        self.notes(f"-- {self.number} answers")
        self.is_answered()
        self.tells("answered", "in-progress")
        if "url" in self._noun.attributes:
            self._asks(self._noun["url"])
        else:
            self._reaches_the_end()
        return self

    def never_presses(self) -> Self:
        """Stay on the line without a key until the whisper gives up, as a machine does."""
        for _ in range(20):
            if self.over:
                return self
            self.stays_silent()
        raise self.failure("the whisper never gives up")

    def sends(self, key: str) -> None:
        """Let the key reach the service, without carrying out the answer yet."""
        gather, self.waiting, self._prompts = self._asking(), None, []
        self._fetches(gather["action"], Digits=key, FinishedOnKey="", msg="Gather End")

    @property
    def is_let_through(self) -> bool:
        """Tell whether the document in hand ends in the bridge."""
        return not self.over and all(verb.name not in {"Gather", "Hangup"} for verb in self._rest)

    def goes_on(self) -> None:
        """Carry out the document in hand, unless a colleague was quicker."""
        if not self.over:
            self._runs()

    def hangs_up(self) -> Self:
        """Put the phone down, having heard what there was to hear."""
        self._listens()
        if not self.ended:
            self._ends("the engineer hung up")
        return self

    def declines(self, status: str, after: float = RING_SECONDS) -> Self:
        """Do not pick up: busy, no-answer, failed or canceled."""
        if self._is_there():
            self._passes(after)
        if not self.over:
            self.status = status
            self._ends(status)
        return self

    def is_dropped(self) -> None:
        """Be hung up by the carrier, because the caller left or a colleague was quicker."""
        if self.ended:
            return
        self._left_quietly = True
        self.status = self.status if self.answered_at is not None else "canceled"
        self._ends("dropped")

    def tells(self, event: str, status: str) -> None:
        """Send the number's status callback, if the document subscribed to the event."""
        wanted = self._noun.get("statusCallbackEvent", "completed").split()
        if "statusCallback" in self._noun.attributes and event in wanted:
            form = self._form(CallStatus=status, **self.progress(self._sequence))
            self.carrier.later(self._noun["statusCallback"], form)
        self._sequence += 1

    def _reaches_the_end(self) -> None:
        self.through = True
        self._dialling.bridges(self)

    def _ends(self, reason: str) -> None:
        super()._ends(reason)
        if self.answered_at is not None:
            self.status = "completed"
        self.notes(f"-- {self.number}: {reason}")
        self.tells("completed", self.status)
        self._dialling.notices(self)

    def _recovers(self, failure: Undelivered) -> Document:
        """A whisper that cannot be had ends the leg; the number's fallback URL is the caller's."""
        return Document(str(failure), (Verb("Hangup", {}),))


class Dialling:
    """A Dial in progress: the numbers that ring, the one that is bridged, and what the action request reports."""

    def __init__(self, caller: Leg, verb: Verb, on_end: Callable[[dict[str, str]], None]) -> None:
        self.caller = caller
        self.verb = verb
        self.bridged: Engineer | None = None
        self.engineers = [Engineer(self, noun) for noun in verb.children]
        self._on_end: Callable[[dict[str, str]], None] | None = on_end
        for engineer in self.engineers:
            engineer.starts_ringing()

    @property
    def open(self) -> list[Engineer]:
        """The engineers whose phone rings or who hear the whisper."""
        return [engineer for engineer in self.engineers if not engineer.over]

    def bridges(self, engineer: Engineer) -> None:
        """Connect the caller to the first whose whisper let them through; drop the others."""
        if self.bridged is not None or self._on_end is None:
            return
        self.bridged = engineer
        self.caller.is_answered()
        self.caller.notes(f"-- connected to {engineer.number}")
        for other in self.engineers:
            if other is not engineer:
                other.is_dropped()

    def notices(self, engineer: Engineer) -> None:
        """See that a leg has ended; the Dial ends with the bridged one, or with the last."""
        if self._on_end is None or (self.bridged or engineer) is not engineer or self.open:
            return
        report, self._on_end = self._on_end, None
        report(self.outcome(engineer))

    def rings_out(self) -> None:
        """Let the Dial's timeout pass: whoever still rings has not answered."""
        self.caller.carrier.clock.advance(self.verb.number("timeout", 30) + NETWORK_SECONDS)
        for engineer in self.open:
            if engineer.answered_at is None:
                engineer.declines("no-answer", after=0.0)

    def is_abandoned(self) -> Engineer:
        """Drop every leg because the caller left; give the one that the action request would name."""
        self._on_end = None
        for engineer in self.engineers:
            engineer.is_dropped()
        return self.bridged or self.engineers[-1]

    def is_raced_for(self, key: str) -> list[str]:
        """Let all pick up and press the key in the same instant; give the numbers that were let through."""
        ready = [engineer.answers() for engineer in self.open]
        with ThreadPoolExecutor(len(ready)) as pool:
            list(pool.map(lambda engineer: engineer.sends(key), ready))
        let_through = [engineer.number for engineer in ready if engineer.is_let_through]
        for engineer in ready:
            engineer.goes_on()
        return let_through

    def outcome(self, engineer: Engineer) -> dict[str, str]:
        """Give the fields of the Dial's action request."""
        bridged = engineer is self.bridged
        fields = {
            "DialCallStatus": engineer.status,
            "DialCallSid": engineer.sid,
            "DialBridged": str(bridged).lower(),
        }
        if engineer.answered_at is not None or self.caller.carrier.draws():
            fields["DialCallDuration"] = str(engineer.seconds)
        return fields
