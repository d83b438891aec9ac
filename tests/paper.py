"""A directory on paper, and a conversation without a telephone: for tests of the pure parts."""

from datetime import UTC, date, datetime, timedelta
from functools import cache

from flows import turn
from flows.call import Call, CaseRef
from flows.case_number import with_check_digit
from flows.desk import Desk
from flows.heard import Answered, HungUp, Keys, Rang, Silence
from flows.prompts import catalogue
from routing.partner import Partner, PartnerType, Status
from routing.policy import Policy
from routing.policy_file import read_policy, shipped_policies

SID = "CA" + "0" * 32
TUESDAY_MORNING = datetime(2026, 7, 14, 17, 15, tzinfo=UTC)  # 10:15 in Los Angeles
TUESDAY_EVENING = datetime(2026, 7, 15, 3, 30, tzinfo=UTC)  # 20:30 in Los Angeles, only APAC is open
SATURDAY_NIGHT = datetime(2026, 7, 19, 4, 0, tzinfo=UTC)  # 21:00 in Los Angeles, nobody is open


@cache
def shipped() -> Policy:
    """The 8x8-partner policy as it ships."""
    return next(p for p in map(read_policy, shipped_policies()) if p.programme == "8x8-partner")


def partner(partner_id, name, kind, region, certified=None, *, until=None, first_line=False, status="active", reps=()):
    return Partner(
        partner_id, name, PartnerType(kind), region, certified, until, first_line, Status(status), reps, "8x8-partner"
    )


SINCE = date(2024, 1, 1)
PARTNERS = (
    partner("347109", "Acme", "resale", "us", SINCE, first_line=True, reps=("+14085550142",)),
    partner("518820", "Cobalt", "wholesale", "emea", SINCE, first_line=True),
    partner("518838", "Delta", "resale", "emea"),
    partner("733361", "Everest", "resale", "apac", SINCE, until=date(2025, 12, 31)),
    partner("733353", "Kookaburra", "resale", "apac", SINCE, first_line=True),
    partner("620045", "Beacon", "agency", "us"),
    partner("620052", "Harbour", "agency", "us"),
    partner("733379", "Fjord", "referral", "emea"),
    partner("733387", "Lantern", "resale", "us", SINCE, status="suspended"),
)


class PaperDirectory:
    """What a conversation may look up, from a list."""

    def __init__(self, partners=PARTNERS, cases=()):
        self.partners = {p.partner_id: p for p in partners}
        self.cases = {case.number: case for case in cases}
        self.left = None
        self.left_from = "+14085550142"
        self.guessed = 0
        self.urgent_before = 0
        self.numbers = 0

    def partner(self, partner_id):
        return self.partners.get(partner_id)

    def partners_of(self, number):
        return tuple(p for p in self.partners.values() if number in p.representatives)

    def loa_on_file(self, partner_id, instant):
        return partner_id == "620045"

    def case(self, number) -> CaseRef | None:
        return self.cases.get(number)

    def message_state(self, partner_id, caller, since, reference=""):
        known = self.left and self.left.received_at >= since
        asked = (self.left_from == caller) if not reference else (known and self.left.reference == reference)
        return self.left if known and asked else None

    def unknown_ids(self, caller, since):
        return self.guessed

    def severity_1_calls(self, caller, since):
        return self.urgent_before

    def new_case_number(self):
        self.numbers += 1
        return with_check_digit(f"{4820718 + self.numbers}")


def desk_of(policy=None, directory=None, **changes) -> Desk:
    policy = policy or shipped()
    contacts = {d.id: (d.number,) for d in policy.destinations.values()}
    given = {"contacts": contacts, "overrides": (), "listed": frozenset(policy.destinations), **changes}
    return Desk(policy, our_lines=frozenset(policy.lines), directory=directory or PaperDirectory(), **given)


def line(name: str, policy=None) -> str:
    return next(each.number for each in (policy or shipped()).lines.values() if each.id == name)


class Talk:
    """One conversation, a turn at a time; every turn goes through the document's JSON, as in the service."""

    def __init__(self, to="us-standard", *, at=TUESDAY_MORNING, caller="+14085550142", desk=None):
        self.desk = desk or desk_of()
        self.at = at
        self.effects = []
        self.spoken = []
        number = line(to, self.desk.policy)
        self._take(turn.begin(Rang(SID, number, caller, caller or "anonymous"), self.desk, at))

    def _take(self, turned):
        self.said, self.case = turned.said, turned.case
        self.effects += turned.call.effects
        self.events = turned.call.events
        self.call: Call = reread(turned.call.but(events=(), effects=()))
        self.spoken += [s.key for s in turned.said.sentences] if turned.said else []

    @property
    def wait(self):
        return self.said.wait

    @property
    def now(self):
        return [s.key for s in self.said.sentences]

    @property
    def words(self):
        return " ".join(s.text for s in self.said.sentences)

    def hears(self, heard, leg=0):
        assert turn.accepts(self.call, leg, heard), f"{self.call.node} does not hear {heard}"
        self.at += timedelta(seconds=5)
        self._take(turn.resume(self.call, leg, heard, self.desk, self.at))
        return self

    def keys(self, *keyed):
        for each in keyed:
            self.hears(Keys(each) if each else Silence())
        return self

    def engineer(self, *keyed):
        leg = len(self.call.legs)
        self.hears(Answered(), leg)
        for each in keyed:
            self.hears(Keys(each) if each else Silence(), leg)
        return self

    def hangs_up(self, seconds=60):
        turned = turn.notice(self.call, HungUp("completed", seconds), self.desk, self.at)
        self.said = None
        if turned:
            self._take(turned)
        return self


def reread(call: Call) -> Call:
    """The document, written as JSON and read again."""
    import msgspec

    return msgspec.json.decode(msgspec.json.encode(call), type=Call)


PROMPTS = catalogue("en-US")
