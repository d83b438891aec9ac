"""Nodes: what is said at a point of the conversation, what is waited for, and where it goes from there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from flows.call import Call
from flows.desk import Desk
from flows.heard import Heard, Keys, Silence
from flows.said import Gather, Wait

Step = Callable[[Call, Heard | None, Desk, datetime], tuple[Call, str]]
Says = Callable[[Call, Desk, datetime], Sequence[str]]
Waits = Callable[[Call, Desk], Wait]

FIRST_WAIT = 6  # seconds for a menu
ENTRY_WAIT = 10  # seconds for a number, and between its digits
MISSES_IN_ALL = 6
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Node:
    """A named point of the conversation. Without a `wait` it is passed straight through."""

    name: str
    step: Step
    to: tuple[str, ...]
    say: Says
    prompts: tuple[str, ...] = ()  # every key that `say` can return, for the checks and the diagram
    wait: Waits | None = None
    hears: tuple[type, ...] = ()


def passing(
    name: str, step: Step, to: tuple[str, ...], say: Says | tuple[str, ...] = (), prompts: tuple[str, ...] = ()
) -> Node:
    """Return a node that only speaks, decides or remembers."""
    fixed = () if callable(say) else say
    return Node(name, step, to, say if callable(say) else lambda *_: fixed, prompts or fixed)


def patient(call: Call, seconds: int) -> int:
    """Return a wait in seconds, doubled once a caller has been silent twice."""
    return seconds * 2 if call.tally.silences >= 2 else seconds


def fresh(call: Call) -> Call:
    """Return the call as it enters another node: nothing was missed here yet."""
    if not call.again and not call.tally.here_wrong and not call.tally.here_silent:
        return call
    return call.but(again="", tally=replace(call.tally, here_wrong=0, here_silent=0))


def to_engineer(call: Call, at: datetime, *flags: str) -> tuple[Call, str]:
    """Send a caller who wants a person, or cannot get through the questions, to be routed as they are."""
    unverified = () if call.partner else ("UNVERIFIED",)
    return call.but(intent="engineer", choice="none").flagged(*unverified, *flags).note(at, "wants_engineer"), "route"


def repeated(call: Call, node: str) -> tuple[Call, str]:
    """Say the same once more, at the caller's wish."""
    return call.but(again="repeat", tally=replace(call.tally, repeats=call.tally.repeats + 1)), node


def missed(call: Call, heard: Heard | None, at: datetime, node: str) -> Call:
    """Count a silence or a key that is no option; two silences in a call make all later waits longer."""
    silent = not isinstance(heard, Keys)
    counted = replace(
        call.tally,
        here_wrong=call.tally.here_wrong + (not silent),
        here_silent=call.tally.here_silent + silent,
        misses=call.tally.misses + 1,
        silences=call.tally.silences + silent,
    )
    call = call.but(tally=counted, again="silent" if silent else "wrong").note(
        at, "silence" if silent else "miss", node=node
    )
    return call.flagged("PATIENT_MODE") if counted.silences == 2 else call


Choice = Callable[[Call, Desk, datetime], tuple[Call, str]]


def always(keys: Mapping[str, Choice]) -> Callable[[Call], Mapping[str, Choice]]:
    """Return the same keys for every call."""
    return lambda _call: keys


def going_to(node: str) -> Choice:
    """Return the choice that changes nothing and goes to a node."""
    return lambda call, _desk, _at: (call, node)


@dataclass(frozen=True, slots=True)
class Menu:
    """One key, one choice. `9` repeats, `*` goes back, `0` is an engineer, `#` is ignored."""

    name: str
    say: Says
    keys: Callable[[Call], Mapping[str, Choice]]
    give_up: Choice
    back: Choice | None = None
    tries: int = 3
    first_wait: int = FIRST_WAIT
    zero: bool = True

    def step(self, call: Call, heard: Heard | None, desk: Desk, at: datetime) -> tuple[Call, str]:
        """Take one key, or the silence in its place."""
        key = heard.keys[:1] if isinstance(heard, Keys) else ""
        if choice := self.keys(call).get(key):
            return choice(call, desk, at)
        if key == "*" and self.back:
            return self.back(call, desk, at)
        if key == "0" and self.zero:
            return to_engineer(call, at)
        if key in ("9", "#") and call.tally.repeats < REPEATS:
            return repeated(call, self.name)
        return self._miss(call, heard, desk, at)

    def _miss(self, call: Call, heard: Heard | None, desk: Desk, at: datetime) -> tuple[Call, str]:
        call = missed(call, heard, at, self.name)
        if call.tally.here_wrong + call.tally.here_silent >= self.tries:
            return self.give_up(call, desk, at)
        if call.tally.misses >= MISSES_IN_ALL and self.zero:
            return to_engineer(call, at, "MENU_GIVEUP")
        if call.again == "silent" and not call.tally.helped and self.zero:
            call = call.but(again="help", tally=replace(call.tally, helped=True))
        return call, self.name

    def node(self, to: tuple[str, ...], prompts: tuple[str, ...]) -> Node:
        """Return the menu as a node of the table."""
        return Node(
            self.name,
            self.step,
            tuple(dict.fromkeys((*to, self.name, *(("route",) if self.zero else ())))),
            self._says,
            (*prompts, "menu.bad", "menu.help"),
            lambda call, _desk: Gather(patient(call, self.first_wait)),
            (Keys, Silence),
        )

    def _says(self, call: Call, desk: Desk, at: datetime) -> Sequence[str]:
        said = self.say(call, desk, at)
        if call.again == "wrong" and "sev.again" not in said:
            return ("menu.bad", *said)
        return (*said, "menu.help") if call.again == "help" else said


def after_last_star(keys: str) -> str:
    """Return what counts of an entry: what was keyed after the last star, which clears."""
    return keys.rpartition("*")[2]
