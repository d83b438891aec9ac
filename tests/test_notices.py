"""Telling people: over a real mail server and a real receiver, down for hours, refusing, hanging, and well."""

import json
import socket
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from itertools import pairwise

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from desks import z
from receiver import Receiver

from ivr.contacts import Contact
from ivr.jobs.notices import Notices
from ivr.jobs.work import Worker
from ivr.notify import alarm as alarms
from ivr.notify.careful import ALONE, Careful
from ivr.notify.send import Delivery, Result, cleaned, one_line, send
from ivr.notify.tell import Note, Teller
from ivr.notify.words import Left, reference, voicemail
from ivr.settings import Settings
from recordings.outbox import Owed, claim, listing, owe_now, take_along

AT = z("2026-07-14 10:00")
SECRET = "hunter2-the-secret-path"


def closed_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postbox:
    """A real SMTP server that keeps what it takes. `refuses` is what it says to every recipient instead."""

    def __init__(self):
        self.mails, self.refuses = [], ""

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - as the server calls it
        if not self.refuses:
            envelope.rcpt_tos.append(address)
        return self.refuses or "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


class OnLoopback(Controller):
    def factory(self):
        return SMTP(self.handler, hostname="localhost")


@pytest.fixture
def post():
    box = Postbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = OnLoopback(box, hostname="127.0.0.1", port=port)
    server.start()
    box.url = f"mailto://127.0.0.1:{port}/?from=partnerline@example.com&to=duty@example.com"
    yield box
    server.stop()


class House:
    """A store, contacts, and a worker that looks at an instant."""

    def __init__(self, store, operators=(), **contacts):
        self.store = store
        self.teller = Teller(
            {name.replace("_", "-"): Contact((), tuple(targets)) for name, targets in contacts.items()},
            {"us-tier2": ("lead", "engineer")},
            tuple(operators),
        )
        self.settled = []
        notices = Notices(store, self.teller, lambda key, result, at: self.settled.append((key, result)))
        self.worker = Worker(store, notices.handlers(), ())

    def tells(self, to, subject="Subject", body="Body", at=AT, **more):
        rows = self.teller.tell(to, Note(subject, body), **{"urgent": False, "key": subject, "at": at, **more})
        owe_now(self.store, rows, at)
        return rows

    def works(self, start, until, every=timedelta(seconds=1)):
        at = start
        while at <= until:
            self.worker.once(at)
            at += every

    def rows(self, state, kind="notify"):
        return [letter.job for letter in listing(self.store, state, kind, 1000)]


def seconds(number):
    return timedelta(seconds=number)


# --- who is told


@pytest.mark.parametrize(
    ("to", "urgent", "receivers"),
    [
        ("lead", True, ["lead.0", "lead.1"]),
        ("lead", False, ["lead.0"]),
        ("us-tier2", True, ["lead.0", "lead.1", "engineer.0"]),
        ("us-tier2", False, ["lead.0", "engineer.0"]),
        ("nobody", True, ["operators.0"]),
        ("operators", False, ["operators.0"]),
    ],
)
def test_who_is_told_on_which_channel(to, urgent, receivers):
    contacts = {"lead": Contact((), ("mailto://a", "slack://b")), "engineer": Contact((), ("mailto://c",))}
    teller = Teller(contacts, {"us-tier2": ("lead", "engineer")}, ("mailto://o",))

    rows = teller.tell(to, Note("s"), urgent=urgent, key="k", at=AT)

    assert [row.key for row in rows] == [f"k.{each}" for each in receivers]
    assert {row.not_before for row in rows} == ({None} if urgent else {AT + seconds(15)})


def test_a_desk_with_an_entry_of_its_own_is_told_there_and_its_people_are_not():
    contacts = {"us-tier2": Contact((), ("slack://desk",)), "lead": Contact((), ("mailto://a",))}
    teller = Teller(contacts, {"us-tier2": ("lead",)}, ())

    assert [row.key for row in teller.tell("us-tier2", Note("s"), urgent=True, key="k", at=AT)] == ["k.us-tier2.0"]


def test_where_nobody_at_all_can_be_told_the_row_is_there_all_the_same_and_ends_loudly(store, capfd):
    house = House(store)
    house.tells("lead", "Nobody hears this")

    house.worker.once(AT + seconds(15))

    assert [job.detail["to"] for job in house.rows("dead")] == ["operators"]
    assert len(house.rows("done", "alarm")) == 1
    written = capfd.readouterr().err
    assert "Nobody hears this" in written
    assert "NOTIFY_URLS names nobody" in written


# --- real servers


def test_a_note_arrives_by_mail(store, post):
    house = House(store, lead=[post.url])
    (row,) = house.tells("lead", "Escalation voicemail from Acme", "Case 100 000 12.")

    house.worker.once(AT + seconds(15))

    (mail,) = post.mails
    assert mail["Subject"] == "Escalation voicemail from Acme"
    assert "Case 100 000 12." in mail.get_content()
    assert reference(row.key) in mail.get_content()
    assert len(house.rows("done")) == 1


def test_a_subject_cannot_add_a_header_to_the_mail(store, post):
    """F-I7: what a caller or a partner's name brings along stays inside the subject."""
    house = House(store, lead=[post.url])
    house.tells("lead", "Acme\r\nBcc: thief@example.com\r\n\r\nevil\u2028body", key="k")

    house.worker.once(AT + seconds(15))

    (mail,) = post.mails
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Acme Bcc: thief@example.com evil body"
    assert "evil" not in mail.get_content()


def test_severity_1_goes_out_on_all_channels_at_once_and_a_bad_one_stops_no_other(store, post):
    with Receiver() as slack, Receiver(status=500) as broken:
        house = House(store, lead=[f"json://{broken.host}/x", post.url, f"json://{slack.host}/y"])
        house.tells("lead", "Severity 1", urgent=True, page="p1")

        house.worker.once(AT)

        assert slack.subjects == ["Severity 1"]
        assert len(post.mails) == len(broken.refused) == 1
        assert sorted(house.settled) == [
            ("Severity 1.lead.0", "failed"),
            ("Severity 1.lead.1", "sent"),
            ("Severity 1.lead.2", "sent"),
        ]
        assert [job.key for job in house.rows("waiting")] == ["Severity 1.lead.0"]


def test_fifty_notices_within_fifteen_seconds_are_one_message(store):
    with Receiver() as inbox:
        house = House(store, lead=[f"json://{inbox.host}/x"])
        for number in range(50):
            house.tells("lead", f"Notice {number}", at=AT + seconds(0.3 * number))

        house.works(AT, AT + seconds(40))

        assert inbox.subjects == ["Notice 0 (and 49 more)"]
        assert all(f"Notice {number}\n" in inbox.got[0].json["message"] for number in range(50))
        assert len(house.rows("done")) == 50


def test_one_target_gets_at_most_one_message_in_fifteen_seconds(store):
    """Three hundred notices, one a second: none is lost, and the messages keep their distance."""
    with Receiver() as inbox:
        house = House(store, lead=[f"json://{inbox.host}/x"])
        sent_at = []
        for second in range(331):
            at = AT + seconds(second)
            if second < 300:
                house.tells("lead", f"Notice {second}.", at=at)
            before = len(inbox.got)
            house.worker.once(at)
            sent_at += [second] * (len(inbox.got) - before)

        assert all(later - earlier >= 15 for earlier, later in pairwise(sent_at))
        text = "".join(f"{got.json['title']}\n{got.json['message']}" for got in inbox.got)
        assert all(f"Notice {number}." in text for number in range(300))


def test_what_does_not_fit_into_a_message_is_in_the_next_one(store):
    with Receiver() as inbox:
        house = House(store, lead=[f"json://{inbox.host}/x"])
        for number in range(10):
            house.tells("lead", f"Notice {number}", "long " * 300)

        house.works(AT, AT + seconds(90))

        assert len(inbox.got) == 4
        text = "".join(f"{got.json['title']}\n{got.json['message']}" for got in inbox.got)
        assert all(text.count(f"Notice {number}") >= 1 for number in range(10))
        assert all(len(got.json["message"]) < 8000 for got in inbox.got)


# --- trouble


def test_the_second_channel_is_tried_after_two_failures(store):
    """F-I1, the first half: the first attempt at 15 s, the second two seconds later, then the other channel."""
    with Receiver() as second:
        house = House(store, lead=[f"json://127.0.0.1:{closed_port()}/x", f"json://{second.host}/y"])
        house.tells("lead", "Notice")

        house.works(AT, AT + seconds(25))

        assert second.subjects == ["Notice"]
        assert [job.state for job in listing(store, "done", "notify")] == ["done", "done"]


def test_nothing_is_lost_while_the_only_provider_is_away_for_six_hours(store):
    """F-I1, the second half: a notice every three minutes, and urgent ones; then all arrive in five minutes."""
    with Receiver(status=503) as provider:
        house = House(store, lead=[f"json://{provider.host}/x"])
        for minute in range(0, 360, 3):
            at = AT + timedelta(minutes=minute)
            house.tells("lead", f"Notice {minute}.", at=at)
            if minute % 60 == 0:
                house.tells("lead", f"Urgent {minute}.", at=at, urgent=True, call_sid="CA1", case_number="10000012")
            house.worker.once(at)
        assert provider.got == []
        assert house.rows("dead") == []
        provider.status, back = 200, AT + timedelta(hours=6)

        house.works(back, back + timedelta(minutes=5), seconds(5))

        assert house.rows("waiting") == []
        text = "".join(f"{got.json['title']}\n{got.json['message']}" for got in provider.got)
        assert all(f"Notice {minute}." in text for minute in range(0, 360, 3))
        urgent = [title for title in provider.subjects if "Urgent" in title]
        assert urgent[0] == "Repeat: Urgent 0."
        assert [title.split()[-1] for title in urgent] == [f"{minute}." for minute in range(0, 360, 60)]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_what_is_refused_for_good_is_not_tried_again_alarms_once_and_goes_to_the_next_channel(store, status):
    """F-I5."""
    with Receiver(status=status) as first, Receiver() as second, Receiver() as operator:
        house = House(
            store, lead=[f"json://{first.host}/x", f"json://{second.host}/y"], operators=[f"json://{operator.host}/o"]
        )
        house.tells("lead", "Notice")

        house.works(AT, AT + seconds(60))

        assert len(first.refused) == 1
        assert second.subjects == ["Notice"]
        assert len(operator.got) == 1
        assert str(status) in operator.subjects[0]


def test_what_every_channel_of_somebody_refuses_goes_to_the_operators(store):
    with Receiver(status=404) as gone, Receiver() as operator:
        house = House(store, lead=[f"json://{gone.host}/x"], operators=[f"json://{operator.host}/o"])
        house.tells("lead", "Notice")

        house.works(AT, AT + seconds(60))

        assert "Notice" in operator.subjects


def test_a_recipient_that_the_mail_server_refuses_is_no_recipient(store, post):
    """F-I7: a bounce in the dialogue sends the note along another channel."""
    post.refuses = "550 5.1.1 no such mailbox"
    with Receiver() as second:
        house = House(store, lead=[post.url, f"json://{second.host}/y"])
        house.tells("lead", "Notice")

        house.works(AT, AT + seconds(20))

        assert second.subjects == ["Notice"]
        assert len(house.rows("dead")) == 1


def test_a_redirect_is_not_followed(store):
    with Receiver() as elsewhere:
        with Receiver(status=302, headers={"Location": f"http://{elsewhere.host}/"}) as inbox:
            assert send(f"json://{inbox.host}/x", Note("s", "b")).result is Result.FAILED
        assert elsewhere.got == elsewhere.refused == []


def test_a_second_attempt_says_that_it_may_be_a_repeat_and_keeps_its_reference(store):
    with Receiver(status=503) as inbox:
        house = House(store, lead=[f"json://{inbox.host}/x"])
        house.tells("lead", "Severity 1", urgent=True)
        house.worker.once(AT)
        inbox.status = 200
        house.works(AT, AT + seconds(3))

        first, second = inbox.refused[0].json, inbox.got[0].json
        assert (first["title"], second["title"]) == ("Severity 1", "Repeat: Severity 1")
        assert first["message"].split("ref ")[1] == second["message"].split("ref ")[1]


def test_two_workers_never_take_the_same_notices_along(store):
    house = House(store, lead=["json://127.0.0.1/x"])
    for number in range(5):
        house.tells("lead", f"Notice {number}")
    (job,) = claim(store, "one", AT + seconds(15), 10)

    along = take_along(store, job, AT + seconds(15))

    assert len(along) == 4
    assert take_along(store, job, AT + seconds(15)) == []
    assert claim(store, "two", AT + seconds(16), 10) == []


def test_a_worker_whose_lease_is_over_takes_nothing_along(store):
    house = House(store, lead=["json://127.0.0.1/x"])
    house.tells("lead", "Notice 0")
    house.tells("lead", "Notice 1")
    (job,) = claim(store, "one", AT + seconds(15), 10)

    assert take_along(store, job, AT + seconds(300)) == []


# --- alarms


def test_an_alarm_reaches_the_operators_and_standard_error(store, post, capfd):
    house = House(store, operators=[post.url, f"json://127.0.0.1:{closed_port()}/x"])
    owe_now(store, [Owed("alarm", "a1", {"why": "a call was never served"}, "CA1")], AT)

    house.worker.once(AT)

    assert [mail["Subject"] for mail in post.mails] == ["Alarm: a call was never served"]
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [(line["event"], line["level"], line["detail"]) for line in lines] == [("alarm", "ERROR", "Call CA1.")]
    assert len(house.rows("done", "alarm")) == 1


def test_an_alarm_that_reaches_nobody_is_tried_again_and_raises_no_alarm(store, capfd):
    house = House(store, operators=[f"json://127.0.0.1:{closed_port()}/x"])
    owe_now(store, [Owed("alarm", "a1", {"why": "trouble"}, "CA1")], AT)

    house.works(AT, AT + timedelta(minutes=20), seconds(30))

    assert [job.key for job in house.rows("waiting", "alarm")] == ["a1"]
    assert capfd.readouterr().err.count('"event": "alarm"') == 1


def test_alarms_that_pile_up_are_told_together(store):
    with Receiver() as operator:
        house = House(store, operators=[f"json://{operator.host}/o"])
        owed = [Owed("alarm", f"a{n}", {"why": f"trouble {n}"}, "CA1", lane="alarm") for n in range(30)]
        owe_now(store, owed, AT)

        house.worker.once(AT)

        assert operator.subjects == ["Alarm: trouble 0 (and 29 more)"]


def test_operators_hear_of_trouble_without_any_database(capfd):
    """O13: the store may be what is wrong."""
    with Receiver() as operator:
        settings = Settings(notify_urls=f"json://127.0.0.1:{closed_port()}/x, json://{operator.host}/{SECRET}")

        assert alarms.alarm_now(settings, "the database is away")

        assert operator.subjects == ["Alarm: the database is away"]
    written = capfd.readouterr()
    assert "the database is away" in written.err
    assert SECRET not in written.err + written.out


# --- words, and what is not in them


def test_a_voicemail_notice_starts_with_what_matters_in_the_desks_own_time():
    left = Left("Acme Resale", "us", 42, z("2026-07-13 14:55"), "10000012", "+14085550142", 2)

    note = voicemail(left, "America/Los_Angeles")

    assert note.subject == (
        "Escalation voicemail from Acme Resale (US), 0:42, reply due Mon 07:55 PDT, case 100 000 12"
    )
    assert "0142" in note.body
    assert "4085550142" not in note.subject + note.body


@pytest.mark.parametrize(
    "text",
    ["a\rb", "a\nb", "a\x00b", "a\x1b[31mb", "a\u2028b", "a\u2029b", "a\x85b", "a\x0bb", "a\u202eb", "x" * 10**6],
)
def test_a_subject_is_one_line_of_sane_length_without_control_characters(text):
    line = one_line(text)

    assert len(line) <= 200
    assert len(line.splitlines()) == 1
    assert line.isprintable()


def test_the_number_of_a_card_is_not_passed_on():
    text = cleaned("He said 4111 1111 1111 1111, then 378282246310005. The case is 10000012, call +14085550142.")

    assert "1111" not in text
    assert "378282246310005" not in text
    assert "10000012" in text
    assert "+14085550142" in text


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_no_secret_of_a_target_is_in_a_row_a_log_line_or_an_error(store, capfd, level):
    """S32: paths and passwords of targets stay in the environment and in the file of contacts."""
    from ivr.observe import set_up_logging

    set_up_logging(level)
    with Receiver(status=503) as failing, Receiver(status=404) as gone, Receiver() as fine:
        targets = [f"json://user:{SECRET}@{each.host}/{SECRET}" for each in (failing, gone, fine)]
        house = House(store, lead=[*targets, f"json://127.0.0.1:{closed_port()}/{SECRET}", f"slack://{SECRET}"])
        house.tells("lead", "Severity 1", urgent=True)
        house.tells("lead", "Notice")

        house.works(AT, AT + seconds(30), seconds(5))

        def every(conn):
            return conn.execute("SELECT key, detail, lane, last_error FROM outbox").fetchall()

        written = capfd.readouterr()
        assert len(fine.got) >= 1
        assert SECRET not in str(store.read(every, 5.0))
        assert SECRET not in written.out + written.err


def test_a_note_can_be_printed_for_the_demo(capfd):
    assert send("terminal://", Note("Escalation voicemail\x1b[2J", "Case 1.\nref 1")) == Delivery(Result.SENT)

    assert capfd.readouterr().out == "* Escalation voicemail[2J\n  Case 1.\n  ref 1\n"


def test_a_target_that_hangs_is_left_alone_for_a_while_and_then_asked_by_one():
    """So that it cannot keep every thread from the targets that answer."""
    instant, sent = [0.0], []

    def hang(target, _note):
        sent.append(target)
        instant[0] += 10.0
        return Delivery(Result.FAILED, "timed out")

    careful = Careful(hang, lambda: instant[0])
    assert careful("json://hung", Note("one")).why == "timed out"
    assert careful("json://hung", Note("two")).why == "it did not answer a moment ago"
    assert sent == ["json://hung"]
    instant[0] += ALONE
    careful("json://hung", Note("three"))
    assert len(sent) == 2


def test_a_target_that_fails_quickly_or_answers_is_never_left_alone():
    sent = []

    def quickly(target, _note):
        sent.append(target)
        return Delivery(Result.FAILED if len(sent) < 3 else Result.SENT)

    careful = Careful(quickly)
    assert [careful("json://busy", Note("one")).result for _ in range(4)] == ["failed", "failed", "sent", "sent"]


def test_the_word_of_a_page_that_somebody_has_by_now_is_not_sent(store):
    with Receiver() as inbox:
        house = House(store, lead=[f"json://{inbox.host}/lead"])
        climbing = {"one", "two"}
        settled = []
        notices = Notices(
            store, house.teller, lambda key, result, at: settled.append((key, result)), wanted=climbing.__contains__
        )
        house.worker = Worker(store, notices.handlers(), ())
        for page in ("one", "two", "three"):
            house.tells("lead", f"About {page}", page=page, urgent=page != "two")
        climbing.remove("one")
        house.works(AT, AT + seconds(20), seconds(5))
        assert [each.json["title"] for each in inbox.got] == ["About two"]
    assert sorted(settled) == [
        ("About one.lead.0", "skipped"),
        ("About three.lead.0", "skipped"),
        ("About two.lead.0", "sent"),
    ]
    assert house.rows("waiting") == []
