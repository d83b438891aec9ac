"""What must hold of every enquiry, and what speaks against it. `routing.proof` tries them all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from routing.combinations import ALL, having, leading_to, shares
from routing.decide import Decision
from routing.policy import Does, Policy, Route
from routing.policy_checks import LIVING
from routing.trials import Trial

Contacts = Mapping[str, Sequence[str]]  # destination id -> numbers; where it is silent, the policy's own number counts
Objection = tuple[str, str]  # a code, and what is wrong


@dataclass(frozen=True, slots=True)
class Grounds:
    """What claims are judged by: a policy, the telephones of its destinations, and the offers without an exit."""

    policy: Policy
    contacts: Contacts
    endless: int

    def telephones(self, decision: Decision) -> int:
        """Return how many different telephones a decision rings."""
        numbers: set[str] = set()
        for target in decision.ring:
            destination = self.policy.destinations[target.destination]
            own = (destination.number,) if destination.number else ()
            numbers.update(self.contacts.get(destination.id, own))
        return len(numbers)


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that must hold. `about` picks the enquiries of a trial that it is about, `objection` what is wrong."""

    name: str
    says: str
    mend: str
    about: Callable[[Trial], int]
    objection: Callable[[Trial, Grounds], Objection | None]


def _perhaps_urgent(trial: Trial) -> int:
    return trial.members & (having("urgent", "yes") | having("urgent", "unasked"))


def _reaches_people(trial: Trial, grounds: Grounds) -> Objection | None:
    """Object unless a Severity 0 or 1 rings two telephones, and a call that may be one rings somebody or is asked."""
    decision, urgent = trial.decision, trial.decision.facts["urgent"] == "yes"
    if decision.does is Does.RING:
        rung = grounds.telephones(decision)
        short = rung < (LIVING if urgent else 1)
        return (
            ("H1", f"a Severity {'0 or 1' if urgent else '1 nobody asked about'} rings {rung} telephone(s)")
            if short
            else None
        )
    if urgent:
        return "RT2", f"a Severity 0 or 1 is led to `{decision.does}`, not to a person"
    if decision.gate or (decision.does is Does.OFFER and "live" in decision.offer.values()):
        return None
    return "RT2", f"a call that may be a Severity 1 is led to `{decision.does}` without being asked"


def _not_certified(trial: Trial) -> int:
    return trial.members & having("certified", "no")


def _keeps_to_tier_1(trial: Trial, grounds: Grounds) -> Objection | None:
    decision, desks = trial.decision, grounds.policy.desks
    above = sorted({target.desk for target in decision.ring if target.desk and desks[target.desk].tier > 1})
    if above:
        return "RT4", f"a caller without certification is led to {', '.join(above)}"
    if decision.does is Does.RECORD:
        return "RT4", "a caller without certification is led to the escalation voicemail"
    if "voicemail" in decision.offer.values():
        return "RT4", "a caller without certification is offered the escalation voicemail"
    return None


def _everyone(trial: Trial) -> int:
    return trial.members


def _decided_by_its_row(trial: Trial, _grounds: Grounds) -> Objection | None:
    decision, route = trial.decision, trial.route
    if (decision.rule, decision.file_line) == (route.rule, route.file_line):
        return None
    return "RT1", f"the engine takes {decision.rule} of line {decision.file_line} instead"


def _offered_something(trial: Trial) -> int:
    return trial.members if trial.decision.does is Does.OFFER else 0


def _comes_to_an_end(trial: Trial, grounds: Grounds) -> Objection | None:
    return ("RT5", "the caller's choices lead back to the same offer") if trial.members & grounds.endless else None


def _pressed_0(trial: Trial) -> int:
    return trial.members & having("intent", "engineer") & having("home", "open") & having("choice", "none")


def _rings(trial: Trial, _grounds: Grounds) -> Objection | None:
    does = trial.decision.does
    return None if does is Does.RING else ("RT7", f"key 0 is answered with `{does}` although the desk is open")


CLAIMS = (
    Claim(
        "severity 1",
        "A Severity 0 or 1 rings people; a call that may be one is asked before it can end anywhere else",
        "lead urgent: yes to a row that rings, with on_call at its end",
        _perhaps_urgent,
        _reaches_people,
    ),
    Claim(
        "entitlement",
        "Without certification nobody reaches Tier 2 or the escalation voicemail",
        "ask for certified: yes in this row, or in one above it",
        _not_certified,
        _keeps_to_tier_1,
    ),
    Claim(
        "coverage",
        "Every enquiry is decided, by the first row that matches",
        "end the table with a row that has `when: {}`",
        _everyone,
        _decided_by_its_row,
    ),
    Claim(
        "exits",
        "Whatever a caller chooses, or leaves unchosen, leads to an end and not round in a circle",
        "add a row above it for the choice that leads back, such as declined",
        _offered_something,
        _comes_to_an_end,
    ),
    Claim(
        "key 0",
        "While the home desk is open, key 0 rings a person",
        "leave `engineer` out of the intents of this row",
        _pressed_0,
        _rings,
    ),
)


def endless(routes: Sequence[Route]) -> int:
    """Return the combinations that are offered something and from which some choices never come to an end."""
    decided, _ = shares(routes)
    offers = [(route, share) for route, share in zip(routes, decided, strict=True) if route.does is Does.OFFER]
    open_ended = 0
    for _, share in offers:
        open_ended |= share
    ended = -1
    while ended != (ended := ALL & ~open_ended):
        for route, share in offers:
            settled = share
            for choice in (*route.offer.values(), "declined"):
                settled &= leading_to(ended, choice)
            open_ended &= ~settled
    return open_ended
