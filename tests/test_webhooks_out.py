"""Events for other systems: signed so that anybody can check it, in order, and never to the wrong place."""

import dataclasses
import json
import re
from datetime import timedelta
from time import monotonic

import pytest
from desks import z
from paper import shipped
from receiver import Receiver, is_signed
from service import LINE
from standardwebhooks import Webhook

from flows.call import Call as Document
from flows.work import Entry
from ivr import outbound
from ivr.jobs.passing_on import PassingOn, Sources, text_owed
from ivr.jobs.texts import Texts
from ivr.jobs.webhooks import Event, Webhooks, message_id, wait_of
from ivr.jobs.work import Worker
from ivr.notify.tell import Teller
from ivr.outbound import Forbidden, Unreached, is_public, post, resolved
from recordings.marks import mark
from recordings.outbox import Owed, listing, owe_now, replay
from recordings.work_log import append

AT = z("2026-07-14 10:00")
LATER = z("2026-07-14 23:00")
SECRET = "whsec_" + "A" * 43 + "="


class Following:
    """Webhooks to some receivers, and the worker that sends them."""

    def __init__(self, store, *receivers, private=True):
        self.store = store
        urls = [f"http://{receiver.host}/events" for receiver in receivers]
        self.webhooks = Webhooks(urls, SECRET, private=private)
        self.worker = Worker(store, self.webhooks.handlers(), ())

    def happens(self, key="e1", case="10000012", at=AT, **data):
        owe_now(self.store, self.webhooks.owed(Event("case.changed", key, at, data, "CA1", case)), at)

    def works(self, start, until, every=timedelta(seconds=1)):
        at = start
        while at <= until:
            self.worker.once(at)
            at += every

    def keys(self, state):
        return [letter.job.key for letter in listing(self.store, state, "webhook")]


def seconds(number):
    return timedelta(seconds=number)


def test_an_event_is_signed_by_the_rules_of_standard_webhooks(store):
    with Receiver() as crm:
        following = Following(store, crm)
        following.happens(number="10000012", status="open")

        following.worker.once(AT)

        (got,) = crm.got
        assert is_signed(got, SECRET)
        assert not is_signed(got, "whsec_" + "B" * 43 + "=")
        assert got.headers["webhook-timestamp"] == str(int(AT.timestamp()))
        assert got.json == {
            "type": "case.changed",
            "timestamp": "2026-07-14T10:00:00Z",
            "data": {"number": "10000012", "status": "open"},
        }


def test_the_published_library_of_a_receiver_agrees(store):
    """What the library checks is only good within five minutes, so this one is sent now."""
    from ivr.clock import now

    with Receiver() as crm:
        following = Following(store, crm)
        following.happens(at=now())
        following.worker.once(now())

        Webhook(SECRET).verify(crm.got[0].body, crm.got[0].headers)


def test_every_endpoint_gets_its_own_and_a_bad_one_stops_no_other(store):
    with Receiver() as one, Receiver(status=500) as bad, Receiver() as two:
        following = Following(store, one, bad, two)
        following.happens()

        following.worker.once(AT)

        assert (len(one.got), len(bad.refused), len(two.got)) == (1, 1, 1)
        assert following.keys("waiting") == ["e1.event.1"]


def test_an_event_that_is_tried_again_keeps_its_id(store):
    with Receiver(status=500) as crm:
        following = Following(store, crm)
        following.happens()
        following.worker.once(AT)
        crm.status = 204
        following.works(AT, AT + seconds(5))

        ids = [got.headers["webhook-id"] for got in (*crm.refused, *crm.got)]
        assert ids == [message_id("e1.event.0")] * 2
        assert all(is_signed(got, SECRET) for got in crm.got)


def test_events_of_one_case_come_in_order_though_the_first_fails_and_other_cases_do_not_wait(store):
    with Receiver(status=500) as crm:
        following = Following(store, crm)
        for number in range(5):
            following.happens(f"a{number}", case="10000012", number=number)
        following.worker.once(AT)
        crm.status = 200
        following.happens("b0", case="10000020", number=99)

        following.works(AT + seconds(0.5), AT + seconds(10))

        assert [got.json["data"]["number"] for got in crm.got] == [99, 0, 1, 2, 3, 4]


def test_gone_ends_an_event_with_one_attempt(store):
    with Receiver(status=410) as crm:
        following = Following(store, crm)
        following.happens()

        following.works(AT, AT + seconds(60), seconds(10))

        assert len(crm.refused) == 1
        assert following.keys("dead") == ["e1.event.0"]


def test_a_receiver_that_asks_for_a_minute_gets_it_and_it_counts_as_no_attempt(store):
    with Receiver(status=429, headers={"Retry-After": "60"}) as crm:
        following = Following(store, crm)
        following.happens()
        following.works(AT, AT + seconds(59), seconds(1))
        assert len(crm.refused) == 1
        crm.status = 200

        following.worker.once(AT + seconds(60))

        assert len(crm.got) == 1


@pytest.mark.parametrize(
    ("given", "wait"),
    [
        ("60", 60.0),
        ("0", 0.0),
        ("999999999", 3600.0),
        ("Tue, 14 Jul 2026 10:01:30 GMT", 90.0),
        ("Tue, 14 Jul 2026 09:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("٦٠", None),
        ("9" * 5000, None),
    ],
)
def test_how_long_a_receiver_wants_us_to_wait(given, wait):
    assert wait_of(given, AT) == wait


def test_a_redirect_is_a_failure_and_is_not_followed(store):
    with Receiver() as elsewhere:
        with Receiver(status=307, headers={"Location": f"http://{elsewhere.host}/"}) as crm:
            following = Following(store, crm)
            following.happens()
            following.worker.once(AT)
            assert following.keys("waiting") == ["e1.event.0"]
        assert elsewhere.got == elsewhere.refused == []


def test_a_receiver_that_hangs_is_left_after_the_deadline(monkeypatch):
    monkeypatch.setattr(outbound, "PATIENCE", 0.3)
    with Receiver(hangs=True) as crm:
        started = monotonic()

        with pytest.raises(Unreached):
            post(f"http://{crm.host}/", b"{}", {}, private=True)

        assert monotonic() - started < 3


def test_what_a_receiver_has_lost_is_sent_again_with_the_same_ids(store):
    with Receiver() as crm:
        following = Following(store, crm)
        for number in range(3):
            following.happens(f"e{number}", at=AT + seconds(number))
        following.works(AT, AT + seconds(5))

        assert replay(store, kind="webhook", since=AT + seconds(1)) == 2
        following.works(AT + seconds(60), AT + seconds(62))

        ids = [got.headers["webhook-id"] for got in crm.got]
        assert ids == [*ids[:3], *ids[1:3]]


def test_no_address_of_an_endpoint_is_in_a_row(store):
    with Receiver(status=500) as crm:
        following = Following(store, crm)
        following.happens()
        following.worker.once(AT)

        rows = store.read(lambda conn: conn.execute("SELECT key, detail, lane, last_error FROM outbox").fetchall(), 5.0)
        assert crm.host not in str(rows)
        assert SECRET not in str(rows)


# --- where nothing is ever sent


PRIVATE = (
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "nonsense",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_anybodys_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111"])
def test_an_address_of_the_internet_is(address):
    assert is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "0x7f.1", "2130706433", "[::1]".strip("[]"), "0"])
def test_no_way_to_write_this_machine_leads_there(host):
    with pytest.raises(Unreached):
        resolved(host, 443)


def test_production_refuses_a_private_address_and_makes_no_connection(store):
    with Receiver() as inside:
        following = Following(store, inside, private=False)
        following.happens()

        following.worker.once(AT)

        assert inside.got == inside.refused == []
        assert following.keys("dead") == ["e1.event.0"]
        with pytest.raises(Forbidden):
            post(f"http://{inside.host}/", b"{}", {})


# --- what is told of a call, from a call that was really made


@pytest.fixture
def told(service):
    parts = service.parts
    with Receiver() as crm:
        following = Following(parts.store, crm)
        desks = {name: desk.ring for name, desk in parts.programmes.first().desks.items()}
        teller = Teller({}, desks, ())
        following.sources = Sources(parts.store, parts.log, parts.desks.desk_for, teller, following.webhooks)
        passing = PassingOn(following.sources)
        handlers = {**following.webhooks.handlers(), **passing.handlers()}
        following.worker = Worker(parts.store, handlers, ())
        following.passing = passing
        following.crm = crm
        following.service = service
        yield following


def told_of(following, kind):
    return [got.json["data"] for got in following.crm.got if got.json["type"] == kind]


def leaves_a_message(service):
    """Acme leaves an escalation voicemail on a Tuesday at 10:15 in California."""
    call = service.at(z("2026-01-13 18:15")).dials(LINE["us-voicemail"]).presses("2").presses("#")
    call.leaves_a_message(20).presses("1").hangs_up()
    service.phone.settle()
    return call


def test_the_end_of_a_call_is_told_with_its_timeline_and_no_whole_number(told):
    call = told.service.dials(LINE["us-standard"]).hangs_up()
    told.service.phone.settle()

    told.worker.once(LATER)

    (data,) = told_of(told, "call.ended")
    assert (data["call_sid"], data["programme"], data["partner_id"]) == (call.sid, "8x8-partner", "347109")
    assert (data["from"], data["to"]) == ("…0142", LINE["us-standard"])
    assert data["ended_at"] >= data["started_at"]
    assert {each["event"] for each in data["timeline"]} >= {"rang", "ended"}
    assert "4085550142" not in json.dumps(data)


def test_no_whole_number_of_an_engineer_or_of_a_caller_is_told(told):
    call = told.service.dials(LINE["us-certified"]).presses("1").presses("2").presses("1").engineer_accepts().talks(30)
    call.hangs_up()
    told.service.phone.settle()

    told.worker.once(LATER)

    (data,) = told_of(told, "call.ended")
    assert set(re.findall("[+][0-9]{7,}", json.dumps(data))) == {data["to"]}
    assert not any("keys" in each["detail"] for each in data["timeline"])
    assert data["legs"][0]["number"].startswith("…")
    assert data["talk_seconds"] == pytest.approx(30, abs=3)
    assert data["wait_seconds"] > 0


def test_a_message_is_told_to_its_desk_to_other_systems_and_its_audio_is_looked_for(told):
    call = leaves_a_message(told.service)

    told.worker.once(LATER)

    (message,) = told_of(told, "voicemail.received")
    (case,) = told_of(told, "case.opened")
    assert message["case_number"] == case["number"]
    assert message["duration_seconds"] == 20
    assert message["transcript"] is None
    assert case["calls"] == [call.sid]
    assert [clock["kind"] for clock in case["clocks"]] == ["escalation"]
    assert case["clocks"][0]["due_at"] == message["due_at"]
    (notice,) = [letter.job for letter in listing(told.store, "waiting", "notify")]
    assert notice.detail["subject"].startswith("Escalation voicemail from Acme (US), 0:20, reply due Tue ")
    assert notice.detail["to"] == "operators"
    (find,) = listing(told.store, "waiting", "find_audio")
    assert find.job.detail == {"recording": message["recording_id"], "tries": 0}
    assert find.not_before == LATER + timedelta(minutes=2)


def test_what_is_done_with_a_case_is_told_once_though_it_is_looked_at_often(told):
    leaves_a_message(told.service)
    told.passing.follow(LATER)
    told.worker.once(LATER)
    (case,) = told_of(told, "case.opened")
    entries = [
        Entry(case["number"], kind, LATER + timedelta(minutes=n), "ana", detail, f"{case['number']}.{n}", LATER)
        for n, (kind, detail) in enumerate([("update", {"text": "on it"}), ("breached", {"clock": "first_response"})])
    ]
    told.store.write(lambda conn: append(conn, told.store, entries), 5.0)

    for second in range(3):
        told.passing.follow(LATER + timedelta(hours=1, seconds=second))
        told.worker.once(LATER + timedelta(hours=1, seconds=second))
    again = PassingOn(told.sources)
    again.follow(LATER + timedelta(hours=2))
    told.worker.once(LATER + timedelta(hours=2))

    (changed,) = told_of(told, "case.changed")
    (breached,) = told_of(told, "clock.breached")
    assert changed["change"] == {"kind": "update", "at": "2026-07-14T23:00:00Z", "by": "ana"}
    assert breached["breached"]["clock"] == "first_response"
    assert breached["number"] == case["number"]


def test_with_nobody_to_tell_nothing_is_owed_and_nothing_is_marked(service):
    parts = service.parts
    passing = PassingOn(Sources(parts.store, parts.log, parts.desks.desk_for, Teller({}, {}, ()), Webhooks((), "")))
    service.dials(LINE["us-standard"]).hangs_up()
    service.phone.settle()
    worker = Worker(parts.store, passing.handlers(), ())

    worker.once(LATER)
    passing.follow(LATER)

    assert listing(parts.store, "waiting", "webhook") == []
    assert mark(parts.store, "events") is None


# --- the case number by text


class Sms:
    """Takes texts, or fails."""

    def __init__(self, fails=0):
        self.fails, self.asked, self.sent = fails, [], []

    def __call__(self, to, from_, body, since):
        self.asked.append(since)
        if len(self.asked) <= self.fails:
            raise OSError("away")
        self.sent.append((to, from_, body))


@pytest.mark.parametrize(
    ("wanted", "caller", "case", "owed"),
    [
        (True, "+61491570006", "10000012", True),
        (True, "+14085550142", "10000012", True),
        (True, "+442079460123", "10000012", False),
        (True, None, "10000012", False),
        (True, "+61491570006", "", False),
        (False, "+61491570006", "10000012", False),
    ],
)
def test_who_gets_the_case_number_by_text(wanted, caller, case, owed):
    call = Document(
        "CA1", "p", "v", "+18888988733", "l", "standard", "en-US", "us", AT, caller=caller, case_number=case
    )

    rows = text_owed(call, dataclasses.replace(shipped(), text_case_number=wanted))

    assert [row.key for row in rows] == (["10000012.text"] if owed else [])


@pytest.mark.parametrize(("fails", "sent"), [(0, 1), (2, 1), (3, 0), (9, 0)])
def test_a_text_is_tried_three_times_and_then_dropped_without_an_alarm(store, fails, sent):
    sms = Sms(fails)
    detail = {"case": "10000012", "to": "+61491570006", "from": "+18888988733"}
    owe_now(store, [Owed("text", "10000012.text", detail, "CA1")], AT)
    worker = Worker(store, Texts(sms).handlers(), ())

    for second in range(60):
        worker.once(AT + seconds(second))

    assert len(sms.sent) == sent
    assert len(sms.asked) == min(fails, 2) + 1
    assert sms.asked[1:] == [AT] * (len(sms.asked) - 1)
    assert all("100 000 12" in body and from_ == "+18888988733" for _, from_, body in sms.sent)
    assert len(listing(store, "done", "text")) == 1
    assert listing(store, "waiting") == []
