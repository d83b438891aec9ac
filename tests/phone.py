"""The telephone that every story uses: an independent stand-in for the voice side of Twilio.

    phone = Telephone(AppWire(app), at=datetime(2026, 11, 24, 18, 15, tzinfo=UTC))
    call = phone.dials("+18888988733").hears("Partner ID").presses("347109")
    call.rings("+14085550110").engineer_accepts().is_connected_to("+14085550110")

It signs with the real algorithm, reads TwiML strictly, and shares no code with the service.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

from call import Call
from carrier import Carrier
from clock import Clock
from leg import new_sid
from wire import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_BASE_URL, AppWire, Reply, Request, ServerWire, Wire, sign

__all__ = [
    "ACCOUNT_SID",
    "AUTH_TOKEN",
    "PUBLIC_BASE_URL",
    "AppWire",
    "Call",
    "Clock",
    "Reply",
    "Request",
    "ServerWire",
    "Telephone",
    "Wire",
    "sign",
]

PLACES = {
    "+1": ("SAN JOSE", "CA", "95101", "US"),
    "+44": ("LONDON", "", "", "GB"),
    "+61": ("SYDNEY", "", "", "AU"),
    "+65": ("", "", "", "SG"),
}
CALL_TOKEN = (
    "%7B%22parentCallInfoToken%22%3A%22" + "eyJhbGciOiJFUzI1NiJ9." * 24 + "%22%2C%22identityHeaderTokens%22%3A%5B%5D%7D"
)
PASSPORT = "eyJhbGciOiJFUzI1NiIsInBwdCI6InNoYWtlbiIsInR5cCI6InBhc3Nwb3J0In0." + "eyJhdHRlc3QiOiJBIn0" * 16


class Telephone(Carrier):
    """Dials the service; several calls may be in progress at once, on one clock.

    With `at` the story happens at that instant, and each request says so in the X-Partnerline-Instant header.
    `stamp` gives further headers for a second of the story. The other options are those of carrier.Chaos.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        at: datetime | None = None,
        clock: Clock | None = None,
        stamp: Callable[[float], dict[str, str]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(wire, clock=clock or Clock(), stamp=stamp, **options)
        self.calls: list[Call] = []
        if at is not None:
            self.clock.moves_to(at)

    @property
    def seconds(self) -> float:
        """How long the story has lasted, by what was spoken, awaited and rung."""
        return self.clock.seconds

    def at(self, instant: datetime) -> Self:
        """Make it that instant now."""
        self.clock.moves_to(instant)
        return self

    def passes(self, seconds: float) -> Self:
        """Let time pass between calls."""
        self.clock.advance(seconds)
        return self

    def dials(
        self, to: str, from_: str = "+14085550142", *, hangs_up_at: float | None = None, **fields: str | None
    ) -> Call:
        """Call the service and hear its first document out; a field given as None is not sent.

        With hangs_up_at the caller puts the phone down in that second of the call, in the middle of anything.
        """
        sent = {**first_fields(to, from_, self.account_sid), **fields}
        call = Call(self, {name: value for name, value in sent.items() if value is not None})
        self.calls.append(call)
        call.notes(f"-- {from_} dials {to}")
        if hangs_up_at is not None:
            call.hangs_up_at(hangs_up_at)
        call.begins()
        return call


def first_fields(to: str, from_: str, account_sid: str) -> dict[str, str]:
    """Give the fields of an inbound call as captures show them, 31 with the CallStatus."""
    return {
        "CallSid": new_sid("CA"),
        "AccountSid": account_sid,
        "ApiVersion": "2010-04-01",
        "Direction": "inbound",
        "From": from_,
        "Caller": from_,
        "To": to,
        "Called": to,
        **_places(("From", "Caller"), from_),
        **_places(("To", "Called"), to),
        "CallerName": "WIRELESS CALLER",
        "ForwardedFrom": to,
        "CalledVia": to,
        "CallToken": CALL_TOKEN,
        "StirVerstat": "TN-Validation-Passed-A",
        "StirPassportToken": PASSPORT,
    }


def _places(sides: tuple[str, str], number: str) -> dict[str, str]:
    found = [place for prefix, place in PLACES.items() if number.startswith(prefix)]
    named = dict(zip(("City", "State", "Zip", "Country"), found[0] if found else ("", "", "", ""), strict=True))
    return {side + name: value for side in sides for name, value in named.items()}
