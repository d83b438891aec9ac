"""The changes of a call's turns, put together in order, are the call."""

from datetime import UTC, timedelta

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logbook import AT, PATIENCE, begun, key

from flows.call import Call, CallBack, CaseRef, Leg, Message, Tally, Turned
from recordings.log import CallLog
from recordings.rows import changes_between, fold
from recordings.store import Store
from routing.partner import Partner, PartnerType, Status

# What has a column of its own has no NUL in it: it is made of our own words, or was matched against a grammar.
WORD = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INSTANTS = (
    st.integers(0, 10**12).map(lambda micros: AT + timedelta(microseconds=micros)).map(lambda t: t.astimezone(UTC))
)
MAYBE = st.none() | INSTANTS
LEGS = st.builds(
    Leg,
    number=TEXT,
    destination=TEXT,
    role=TEXT,
    started_at=INSTANTS,
    turn=st.integers(0, 9),
    ended_at=MAYBE,
    result=TEXT,
)
PARTNERS = st.builds(
    Partner,
    partner_id=WORD,
    name=TEXT,
    type=st.sampled_from(PartnerType),
    region=TEXT,
    certified_from=st.none() | st.dates(),
    certified_until=st.none() | st.dates(),
    first_line=st.booleans(),
    status=st.sampled_from(Status),
    representatives=st.lists(TEXT, max_size=2).map(tuple),
    programme=TEXT,
)
MESSAGES = st.builds(Message, recording=TEXT, seconds=st.integers(0, 300), at=INSTANTS, audio=TEXT)
FIELDS = {
    "caller": st.none() | WORD,
    "node": WORD,
    "tally": st.builds(Tally, misses=st.integers(0, 3), helped=st.booleans()),
    "typed": TEXT,
    "partner": st.none() | PARTNERS,
    "severity": st.none() | st.integers(0, 4),
    "rules": st.lists(WORD, max_size=3).map(tuple),
    "existing_case": st.none() | st.builds(CaseRef, number=TEXT, partner_id=TEXT, closed=st.booleans()),
    "legs": st.lists(LEGS, max_size=3).map(tuple),
    "take": st.none() | MESSAGES,
    "message": st.none() | MESSAGES,
    "call_back": st.none() | st.builds(CallBack, number=TEXT, since=INSTANTS, why=TEXT),
    "flags": st.lists(WORD, max_size=3).map(tuple),
    "ended_at": MAYBE,
    "informed": st.booleans(),
}
TURNS = st.lists(st.fixed_dictionaries({}, optional=FIELDS), max_size=6)


def changed(fields: dict[str, object]):
    def step(call: Call) -> tuple[Turned, bytes]:
        return Turned(call.but(**fields, turn=call.turn + 1).note(AT, "heard").owe("alarm", "x")), b"x"

    return step


@given(TURNS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_call_is_rebuilt_from_what_its_turns_changed(store: Store, turns: list[dict[str, object]]):
    log = CallLog(store)
    sid = f"CA{len(log.newest(10_000))}"
    log.turn(key(sid, 0), begun(sid), PATIENCE)
    for number, fields in enumerate(turns, 1):
        log.turn(key(sid, number), changed(fields), PATIENCE)

    assert log.rebuild(sid) == log.load(sid)


@given(st.fixed_dictionaries({}, optional=FIELDS), st.fixed_dictionaries({}, optional=FIELDS))
def test_changes_name_exactly_the_fields_that_differ(one: dict[str, object], other: dict[str, object]):
    basis = begun("CA1")(None)[0].call.but(events=())
    before, after = basis.but(**one), basis.but(**other)
    changes = changes_between(before, after)
    differing = {name for name in Call.__struct_fields__ if getattr(before, name) != getattr(after, name)}

    assert set(fold_keys(changes)) == differing


def fold_keys(changes: str) -> list[str]:
    return list(msgspec.json.decode(changes))


def test_a_field_that_goes_back_to_its_default_is_a_change_like_any_other():
    before = begun("CA1")(None)[0].call.but(events=(), severity=2, flags=("UNVERIFIED",))
    after = before.but(severity=None, flags=())
    whole = changes_between(begun("CA2")(None)[0].call, before)

    assert changes_between(before, after) == '{"severity":null,"flags":[]}'
    assert fold([first_changes(before), whole, changes_between(before, after)]) == after


def first_changes(call: Call) -> str:
    return msgspec.json.encode(call).decode()
