"""The proof: what it covers, what it refuses, and that its counterexamples are real."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import msgspec
import pytest
from paper import shipped

from routing.claims import CLAIMS, Grounds
from routing.combinations import ALL, AXES, CALLERS, having, leading_to, one_of, shares, where
from routing.decide import Target, decide
from routing.enquiry import FACTS, URGENT_AT_MOST, Enquiry
from routing.fault import PolicyError
from routing.partner import Certification
from routing.policy import Does, LineKind, Place
from routing.policy_file import parse_policy, shipped_policies
from routing.proof import LONGEST_PROMISE, check, prove
from routing.schedule import Override, Window
from routing.trials import Moment, Trial, survey, trials

POLICY = shipped()
START = datetime(2026, 11, 22, tzinfo=UTC)
WEEK = timedelta(days=7)


def changed(*changes):
    """The shipped policy with some of its text changed; what the reader itself would refuse is not for here."""
    text = shipped_policies()[0].read_text()
    for was, now in changes:
        assert was in text
        text = text.replace(was, now, 1)
    return parse_policy(text, "changed.yaml")


def routes(change):
    """The shipped policy with its routes changed, without asking the reader."""
    return replace(POLICY, routes=tuple(change(list(POLICY.routes))))


def without(rule, place=0):
    """The shipped policy without one row of a rule."""
    rows = [route for route in POLICY.routes if route.rule == rule]
    return routes(lambda all_rows: [row for row in all_rows if row is not rows[place]])


def refusal(policy, start=START, contacts=None):
    with pytest.raises(PolicyError) as refused:
        check(policy, start, contacts)
    return refused.value


@pytest.mark.parametrize("month", [1, 3, 7, 10])
def test_the_shipped_policy_holds_from_any_month_on(month):
    proof = check(POLICY, datetime(2026, month, 8, 12, tzinfo=UTC))

    assert proof.holds
    assert [statement.name for statement in proof.statements] == [
        "severity 1",
        "entitlement",
        "coverage",
        "exits",
        "key 0",
        "promises",
    ]


def test_thirteen_months_are_covered_without_sampling():
    """Enquiries times instants, both counted by hand."""
    proof = prove(POLICY, START)
    callers = 1 + 3 * 3 + 3 * 3  # unidentified; agencies by letter; the other types; each by certification
    severities = 5 + 2  # 0 to 4, not asked yet, asked and denied
    cases = 1 + len(POLICY.desks)
    enquiries = 4 * 3 * callers * 5 * severities * cases * 6  # line, region, ... intent, ... choice
    instants = {START} | {
        at
        for desk in POLICY.desks.values()
        for span in desk.hours.openings(START, proof.end)
        for at in span
        if START < at < proof.end
    }

    assert f"{proof.end:%Y-%m-%d}" == "2027-12-22"
    assert proof.boundaries == len(instants) > 1400
    points = {statement.name: statement.points for statement in proof.statements}
    assert points["coverage"] == enquiries * len(instants) > 500_000_000
    assert points["severity 1"] == points["coverage"] * 3 // 7


def test_every_pattern_of_open_desks_is_tried_where_it_occurs():
    moments, _ = survey(POLICY, START, START + timedelta(days=400))
    patterns = {tuple(POLICY.desk(r, 1).hours.is_open(m.at) for r in ("us", "emea", "apac")) for m in moments}

    assert patterns == set(product((True, False), repeat=3)) - {(True, True, True)}  # the three are never open at once
    assert len(moments) == len(patterns)


def test_every_trial_is_what_the_engine_really_decides_for_all_its_members():
    """The members of a trial are decided by the same row, rung for the same people, and gated alike."""
    moments, _ = survey(POLICY, START, START + WEEK)
    for number, trial in enumerate(trials(POLICY, moments)):
        last = 1 << (trial.members.bit_length() - 1)
        facts = one_of(last)
        other = replace(
            trial.enquiry,
            line=LineKind(facts["line"]),
            intent=facts["intent"],
            choice=facts["choice"],
            loa=facts["loa"],
        )
        if number % 7 or facts["type"] != (trial.enquiry.type or "unknown"):
            continue
        if facts["certification"] != trial.enquiry.certification:
            continue
        found = decide(other, POLICY, trial.moment.at)
        expected = trial.decision
        assert (found.rule, found.file_line, found.ring) == (expected.rule, expected.file_line, expected.ring)
        assert (found.does, found.offer, found.gate) == (expected.does, expected.offer, expected.gate)


INTENTS = "intent: [new, existing, escalation, none]"


def row(rule, place=0, **changes):
    """The shipped policy with one row of a rule changed."""
    chosen = [route for route in POLICY.routes if route.rule == rule][place]
    return routes(lambda rows: [replace(each, **changes) if each is chosen else each for each in rows])


def hours(name, **changes):
    """The shipped policy with one desk's hours changed."""
    desk = POLICY.desks[name]
    return replace(POLICY, desks=POLICY.desks | {name: replace(desk, hours=replace(desk.hours, **changes))})


NEVER = {"weekly": ((),) * 7, "holidays": None}
ONCE_A_MONTH = {(START + timedelta(days=30 * month)).date(): (Window(540, 1020),) for month in range(20)}

# What is wrong, the policy, the rule or desk that is guilty, and the code.
BROKEN = {
    "a Severity 1 that is recorded": (row("R1", does=Does.RECORD, ring=()), "R1", "RT2"),
    "a Severity 1 that is told to call again": (without("R3"), "R17", "RT2"),
    "a Severity 1 that is asked what it wants": (row("R2", does=Does.OFFER, ring=(), offer={"1": "live"}), "R2", "RT2"),
    "a Severity 1 that finds an empty desk": (row("R3", ring=(Place.HOME,)), "R3", "H1"),
    "a Severity 1 that has one telephone": (
        changed(
            ("ring: [us-tier2-engineer, us-tier2-second]", "ring: [us-tier2-engineer]"),
            ("[home, home_tier1, others_open, on_call]", "[home]"),
        ),
        "R1",
        "H1",
    ),
    "a quiet call that rings nobody": (
        changed(("when: {type: referral, home: open}", "when: {type: referral}")),
        "R15",
        "H1",
    ),
    "a voicemail for everyone": (
        changed(("when: {line: voicemail, certified: yes, intent", "when: {line: voicemail, intent")),
        "R5",
        "RT4",
    ),
    "an offer of voicemail for everyone": (
        changed(("{1: live}\n    say: [esc.notcert]", "{1: live, 2: voicemail}\n    say: [esc.notcert]")),
        "R7",
        "RT4",
    ),
    "an enquiry that nobody thought of": (without("R17"), "none", "RT1"),
    "an offer that a silent caller hears for ever": (
        changed((f"{INTENTS}, choice: [live, declined]}}", f"{INTENTS}, choice: live}}")),
        "R4",
        "RT5",
    ),
    "two offers that lead to each other": (
        changed(
            ("offer: {1: live}\n    say: [loa.how]", "offer: {1: live, 2: voicemail}\n    say: [loa.how]"),
            ("offer: {1: customer, 2: how, 3: live}", "offer: {1: customer, 2: how}"),
        ),
        "R14",
        "RT5",
    ),
    "a key 0 that is answered with a question": (
        changed((f"choice: [none, voicemail], {INTENTS}", "choice: [none, voicemail]")),
        "R14",
        "RT7",
    ),
    "a desk that opens once a month": (hours("apac-tier1", **NEVER, special=ONCE_A_MONTH), "apac-tier1", "P3"),
    "a desk that never opens": (hours("emea-tier2", **NEVER), "emea-tier2", "P3"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_table_is_refused_and_the_guilty_row_is_named(name):
    policy, rule, code = BROKEN[name]

    faults = [fault for fault in refusal(policy).faults if fault.code == code]

    assert any(fault.what.startswith(f"{rule}: ") for fault in faults), refusal(policy)
    assert all("`ivr explain --to +" in fault.what for fault in faults)


@pytest.mark.parametrize("name", BROKEN)
def test_a_counterexample_is_real(name):
    """The engine does with the counterexample what the proof says that it does."""
    policy, *_ = BROKEN[name]
    examples = [each for statement in prove(policy, START).statements for each in statement.against.values()]
    assert examples
    for example in examples:
        if example.code == "RT1":
            with pytest.raises(LookupError):
                decide(example.enquiry, policy, example.at)
            continue
        found = decide(example.enquiry, policy, example.at)
        if example.code == "P3":
            assert found.home_closed
            assert found.reopens is None or found.reopens - example.at > LONGEST_PROMISE
            continue
        assert (found.rule, found.file_line) == (example.rule, example.file_line)
        if example.code in ("RT2", "H1"):
            assert example.enquiry.severity is None or example.enquiry.severity <= URGENT_AT_MOST
        if example.code == "RT4":
            assert not example.enquiry.certified
        if example.code == "RT7":
            assert (example.enquiry.intent, found.home_closed) == ("engineer", "")


def test_a_counterexample_is_a_command():
    fault = next(fault for fault in refusal(without("R3")).faults if fault.code == "RT2")
    command = fault.what.partition("`ivr explain --to ")[2].rstrip("`").split()

    assert command[0] in POLICY.lines
    assert command[command.index("--severity") + 1] == "1"
    assert datetime.fromisoformat(command[command.index("--at") + 1]).tzinfo is UTC


def test_one_counterexample_for_each_guilty_row_is_enough():
    faults = refusal(without("R3")).faults

    assert 1 < len({(fault.line, fault.code) for fault in faults}) == len(faults) < 10


def test_numbers_may_come_from_the_contacts():
    silent = {name: replace(each, number=None) for name, each in POLICY.destinations.items()}
    policy = replace(POLICY, destinations=silent)
    contacts = {name: (f"+1408555{number:04}",) for number, name in enumerate(silent, 100)}

    assert {fault.code for fault in refusal(policy).faults} == {"H1"}
    assert check(policy, START, contacts).holds


def test_contacts_that_share_one_telephone_are_one_telephone():
    contacts = dict.fromkeys(POLICY.destinations, ("+14085550100",))

    assert {fault.code for fault in refusal(POLICY, contacts=contacts).faults} == {"H1"}


def test_overrides_are_part_of_what_is_proved():
    """Closing every desk for a day is survived; the boundaries of the override are boundaries."""
    wednesday = START + timedelta(days=3)
    fire = Override("all", opens=False, starts=wednesday, ends=wednesday + timedelta(days=1), reason="fire")
    quiet, closed = prove(POLICY, START, 1), prove(POLICY, START, 1, [fire])

    assert closed.holds
    assert closed.boundaries != quiet.boundaries


def test_closing_a_desk_for_a_month_breaks_the_promise():
    leave = Override("apac", opens=False, starts=START, ends=START + timedelta(days=40), reason="office moves")

    failed = [statement.name for statement in prove(POLICY, START, 2, [leave]).statements if not statement.holds]

    assert failed == ["promises"]


def trial_of(decision, enquiry):
    return Trial(POLICY.routes[-1], enquiry, decision, where(decision.facts), Moment(START), 1)


def objection(name, trial):
    claim = next(claim for claim in CLAIMS if claim.name == name)
    return claim.about(trial) and claim.objection(trial, Grounds(POLICY, {}, 0))


def test_a_decision_that_the_engine_should_never_take_would_be_objected_to():
    """What no route table can express is still looked for in every decision."""
    asked = Enquiry(LineKind.STANDARD, "us", intent="new")
    decision = decide(asked, POLICY, datetime(2026, 11, 3, 18, tzinfo=UTC))
    inform = {"does": Does.INFORM, "ring": (), "offer": {}}
    above = (Target("us-tier2-engineer", "us-tier2"),)

    def with_(**changes):
        return trial_of(msgspec.structs.replace(decision, **changes), asked)

    assert objection("severity 1", with_()) is None
    assert objection("severity 1", with_(**inform))[0] == "RT2"
    assert objection("severity 1", with_(**inform, gate=True)) is None
    assert objection("entitlement", with_()) is None
    assert objection("entitlement", with_(ring=above)) == ("RT4", "a caller without certification is led to us-tier2")
    assert objection("coverage", with_(rule="R99"))[0] == "RT1"


class TestCombinations:
    """Sets of enquiries as whole numbers."""

    def test_every_value_of_every_fact_has_its_own_combinations(self):
        for fact, values in FACTS.items():
            parts = [having(fact, value) for value in values]

            assert sum(parts) == ALL
            assert sum(part.bit_count() for part in parts) == ALL.bit_count()

    def test_there_is_one_combination_for_each_set_of_facts(self):
        assert ALL.bit_count() == 4 * len(CALLERS) * 5 * 3 * 2 * 2 * 3 * 6 == 82_080
        for place in range(0, 82_080, 97):
            facts = one_of(1 << place)
            assert where(facts) == 1 << place
            assert set(facts) == set(FACTS)

    def test_nobody_without_an_id_is_certified(self):
        assert not where({"type": "unknown", "certified": "yes"})
        assert not where({"type": "unknown", "certification": "expired"})
        assert not where({"type": "referral", "certified": "yes"})
        assert where({"type": "agency", "certified": "yes", "loa": "missing"})

    def test_each_combination_goes_to_the_first_row_that_matches(self):
        """All 82,080, one by one, against the sets."""
        decided, left = shares(POLICY.routes)
        assert left == 0
        assert sum(share.bit_count() for share in decided) == ALL.bit_count()
        for place, facts in enumerate(product(*AXES)):
            known = {fact: value for part in facts for fact, value in part.items()}
            row = next(row for row, r in enumerate(POLICY.routes) if all(known[f] in v for f, v in r.when.items()))
            assert decided[row] >> place & 1, known

    @pytest.mark.parametrize("choice", FACTS["choice"])
    def test_a_choice_leads_from_any_other_to_itself(self, choice):
        for place in range(0, 82_080, 331):
            facts = one_of(1 << place)
            chosen = where({**facts, "choice": choice})
            before = where({fact: value for fact, value in facts.items() if fact != "choice"})

            assert leading_to(chosen, choice) == before
            assert leading_to(before & ~chosen, choice) == 0


def test_a_certification_decides_the_tier_in_every_trial():
    moments, _ = survey(POLICY, START, START + WEEK)
    for trial in trials(POLICY, moments):
        certified = trial.enquiry.certification is Certification.VALID and trial.decision.facts["type"] != "referral"
        assert trial.decision.facts["certified"] == ("yes" if certified and trial.enquiry.type else "no")


def test_the_command_that_shows_a_counterexample_is_one_that_runs():
    """What a refusal prints can be typed: the facts that it supposes are taken, and named back."""
    from click.testing import CliRunner
    from paper import shipped

    from ivr.commands.explain import command
    from routing.decide import Enquiry
    from routing.partner import Certification, PartnerType
    from routing.policy import LineKind
    from routing.proof import Counterexample, explain

    asked = Enquiry(
        LineKind.CERTIFIED, "emea", PartnerType.AGENCY, Certification.VALID, "missing", "new", outage_denied=True
    )
    fields = dict.fromkeys(Counterexample.__dataclass_fields__)
    example = Counterexample(**{**fields, "enquiry": asked, "at": datetime(2026, 7, 19, 4, tzinfo=UTC)})
    words = explain(example, shipped())
    said = CliRunner().invoke(command, words[2:])
    assert said.exit_code == 0, said.output
    assert "R11" in said.output
