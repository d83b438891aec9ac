"""Playing a scenario: whoever is on the call does what its steps say, and what goes otherwise is written down."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from ivr.phone.clock import read_instant
from ivr.phone.ending import Ending
from ivr.phone.leg import Leg, Numbers
from ivr.phone.people import Does, Engineer, Leave, People, Press, ScriptFault, Speak, Step
from ivr.phone.place import Occasion
from ivr.phone.scenario import ENGINEERS, Act, Expected, Scenario
from ivr.phone.script import ScriptedEngineers, read_engineers
from ivr.phone.twiml import Gather, Record, TwimlFault
from ivr.phone.wire import Address, WireFault

LookUp = Callable[[str], Ending | None]


@dataclass(frozen=True, slots=True)
class Played:
    """A scenario that has been played, and everything that did not go as it says."""

    scenario: Scenario
    faults: tuple[str, ...]
    sid: str = ""


class Cast:
    """Everybody on a scenario's call: the caller, the engineers, and whoever listens.

    When no step is left for the caller, they hang up at the next question.
    """

    def __init__(self, scenario: Scenario, destinations: Mapping[str, str]) -> None:
        self.faults: list[str] = []
        self.spoken: list[str] = []
        self.whispered: list[str] = []
        self._heard: list[str] = []  # since somebody last did something
        self._left = list(enumerate(scenario.steps, 1))
        self._destinations = destinations
        self._others = ScriptedEngineers(read_engineers(scenario.given.agents)) if scenario.given.agents else None

    def show(self, step: Step) -> None:
        """Listen."""
        if step.kind == "said":
            self.spoken.append(step.text)
            self._heard.append(step.text)
        elif step.kind == "whispered":
            self.whispered.append(step.text)
        elif step.kind == "trouble":
            self.faults.append(step.text)

    def at_gather(self, gather: Gather, seconds: float) -> Does:  # noqa: ARG002 - every caller is asked the same
        """Press what the next step says."""
        return self._do("the service asks for keys", lambda does: not isinstance(does, Speak))

    def at_record(self, record: Record) -> Does:  # noqa: ARG002 - every caller is asked the same
        """Speak as long as the next step says."""
        return self._do("the service records", lambda does: not (isinstance(does, Press) and does.keys))

    def rung(self, number: str) -> Engineer:
        """Do at this telephone what the next step says, or what is said of all others."""
        self._drop_heard()
        if self._others and not (self._left and self._left[0][1].rings):
            return self._others.rung(number)
        act = self._next(f"{number} is rung", lambda act: bool(act.rings))
        if act is None:
            return Engineer.NOBODY
        if number != self._destinations.get(act.rings, act.rings):
            self.faults.append(f"{act.rings} should be rung, but {number} is")
        return ENGINEERS[act.engineer]

    def end(self) -> None:
        """Say what has never come."""
        self._drop_heard()
        self.faults += [f"step {number} never came: {_words(act)}" for number, act in self._left]

    def _do(self, happens: str, fits: Callable[[Does], bool]) -> Does:
        """Return what the next step has the caller do; they leave when there is none, or it does not fit."""
        act = self._next(happens, lambda act: act.does is not None and fits(act.does))
        return (act.does if act else None) or Leave()

    def _next(self, happens: str, fits: Callable[[Act], bool]) -> Act | None:
        """Return the step that answers what happens, if it is the next one and what it wants to hear was said."""
        self._drop_heard()
        if not self._left:
            return None
        number, act = self._left.pop(0)
        if not self._was_heard(act.hear):
            self.faults.append(f"step {number}: expected to hear {act.hear!r}, but heard {self._words()!r}")
        elif not fits(act):
            self.faults.append(f"step {number}: {happens}, and the step is: {_words(act)}. Heard {self._words()!r}")
        else:
            self._heard.clear()
            return act
        self._left.clear()
        return None

    def _drop_heard(self) -> None:
        """Take the steps away that only wait for words which have been spoken."""
        while self._left and self._left[0][1].passive and self._was_heard(self._left[0][1].hear):
            self._left.pop(0)

    def _was_heard(self, words: str) -> bool:
        return words.casefold() in self._words().casefold()

    def _words(self) -> str:
        return " ".join(self._heard)


def play(scenario: Scenario, address: Address, known: Mapping[str, str], look_up: LookUp) -> Played:
    """Play a scenario. `known` has the number of every line and destination; `look_up` finds a call's ending."""
    given = scenario.given
    caller = given.caller or f"+6125550{1000 + secrets.randbelow(9000)}"
    occasion = Occasion(address, Numbers(known.get(given.to, given.to), caller), read_instant(given.at))
    cast = Cast(scenario, known)
    try:
        leg = occasion.place(People(cast, cast, cast))
    except (WireFault, TwimlFault, ScriptFault) as fault:
        return Played(scenario, (*cast.faults, str(fault)))
    cast.end()
    missed = () if cast.faults else _differences(scenario.expect, cast, leg, look_up(leg.sid))
    return Played(scenario, (*cast.faults, *missed), leg.sid)


def _differences(expected: Expected, cast: Cast, leg: Leg, ending: Ending | None) -> tuple[str, ...]:
    """Return where a call ended otherwise than expected."""
    if ending is None:
        return (f"the log has no call {leg.sid}: set DATABASE_URL as the service has it",)
    pairs = {
        "rule": (expected.rule, ending.rule),
        "outcome": (expected.outcome, ending.outcome),
        "destination": (expected.destination, ending.destination),
        "flags": (_sorted(expected.flags), _sorted(ending.flags)),
        "dialled": (expected.dialled, ending.dialled),
        "case": (expected.case, bool(ending.case_number)),
    }
    found = [f"{name} is {is_}, expected {want}" for name, (want, is_) in pairs.items() if want not in (None, is_)]
    never = [f"{words!r} was never to be spoken" for words in expected.never if _is_in(words, cast.spoken)]
    missing = [f"no engineer heard {words!r}" for words in expected.whispered if not _is_in(words, cast.whispered)]
    return (*found, *never, *missing)


def _is_in(words: str, sentences: list[str]) -> bool:
    return words.casefold() in " ".join(sentences).casefold()


def _sorted(flags: tuple[str, ...] | None) -> list[str] | None:
    return None if flags is None else sorted(flags)


def _words(act: Act) -> str:
    return ", ".join(f"{name} {value}" for name, value in msgspec.to_builtins(act).items())
