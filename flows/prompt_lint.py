"""What can be wrong with a prompt: too long, a menu that cannot be remembered, a word that blames."""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files

from flows.conversation import NOT_SPOKEN
from flows.prompts import LOCALES, catalogue, tokens_of
from flows.tokens import TOKENS
from routing.fault import Fault, Finding, Level, PolicyError
from routing.policy import Policy

WORDS_PER_SECOND = 2.9  # as a synthetic voice speaks these prompts at a nominal 165 words a minute
TOO_LONG = 12.0  # seconds
LONG = 10.9
OPTIONS_AT_MOST = 4
BLAMING = ("invalid", "failed", "you did not", "you didn't", "wrong entry", "error")
# What a token is worth in spoken words, where it is not one.
SPOKEN_WORDS = {
    "case": 8,
    "pid": 6,
    "typed": 7,
    "reopen": 5,
    "deadline": 5,
    "promised": 5,
    "heard": 5,
    "answered": 5,
    "minutes": 2,
    "date": 3,
    "last4": 4,
    "partner": 2,
    "portal": 3,
}
_OPTION = re.compile(r"press ([0-9])\b")
_FILE = "flows/locales/en.yaml"


def seconds(text: str) -> float:
    """Return about how long a prompt takes to speak, its tokens filled in."""
    extra = sum(SPOKEN_WORDS.get(token, 1) - 1 for token in re.findall(r"\{([a-z0-9_]+)\}", text))
    return (len(text.split()) + extra) / WORDS_PER_SECOND


def lint() -> list[Finding]:
    """Return every finding about the prompts of every locale."""
    return [finding for locale in LOCALES for finding in _locale(locale, catalogue(locale))]


def speakable(policy: Policy) -> Policy:
    """Return the policy. Raises PolicyError where it has us say what we cannot: a locale or a prompt is not there."""
    faults = []
    for line in policy.lines.values():
        if line.locale not in LOCALES:
            what = f"line {line.id} is to speak {line.locale}, which has no prompts"
            mend = f"use one of {', '.join(LOCALES)}, or write flows/locales/{line.locale}.yaml"
            faults.append(_fault(policy, line.provenance.file_line, what, mend))
    for route in policy.routes:
        for saying in route.say:
            if saying.prompt not in catalogue(LOCALES[0]):
                what = f"{route.rule} says {saying.prompt}, which is no prompt"
                faults.append(_fault(policy, route.file_line, what, "use a key of flows/locales/en.yaml"))
    if faults:
        raise PolicyError(faults)
    return policy


def _fault(policy: Policy, line: int, what: str, mend: str) -> Fault:
    return Fault(
        policy.file, line, "P2", what, "Callers would hear an apology, and be put through to somebody else.", mend
    )


def _locale(locale: str, texts: Mapping[str, str]) -> Iterator[Finding]:
    for key in sorted(set(texts) - set(NOT_SPOKEN)):
        for level, code, what, mend in (*_length(texts[key]), *_options(key, texts[key]), *_words(texts[key])):
            yield Finding(level, _FILE, _line_of(key), code, f"{locale} {key}: {what}", mend, _CONSEQUENCES[code])


Slip = tuple[Level, str, str, str]
_CONSEQUENCES = {
    "P1": "Callers on a bad line lose the thread before they can press a key.",
    "P2": "Callers hear a word that is not theirs, or that blames them.",
}


def _length(text: str) -> Iterator[Slip]:
    spoken = seconds(text)
    if spoken > LONG:
        level = Level.ERROR if spoken > TOO_LONG else Level.WARNING
        yield level, "P1", f"takes about {spoken:.1f} s", "say it in fewer words"


def _options(key: str, text: str) -> Iterator[Slip]:
    options = [int(found) for found in _OPTION.findall(text) if found not in "09"]
    if len(options) > OPTIONS_AT_MOST:
        yield Level.ERROR, "P1", f"offers {len(options)} options", f"offer {OPTIONS_AT_MOST} at the most"
    if options and options != list(range(1, len(options) + 1)):
        yield Level.WARNING, "P1", f"its options are {options}", "number the options from 1, leaving none out"
    asks_for_zero = "press 0" in text and key not in ("menu.help", "pid.silent2", "pid.bad2", "pid.wait.last")
    if asks_for_zero or ("press 9" in text and "again" not in text):
        yield Level.ERROR, "P1", "uses 0 or 9 as an option", "0 is an engineer and 9 repeats, everywhere"


def _words(text: str) -> Iterator[Slip]:
    low = text.lower()
    for word in ("pound", "hash"):
        if re.search(rf"(?<!\{{)\b{word}\b(?!\}})", low):
            yield Level.ERROR, "P2", f"says {word!r}", "write {hash}: the key's name differs by country"
    for word in BLAMING:
        if re.search(rf"\b{word}\b", low):
            yield Level.ERROR, "P2", f"says {word!r}", "say what to do instead of what went wrong"
    for token in sorted(tokens_of(text) - set(TOKENS)):
        yield Level.ERROR, "P2", f"asks for {{{token}}}, which nothing fills in", "use a token of flows/tokens.py"


def _line_of(key: str) -> int:

    lines = files("flows").joinpath("locales", "en.yaml").read_text("utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith(f"{key}:")), 0)
