"""Proof that no enquiry, at any instant of the coming months, is led to where it must not go.

A statement holds for every enquiry at every boundary of every desk's hours, or comes with counterexamples: the guilty
row, and a command that shows it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pendulum

from routing.claims import CLAIMS, Claim, Contacts, Grounds, endless
from routing.combinations import one_of, shares
from routing.enquiry import Enquiry
from routing.fault import CONSEQUENCES, Fault, PolicyError
from routing.partner import Certification, PartnerType
from routing.policy import LineKind, Policy
from routing.schedule import Override
from routing.trials import Moment, Trial, Wait, enquiry_with, survey, trials, views

MONTHS = 13
LONGEST_PROMISE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An enquiry for which a statement does not hold, and the row that decides it."""

    code: str
    rule: str
    file_line: int
    what: str
    enquiry: Enquiry
    at: datetime


@dataclass
class Statement:
    """What was tried and must hold, how many points were covered, and a counterexample for each guilty row."""

    name: str
    says: str
    mend: str
    points: int = 0
    against: dict[int, Counterexample] = field(default_factory=dict)  # by line of the file

    @property
    def holds(self) -> bool:
        """Whether no counterexample was found."""
        return not self.against


@dataclass(frozen=True, slots=True)
class Proof:
    """What was tried of a policy, from when until when, at how many boundaries of how many patterns of open desks."""

    policy: Policy
    start: datetime
    end: datetime
    boundaries: int
    patterns: int
    statements: tuple[Statement, ...]

    @property
    def holds(self) -> bool:
        """Whether every statement holds."""
        return all(statement.holds for statement in self.statements)

    def faults(self) -> Iterator[Fault]:
        """Yield each counterexample as a fault of the policy's file."""
        for statement in self.statements:
            for example in statement.against.values():
                what = f"{example.rule}: {example.what}; see `{' '.join(explain(example, self.policy))}`"
                consequence = CONSEQUENCES[example.code]
                yield Fault(self.policy.file, example.file_line, example.code, what, consequence, statement.mend)


def check(policy: Policy, start: datetime, contacts: Contacts | None = None) -> Proof:
    """Return the proof of the coming thirteen months. Raises PolicyError, naming the guilty rows, if it fails."""
    proof = prove(policy, start, contacts=contacts)
    if not proof.holds:
        raise PolicyError(proof.faults())
    return proof


def prove(
    policy: Policy,
    start: datetime,
    months: int = MONTHS,
    overrides: Sequence[Override] = (),
    contacts: Contacts | None = None,
) -> Proof:
    """Try every enquiry at every boundary from `start` on. `contacts` gives the numbers that the policy does not."""
    end = pendulum.instance(start).add(months=months)
    moments, waits = survey(policy, start, end, overrides)
    grounds = Grounds(policy, contacts or {}, endless(policy.routes))
    statements = {claim: Statement(claim.name, claim.says, claim.mend) for claim in CLAIMS}
    for trial in trials(policy, moments, overrides):
        for claim, statement in statements.items():
            _try(trial, claim, statement, grounds)
    _find_undecided(policy, moments, overrides, next(s for s in statements.values() if s.name == "coverage"))
    boundaries = sum(moment.instants for moment in moments)
    promises = _promises(policy, waits, boundaries)
    return Proof(policy, start.astimezone(UTC), end, boundaries, len(moments), (*statements.values(), promises))


def _try(trial: Trial, claim: Claim, statement: Statement, grounds: Grounds) -> None:
    members = claim.about(trial)
    if not members:
        return
    statement.points += trial.points(members)
    objection = claim.objection(trial, grounds)
    if objection is not None and trial.route.file_line not in statement.against:
        enquiry = enquiry_with(one_of(members), trial.enquiry)
        rule, line = trial.route.rule, trial.route.file_line
        statement.against[line] = Counterexample(objection[0], rule, line, objection[1], enquiry, trial.moment.at)


def _find_undecided(
    policy: Policy, moments: Sequence[Moment], overrides: Sequence[Override], statement: Statement
) -> None:
    """Look for enquiries that no row decides."""
    _, left = shares(policy.routes)
    views_of = views(policy, moments, overrides) if left else ()
    for view in views_of:
        if view.members & left:
            enquiry = enquiry_with(one_of(view.members & left), view.alike[0])
            example = Counterexample("RT1", "none", 1, "no row matches this enquiry", enquiry, view.moment.at)
            statement.against.setdefault(1, example)


def _promises(policy: Policy, waits: Sequence[Wait], boundaries: int) -> Statement:
    """Whatever reopening callers are told of is near enough to be a promise."""
    statement = Statement(
        "promises",
        f"Whenever a desk is closed, the opening that its callers are told of is within {LONGEST_PROMISE.days} days",
        "check the desk's weekly hours, special days and holidays",
        len(policy.desks) * boundaries,
    )
    for wait in waits:
        if wait.length is None or wait.length > LONGEST_PROMISE:
            desk = policy.desk(wait.region, wait.tier)
            certification = Certification.VALID if wait.tier == 2 else Certification.NONE
            asked = Enquiry(LineKind.STANDARD, wait.region, PartnerType.RESALE, certification, severity=3)
            length = "more than a year" if wait.length is None else f"{wait.length.days} days"
            what = f"callers are told to wait for {length}"
            line = desk.provenance.file_line
            statement.against.setdefault(line, Counterexample("P3", desk.id, line, what, asked, wait.at))
    return statement


def explain(example: Counterexample, policy: Policy) -> list[str]:
    """Return the command that shows a counterexample."""
    asked = example.enquiry
    lines = sorted(policy.lines.values(), key=lambda line: (line.kind != asked.line, line.region != asked.region))
    supposed = {
        "region": asked.region,
        "type": asked.type.value if asked.type else "unknown",
        "certification": asked.certification.value,
        "loa": asked.loa,
        "case_desk": asked.case_desk or "none",
        "choice": asked.choice,
        "outage": "denied" if asked.outage_denied else "unasked",
    }
    words = ["ivr", "explain", "--to", lines[0].number, "--intent", asked.intent]
    words += [] if asked.severity is None else ["--severity", str(asked.severity)]
    words += ["--at", example.at.strftime("%Y-%m-%dT%H:%M:%SZ")]
    return [*words, *(word for fact, value in supposed.items() for word in ("--suppose", f"{fact}={value}"))]
