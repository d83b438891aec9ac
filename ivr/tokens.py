"""Tokens in our own URLs: which call, leg and turn a request will deliver, and that nobody but us wrote it."""

import hmac
import re
from binascii import b2a_base64
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import blake2s, sha256

import msgspec

CURRENT = "1"
ACCEPTED = frozenset({"1"})  # the version in force and the one before it, so that a call survives a new release
MAC_BYTES = 15  # 20 characters
MAC = r"\.([A-Za-z0-9_\-]{20})"
CALL_SID = r"CA[0-9a-f]{32}"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_TURN = re.compile(rf"([0-9])\.({CALL_SID})\.([0-9]{{1,3}})\.([0-9]{{1,6}})([akmdo]){MAC}")
_RESCUE = re.compile(rf"([0-9])\.({CALL_SID})\.([0-9]{{1,20}})\.([0-9]{{1,9}}){MAC}")
_TAKE = re.compile(rf"([0-9])\.({CALL_SID})\.(RE[0-9a-f]{{32}}){MAC}")
_PAGE = re.compile(
    r"([0-9])\.([0-9a-f]{20})\.([0-9]{1,3})\.([0-9]{1,6})([laks])([0-9])\.([0-9]{1,12})"
    rf"\.([a-z0-9][a-z0-9_.\-]{{0,63}}){MAC}"
)


class Awaits(StrEnum):
    """What a turn waits for, so that a request can be refused that this wait could not have caused."""

    ANSWER = "a"  # an engineer's telephone to be picked up
    KEYS = "k"  # a key, an entry, or silence
    MESSAGE = "m"  # a recording, or none
    DIAL = "d"  # the end of an engineer's leg
    ONWARD = "o"  # nothing: the call comes straight back


class TurnToken(msgspec.Struct, frozen=True):
    """One turn of one leg of a call. Leg 0 is the caller's."""

    sid: str
    leg: int
    turn: int
    awaits: Awaits


class RescueToken(msgspec.Struct, frozen=True):
    """One step of a rescue, which knows nothing but the call, the line that was dialled, and how often it has rung."""

    sid: str
    line: str
    step: int


class TakeToken(msgspec.Struct, frozen=True):
    """One take of a message, to be heard by the caller who has just spoken it."""

    sid: str
    recording: str


class PageStep(StrEnum):
    """How somebody who was paged comes back to us."""

    LINK = "l"  # by the link in a message
    ANSWER = "a"  # their telephone has been picked up
    KEYS = "k"  # they have pressed a key
    STATUS = "s"  # their telephone call has ended


class PageToken(msgspec.Struct, frozen=True):
    """One attempt to reach somebody for a page, and until when what they answer counts.

    `repeats` is how often it has been said again on the telephone.
    """

    page: str
    level: int
    round: int
    destination: str
    expires_at: datetime
    step: PageStep = PageStep.LINK
    repeats: int = 0


class Seal:
    """Writes and reads tokens under one secret. Every kind of URL has its own domain: a token fits no other kind."""

    def __init__(self, secret: str) -> None:
        self._key = sha256(secret.encode()).digest()

    def turn(self, token: TurnToken, domain: str = "turn") -> str:
        """Write a turn's token."""
        return self._sealed(domain, f"{CURRENT}.{token.sid}.{token.leg}.{token.turn}{token.awaits.value}")

    def read_turn(self, text: str, domain: str = "turn") -> TurnToken | None:
        """Read a turn's token; None if we did not write it for this domain."""
        found = _TURN.fullmatch(text)
        if not found or not self._is_ours(domain, text, found[1]):
            return None
        return TurnToken(found[2], int(found[3]), int(found[4]), Awaits(found[5]))

    def rescue(self, token: RescueToken, domain: str = "rescue") -> str:
        """Write a rescue step's token."""
        return self._sealed(domain, f"{CURRENT}.{token.sid}.{token.line.removeprefix('+')}.{token.step}")

    def read_rescue(self, text: str, domain: str = "rescue") -> RescueToken | None:
        """Read a rescue step's token; None if we did not write it for this domain."""
        found = _RESCUE.fullmatch(text)
        if not found or not self._is_ours(domain, text, found[1]):
            return None
        return RescueToken(found[2], f"+{found[3]}", int(found[4]))

    def take(self, token: TakeToken) -> str:
        """Write a take's token."""
        return self._sealed("take", f"{CURRENT}.{token.sid}.{token.recording}")

    def read_take(self, text: str) -> TakeToken | None:
        """Read a take's token; None if we did not write it."""
        found = _TAKE.fullmatch(text)
        if not found or not self._is_ours("take", text, found[1]):
            return None
        return TakeToken(found[2], found[3])

    def page(self, token: PageToken) -> str:
        """Write the token of one attempt to reach somebody. The instant is kept to the second."""
        place = f"{token.page}.{token.level}.{token.round}{token.step.value}{token.repeats}"
        text = f"{CURRENT}.{place}.{int(token.expires_at.timestamp())}.{token.destination}"
        return self._sealed("page", text)

    def read_page(self, text: str) -> PageToken | None:
        """Read such a token, expired or not; None if we did not write it."""
        found = _PAGE.fullmatch(text)
        if not found or not self._is_ours("page", text, found[1]):
            return None
        expires_at = datetime.fromtimestamp(int(found[7]), UTC)
        step = PageStep(found[5])
        return PageToken(found[2], int(found[3]), int(found[4]), found[8], expires_at, step, int(found[6]))

    def _sealed(self, domain: str, text: str) -> str:
        return f"{text}.{self._mac(domain, text)}"

    def _is_ours(self, domain: str, token: str, version: str) -> bool:
        text, _, mac = token.rpartition(".")
        return version in ACCEPTED and hmac.compare_digest(mac, self._mac(domain, text))

    def _mac(self, domain: str, text: str) -> str:
        digest = blake2s(f"{domain}.{text}".encode(), key=self._key, digest_size=MAC_BYTES).digest()
        return b2a_base64(digest, newline=False).translate(_URL_SAFE).decode()
