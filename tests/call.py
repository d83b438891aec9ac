"""A call as the caller lives it: the verbs of a story. Each returns the call, so that a story reads in one line."""

from typing import Self

from caller import Caller
from carrier import Exchange, Undelivered
from engineer import RING_SECONDS, Engineer


class Call(Caller):
    """One visit, from the first ring to the last callback."""

    # --- engineers: a `number` picks one of several that ring at once

    def is_ringing(self) -> list[str]:
        """Give the numbers that are being dialled now, those that hear a whisper included."""
        return [engineer.number for engineer in self.dialling.open] if self.dialling else []

    def rings(self, number: str) -> Self:
        """Assert that the number is being dialled now."""
        if number not in self.is_ringing():
            raise self.failure(f"{number} does not ring, but {self.is_ringing() or 'nobody'}")
        return self

    def engineer(self, number: str | None = None) -> Engineer:
        """Give the phone of that number, or the first that still rings, to act on it step by step."""
        for engineer in self._dial().open:
            if number in (None, engineer.number):
                return engineer
        raise self.failure(f"{number or 'any number'} does not ring, but {self.is_ringing() or 'nobody'}")

    def engineer_accepts(self, key: str = "1", number: str | None = None, after: float = RING_SECONDS) -> Self:
        """The engineer picks up after some seconds, hears the whisper and presses the key."""
        if self._is_there():
            engineer = self.engineer(number).answers(after)
            if not engineer.over:
                engineer.presses(key)
        return self

    def engineer_passes(self, key: str = "2", number: str | None = None) -> Self:
        """The engineer picks up and presses the key that passes the call on."""
        return self.engineer_accepts(key, number)

    def engineer_is_silent(self, number: str | None = None) -> Self:
        """The engineer picks up and never presses a key."""
        if self._is_there():
            self.engineer(number).answers().never_presses()
        return self

    def machine_answers(self, number: str | None = None) -> Self:
        """An answering machine picks up: it talks, and never presses a key."""
        return self.engineer_is_silent(number)

    def engineer_hangs_up_in_whisper(self, number: str | None = None) -> Self:
        """The engineer picks up, listens, and puts the phone down."""
        if self._is_there():
            self.engineer(number).answers().hangs_up()
        return self

    def is_busy(self, number: str | None = None) -> Self:
        """The number is engaged."""
        return self._meets("busy", number)

    def fails(self, number: str | None = None) -> Self:
        """The number cannot be called."""
        return self._meets("failed", number)

    def rejects(self, number: str | None = None) -> Self:
        """The engineer turns the ringing phone off; the network calls that busy, or no answer."""
        return self._meets("no-answer" if self.carrier.draws() else "busy", number)

    def is_canceled(self, number: str | None = None) -> Self:
        """The network gives the number up."""
        return self._meets("canceled", number)

    def _meets(self, status: str, number: str | None) -> Self:
        if self._is_there():
            self.engineer(number).declines(status)
        return self

    def does_not_answer(self) -> Self:
        """Nobody picks up until the Dial's timeout."""
        if self._is_there():
            self._dial().rings_out()
        return self

    def engineers_accept_at_once(self, key: str = "1") -> list[str]:
        """All pick up and press the key in the same instant; give the numbers whose document lets them through."""
        return self._dial().is_raced_for(key)

    @property
    def whisper(self) -> str:
        """What the engineer who answered last was told before the bridge."""
        answered = [engineer for engineer in self.engineers if engineer.answered_at is not None]
        return answered[-1].whisper if answered else ""

    # --- the conversation

    def is_connected_to(self, number: str) -> Self:
        """Assert that the caller is talking to that number."""
        bridged = self.dialling.bridged if self.dialling else None
        if bridged is None or bridged.number != number:
            raise self.failure(f"not connected to {number}, but to {bridged.number if bridged else 'nobody'}")
        return self

    def talks(self, seconds: float) -> Self:
        """Talk to the engineer; the Dial's timeLimit ends it."""
        if not self._is_there():
            return self
        bridged, limit = self._bridged(), self._dial().verb.number("timeLimit", 14400)
        self._passes(min(seconds, limit))
        if seconds >= limit:
            bridged.hangs_up()
        return self

    def engineer_hangs_up(self) -> Self:
        """The connected engineer ends the conversation."""
        if self._is_there():
            self._bridged().hangs_up()
        return self

    # --- messages

    def is_recording(self) -> bool:
        """Tell whether a Record is in progress."""
        return self.waiting is not None and self.waiting.name == "Record"

    def leaves_a_message(self, seconds: float = 12, end: str = "#", *, silent_action: bool | None = None) -> Self:
        """Speak, and end by a key, by "hangup", by "silence" or at the "limit".

        Silence for 0 seconds goes on with the next verb (silent_action=False, the default) or with the action (True).
        """
        if not self._is_there():
            return self
        record = self._recording()
        limit = float(record.number("maxLength", 3600))
        seconds = limit if end == "limit" else min(float(seconds), limit)
        self._passes(seconds + (record.number("timeout", 5) if end == "silence" else 0))
        if end == "hangup":
            return self.hangs_up()
        if not self.over:
            self._take_ends(
                seconds, end, silent_action=self.carrier.draws() if silent_action is None else silent_action
            )
        return self

    def stays_silent(self) -> Self:
        """Let the wait pass: of a Gather, or of a recording that stays empty."""
        return self.leaves_a_message(0, "silence") if self.is_recording() else super().stays_silent()

    def recording_arrives(self, status: str = "completed", take: int = -1) -> Self:
        """Post the recording callback of the last take, or of another; under a seed it may come late."""
        recording = self.takes[take]
        if not recording.is_awaited(status):
            raise self.failure(f"no document asked to be told of a recording that is {status}")
        self.carrier.later(recording.verb["recordingStatusCallback"], recording.callback_fields(status))
        return self

    # --- the end, and trouble

    def hangs_up(self, after: float = 0.0, *, dial_action: bool | None = None) -> Self:
        """Put the phone down `after` seconds from now.

        A recording in progress reports to its action first; a Dial in progress only if dial_action says so. On a line
        that is closed already nothing happens.
        """
        if self.over:
            return self
        until = self.carrier.clock.seconds + after
        self._listens(after)
        self._passes(max(0.0, until - self.carrier.clock.seconds))
        if not self.over:
            self._leaves(dial_action=self.carrier.draws() if dial_action is None else dial_action)
        return self

    def hangs_up_at(self, seconds: float) -> Self:
        """Put the phone down that many seconds from now, whatever happens then; later verbs of the story do nothing."""
        self.carrier.clock.rings_at(self.carrier.clock.seconds + seconds, self._is_cut_off)
        return self

    def fails_over(self, code: str = "11200") -> Self:
        """Let the request that is due fail, and go on with what the fallback URL says."""
        if not self._is_there():
            return self
        due = self.waiting.get("action", self._last_url) if self.waiting else self._last_url
        if self.dialling:
            self.dialling.is_abandoned()
        self.waiting, self.dialling, self._prompts = None, None, []
        self._takes_up(self._recovers(Undelivered(code, due)))
        self._runs()
        return self

    def settle(self) -> Self:
        """Deliver every callback that is outstanding."""
        self.carrier.settle()
        return self

    @property
    def exchanges(self) -> list[Exchange]:
        """Every request about this call, the engineers' included."""
        named = ("CallSid", "ParentCallSid")
        return [one for one in self.carrier.exchanges if self.sid in [one.form.get(name) for name in named]]
