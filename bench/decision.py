"""P5 and P6: what a decision, the hours, a policy and its proof cost, as a share of what they may cost."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from timeit import Timer

from bench.run import Bench
from bench.table import Row
from routing.decide import decide
from routing.enquiry import Enquiry
from routing.partner import Certification, PartnerType
from routing.policy import LineKind, Policy
from routing.policy_file import read_policy, shipped_policies
from routing.proof import prove

START = datetime(2026, 11, 18, 18, tzinfo=UTC)
REPEATS = 7
DECIDE, AT = 40e-6, 2e-6  # seconds: the goals
PROOF, PROOFS, LOAD = 1.0, 3.0, 0.3

ENQUIRIES = {
    "a certified partner, desk open (R9)": (
        Enquiry(LineKind.CERTIFIED, "us", PartnerType.RESALE, Certification.VALID, intent="new", severity=2),
        START,
    ),
    "everybody closed, last row (R17)": (
        Enquiry(LineKind.STANDARD, "emea", intent="new", outage_denied=True),
        datetime(2026, 11, 21, 12, tzinfo=UTC),
    ),
}


def measure(_bench: Bench) -> list[Row]:
    """Return the lines."""
    policies = [read_policy(path) for path in shipped_policies()]
    return [*_p5(policies[0]), *_p6(policies)]


def _p5(policy: Policy) -> list[Row]:
    rows = []
    for name, (enquiry, instant) in ENQUIRIES.items():
        seconds = best(lambda enquiry=enquiry, instant=instant: decide(enquiry, policy, instant))
        rows.append(_against("P5", f"decide: {name}", seconds, DECIDE, 1e6))
    hours = next(iter(policy.desks.values())).hours
    rows.append(_against("P5", "open now, and when next (Schedule.at)", best(lambda: hours.at(START)), AT, 1e6))
    return rows


def _p6(policies: list[Policy]) -> list[Row]:
    load = min(once(lambda path=path: read_policy(path)) for path in shipped_policies() for _ in range(REPEATS))
    proofs = [min(once(lambda policy=policy: prove(policy, START)) for _ in range(3)) for policy in policies]
    rows = [_against("P6", "policy load with checks", load, LOAD, 1e3)]
    rows.append(_against("P6", f"proof of {policies[0].programme} over 13 months", proofs[0], PROOF, 1e3))
    if len(policies) > 1:
        rows.append(_against("P6", f"proofs of all {len(policies)}", sum(proofs), PROOFS, 1e3))
    return rows


def _against(goal: str, what: str, seconds: float, wanted: float, unit: float) -> Row:
    name = {1e6: "us", 1e3: "ms"}[unit]
    measured = f"{seconds * unit:.3g} {name}" if seconds * unit < 100 else f"{seconds * unit:.0f} {name}"
    return Row(goal, f"{what}: to {wanted * unit:g} {name}", measured, seconds / wanted, most=1)


def best(work: Callable[[], object]) -> float:
    """Return the seconds of one call at its best: what a neighbour on the machine adds is not ours."""
    timer = Timer(work)
    number, _ = timer.autorange(lambda *_: None)
    return min(timer.repeat(REPEATS, max(1, number // 4))) / max(1, number // 4)


def once(work: Callable[[], object]) -> float:
    """Return the seconds of one single call."""
    started = perf_counter()
    work()
    return perf_counter() - started
