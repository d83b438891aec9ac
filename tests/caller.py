"""The caller's leg: what Dial, Record and Reject do to it, how it ends, and who is told."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from carrier import Carrier, Undelivered
from engineer import Dialling, Engineer
from leg import Leg
from takes import Take
from twiml_reader import Document, Verb

BEFORE_ANSWER = {"Pause", "Reject"}
ANY_KEY = "1234567890*#"


class Caller(Leg):
    """Carries out what only the caller's document may ask for."""

    def __init__(self, carrier: Carrier, identity: Mapping[str, str]) -> None:
        super().__init__(carrier, identity)
        self.dialled: list[str] = []
        self.engineers: list[Engineer] = []
        self.dialling: Dialling | None = None
        self.takes: list[Take] = []
        self._recording_since = 0.0
        self._last_url = ""

    def begins(self) -> None:
        """Ask for the first document, as the number's Voice URL says."""
        self._asks(f"{self.carrier.wire.base}/voice")

    def _performs(self, verb: Verb) -> None:
        if verb.name not in BEFORE_ANSWER and verb.get("answerOnBridge") != "true":
            self.is_answered()
        match verb.name:
            case "Dial":
                self._dials(verb)
            case "Record":
                self.notes("(beep)")
                self.waiting, self._recording_since = verb, self.carrier.clock.seconds
            case "Reject":
                self.status = "busy" if verb.get("reason") == "busy" else "no-answer"
                self._ends("rejected")
            case _:
                super()._performs(verb)

    # --- Dial

    def _dials(self, verb: Verb) -> None:
        self.waiting = verb
        self.dialling = Dialling(self, verb, self._dial_ends)
        self.engineers += self.dialling.engineers
        self.dialled += [engineer.number for engineer in self.dialling.engineers]

    def _dial_ends(self, report: dict[str, str]) -> None:
        """Go on after a Dial: with its action if it has one, else with the next verb."""
        dial, self.waiting, self.dialling = self._dial().verb, None, None
        if report["DialBridged"] == "true" and dial.get("record").startswith("record"):
            self.takes.append(Take.of(self, dial, float(report["DialCallDuration"])))
            report |= self.takes[-1].action_fields
        if "action" in dial.attributes:
            self._asks(dial["action"], **report)
        else:
            self._runs()

    def _dial(self) -> Dialling:
        if self.dialling is None:
            raise self.failure("nobody is being called")
        return self.dialling

    def _bridged(self) -> Engineer:
        engineer = self._dial().bridged
        if engineer is None:
            raise self.failure("the caller is not connected")
        return engineer

    # --- Record

    def _recording(self) -> Verb:
        if self.waiting is None or self.waiting.name != "Record":
            raise self.failure("nothing is being recorded")
        return self.waiting

    def _take_ends(self, seconds: float, end: str, *, silent_action: bool) -> None:
        """End the recording in progress by a key, by silence or at its limit."""
        record = self._recording()
        is_key = end in record.get("finishOnKey", ANY_KEY)
        if not is_key and end not in {"silence", "limit"}:
            raise self.failure(f"{end!r} does not end this recording")
        self.waiting, self._last_key = None, len(self._spoken)
        take = Take.of(self, record, seconds)
        self.takes.append(take)
        self.notes(f"-- leaves a message of {take.seconds} s ({end})")
        if end == "silence" and not take.seconds and not silent_action:
            self._runs()
        else:
            self._asks(record["action"], **take.action_fields, **({"Digits": end} if is_key else {}))

    # --- the end

    def _is_cut_off(self) -> None:
        """End as planned: what the story does after this is left undone."""
        if not self.over:
            self._left_quietly = True
            self._leaves(dial_action=self.carrier.draws())

    def _leaves(self, *, dial_action: bool) -> None:
        """Close the line from the caller's side: the last action request, then the status; or, by seed, the reverse."""
        verb, self.waiting, self._prompts = self.waiting, None, []
        self.status = "no-answer" if self.answered_at is None else "completed"
        last_words = [partial(self._sends_last_action, verb, dial_action), partial(self._ends, "the caller hung up")]
        if self.carrier.draws():
            last_words.reverse()
        for step in last_words:
            step()

    def _sends_last_action(self, verb: Verb | None, dial_action: bool) -> None:  # noqa: FBT001 - bound by partial
        """Send the action request of the verb that was cut short; its answer is checked, and not carried out."""
        if verb is None:
            return
        if verb.name == "Record":
            self.takes.append(Take.of(self, verb, self.carrier.clock.seconds - self._recording_since))
            self._sends_only(verb["action"], **self.takes[-1].action_fields, Digits="hangup")
        if self.dialling:
            dialling, self.dialling = self.dialling, None
            report = dialling.outcome(dialling.is_abandoned())
            if dial_action and "action" in verb.attributes:
                self._sends_only(verb["action"], **report)

    def _sends_only(self, url: str, **fields: str) -> None:
        with suppress(Undelivered):
            self.documents.append(self.carrier.turn(url, self._form(**fields), self.verbs))

    def _ends(self, reason: str) -> None:
        if self.ended:
            return
        super()._ends(reason)
        if self.status in {"ringing", "in-progress"}:
            self.status = "completed"
        self.notes(f"-- the end: {reason}")
        form = self._form(**self.progress(0), Duration=str(-(-self.seconds // 60)))
        self.carrier.later(f"{self.carrier.wire.base}/voice/status", form)

    # --- the fallback URL

    def _fetches(self, url: str, **fields: str) -> None:
        self._last_url = url
        super()._fetches(url, **fields)

    def _recovers(self, failure: Undelivered) -> Document:
        """Ask the fallback URL; if that fails too, the caller hears that an application error has occurred."""
        self.notes(f"-- {failure}: fallback")
        form = self._form(ErrorCode=failure.code, ErrorUrl=failure.url.partition("#")[0])
        try:
            return self.carrier.turn(f"{self.carrier.wire.base}/voice/fallback", form, self.verbs)
        except Undelivered as second:
            raise self.failure("Twilio says that an application error has occurred, and hangs up") from second
