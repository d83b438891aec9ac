"""What must hold in every conversation, whatever is pressed, whoever answers, and whenever it happens."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paper import SATURDAY_NIGHT, TUESDAY_EVENING, TUESDAY_MORNING, Talk, shipped

from flows.conversation import NODES, reachable
from flows.desk import is_urgent
from flows.heard import Answered, DialEnded, Keys, MessageLeft, Silence
from flows.outcome import OUTCOMES
from flows.prompt_lint import WORDS_PER_SECOND
from flows.said import Gather, HangUp, Ring, Take

RECORDING = "RE" + "1" * 32
MENU_KEYS = [*"0123456789*#", ""]
ENTRIES = ["347109", "518820", "518838", "620052", "733387", "000000", "12", "0", "*", "9", "", "34*347", "48207195"]
CALLERS = ["+14085550142", "+14085550199", None]
LINES = [each.id for each in shipped().lines.values()]


def what_can_be_heard(talk):
    """Everything that the present wait can produce, as a strategy."""
    wait = talk.wait
    if isinstance(wait, Gather):
        keyed = MENU_KEYS if wait.most == 1 else ENTRIES
        return st.sampled_from(keyed).map(lambda keys: Keys(keys) if keys else Silence())
    if isinstance(wait, Take):
        takes = [MessageLeft(RECORDING, seconds, ended) for seconds in (0, 1, 2, 180) for ended in ("key", "hangup")]
        return st.sampled_from([*takes, Silence()])
    if isinstance(wait, Ring):
        ends = [DialEnded(r, bridged=False) for r in ("busy", "no_answer", "failed", "canceled", "answered")]
        return st.sampled_from([*ends, DialEnded("answered", bridged=True, seconds=9)])
    return None


def check_what_was_said(talk, urgent_before):
    """Invariants 9, 10, 14, 15, 17 and 27, on the document that has just gone out."""
    call, wait = talk.call, talk.wait
    if is_urgent(call):
        assert not isinstance(wait, Take), "a Severity 1 met a recording"
        asked = call.call_back is not None and call.call_back.why == "asked"
        spoke = any(leg.result == "connected" for leg in call.legs)
        assert not isinstance(wait, HangUp) or asked or spoke, "a Severity 1 was hung up on"
    if isinstance(wait, Take):
        assert call.partner is not None
        assert call.partner.certified_from is not None
        assert not urgent_before
    if isinstance(wait, Ring):
        policy = talk.desk.policy
        assert wait.number in {d.number for d in policy.destinations.values()}
        assert wait.number not in policy.lines
        assert call.case_number
    names = {p.name for p in talk.desk.directory.partners.values()}
    for sentence in talk.said.sentences:
        if sentence.key != "pid.known":
            assert not any(name in sentence.text for name in names), sentence


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.data(),
    st.sampled_from(LINES),
    st.sampled_from(CALLERS),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - made aware below
)
def test_no_conversation_breaks_the_promises(data, dialled, caller, at):
    talk = Talk(dialled, at=at.replace(tzinfo=UTC), caller=caller)
    check_what_was_said(talk, urgent_before=False)
    for _ in range(data.draw(st.integers(1, 25))):
        choices = what_can_be_heard(talk)
        if choices is None:
            break
        heard, urgent = data.draw(choices), is_urgent(talk.call)
        if isinstance(heard, DialEnded) and heard.bridged:
            talk.engineer("1")
        talk.hears(heard)
        if talk.call.ended_at is None and getattr(heard, "ended", "") != "hangup":
            check_what_was_said(talk, urgent)
    talk.hangs_up()
    assert talk.call.outcome in OUTCOMES
    check_the_end(talk)


def check_the_end(talk):
    """Invariants 2, 11 and 13: what must be true once the caller has gone."""
    call = talk.call
    connected = [leg for leg in call.legs if leg.result == "connected"]
    assert all(leg.accepted_at and leg.bridged for leg in connected)
    assert (call.outcome == "connected") == any(
        leg.accepted_at and leg.result in ("", "connected") for leg in call.legs
    )
    if is_urgent(call) and call.outcome != "connected":
        assert "S1_UNANSWERED" in call.flags
        assert call.call_back is not None
        assert {effect.kind for effect in talk.effects} >= {"page"}
    if call.message:
        assert talk.case is None or talk.case.number == call.case_number
        assert call.message_due is not None
    keys = [effect.key for effect in talk.effects]
    assert len(set(keys)) >= len(keys) - 1  # the page at the end may repeat one that is owed already


MENUS = ["menu", "severity", "sev_confirm", "gate", "offer", "nopid", "reseller"]
WAYS = {
    "menu": ("us-standard", "+14085550142", TUESDAY_EVENING, ()),
    "severity": ("us-standard", "+14085550142", TUESDAY_EVENING, ("1",)),
    "sev_confirm": ("us-standard", "+14085550142", SATURDAY_NIGHT, ("1", "1")),
    "gate": ("us-voicemail", "+14085550142", SATURDAY_NIGHT, ()),
    "offer": ("us-standard", "+14085550142", TUESDAY_EVENING, ("1", "2")),
    "nopid": ("us-standard", None, TUESDAY_MORNING, ("0",)),
    "reseller": ("us-standard", None, TUESDAY_MORNING, ("0", "2")),
}


@pytest.mark.parametrize("menu", MENUS)
def test_every_word_of_three_keys_leads_on_from_every_menu(menu):
    """Whatever is pressed, or not, the conversation is somewhere from which an end can be reached (F-H9)."""
    dialled, caller, at, way = WAYS[menu]
    start = Talk(dialled, at=at, caller=caller).keys(*way)
    assert start.call.node == menu
    ends = {name for name, node in NODES.items() if not node.to}
    for word in product(MENU_KEYS, repeat=3):
        talk = Talk(dialled, at=at, caller=caller).keys(*way)
        for key in word:
            if isinstance(talk.wait, Gather):
                talk.keys(key if talk.wait.most == 1 or key not in "123456789" else f"{key}")
        assert reachable(NODES, talk.call.node) & ends


@pytest.mark.parametrize(
    ("dialled", "at"), [(name, at) for name in LINES for at in (TUESDAY_MORNING, TUESDAY_EVENING, SATURDAY_NIGHT)]
)
def test_a_caller_who_does_nothing_reaches_a_person_within_three_minutes(dialled, at):
    """Invariant 17, and nobody who cannot press keys is left without a person."""
    talk, waited = Talk(dialled, at=at, caller=None), 0.0
    while not isinstance(talk.wait, Ring):
        assert isinstance(talk.wait, Gather), talk.call.node
        waited += len(talk.words.split()) / WORDS_PER_SECOND + talk.wait.seconds
        assert waited <= 180
        talk.keys("")


@pytest.mark.parametrize("wrong", ["5", "6", "7", "8"])
def test_a_caller_who_presses_only_wrong_keys_reaches_a_person(wrong):
    talk = Talk("us-standard", at=SATURDAY_NIGHT, caller=None)
    for _ in range(12):
        if isinstance(talk.wait, Ring):
            break
        talk.keys(wrong if talk.wait.most == 1 else "99")
    assert isinstance(talk.wait, Ring)
    assert talk.call.rules == ("R3",)


def test_an_hour_of_silence_from_every_engineer_never_ends_a_severity_1_call():
    """F-H6: one attempt at least every 45 seconds, never a recording, never a goodbye."""
    talk = Talk("us-standard", at=SATURDAY_NIGHT).keys("1", "1", "1")
    start, rung = talk.at, [talk.at]
    clock = talk.at
    while clock < start + timedelta(hours=1):
        if isinstance(talk.wait, Ring):
            rung.append(clock)
            clock += timedelta(seconds=talk.wait.seconds)
            talk.hears(DialEnded("no_answer", bridged=False))
        else:
            assert isinstance(talk.wait, Gather)
            clock += timedelta(seconds=len(talk.words.split()) / WORDS_PER_SECOND + talk.wait.seconds)
            talk.keys("")
    gaps = [(after - before).total_seconds() for before, after in pairwise(rung)]
    assert max(gaps) <= 45
    pages = [effect for effect in talk.effects if effect.kind == "page"]
    assert len({effect.key for effect in pages}) == len(pages) == talk.call.round


def test_only_a_key_press_makes_an_engineer_s_leg_a_conversation():
    """Invariant 11: a machine that picks up, listens and is even bridged is not a person."""
    talk = Talk().keys("1", "2")
    talk.hears(Answered(), 1).hears(Silence(), 1)
    talk.hears(DialEnded("answered", bridged=True, seconds=40))
    assert talk.call.legs[0].result == "passed"
    assert isinstance(talk.wait, Ring)
    assert talk.wait.leg == 2


def test_nobody_is_rung_for_a_caller_who_has_talked_while_the_store_was_away():
    """The whisper was answered without the log: no proof of a person, and no reason to ring on after a long talk."""
    talk = Talk().keys("1", "2")
    talk.hears(DialEnded("answered", bridged=True, seconds=300))
    assert isinstance(talk.wait, HangUp)
    assert talk.call.legs[0].result == "not_accepted"
