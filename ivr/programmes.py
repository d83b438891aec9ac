"""Programmes: the policies in force, whom their destinations ring, and the older versions that calls still live by."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from flows.call import Contacts, Directory
from flows.desk import Desk
from flows.prompt_lint import speakable
from ivr.contacts import Contact, numbers_of, reach_faults, strangers
from ivr.contacts_file import read_contacts
from ivr.observe import log
from ivr.settings import Fault, Settings, SettingsError
from recordings.policy_texts import PolicyText
from routing.fault import PolicyError
from routing.policy import Policy
from routing.policy_file import parse_policy, read_policy, shipped_policies
from routing.proof import check

TextOf = Callable[[str], str | None]  # from a policy's version to its text, for versions that are no longer in force


class Programmes:
    """What is listed now. Built once, before the first call, and never changed."""

    def __init__(
        self, policies: Iterable[Policy], contacts: Mapping[str, Contact], texts: Iterable[PolicyText] = ()
    ) -> None:
        self.policies = {policy.programme: policy for policy in policies}
        self.texts = tuple(texts)
        self.our_lines = frozenset(number for policy in self.policies.values() for number in policy.lines)
        self._by_line = {number: policy for policy in self.policies.values() for number in policy.lines}
        self.contact_list = contacts
        self._numbers = {policy.version: numbers_of(policy, contacts) for policy in self.policies.values()}

    def of_line(self, number: str) -> Policy | None:
        """Return the policy of a line; None if the number is not ours."""
        return self._by_line.get(number)

    def first(self) -> Policy:
        """Return the policy that serves callers of a number that is not ours: the first by name."""
        return self.policies[min(self.policies)]

    def contacts(self, policy: Policy) -> Contacts:
        """Return whom a policy's destinations ring now."""
        return self._numbers.get(policy.version) or numbers_of(policy, self.contact_list)

    def listed(self, programme: str) -> frozenset[str]:
        """Return the destinations that a programme's policy in force still lists; no other is rung."""
        policy = self.policies.get(programme)
        return frozenset(policy.destinations) if policy else frozenset()


class Desks:
    """A desk for every policy version that a call can live by."""

    def __init__(self, programmes: Programmes, directory: Directory, text_of: TextOf) -> None:
        self._programmes = programmes
        self._directory = directory
        self._text_of = text_of
        self._desks = {policy.version: self._desk(policy) for policy in programmes.policies.values()}

    def desk_for(self, version: str, programme: str) -> Desk:
        """Return the desk of a call that started under a version, whether or not that is still in force.

        Raises StoreUnavailable while an older version cannot be looked up.
        """
        desk = self._desks.get(version)
        if desk is None:
            desk = self._desks[version] = self._desk(self._older(version, programme))
        return desk

    def _older(self, version: str, programme: str) -> Policy:
        text = self._text_of(version)
        if text is not None:
            return parse_policy(text, f"{programme}@{version}")
        log.error("Version %s of %s is not kept any more: its calls go on under the one in force.", version, programme)
        return self._programmes.policies.get(programme) or self._programmes.first()

    def _desk(self, policy: Policy) -> Desk:
        listing = self._programmes
        return Desk(
            policy, listing.listed(policy.programme), listing.our_lines, listing.contacts(policy), (), self._directory
        )


def load(settings: Settings, start: datetime | None) -> Programmes:
    """Read every policy and the contacts. Raises SettingsError with every fault of all of them.

    The policies are proved for the months from `start` on; None leaves that to whoever answers calls.
    """
    policies, faults = _policies(settings.policy_dir)
    contacts: Mapping[str, Contact] = {}
    try:
        if settings.contacts_file and settings.contacts_file.is_file():
            contacts = read_contacts(settings.contacts_file)
    except SettingsError as error:
        faults += error.faults
    programmes = Programmes(policies, contacts, _texts(policies))
    faults += _shared_lines(policies)
    faults += strangers(policies, contacts, settings.contacts_file or Path())
    if not faults:
        faults += reach_faults(policies, contacts, programmes.our_lines, production=settings.production)
        faults += proof_faults(programmes, start) if start else ()
    if faults:
        raise SettingsError(faults)
    return programmes


def _policies(folder: Path | None) -> tuple[list[Policy], list[Fault]]:
    """Return the shipped policies and those of a folder, which come in the place of shipped ones of their programme."""
    faults: list[Fault] = []
    own = _read(sorted(folder.glob("*.yaml")) if folder else (), faults)
    replaced = {policy.programme for policy in own}
    shipped = [policy for policy in _read(shipped_policies(), faults) if policy.programme not in replaced]
    for programme, same in _grouped((policy.programme, policy) for policy in own).items():
        if len(same) > 1:
            files = " and ".join(policy.file for policy in same)
            faults.append(Fault("POLICY_DIR", f"{programme} is in {files}.", "Keep one file for each programme."))
    if not own and not shipped and not faults:
        faults.append(Fault("POLICY_DIR", "there is no policy.", "Put one there: `ivr lint` says what it needs."))
    return shipped + own, faults


def _read(paths: Iterable[Path], faults: list[Fault]) -> list[Policy]:
    policies = []
    for path in paths:
        try:
            policies.append(speakable(read_policy(path)))
        except PolicyError as error:
            faults += _as_faults(error)
    return policies


def _texts(policies: Iterable[Policy]) -> Iterable[PolicyText]:
    """Yield the text of every policy, unless its file has changed since it was read."""
    for policy in policies:
        text = Path(policy.file).read_bytes().decode("utf-8-sig", "replace")
        if sha256(text.encode()).hexdigest().startswith(policy.version):
            yield PolicyText(policy.version, policy.programme, text)


def _as_faults(error: PolicyError) -> Iterable[Fault]:
    for fault in error.faults:
        yield Fault(f"{fault.file}:{fault.line}", f"{fault.code} {fault.what}.", f"{fault.mend}. {fault.consequence}")


def proof_faults(programmes: Programmes, start: datetime) -> list[Fault]:
    """Try every enquiry in the months from `start` on, and return what must not happen and could."""
    faults: list[Fault] = []
    for policy in programmes.policies.values():
        try:
            check(policy, start, programmes.contacts(policy))
        except PolicyError as error:
            faults += _as_faults(error)
    return faults


def _shared_lines(policies: Iterable[Policy]) -> Iterable[Fault]:
    claims = _grouped((number, policy) for policy in policies for number in policy.lines)
    for number, claimants in claims.items():
        if len(claimants) > 1:
            places = " and ".join(f"{p.file}:{p.lines[number].provenance.file_line}" for p in claimants)
            yield Fault(places, f"{number} is a line of two programmes.", "Leave it to one of them.")


def _grouped(pairs: Iterable[tuple[str, Policy]]) -> dict[str, list[Policy]]:
    groups: dict[str, list[Policy]] = defaultdict(list)
    for key, policy in pairs:
        groups[key].append(policy)
    return groups
