"""Somebody is rung, hears who is in trouble, and presses 1 to have it. Nothing but a key counts."""

from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from forgery import forged_signatures
from paging import CONTACTS, SEAL, URLS, Paging, an_outage, unreached
from phone import ACCOUNT_SID, PUBLIC_BASE_URL
from service import Service
from twiml_rules import RETRY_FRAGMENT

from ivr.tokens import PageStep, PageToken, Seal
from recordings import pages
from recordings.pages import Taken

CHILD = "CA" + "9" * 32
MINUTE = timedelta(minutes=1)


@pytest.fixture
def service(database_url):
    found = Service(database_url)
    yield found
    found.close()


class Paged:
    """The telephone of the engineer on call, rung about an outage."""

    def __init__(self, service, paging=None, at=None):
        self.service, self.paging = service, paging or Paging(service)
        self.call, self.at = (None, at) if at else unreached(service)
        self.paging.works(self.at)
        self.placed = self.paging.provider.placed[0]
        service.phone.at(self.at)

    def posts(self, url, **fields):
        assert url.startswith(PUBLIC_BASE_URL)
        form = {
            "AccountSid": ACCOUNT_SID,
            "ApiVersion": "2010-04-01",
            "CallSid": CHILD,
            "CallStatus": "in-progress",
            "Direction": "outbound-api",
            "From": self.placed.from_,
            "To": self.placed.to,
        }
        path = url.removeprefix(PUBLIC_BASE_URL).partition("#")[0]
        return self.service.phone.post(path, {**form, **fields})

    def hears(self, url, **fields):
        reply = self.posts(url, **fields)
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("text/xml")
        return ET.fromstring(reply.body)

    def picks_up(self):
        return self.hears(self.placed.url)

    def presses(self, key):
        gather = self.picks_up().find("Gather")
        return self.hears(gather.get("action"), Digits=key)

    def ends(self, status, **fields):
        return self.posts(self.placed.status_url, CallStatus=status, CallDuration="9", **fields)

    @property
    def page(self):
        return self.paging.page_of(self.call)

    @property
    def result(self):
        tried = pages.attempts(self.paging.store, self.page.id)
        return next(each.result for each in tried if each.channel == "voice" and each.level == 1)


@pytest.fixture
def paged(service):
    return Paged(service)


def words(document):
    return " ".join(say.text for say in document.iter("Say"))


def test_the_person_on_call_is_rung_from_the_line_that_was_called(paged):
    assert paged.placed.to == CONTACTS["us-oncall-engineer"].numbers[0]
    assert paged.placed.from_ == paged.service.call_of(paged.call).line
    for url in (paged.placed.url, paged.placed.status_url):
        assert url.endswith(RETRY_FRAGMENT)
    assert paged.result == "sent"


def test_they_hear_who_is_in_trouble_and_what_to_press(paged):
    heard = paged.picks_up()
    gather = heard.find("Gather")
    assert "Severity 1, and nobody has been reached. Acme, US." in words(heard)
    assert "If you have it, press 1." in words(heard)
    case = paged.page.case_number
    assert " ".join(case[:3]) in words(heard), "digit by digit"
    assert gather.get("numDigits") == "1"
    assert gather.get("action").endswith(RETRY_FRAGMENT)
    assert [verb.tag for verb in heard] == ["Gather", "Hangup"], "silence ends the call"
    assert paged.page.state == "climbing", "to pick up is no answer"


def test_1_has_it_and_hears_the_number_twice(paged):
    heard = paged.presses("1")
    assert words(heard).count("plus 1 4 0, 8 5 5, 5 0 1, 4 2.") == 2
    assert [verb.tag for verb in heard][-1] == "Hangup"
    page = paged.page
    assert (page.state, page.acknowledged_by, page.acknowledged_how) == ("acknowledged", "us-oncall-engineer", "key")
    assert paged.result == "acknowledged"
    assert paged.service.query("SELECT state, holder FROM tasks") == [("claimed", "us-oncall-engineer")]
    paged.ends("completed")
    assert paged.result == "acknowledged"
    assert len(paged.paging.works_until(paged.at, paged.at + 20 * MINUTE).provider.placed) == 1


def test_1_twice_is_once_and_says_the_same(paged):
    action = paged.picks_up().find("Gather").get("action")
    first, second = (words(paged.hears(action, Digits="1")) for _ in range(2))
    assert first == second


def test_1_too_late_hears_that_somebody_has_it(paged):
    action = paged.picks_up().find("Gather").get("action")
    pages.acknowledge(paged.paging.store, paged.page.id, Taken("us-oncall-lead", "link"), paged.at)
    assert words(paged.hears(action, Digits="1")) == "Somebody has it already. Thank you. Goodbye."
    assert words(paged.picks_up()) == "Somebody has it already. Thank you. Goodbye."
    assert paged.page.acknowledged_by == "us-oncall-lead"


def test_2_passes_it_on_at_once(paged):
    assert words(paged.presses("2")) == "Passed on. Goodbye."
    assert paged.result == "passed"
    paged.paging.works(paged.at + timedelta(seconds=2))
    assert paged.page.level == 2
    assert [to for _, to in paged.paging.who_was_told()] == ["us-oncall-engineer", "us-oncall-lead"]

    paged.paging.works_until(paged.at, paged.at + 4 * MINUTE)
    assert paged.page.level == 2, "the next level has its own five minutes"


def test_9_says_it_again_up_to_five_times(paged):
    heard = paged.picks_up()
    first = words(heard)
    for _ in range(5):
        heard = paged.hears(heard.find("Gather").get("action"), Digits="9")
        assert words(heard) == first
    heard = paged.hears(heard.find("Gather").get("action"), Digits="9")
    assert [verb.tag for verb in heard] == ["Hangup"]
    assert paged.page.state == "climbing"


@pytest.mark.parametrize("key", ["3", "*", "#", "0", ""])
def test_any_other_key_and_none_at_all_hang_up(paged, key):
    assert [verb.tag for verb in paged.presses(key)] == ["Hangup"]
    assert paged.page.state == "climbing"


@pytest.mark.parametrize(
    ("picked_up", "status", "result"),
    [
        (True, "completed", "no_answer"),
        (False, "busy", "no_answer"),
        (False, "no-answer", "no_answer"),
        (False, "canceled", "no_answer"),
        (False, "failed", "failed"),
        (True, "in-progress", "answered"),
    ],
)
def test_a_machine_and_whoever_does_not_answer_take_nothing(paged, picked_up, status, result):
    if picked_up:
        paged.picks_up()
    assert paged.ends(status).status == 200
    assert paged.result == result
    assert paged.page.state == "climbing"
    paged.paging.works(paged.at + 5 * MINUTE)
    assert paged.page.level == 2


def test_a_caller_who_is_still_on_the_line_is_said_to_be(service):
    paging = Paging(service)
    call = an_outage(service)
    while not service.call_of(call).round:
        call.does_not_answer()
    paged = Paged(service, paging, service.phone.clock.instant)
    paged.call = call
    assert words(paged.presses("1")) == "Thank you, you have it. The caller is still on the line."


def test_what_is_pressed_counts_for_a_quarter_of_an_hour(paged):
    """A signature never expires; the token in the URL does."""
    action = paged.picks_up().find("Gather").get("action")
    paged.service.phone.at(paged.at + 16 * MINUTE)
    assert words(paged.hears(action, Digits="1")) == "This has been settled. Thank you. Goodbye."
    assert paged.page.state == "climbing"


def stored(paged):
    return [paged.service.query(f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("pages", "attempts", "work_log")]


def test_what_twilio_did_not_sign_changes_nothing(paged):
    action = paged.picks_up().find("Gather").get("action")
    path = action.removeprefix(PUBLIC_BASE_URL).partition("#")[0]
    form = {"AccountSid": ACCOUNT_SID, "CallSid": CHILD, "CallStatus": "in-progress", "Digits": "1"}
    before = stored(paged)
    for kind, signature in forged_signatures(paged.service.phone, path, form):
        assert paged.service.phone.post(path, form, signature=signature).status in (400, 403, 431), kind
    assert paged.service.phone.post(path, form, method="GET").status == 405
    assert stored(paged) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"seal": Seal("another secret of at least thirty-two")},
        {"step": PageStep.LINK},
        {"page": "0" * 20},
    ],
)
def test_a_token_that_is_not_for_this_takes_nothing(paged, changes):
    page, seal = paged.page, changes.get("seal", SEAL)
    values = {"page": page.id, "level": 1, "round": 1, "destination": "us-oncall-engineer", "step": PageStep.KEYS}
    values |= {"expires_at": paged.at + MINUTE, **changes}
    values.pop("seal", None)
    token = PageToken(**values)
    before = stored(paged)
    url = URLS.page(token).replace(SEAL.page(token), seal.page(token))
    assert paged.hears(url, Digits="1")[-1].tag == "Hangup"
    assert stored(paged) == before


@pytest.mark.parametrize(
    "fields", [{"Digits": "1", "RecordingSid": "RE" + "1" * 32}, {"DigitsX": "1"}, {"Digits": "1x"}]
)
def test_a_request_cut_up_anew_takes_nothing(paged, fields):
    action = paged.picks_up().find("Gather").get("action")
    before = stored(paged)
    assert [verb.tag for verb in paged.hears(action, **fields)] == ["Hangup"]
    assert stored(paged) == before
