"""Rule R0: when the service cannot think, it still rings people. It needs no store; all it knows is in its URLs.

The living chain of the dialled region is rung one number at a time, the Tier 1 desk first and then the on-call ladder,
round and round until somebody presses 1 and the two have spoken. The caller is never hung up on and never recorded.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from flows.call import Call, Contacts
from flows.heard import Rang
from flows.prompts import speak
from flows.said import Gather, Ring
from flows.turn import new_call
from ivr.tokens import RescueToken
from ivr.twiml import EMPTY, Writer, dial, document, escaped, gather
from ivr.urls import Urls
from routing.policy import Line, Policy

FALLBACK_LOCALE = "en-US"
DECIDE_WITHIN = 10  # seconds that an engineer has to press a key
NOBODY_PAUSE = 10  # seconds between two looks for somebody to ring
BREATH = 3  # seconds between two rounds, so that numbers which all fail at once do not make us spin


class Listing(Protocol):
    """What is listed now: the policies in force and whom their destinations ring."""

    @property
    def our_lines(self) -> frozenset[str]:
        """Every number that callers dial."""

    def of_line(self, number: str) -> Policy | None:
        """Return the policy of a line; None if the number is not ours."""

    def first(self) -> Policy:
        """Return the policy that serves callers of a number that is not ours."""

    def contacts(self, policy: Policy) -> Contacts:
        """Return whom a policy's destinations ring."""


class Rescue:
    """Writes the documents of a rescue."""

    def __init__(self, listing: Listing, urls: Urls, writer: Writer) -> None:
        self._listing = listing
        self._urls = urls
        self._writer = writer

    def begins(self, sid: str, line: str, prompt: str = "err.sys") -> bytes:
        """Return what a caller hears when a turn has failed: one sentence, and then the first number is rung."""
        locale = self._locale(line)
        return self._rings(self.token(sid, line), self._writer.spoken(locale, speak(prompt, locale)))

    def token(self, sid: str, line: str) -> RescueToken:
        """Return the first step of a rescue. A line that cannot be read is taken for the first of the first policy."""
        return RescueToken(sid, line or self._place(line)[1].number, 0)

    def goes_on(self, token: RescueToken, *, bridged: bool) -> bytes:
        """Return what follows an attempt: the end after a conversation, the next number after anything else."""
        if bridged:
            return document("<Hangup/>")
        return self._rings(token, "")

    def screens(self, token: RescueToken, keys: str) -> bytes:
        """Return what an engineer hears who has picked up (no keys), or pressed something: only 1 connects."""
        if keys[:1] == "1":
            return EMPTY
        if keys and keys[:1] != "9":
            return document("<Hangup/>")
        locale = self._locale(token.line)
        spoken = self._writer.spoken(locale, speak("rescue.whisper", locale))
        action = escaped(self._urls.screen(token))
        return document(gather(Gather(DECIDE_WITHIN), spoken, action, of_engineer=True))

    def rung(self, token: RescueToken) -> str:
        """Return the number whose attempt a step has ended; empty if there was nobody to ring."""
        chain = self.chain(token.line)
        return chain[(token.step - 1) % len(chain)] if chain and token.step else ""

    def call_of(self, token: RescueToken, caller: str | None, shown: str, at: datetime) -> Call:
        """Return the document of a call that the log has not heard of, because it was rescued from the first turn."""
        policy, line = self._place(token.line)
        return new_call(Rang(token.sid, line.number, caller, shown), policy, at)

    def chain(self, line: str) -> tuple[str, ...]:
        """Return everybody who can be rung for a line, each number once, none of our own."""
        policy, found = self._place(line)
        contacts = self._listing.contacts(policy)
        numbers = (number for name in _destinations(policy, found.region) for number in contacts.get(name, ()))
        return tuple(number for number in dict.fromkeys(numbers) if number not in self._listing.our_lines)

    def _rings(self, token: RescueToken, spoken: str) -> bytes:
        chain, (policy, _) = self.chain(token.line), self._place(token.line)
        after = RescueToken(token.sid, token.line, token.step + 1)
        back = escaped(self._urls.rescue(after))
        if not chain:
            return document(spoken, f'<Pause length="{NOBODY_PAUSE}"/><Redirect method="POST">{back}</Redirect>')
        rounds, at = divmod(token.step, len(chain))
        breath = f'<Pause length="{BREATH}"/>' if rounds and not at else ""
        ring = Ring(0, chain[at], policy.timing.ring, policy.timing.talk_limit)
        return document(spoken, breath, dial(ring, back, escaped(self._urls.screen(after)), token.line))

    def _place(self, line: str) -> tuple[Policy, Line]:
        policy = self._listing.of_line(line) or self._listing.first()
        return policy, policy.lines.get(line) or next(iter(policy.lines.values()))

    def _locale(self, line: str) -> str:
        return self._place(line)[1].locale or FALLBACK_LOCALE


def _destinations(policy: Policy, region: str) -> Iterable[str]:
    yield from policy.desk(region, 1).ring
    for level in policy.on_call.get(region, ()):
        yield from level
