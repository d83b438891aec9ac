"""Rule R0: with nothing but a policy in memory and a token in the URL, people are rung until one of them answers."""

from dataclasses import replace

import pytest
from paper import shipped
from phone import Reply
from twiml_reader import Document
from twiml_rules import WHISPER_VERBS, voice_document

from ivr.contacts import Contact
from ivr.programmes import Programmes
from ivr.rescue import Rescue
from ivr.tokens import RescueToken, Seal
from ivr.twiml import EMPTY, Writer
from ivr.urls import RESCUE, SCREEN, Urls
from routing.policy import Policy

BASE = "https://ivr.example.com"
SID = "CA" + "1" * 32
US, EMEA = "+18888988733", "+442070966060"
SEAL = Seal("s" * 32)


def rescue_over(policy: Policy, **contacts: tuple[str, ...]) -> Rescue:
    listing = Programmes([policy], {name: Contact(numbers) for name, numbers in contacts.items()})
    place = Urls(BASE, SEAL)
    return Rescue(listing, place, Writer(place))


def document(body: bytes, verbs: frozenset[str] | None = None) -> Document:
    reply = Reply(200, {"content-type": "text/xml"}, body)
    return voice_document(reply, BASE, verbs) if verbs else voice_document(reply, BASE)


def spoken(found: Document) -> list[str]:
    return [verb.text for verb in found if verb.name == "Say"]


def dialled(found: Document) -> str:
    return next(verb.text for verb in found if verb.name == "Number")


def action(found: Document, name: str = "Dial", attribute: str = "action") -> str:
    url = next(verb.attributes[attribute] for verb in found if verb.name == name)
    return url.partition("#")[0].removeprefix(BASE)


def numbers_of(policy: Policy, *names: str) -> list[str]:
    return [policy.destinations[name].number for name in names]


@pytest.fixture
def policy() -> Policy:
    return shipped()


def test_the_dialled_regions_first_tier_is_rung_and_then_its_on_call_ladder(policy):
    for line, region in [(US, "us"), (EMEA, "emea")]:
        ladder = [name for level in policy.on_call[region] for name in level]
        expected = dict.fromkeys(numbers_of(policy, *policy.desk(region, 1).ring, *ladder))

        assert rescue_over(policy).chain(line) == tuple(expected)


def test_one_sentence_and_then_the_first_number_rings(policy):
    rescue = rescue_over(policy)
    found = document(rescue.begins(SID, US))

    assert spoken(found) == ["Sorry, we have a technical problem. I'm connecting you to an engineer."]
    assert dialled(found) == rescue.chain(US)[0]
    dial = next(verb for verb in found if verb.name == "Dial")
    assert dial.attributes["callerId"] == US
    assert dial.attributes["timeLimit"] == str(policy.timing.talk_limit)
    assert not found.has("Record")
    assert not found.has("Hangup")


def test_who_left_a_message_is_told_that_it_is_not_saved(policy):
    found = document(rescue_over(policy).begins(SID, US, "vm.unsaved"))

    assert spoken(found) == ["I couldn't save your message. I'm connecting you to an engineer."]


def test_the_caller_is_spoken_to_in_the_voice_of_the_line(policy):
    found = document(rescue_over(policy).begins(SID, EMEA))

    assert next(verb for verb in found if verb.name == "Say").attributes["language"] == "en-GB"


def test_it_goes_round_and_round_until_somebody_has_spoken(policy):
    """A hundred unanswered attempts: everybody in turn, never a goodbye; each URL leads to the next one."""
    rescue = rescue_over(policy)
    chain = rescue.chain(US)
    found, rung = document(rescue.begins(SID, US)), []

    for _ in range(100):
        rung.append(dialled(found))
        token = SEAL.read_rescue(action(found).removeprefix(RESCUE))
        assert token is not None
        assert rescue.rung(token) == rung[-1]
        found = document(rescue.goes_on(token, bridged=False))
        assert not found.has("Hangup")

    assert rung == [chain[at % len(chain)] for at in range(100)]
    assert spoken(found) == []


def test_between_two_rounds_it_takes_breath(policy):
    """Numbers that all fail at once must not make us spin."""
    rescue = rescue_over(policy)
    round_over = RescueToken(SID, US, len(rescue.chain(US)))

    assert document(rescue.goes_on(round_over, bridged=False)).has("Pause")
    assert not document(rescue.goes_on(RescueToken(SID, US, 1), bridged=False)).has("Pause")


def test_after_a_conversation_it_is_over(policy):
    found = document(rescue_over(policy).goes_on(RescueToken(SID, US, 1), bridged=True))

    assert [verb.name for verb in found] == ["Hangup"]


def test_an_engineer_is_connected_by_the_key_1_alone(policy):
    rescue = rescue_over(policy)
    token = SEAL.read_rescue(action(document(rescue.begins(SID, US)), "Number", "url").removeprefix(SCREEN), "screen")
    assert token is not None

    asked = document(rescue.screens(token, ""), WHISPER_VERBS)
    assert [verb.name for verb in asked] == ["Gather", "Say", "Hangup"]
    assert spoken(asked) == ["A partner support caller, details unknown. Press 1 to accept, 2 to pass."]
    assert rescue.screens(token, "1") == EMPTY
    assert rescue.screens(token, "9") == rescue.screens(token, "")
    for other in ("2", "0", "*", "#", "21"):
        assert [v.name for v in document(rescue.screens(token, other), WHISPER_VERBS)] == ["Hangup"]


def test_the_contacts_say_who_is_rung_and_our_own_lines_never_are(policy):
    first = policy.desk("us", 1).ring[0]
    rescue = rescue_over(policy, **{first: (EMEA, "+14085550190", "+14085550191")})

    assert rescue.chain(US)[:2] == ("+14085550190", "+14085550191")
    assert not set(rescue.chain(US)) & set(policy.lines)


def test_a_number_that_is_not_ours_is_answered_all_the_same(policy):
    rescue = rescue_over(policy)

    for line in ("+15005550006", ""):
        found = document(rescue.begins(SID, line))
        assert dialled(found) == rescue.chain(next(iter(policy.lines)))[0]
        assert SEAL.read_rescue(action(found).removeprefix(RESCUE)) is not None


def test_with_nobody_to_ring_the_caller_is_still_not_hung_up_on(policy):
    """Production refuses to start like this; should it come about, somebody may appear while the caller waits."""
    alone = replace(policy, destinations={name: replace(d, number=None) for name, d in policy.destinations.items()})
    found = document(rescue_over(alone).begins(SID, US))

    assert [verb.name for verb in found] == ["Say", "Pause", "Redirect"]
