"""A worker killed with signal 9 between any two steps: what it owed is done by the next one, and nothing twice unsaid.

The worker is `ivr worker` in a process of its own; whoever is told, and the provider, are real servers on loopback.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from office import Office
from receiver import Receiver
from rest import Rest, serving, speech
from service import LINE

from ivr.clock import now
from ivr.jobs.assembly import keyring_for, teller_for
from ivr.notify.tell import Note
from recordings import kept
from recordings.outbox import listing, owe_now

PATIENCE = 40  # seconds for a process, on a machine that others use too
BATCH = 14  # messages that are new to each worker: more than it lives to send


@contextmanager
def worker(office, failpoint=""):
    """`ivr worker`; it is not left behind."""
    environ = {**os.environ, **office.environ, "IVR_FAILPOINT": failpoint, "LOG_LEVEL": "INFO"}
    with (office.folder.parent / "worker.log").open("ab") as out:
        command = [str(Path(sys.executable).with_name("ivr")), "worker"]
        process = subprocess.Popen(command, env=environ, cwd=office.folder.parent, stdout=out, stderr=out)
        try:
            yield process
        finally:
            process.kill()
            process.wait(PATIENCE)


def dies(office, failpoint):
    """Let a worker work until it is killed at a place."""
    with worker(office, failpoint) as process:
        assert process.wait(PATIENCE) == -signal.SIGKILL, "it did not come to that place"


def time_passes(office):
    """Let the leases of the dead be over, and whatever was put off be due."""
    change(office, "UPDATE outbox SET leased_until = NULL, not_before = NULL WHERE state = 'waiting'")


def leases_run_on(office):
    """Let the dead keep their leases, so that the next one to die has nothing in hand that was cut short before."""
    later = office.parts.store.instant(now() + timedelta(hours=1))
    change(office, "UPDATE outbox SET leased_until = ? WHERE state = 'waiting' AND leased_until IS NOT NULL", later)


def change(office, sql, *params):
    store = office.parts.store
    store.write(lambda conn: conn.execute(store.sql(sql), params).rowcount, 10)


def works_until(office, is_done):
    """Let a worker work until something is so, and then tell it to stop: it ends in time, and well."""
    with worker(office) as process:
        until(is_done, office)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def until(is_done, office=None):
    """Wait until something is so; with an office, time passes there more quickly than it does here."""
    ends = time.monotonic() + PATIENCE
    while not is_done():
        assert time.monotonic() < ends, "it takes too long"
        if office:
            change(office, "UPDATE outbox SET not_before = NULL WHERE state = 'waiting'")
        time.sleep(0.1)


def nothing_waits(office):
    return not listing(office.parts.store, "waiting")


@pytest.fixture
def inbox():
    with Receiver() as inbox:
        yield inbox


@pytest.fixture
def rest():
    rest = Rest(now=now)
    with serving(rest):
        yield rest


@pytest.fixture
def office(database_url, tmp_path, inbox, rest):
    yield from opened(database_url, tmp_path, inbox, rest)


@pytest.fixture
def sqlite_office(sqlite_url, tmp_path, inbox, rest):
    yield from opened(sqlite_url, tmp_path, inbox, rest)


def opened(url, folder, inbox, rest):
    people = {"us-tier2-lead": [f"json://{inbox.host}/lead"]}
    given = {"TWILIO_API_BASE": rest.url, "NOTIFY_URLS": f"json://{inbox.host}/operators"}
    with closing(Office(url, folder, people, **given)) as office:
        yield office


def owes(office, first, count=BATCH):
    """Owe messages to a person and to the operators, in turns; each is its own matter."""
    teller, at = teller_for(office.parts), now()
    for number in range(first, first + count):
        to = ("us-tier2-lead", "operators")[number % 2]
        rows = teller.tell(to, Note(f"Message {number}", "Somebody waits."), urgent=True, key=f"m{number}", at=at)
        owe_now(office.parts.store, rows, at)


def deliveries(inbox):
    """What was delivered of each message, in order: its first line, and what it goes by."""
    found = defaultdict(list)
    for got in inbox.got:
        number = re.search("Message ([0-9]+)", got.json["title"])[1]
        found[int(number)].append((got.json["title"], got.json["message"].splitlines()[-1]))
    return found


DEATHS = {"sqlite": (1, 2, 5, 9), "postgresql": (1, 7)}  # how many times the place is passed


@pytest.mark.parametrize("place", ["outbox.sent_unmarked", "outbox.claimed"])
def test_a_message_is_never_lost_and_one_that_comes_twice_says_so(office, inbox, place):
    """F-A5: killed after sending and before noting it, and before sending, while three other threads are at work."""
    deaths = DEATHS[office.parts.store.dialect]
    for death, passing in enumerate(deaths):
        owes(office, death * BATCH)
        dies(office, f"{place}:kill9@{passing}")
        leases_run_on(office)
    time_passes(office)
    works_until(office, lambda: nothing_waits(office))

    found = deliveries(inbox)
    assert sorted(found) == [*range(len(deaths) * BATCH)], "a message was lost"
    twice = [each for each in found.values() if len(each) > 1]
    assert [each for each in found.values() if len(each) > 2] == [], "a message came three times"
    assert all(second.startswith("Repeat: Message") for _, (second, _) in twice)
    assert all(first == second and first.startswith("ref ") for (_, first), (_, second) in twice)
    assert len({each[0][1] for each in found.values()}) == len(found), "two messages go by the same reference"
    assert listing(office.parts.store, "dead") == []
    if place == "outbox.sent_unmarked":
        assert len(twice) >= len(deaths), "the worker that died had sent something"


@pytest.mark.parametrize(
    ("place", "deaths"), [("rec.partial", 1), ("rec.stored_unmarked", 2), ("rec.before_provider_delete", 2)]
)
def test_audio_is_kept_once_and_the_providers_copy_goes_only_when_ours_can_be_heard(sqlite_office, rest, place, deaths):
    """F-G6: killed once or twice at each place; whenever the provider is asked to delete, our own copy opens."""
    office, heard = sqlite_office, []

    def can_be_heard(answer):
        row = kept.find(office.parts.store, tape.sid)
        blob = (office.folder / row.name).read_bytes()
        heard.append(keyring_for(office.settings).open_file(tape.sid, blob, row.sealed_key) == speech())
        answer.properly()

    call = office.at(now()).dials(LINE["us-voicemail"])
    call.presses("2").presses("#").leaves_a_message(30).presses("1").hangs_up()
    office.phone.settle()
    tape = rest.holds(call.sid, call.takes[0].sid, seconds=30)
    rest.knows(call.sid, LINE["us-voicemail"], "+14085550142")
    rest.fails(can_be_heard, "DELETE", times=20)
    call.recording_arrives()
    for _ in range(deaths):
        dies(office, f"{place}:kill9@1")
        assert not tape.deleted
        time_passes(office)
    works_until(office, lambda: (row := kept.find(office.parts.store, tape.sid)) and row.provider_deleted_at)

    assert office.query("SELECT state, count(*) FROM recordings GROUP BY state") == [("stored", 1)]
    assert tape.deleted
    assert heard
    assert all(heard)
    assert office.tasks(call)["message"]["audio"] == "stored"
    assert office.examined(now()) == []


def test_a_worker_that_is_told_to_stop_ends_what_it_has_begun(sqlite_office, inbox):
    """SIGTERM in the middle of a message: it is sent, noted, and the process ends well."""
    office, inbox.hangs = sqlite_office, True
    owes(office, 0, 1)
    with worker(office) as process:
        until(lambda: inbox.refused)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert process.poll() is None, "it has not waited for what it had begun"
        inbox._let_go.set()
        assert process.wait(20) == 0
    assert len(inbox.refused) == 1
    assert len(listing(office.parts.store, "done", "notify")) == 1
