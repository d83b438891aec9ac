"""Scenario files: what is heard on a call, what is done then, and what must come of it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ivr.phone.clock import read_instant
from ivr.phone.people import Does, Engineer, Leave, Press, Speak
from ivr.phone.script import read_engineers, read_keys

ENGINEERS = {
    "accepts": Engineer.ANSWERS,
    "passes": Engineer.PASSES,
    "is busy": Engineer.BUSY,
    "does not answer": Engineer.NOBODY,
    "is a machine": Engineer.MACHINE,
}


class ScenarioFault(ValueError):  # noqa: N818 - the fault is in the file
    """A scenario file cannot be used; the message says where and why."""


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"caller": "from"}):
    """Who calls what and when. Without `caller` it is a number that nobody has listed.

    `agents` says what engineers do whom no step speaks of, as --agent does.
    """

    to: str
    at: str
    caller: str = ""
    agents: str = ""


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is heard first, and what the caller does then; or who is rung, and what the engineer does.

    `press` is keys, "-" is silence; `say` is seconds of message, ended with the hash key, or by hanging up.
    """

    hear: str = ""
    press: str = ""
    say: int | None = None
    hangs_up: bool = False
    rings: str = ""
    engineer: str = ""

    @property
    def passive(self) -> bool:
        """Whether the act is only to hear something."""
        return self.does is None and not self.rings

    @property
    def does(self) -> Does | None:
        """Return what the caller does; None if it is not theirs to do something."""
        if self.say is not None:
            return Speak(self.say, hangs_up=self.hangs_up)
        if self.hangs_up:
            return Leave()
        return read_keys(self.press)[0] if self.press else None


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must come of a call; what is not named may be anything.

    `never` are words that the caller must not hear, `whispered` are words that an engineer must.
    """

    rule: str | None = None
    outcome: str | None = None
    destination: str | None = None
    flags: tuple[str, ...] | None = None
    dialled: tuple[str, ...] | None = None
    case: bool | None = None
    never: tuple[str, ...] = ()
    whispered: tuple[str, ...] = ()


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One call as it should go."""

    name: str
    given: Given
    steps: tuple[Act, ...]
    expect: Expected


def scenario_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the named files, and every YAML file of the named folders."""
    found = [sorted(path.rglob("*.yaml")) if path.is_dir() else [path] for path in paths]
    return tuple(path for group in found for path in group)


def read_scenarios(path: Path) -> tuple[Scenario, ...]:
    """Return the scenarios of a file: a single one, or a list. Raises ScenarioFault."""
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except (YAMLError, UnicodeDecodeError, OSError) as fault:
        raise ScenarioFault(f"{path}: cannot be read: {fault}") from None
    entries = content if isinstance(content, list) else [content]
    return tuple(_scenario(entry, f"{path}, scenario {number}") for number, entry in enumerate(entries, 1))


def _scenario(entry: Any, where: str) -> Scenario:  # noqa: ANN401 - whatever the file holds
    try:
        scenario = msgspec.convert(entry, Scenario)
        read_instant(scenario.given.at)
        read_engineers(scenario.given.agents or "answer")
        for act in scenario.steps:
            _check(act)
    except (msgspec.ValidationError, ValueError) as fault:
        raise ScenarioFault(f"{where}: {fault}") from None
    return scenario


def _check(act: Act) -> None:
    if act.press and not all(isinstance(does, Press) for does in read_keys(act.press)):
        raise ValueError(f"press {act.press!r} is neither keys nor -")
    if act.rings and act.engineer not in ENGINEERS:
        raise ValueError(f"engineer {act.engineer!r} is none of {', '.join(ENGINEERS)}")
    if act.passive and not act.hear:
        raise ValueError("a step needs something to hear, to press, to say or somebody who is rung")
    theirs = bool(act.press) + (act.say is not None or act.hangs_up)
    if theirs + bool(act.rings) > 1 or (act.engineer and not act.rings):
        raise ValueError(f"a step does one thing: {msgspec.to_builtins(act)}")
