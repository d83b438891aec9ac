"""A partner leaves a message on a Friday at five to six and goes into the weekend: what becomes of it, and when.

Told with the worker as it is put together for real: the provider's REST side, a mail server and a receiver of messages
are real servers on loopback, the audio goes into a folder, and only the time is made up.
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from desks import z
from office import Office
from phone import Call
from receiver import Receiver
from rest import Rest, serving, speech
from service import LINE
from test_notices import OnLoopback, Postbox, closed_port

from flows.case_clocks import CaseClock
from flows.task import id_of
from ivr.jobs.assembly import keyring_for
from recordings import kept
from recordings.audio_store import open_audio
from recordings.outbox import listing
from routing.clock import State

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
CALLED = z("2026-07-18 00:55")  # Friday 17:55 in California
CLOSES = z("2026-07-18 01:00")  # 18:00 there: now no desk is open anywhere
OPENS = z("2026-07-19 22:00")  # Monday 08:00 in Sydney, where the first desk opens
WARNED = z("2026-07-20 00:55")  # three hours of four have counted: five minutes on Friday, the rest in Sydney
DUE = z("2026-07-20 01:55")  # Monday 11:55 in Sydney, Sunday 18:55 in California
TUESDAY = z("2026-07-20 22:00")  # 08:00 in Sydney
US_OPENS = z("2026-07-20 12:00")  # Monday 05:00 in California
ACME = "+14085550142"
BY_POST = "us-tier2"
LADDER = ("apac-tier2-lead", "apac-tier2-manager", "apac-director", "apac-vice-president")


@dataclass
class Story:
    """The office, the mailboxes of those who are told, the provider, and the call that left a message."""

    office: Office
    inbox: Receiver
    post: Postbox
    rest: Rest
    call: Call

    def told(self) -> list[tuple[str, str]]:
        """Who was told, and the first line of what, since this was last asked."""
        mailed = [(BY_POST, str(mail["Subject"])) for mail in self.post.mails]
        got = [(each.path[1:], each.json["title"]) for each in self.inbox.got]
        self.post.mails.clear()
        self.inbox.got.clear()
        return mailed + got

    def told_about(self, *expected: tuple[str, str]) -> None:
        """Assert who has been told since, in order, and how the first line begins."""
        told = self.told()
        assert [who for who, _ in told] == [who for who, _ in expected], told
        for (_, said), (_, begins) in zip(told, expected, strict=True):
            assert said.startswith(begins)

    @property
    def task(self) -> str:
        return id_of(f"{self.call.sid}.message")

    @property
    def desk(self) -> str:
        """The desk that has the message now."""
        return str(self.office.tasks(self.call)["message"]["desk"])

    def clock(self, at: datetime) -> CaseClock:
        """The clock of the message, as the case showed it at an instant."""
        found = self.office.case(self.call, at).clock(f"escalation.{self.task}")
        assert found is not None
        return found

    def written(self, at: datetime) -> list[tuple[str, datetime]]:
        """What the service itself has written of the case, and of which instant."""
        return [(each.kind, each.at) for each in self.office.case(self.call, at).entries if each.actor == "service"]


@pytest.fixture
def story(database_url, tmp_path):
    """Acme, a certified partner in the US, has left 42 seconds; the provider has the audio, and says so."""
    post, port, rest = Postbox(), closed_port(), Rest(now=lambda: CALLED)
    smtp = OnLoopback(post, hostname="127.0.0.1", port=port)
    smtp.start()
    with Receiver() as inbox, serving(rest):
        people = {name: [f"json://{inbox.host}/{name}"] for name in ("apac-tier2", "emea-tier2", *LADDER)}
        people[BY_POST] = [f"mailto://127.0.0.1:{port}/?from=partnerline@example.com&to=tier2@example.com"]
        known = {"TWILIO_API_BASE": rest.url, "NOTIFY_URLS": f"json://{inbox.host}/operators"}
        with closing(Office(database_url, tmp_path, people, **known)) as office:
            call = office.at(CALLED).dials(LINE["us-voicemail"], ACME)
            call.presses("2").presses("#").leaves_a_message(42).presses("1").hangs_up()
            rest.holds(call.sid, call.takes[0].sid, seconds=42)
            rest.knows(call.sid, LINE["us-voicemail"], ACME, seconds=66)
            call.recording_arrives()
            yield Story(office, inbox, post, rest, call)
    smtp.stop()


def test_the_audio_is_safe_before_the_providers_copy_goes(story):
    office, (tape,) = story.office, story.rest.tapes.values()
    office.worker.once(CLOSES - MINUTE)
    office.works(CLOSES - MINUTE, CLOSES)

    row = kept.find(office.parts.store, tape.sid)
    blob = open_audio(office.settings.recordings_url).read(row.name)
    assert speech()[:2000] not in blob
    assert b"RIFF" not in blob[:200]
    assert keyring_for(office.settings).open_file(tape.sid, blob, row.sealed_key) == speech()
    assert office.tasks(story.call)["message"]["audio"] == "stored"
    assert tape.deleted
    assert row.provider_deleted_at
    about = [(each.method, each.status) for each in story.rest.asked if tape.sid in each.path]
    assert about[0] == ("GET", 200), "the audio was not fetched first"
    assert about[-1] == ("DELETE", 404), "nobody made sure that the copy is gone"
    assert office.examined(CLOSES) == []


def test_the_desk_knows_within_a_minute(story):
    left = story.office.call_of(story.call).message.at
    at = left
    while not (told := story.told()):
        at += 5 * SECOND
        assert at - left <= MINUTE, "a minute has passed"
        story.office.worker.once(at)
    ((who, said),) = told
    assert (who, said[:66]) == (BY_POST, "Escalation voicemail from Acme (US), 0:42, reply due Sun 18:55 PDT")
    assert said.replace(" ", "").endswith(f"case{story.office.call_of(story.call).case_number}")


def test_nobody_acts_and_the_message_goes_from_desk_to_desk_and_up_the_ladder(story):
    office, call = story.office, story.call
    office.works(CALLED + MINUTE, CLOSES - SECOND, 15 * SECOND)
    story.told_about((BY_POST, "Escalation voicemail from Acme"))
    running = story.clock(CLOSES - SECOND).clock
    assert (story.desk, running.state, running.due_at) == ("us-tier2", State.RUNNING, DUE)
    assert office.call_of(call).message_due == DUE, "the caller was told another time"

    # Friday 18:00 in California: nobody is left, and Sydney will be first to open
    office.works(CLOSES, CLOSES + MINUTE, 15 * SECOND)
    story.told_about(("apac-tier2", "Message for you: Acme, case"))
    assert story.desk == "apac-tier2"

    # The weekend, in which nothing happens and nothing counts
    for at in (CLOSES, CLOSES + 24 * HOUR, OPENS - SECOND):
        office.worker.once(max(at, CLOSES + 2 * MINUTE))
        clock = story.clock(at).clock
        assert (clock.state, clock.counted, clock.resumes_at) == (State.PAUSED, 5 * MINUTE, OPENS)
        assert clock.why.startswith("nobody is on duty until Mon 2026-07-20 08:00 in Australia/Sydney")
        assert clock.due_at == DUE
    office.works(OPENS - 2 * MINUTE, OPENS + 2 * MINUTE)
    assert story.clock(OPENS + HOUR).clock.counted == 65 * MINUTE
    story.told_about()

    # An hour before the time is up
    office.works(WARNED - 2 * MINUTE, WARNED - SECOND)
    assert story.written(WARNED) == []
    office.works(WARNED, WARNED + MINUTE, 15 * SECOND)
    assert story.written(WARNED + MINUTE) == [("warned", WARNED)]
    story.told_about(("apac-tier2", "Due soon: case"))

    # The last second still is in time, and the one after it is not
    office.works(DUE - 2 * MINUTE, DUE, MINUTE)
    assert story.clock(DUE).clock.state == State.RUNNING
    assert [kind for kind, _ in story.written(DUE)] == ["warned"]
    office.works(DUE + SECOND, DUE + MINUTE, 15 * SECOND)
    entries = {each.kind: each for each in office.case(call, DUE + MINUTE).entries}
    assert entries["breached"].at == DUE
    assert entries["breached"].logged_at == DUE + SECOND
    assert (entries["escalated"].detail["level"], story.clock(DUE + SECOND).clock.state) == (1, State.MISSED)
    assert entries["escalated"].detail["desk"] == "apac-tier2"

    # The ladder is that of the desk that has the message, whose people are at work: it is Monday noon in Sydney
    told = story.told()
    assert ("apac-tier2", "Missed: case") in [(who, said[:12]) for who, said in told]
    assert [who for who, said in told if said.startswith("Escalation: Acme")] == [
        "apac-tier2-lead",
        "apac-tier2-manager",
    ]
    # Four hours later the next level; four hours after that the desk is closed, so the last one is told on Tuesday
    for at, expected in ((DUE + 4 * HOUR, ["apac-director"]), (DUE + 8 * HOUR, []), (TUESDAY, ["apac-vice-president"])):
        office.works(at - MINUTE, at + MINUTE, 20 * SECOND)
        assert [who for who, said in story.told() if said.startswith("Escalation: Acme")] == expected
    office.works(TUESDAY + 4 * HOUR, TUESDAY + 4 * HOUR + MINUTE, 20 * SECOND)
    assert {who for who, said in story.told() if said.startswith("Escalation")} == {*LADDER}
    assert [kind for kind, _ in story.written(TUESDAY + 5 * HOUR)] == ["warned", "breached", "escalated"]
    assert listing(office.parts.store, "dead") == []
    assert office.examined(TUESDAY + 5 * HOUR) == []


ANSWERED = {
    "early on Monday": (OPENS + HOUR, []),
    "after the warning": (WARNED + 10 * MINUTE, ["warned"]),
    "in the last second": (DUE, ["warned"]),
}


@pytest.mark.parametrize(("answered", "written"), ANSWERED.values(), ids=ANSWERED)
def test_somebody_in_sydney_calls_back_on_monday_and_that_is_the_end_of_it(story, answered, written):
    office, claimed = story.office, OPENS + 30 * MINUTE
    office.works(CALLED + MINUTE, CLOSES + 2 * MINUTE, 20 * SECOND)
    office.works(OPENS, claimed, 5 * MINUTE)
    assert [who for who, _ in story.told()] == [BY_POST, "apac-tier2"]

    office.does(story.task, "claimed", "kim", claimed)
    office.works(claimed, answered - MINUTE, 2 * MINUTE)
    assert office.case(story.call, answered - SECOND).holder == "kim"
    office.does(story.task, "answered", "kim", answered, outcome="reached", reason="they are up again")

    office.works(answered, answered + 2 * MINUTE, 20 * SECOND)
    office.works(DUE, DUE + 2 * MINUTE, 20 * SECOND)
    office.works(US_OPENS, US_OPENS + 24 * HOUR, HOUR)
    clock, after = story.clock(US_OPENS).clock, US_OPENS + 24 * HOUR
    assert (clock.state, clock.ended_at, clock.counted) == (State.MET, answered, 5 * MINUTE + (answered - OPENS))
    assert office.case(story.call, after).responded_at == answered
    assert [kind for kind, _ in story.written(after)] == written
    story.told_about(*[("apac-tier2", "Due soon: case")] * len(written))
    assert office.query("SELECT count(*) FROM pages") == [(0,)]
    assert office.query("SELECT kind FROM outbox WHERE state <> 'done'") == []
    assert office.examined(after) == []
