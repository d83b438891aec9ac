"""Why a route did not match, in words, with routes that stumbled over the same thing told together."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from routing.decide import Decision, Rejected

_WORDS: Mapping[str, Mapping[str, str]] = {
    "type": {"unknown": "caller not identified"},
    "certified": {"yes": "certified", "no": "not certified"},
    "certification": {"valid": "certification valid", "expired": "certification expired", "none": "never certified"},
    "loa": {
        "on_file": "Letter of Agency on file",
        "missing": "no Letter of Agency",
        "not_required": "no Letter of Agency needed",
    },
    "intent": {"none": "no intent asked", "engineer": "wants an engineer"},
    "elsewhere": {"open": "another desk open", "closed": "no other desk open"},
    "case_desk": {"open": "the case's desk open", "closed": "the case's desk closed", "none": "no desk holds a case"},
    "choice": {
        "none": "nothing chosen",
        "live": "chose to be connected",
        "voicemail": "chose the voicemail",
        "customer": "customer on the line",
        "how": "asked how to get a Letter of Agency",
        "declined": "chose nothing",
    },
}


def because(decision: Decision, home: str, severity: int | None) -> tuple[tuple[str, str], ...]:
    """Return the rules that were passed over before the one that matched, and why: ("R1-R3", "severity 2").

    `home` is the home desk's name. Rows of the rule that matched are left out.
    """
    passed_over = [each for each in decision.rejected if each.rule != decision.rule]
    by_rule = [(rule, _phrases(rows, home, severity)) for rule, rows in groupby(passed_over, key=lambda row: row.rule)]
    grouped = groupby(by_rule, key=lambda pair: pair[1])
    return tuple((_span([rule for rule, _ in pairs]), why) for why, pairs in grouped)


def _phrases(rows: Iterable[Rejected], home: str, severity: int | None) -> str:
    return ", ".join(dict.fromkeys(phrase(row.fact, row.value, home, severity) for row in rows))


def phrase(fact: str, value: str, home: str, severity: int | None) -> str:
    """Return a fact of an enquiry in words."""
    if fact == "home":
        return f"{home} {value}"
    if fact == "urgent":
        return "nobody asked about Severity 1" if value == "unasked" else _severity(severity)
    plain = {"line": f"line is {value}", "type": f"partner is {value}", "intent": f"intent {value}"}
    return _WORDS.get(fact, {}).get(value) or plain.get(fact, f"{fact} {value}")


def _severity(severity: int | None) -> str:
    return "no Severity 1" if severity is None else f"severity {severity}"


def _span(rules: Sequence[str]) -> str:
    names = list(dict.fromkeys(rules))
    return names[0] if len(names) == 1 else f"{names[0]}-{names[-1]}"
