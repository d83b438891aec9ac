"""The telephone in trouble: repeated, lost and late requests, and a service that does not answer."""

from itertools import count

import pytest
from phone import AppWire, Reply, Request, Telephone
from switchboard import ENGINEER, LINE, Switchboard, dial, gather, phone_to, record, response, say, url, verb

MENU = response(gather("/menu", say("Press 1."), numDigits=1))
BYE = response(say("Goodbye."), verb("Hangup"))
TELLS = verb("Number", ENGINEER, statusCallback=url("/leg"), statusCallbackEvent="initiated ringing answered completed")
RINGS = response(verb("Dial", TELLS, timeout=20, timeLimit=600, callerId=LINE, action=url("/taken")))
TAKES = response(record("/taken"))


class Unreliable(AppWire):
    """A wire that breaks on the requests whose numbers are given, after or before the service has seen them."""

    def __init__(self, app: Switchboard, breaks: set[int], *, delivers: bool) -> None:
        super().__init__(app)
        self.breaks, self.delivers, self.number = breaks, delivers, count(1)

    def send(self, request: Request) -> Reply:
        is_broken = next(self.number) in self.breaks
        if not is_broken or self.delivers:
            reply = super().send(request)
        if is_broken:
            raise ConnectionResetError("the worker is gone")
        return reply


@pytest.mark.parametrize(("option", "times"), [({"stutter": 3}, 3), ({"concurrent": 4}, 4)])
def test_every_webhook_can_be_sent_several_times(option, times):
    phone, service = phone_to({"/voice": MENU, "/menu": BYE}, **option)

    phone.dials(LINE).presses("1")

    assert {path: len(service.asked(path)) for path in ["/voice", "/menu", "/voice/status"]} == {
        "/voice": times,
        "/menu": times,
        "/voice/status": times,
    }
    assert len({environ["HTTP_I_TWILIO_IDEMPOTENCY_TOKEN"] for environ in service.environs}) == 3


@pytest.mark.parametrize("option", [{"stutter": 2}, {"concurrent": 2}], ids=str)
def test_two_answers_to_one_webhook_fail(option):
    number = count(1)
    phone, _ = phone_to({"/voice": lambda _form: response(say(f"You are caller {next(number)}."))}, **option)

    with pytest.raises(AssertionError, match="has two answers"):
        phone.dials(LINE)


def test_under_a_seed_the_idempotency_token_of_a_repeat_is_the_same_another_or_missing():
    seen = set()
    for seed in range(20):
        phone, service = phone_to({"/voice": MENU}, stutter=2, seed=seed)
        phone.dials(LINE)
        first, second = (environ.get("HTTP_I_TWILIO_IDEMPOTENCY_TOKEN") for environ in service.environs)
        seen.add("missing" if second is None else second == first)

    assert seen == {True, False, "missing"}


def test_a_broken_connection_fails_the_story_unless_retries_are_on():
    service = Switchboard({"/voice": MENU})

    with pytest.raises(ConnectionResetError):
        Telephone(Unreliable(service, {1}, delivers=False)).dials(LINE)
    phone = Telephone(Unreliable(service, {1, 2}, delivers=True), retries=2)
    assert phone.dials(LINE).hears("Press 1").ended is False
    assert len(service.asked("/voice")) == 3


@pytest.mark.parametrize(("broken", "code"), [({2, 3, 4}, "11205"), (set(), "11200")])
def test_when_retries_are_used_up_the_fallback_url_is_asked(broken, code):
    service = Switchboard({"/voice": MENU, "/menu": "503 busy" if not broken else BYE, "/voice/fallback": BYE})
    phone = Telephone(Unreliable(service, broken, delivers=False), retries=2)

    phone.dials(LINE).presses("1").hears("Goodbye")

    [form] = service.asked("/voice/fallback")
    assert (form["ErrorCode"], form["ErrorUrl"]) == (code, url("/menu").partition("#")[0])


def test_when_the_fallback_url_fails_too_the_story_fails():
    phone = Telephone(Unreliable(Switchboard({}), set(range(1, 9)), delivers=False), retries=2)

    with pytest.raises(AssertionError, match="application error"):
        phone.dials(LINE)


def test_a_callback_or_whisper_that_cannot_be_delivered_is_noted_and_lost():
    rings = response(dial("/menu", ENGINEER))
    service = Switchboard({"/voice": rings, "/whisper": "500 sorry", "/menu": BYE, "/voice/status": "500 sorry"})
    phone = Telephone(AppWire(service), retries=1)

    call = phone.dials(LINE).engineer_accepts().hears("Goodbye")

    assert service.asked("/menu")[0]["DialBridged"] == "false"
    assert (call.ended, [note.split("/")[-1] for note in phone.undelivered]) == (True, ["status"])


def test_without_a_seed_callbacks_come_at_once_and_in_order():
    phone, service = phone_to({"/voice": RINGS, "/taken": TAKES})

    phone.dials(LINE).engineer_accepts().engineer_hangs_up().leaves_a_message(end="hangup").recording_arrives()

    paths = [path for path, _ in service.forms]
    assert paths == ["/voice", *["/leg"] * 4, "/taken", "/taken", "/voice/status", "/recorded"]


def scrambled(seed: int, **options: float) -> list[str]:
    phone, service = phone_to({"/voice": RINGS, "/taken": TAKES}, seed=seed, **options)
    call = phone.dials(LINE).engineer_accepts().engineer_hangs_up().leaves_a_message(end="hangup").recording_arrives()
    call.settle()
    return [path + form.get("SequenceNumber", "") for path, form in service.forms]


def test_a_seed_brings_callbacks_late_out_of_order_and_twice_and_the_same_each_time():
    orders = [scrambled(seed) for seed in range(30)]

    assert orders == [scrambled(seed) for seed in range(30)]
    turns = [[path for path in order if path in {"/voice", "/taken"}] for order in orders]
    assert turns == [["/voice", "/taken", "/taken"]] * 30
    assert all(set(order) == set(orders[0]) for order in orders)
    assert any(order.index("/leg3") < order.index("/leg0") for order in orders)
    assert any(order.index("/voice/status0") < len(order) - order[::-1].index("/taken") - 1 for order in orders)
    assert any(order.count("/voice/status0") == 2 for order in orders)
    assert any(set(scrambled(seed, loss=0.5)) < set(orders[0]) for seed in range(5))


def test_status_callbacks_can_be_dropped_and_a_gap_loses_every_callback():
    phone, service = phone_to({"/voice": TAKES, "/taken": BYE}, drop_status=True)
    phone.dials(LINE).leaves_a_message().recording_arrives()
    assert [path for path, _ in service.forms] == ["/voice", "/taken", "/recorded"]

    phone, service = phone_to({"/voice": TAKES, "/taken": BYE})
    with phone.gap():
        call = phone.dials(LINE).leaves_a_message().recording_arrives()
    assert [path for path, _ in service.forms] == ["/voice", "/taken"]
    call.recording_arrives()
    assert len(call.exchanges) == 3


def test_a_callback_answered_by_more_than_nothing_fails():
    phone, service = phone_to({"/voice": BYE, "/voice/status": BYE})

    with pytest.raises(AssertionError, match="Goodbye"):
        phone.dials(LINE)
    service.documents["/voice/status"] = "204 "
    assert phone.dials(LINE).ended


def test_a_bad_document_fails_the_story_that_meets_it():
    phone, _ = phone_to({"/voice": response(gather("/menu").replace("rc=2", "rc=1"))})

    with pytest.raises(AssertionError, match=r"ends in #rc=2.*\n--- the document:\n<\?xml"):
        phone.dials(LINE)


def test_a_whisper_may_not_do_what_only_a_caller_may():
    phone, _ = phone_to({"/voice": RINGS.replace("statusCallback=", "url=", 1), "/leg": TAKES})

    with pytest.raises(AssertionError, match="<Record> may not stand here"):
        phone.dials(LINE).engineer_accepts()
