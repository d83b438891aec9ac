"""Placing one call: the pieces of the telephone, put together."""

from dataclasses import dataclass
from datetime import UTC, datetime

from ivr.clock import now
from ivr.phone.call import Call
from ivr.phone.clock import PhoneClock
from ivr.phone.leg import Leg, Numbers
from ivr.phone.people import People
from ivr.phone.wire import Address, Wire

PATIENCE = 900.0  # seconds after which a caller who has nothing left to do hangs up


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who calls whom, where the service is, and when: `at` None is now. `real` lets every second take a second."""

    address: Address
    numbers: Numbers
    at: datetime | None = None
    real: bool = False
    hangs_up_at: float | None = PATIENCE

    def place(self, people: People) -> Leg:
        """Carry the call through to its end. Raises WireFault, TwimlFault or ScriptFault."""
        clock = PhoneClock(self.at or now(), real=self.real, hangs_up_at=self.hangs_up_at)
        own_time = self.real and self.at is None  # the service's clock is right for it
        leg = Leg(
            self.numbers, Wire(self.address, lambda: None if own_time else clock.instant.astimezone(UTC)), clock, people
        )
        Call(leg, keeps_early_keys=not self.real).place()
        return leg
