"""Checks of each call by itself: what is stored of it adds up, and whatever it promised is there."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

import msgspec
from msgspec import DecodeError, ValidationError

from flows.call import KEYED, Call, Turned
from flows.case import case_of
from flows.desk import Desk, certification_of, is_urgent
from flows.heard import HungUp
from recordings.fsck_facts import STORED, Facts, all_facts, page_keys
from recordings.fsck_ground import Finding, Ground, Tally
from recordings.rows import CALL, CASE, INDEXED, TurnKey, changes_between, fold, rows_of
from recordings.store import StoreUnavailable
from routing.fault import PolicyError
from routing.partner import Certification

GRACE = timedelta(minutes=15)  # how long after the longest talk the end of a call may still be awaited
DUE = ("target_table", "response_due")  # what of a case belongs to its clock
WORKED = ("look_at",)  # what of a case is changed by work
RESCUE = "rescue"  # the destination of a leg that was rung without asking the policy
VERSIONS = "SELECT version FROM policies"
MEND_LOG = "Compare it with a backup: the log of a call is never changed by the service."
MEND_WORKER = "Start the worker; see `ivr outbox list`."

read_changes = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
CallCheck = Callable[[Facts, Desk, Ground], Iterator[Finding]]


def check_calls(ground: Ground, tally: Tally) -> Iterator[Finding]:
    """Look at every call, with all that hangs on it."""
    versions = {version for (version,) in ground.rows(VERSIONS)}
    for facts in all_facts(ground, tally):
        call = facts.call
        yield from _rebuilt(facts, ground)
        if call.policy not in versions:
            what = f"version {call.policy} of its policy is not kept, so that it was checked against the one in force"
            yield Finding("policies.kept", call.sid, what, "Start the service once with that version of the file.")
        try:
            desk = ground.desk_for(call.policy, call.programme)
        except (PolicyError, StoreUnavailable) as error:
            mend = "Keep the policy files of every version that calls still live by."
            yield Finding("policies.readable", call.sid, f"version {call.policy} cannot be read: {error}", mend)
            continue
        for check in CHECKS:
            yield from check(facts, desk, ground)


def _rebuilt(facts: Facts, ground: Ground) -> Iterator[Finding]:
    """Invariant 5: the changes add up to the document, and the columns say what the document says."""
    call = facts.call
    try:
        rebuilt = fold([changes for _, changes in facts.turns])
    except (DecodeError, ValidationError) as error:
        yield Finding("calls.rebuild", call.sid, f"its {len(facts.turns)} turns add up to no call: {error}", MEND_LOG)
        return
    if rebuilt != call:
        fields = ", ".join(_names(changes_between(call, rebuilt)))
        yield Finding("calls.rebuild", call.sid, f"its turns add up to another call: {fields}", MEND_LOG)
    if len(facts.turns) != facts.version:
        what = f"it has seen {facts.version} writes and has {len(facts.turns)} turns"
        yield Finding("calls.rebuild", call.sid, what, MEND_LOG)
    columns = dict(zip((*CALL, *INDEXED), _call_row(call, ground), strict=True))
    wrong = [name for name in STORED if name != "document" and facts.stored[name] != columns[name]]
    if wrong:
        yield Finding("calls.columns", call.sid, f"its columns contradict its document: {', '.join(wrong)}", MEND_LOG)


def _names(changes: str) -> list[str]:
    """Return the fields that changes are about."""
    return sorted(read_changes(changes))


def _call_row(call: Call, ground: Ground) -> tuple[object, ...]:
    rows = rows_of(_any_turn(call), None, Turned(call), None, ground.store.instant)
    return (*rows.call, *(rows.indexed or ()))


def _any_turn(call: Call) -> TurnKey:
    """Return the key of a turn, for what is written of a call whatever turn it is in."""
    return TurnKey(call.sid, 0, 0, HungUp("completed"), call.started_at)


def _ends(facts: Facts, desk: Desk, ground: Ground) -> Iterator[Finding]:
    """Invariant 4: a call that has ended stays so, and none is open for longer than it can last."""
    call = facts.call
    last = max((at for at, _ in facts.turns), default=call.started_at)
    longest = timedelta(seconds=desk.policy.timing.talk_limit) + GRACE
    if call.ended_at is None and last + longest < ground.at:
        what = f"nothing was heard of it since {last:%Y-%m-%d %H:%MZ}, and it has not ended"
        yield Finding("calls.ended", call.sid, what, "Start the worker: it closes calls whose end was lost.")
    ends = sum("ended_at" in _names(changes) for _, changes in facts.turns if '"ended_at"' in changes)
    if ends > 1:
        yield Finding("calls.ended", call.sid, f"it has ended {ends} times", MEND_LOG)


def _filed(facts: Facts, desk: Desk, ground: Ground) -> Iterator[Finding]:
    """Invariants 2, 3 and 24: the case that was spoken is there, alone, and says what the call says."""
    call, wanted = facts.call, case_of(facts.call, desk)
    for case in facts.cases:
        if case["call_sid"] == call.sid and (wanted is None or case["number"] != wanted.number):
            what = f"the case {case['number']} is filed for it, which it does not have"
            yield Finding("cases.one_per_call", call.sid, what, MEND_LOG)
    if wanted is None:
        return
    filed = [each for each in facts.cases if each["number"] == wanted.number]
    if not filed:
        what = f"the case {wanted.number} that its caller was told is not there"
        yield Finding("cases.spoken", call.sid, what, "Restore the case from a backup, or call the partner.")
    elif filed[0]["call_sid"] != call.sid:
        what = f"the case {wanted.number} that its caller was told belongs to {filed[0]['call_sid']}"
        yield Finding("cases.spoken", call.sid, what, "Tell the partner of the later call another number.")
    else:
        yield from _says_the_same(facts, filed[0], desk, ground)


def _says_the_same(facts: Facts, case: Mapping[str, object], desk: Desk, ground: Ground) -> Iterator[Finding]:
    call = facts.call
    turned = Turned(call, None, case_of(call, desk))
    row = rows_of(_any_turn(call), None, turned, None, ground.store.instant).case or ()
    wanted = dict(zip(CASE, row, strict=True))
    wrong = [name for name in CASE if name not in WORKED and case[name] != wanted[name]]
    for check, names in (("clocks.due", DUE), ("cases.columns", tuple(name for name in CASE if name not in DUE))):
        if found := ", ".join(name for name in names if name in wrong):
            what = f"case {case['number']} does not say what its call and policy {call.policy} give: {found}"
            yield Finding(check, call.sid, what, MEND_LOG)


def _answered(facts: Facts, _desk: Desk, _ground: Ground) -> Iterator[Finding]:
    """Invariants 13 and 23: nobody in an outage, and nobody who was promised a call back, has been forgotten."""
    call = facts.call
    unreached = call.ended_at is not None and is_urgent(call) and call.outcome != "connected"
    paged = bool(facts.pages) or any(key in facts.effects for key in page_keys(call))
    if unreached and call.paging and not paged:
        yield Finding("outages.paged", call.sid, "nobody reached it, and nobody was paged", _owe("page"))
    waits = facts.effects.get(f"{call.sid}.call_back") == "waiting"
    promised = call.call_back is not None and call.call_back.why != KEYED
    if (unreached or promised) and "call_back" not in facts.tasks and not waits:
        yield Finding("call_backs.owed", call.sid, "a call back is owed, and is not there", _owe("call back"))


def _owe(what: str) -> str:
    return f"See to the {what} by hand now; then compare with a backup."


def _never_served(facts: Facts, _desk: Desk, ground: Ground) -> Iterator[Finding]:
    """Invariant 23: a call that never reached us has its alarm, which is kept for a while after it was given."""
    call = facts.call
    kept = call.started_at > ground.at - ground.retention_of(call.programme).outbox
    if "NEVER_SERVED" in call.flags and kept and f"{call.sid}.never_served" not in facts.effects:
        yield Finding("outbox.cause", call.sid, "it never reached us, and nobody was told", "Find out why it did not.")


def _message(facts: Facts, desk: Desk, _ground: Ground) -> Iterator[Finding]:
    """Invariants 14 and 18: only who may leave a message has left one, and what was left is surely answered."""
    call = facts.call
    if call.message is None:
        return
    if call.partner is None or certification_of(call, desk.policy) is not Certification.VALID:
        yield Finding("messages.allowed", call.sid, "no certified partner left its message", "Check the routing table.")
    if _urgent_when_recorded(facts):
        yield Finding("messages.allowed", call.sid, "a Severity 1 met a recording", "Check the routing table.")
    if facts.effects.get(f"{call.sid}.voicemail") == "waiting":
        return  # the worker has not seen it yet
    if "message" not in facts.tasks:
        yield Finding("messages.kept", call.sid, "its message is nobody's task", _owe("message"))
    if call.message.recording not in facts.recordings and not facts.audio_owed:
        what = f"the audio of its message, {call.message.recording}, is neither known nor to be fetched"
        yield Finding("messages.kept", call.sid, what, "Let the worker reconcile: it finds what the provider has.")


def _urgent_when_recorded(facts: Facts) -> bool:
    """Whether a take was recorded in a call that was already urgent."""
    changes = [changes for _, changes in facts.turns]
    states = [fold(changes[:number]) for number in range(1, len(changes) + 1)]
    takes = [state.take.recording if state.take else "" for state in states]
    return any(
        is_urgent(before) and take not in ("", earlier)
        for before, earlier, take in zip(states[:-1], takes[:-1], takes[1:], strict=True)
    )


def _rung(facts: Facts, desk: Desk, ground: Ground) -> Iterator[Finding]:
    """Invariant 15: whoever was rung is somebody whom the policy of the call lists, under a number of theirs."""
    call, listed = facts.call, {number for numbers in desk.contacts.values() for number in numbers}
    own = {each.number for each in desk.policy.destinations.values()}
    keyed = {call.caller, call.call_back.number if call.call_back else None}
    for leg in call.legs:
        stale = ground.listed_since is not None and leg.started_at < ground.listed_since
        if leg.destination not in desk.policy.destinations and leg.destination != RESCUE:
            what = f"{leg.destination} was rung, which version {call.policy} does not list"
            yield Finding("rung.listed", call.sid, what, "Check CONTACTS_FILE and the policy.")
        elif leg.number in listed | own:
            continue
        elif not stale or leg.number in keyed or leg.number in desk.our_lines:
            what = f"{leg.destination} was rung at a number that nobody lists for anybody"
            yield Finding("rung.listed", call.sid, what, "Find out who changed it; check CONTACTS_FILE.")


CHECKS: tuple[CallCheck, ...] = (_ends, _filed, _answered, _never_served, _message, _rung)
