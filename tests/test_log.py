"""The log: a turn once, whoever delivers it how often; what was acknowledged is there, whatever dies."""

import os
import random
import signal
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from children import fork
from cutting_proxy import CuttingProxy
from logbook import AT, PATIENCE, at, begun, case_of, count, key, new_call, place_call, rows, went_on, with_leg

from flows.call import Call, Leg, Message, Turned
from flows.heard import Answered, HungUp, Keys, RecordingReady
from recordings.engines import open_store
from recordings.log import REMEMBERED, CallLog, UnknownCall
from recordings.store import StoreUnavailable
from routing.decide import Decision, Target
from routing.partner import Partner, PartnerType, Status
from routing.policy import Does

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
KILLS = {"sqlite": 30, "postgresql": 10}


@pytest.fixture
def other(database_url: str) -> Iterator[CallLog]:
    """The log as another process has it: the same database, other connections, nothing remembered."""
    with closing(open_store(database_url)) as store:
        yield CallLog(store)


def never(_call: Call | None) -> tuple[Turned, bytes]:
    raise AssertionError("the turn was taken a second time")


# Turns


def test_a_call_is_begun_goes_on_and_is_found_again(log):
    replies = place_call(log, "CA1", turns=3)

    assert replies == [b"<Response>CA1 %d</Response>" % n for n in (1, 2, 3)]
    assert log.load("CA1") == new_call("CA1", turn=3, node="node2")
    assert log.load("CA2") is None


def test_the_timeline_tells_what_was_heard_what_happened_and_what_was_answered(log):
    place_call(log, "CA1", turns=2)
    first, second = log.timeline("CA1")

    assert (first.leg, first.turn, first.at, first.node) == (0, 0, AT, "greet")
    assert (second.heard, second.reply, second.node) == (Keys("1"), b"<Response>CA1 2</Response>", "node1")
    assert [event.event for event in second.events] == ["heard"]
    assert second.changes == '{"node":"node1","turn":2}'


def test_a_turn_delivered_again_gets_the_same_bytes_and_changes_nothing(log, store):
    replies = place_call(log, "CA1", turns=4)
    before = log.load("CA1"), count(store, "turns")

    assert [log.turn(key("CA1", turn), never, PATIENCE) for turn in range(4)] == replies
    assert (log.load("CA1"), count(store, "turns")) == before


def test_the_stored_reply_is_there_after_a_restart(log, other):
    replies = place_call(log, "CA1", turns=2)

    assert other.turn(key("CA1", 1), never, PATIENCE) == replies[1]
    assert other.turn(key("CA1", 0), never, PATIENCE) == replies[0]


def test_a_call_that_another_process_has_begun_is_not_begun_again(log, other):
    """A first turn is taken without looking, because nearly all are new; what comes of it is then thrown away."""
    replies = place_call(log, "CA1", turns=2)

    assert other.turn(key("CA1", 0), begun("CA1", intent="existing"), PATIENCE) == replies[0]
    assert other.load("CA1").intent == "none"


def test_a_turn_delivered_again_with_other_keys_gets_the_reply_to_the_first(log):
    replies = place_call(log, "CA1", turns=2)

    assert log.turn(key("CA1", 1, heard=Keys("9")), never, PATIENCE) == replies[1]
    assert log.timeline("CA1")[1].heard == Keys("1")


@pytest.mark.parametrize("turn", [0, 2])
def test_ten_deliveries_at_once_have_one_effect_and_one_reply(log, store, turn):
    place_call(log, "CA1", turns=turn) if turn else None
    together = threading.Barrier(10)

    def deliver(_n: int) -> bytes:
        together.wait()
        return log.turn(key("CA1", turn), begun("CA1") if turn == 0 else went_on(), PATIENCE)

    with ThreadPoolExecutor(10) as threads:
        replies = set(threads.map(deliver, range(10)))

    assert replies == {b"<Response>CA1 %d</Response>" % (turn + 1)}
    assert count(store, "turns") == turn + 1
    assert log.load("CA1") == log.rebuild("CA1")


def test_of_two_processes_that_take_a_turn_at_once_one_wins_and_both_answer_the_same(log, other):
    """The second one remembers the call as it was before, takes the turn, and finds out when it writes."""
    place_call(log, "CA1", turns=2)
    other.turn(key("CA1", 1), never, PATIENCE)
    first = log.turn(key("CA1", 2), went_on(intent="new"), PATIENCE)

    assert other.turn(key("CA1", 2), went_on(intent="existing"), PATIENCE) == first
    assert other.load("CA1").intent == "new"


def test_processes_may_take_turns_at_serving_a_call(log, other):
    log.turn(key("CA1", 0), begun("CA1"), PATIENCE)
    for turn in range(1, 9):
        (log if turn % 2 else other).turn(key("CA1", turn), went_on(), PATIENCE)

    assert log.load("CA1").turn == 9
    assert [row.turn for row in log.timeline("CA1")] == list(range(9))


def test_a_turn_is_not_based_on_a_call_that_has_changed_meanwhile(log, other):
    """The other process remembers the call, but not that its caller has hung up: that must not be undone."""
    place_call(log, "CA1", turns=1)
    other.turn(key("CA1", 1), went_on(), PATIENCE)
    log.notice("CA1", HungUp(), at(60), hung_up, PATIENCE)
    other.turn(key("CA1", 2), went_on(), PATIENCE)

    assert log.load("CA1").ended_at == at(60)
    assert log.load("CA1") == log.rebuild("CA1")


def test_a_later_turn_of_a_call_that_nobody_knows_is_refused_and_writes_nothing(log, store):
    with pytest.raises(UnknownCall):
        log.turn(key("CA9", 3), never, PATIENCE)
    assert count(store, "calls") == 0


def test_a_later_turn_of_an_unknown_call_may_begin_it_where_that_is_allowed(log):
    begin_late = lambda call: (Turned(new_call("CA9", turn=4)), b"rescued") if call is None else never(call)  # noqa: E731

    assert log.turn(key("CA9", 3), begin_late, PATIENCE, allow_unknown=True) == b"rescued"
    assert log.turn(key("CA9", 3), never, PATIENCE, allow_unknown=True) == b"rescued"


def test_a_step_that_raises_leaves_the_call_as_it_was(log, store):
    place_call(log, "CA1", turns=2)
    with pytest.raises(AssertionError):
        log.turn(key("CA1", 2), never, PATIENCE)

    assert count(store, "turns") == 2
    assert log.turn(key("CA1", 2), went_on(), PATIENCE) == b"<Response>CA1 3</Response>"


def test_an_engineer_has_a_conversation_of_their_own(log):
    place_call(log, "CA1", turns=1)
    log.turn(key("CA1", 1), with_leg, PATIENCE)

    def whispered(call: Call | None) -> tuple[Turned, bytes]:
        leg = call.legs[0]
        return Turned(call.but(legs=(Leg(leg.number, leg.destination, leg.role, leg.started_at, turn=1),))), b"whisper"

    whisper = key("CA1", 0, leg=1, heard=Answered())
    assert log.turn(whisper, whispered, PATIENCE) == b"whisper"
    assert log.turn(whisper, never, PATIENCE) == b"whisper"
    assert [(row.leg, row.turn) for row in log.timeline("CA1")] == [(0, 0), (0, 1), (1, 0)]


def test_the_newest_calls_come_first(log):
    for number in range(5):
        started = AT + timedelta(minutes=(number * 3) % 5)
        log.turn(key(f"CA{number}", 0), begun(f"CA{number}", started_at=started), PATIENCE)

    assert [call.sid for call in log.newest(3)] == ["CA3", "CA1", "CA4"]


def test_a_process_remembers_no_more_than_so_many_calls(log):
    for number in range(REMEMBERED // 4):
        log.turn(key(f"CA{number}", 0), begun(f"CA{number}"), PATIENCE)
    log._recent._most = 10
    place_call(log, "CA-last", turns=1)
    log._recent.put("CA-more", log._recent.get("CA-last"))

    assert log.turn(key("CA0", 1), went_on(), PATIENCE) == b"<Response>CA0 2</Response>"


# Facts that nobody waits for


def hung_up(call: Call | None) -> Turned | None:
    if call is None or call.ended_at:
        return None
    return Turned(call.but(ended_at=at(60), outcome="abandoned_ivr").note(at(60), "ended"))


def test_a_fact_is_written_once_however_often_it_comes(log):
    place_call(log, "CA1", turns=2)

    assert log.notice("CA1", HungUp(), at(60), hung_up, PATIENCE) is True
    assert log.notice("CA1", HungUp(), at(60), hung_up, PATIENCE) is False
    fact = log.timeline("CA1")[-1]
    assert (fact.leg, fact.heard, fact.reply, [event.event for event in fact.events]) == (-1, HungUp(), None, ["ended"])
    assert log.rebuild("CA1") == log.load("CA1") != new_call("CA1")


def test_a_fact_sees_the_call_as_it_is_and_not_as_it_was_here_last(log, other):
    """A voicemail that another process has taken is news to this one, and its recording must not be lost for that."""
    place_call(log, "CA1", turns=1)
    other.turn(key("CA1", 1), went_on(take=Message("RE1", 9, AT)), PATIENCE)
    seen = []

    assert log.notice("CA1", RecordingReady("RE1", "completed"), at(9), seen.append, PATIENCE) is False
    assert [call.take.recording for call in seen] == ["RE1"]


def test_of_ten_equal_facts_at_once_one_is_news(log, store):
    place_call(log, "CA1", turns=1)
    with ThreadPoolExecutor(10) as threads:
        news = list(threads.map(lambda _: log.notice("CA1", HungUp(), at(60), hung_up, PATIENCE), range(10)))

    assert news.count(True) == 1
    assert count(store, "turns") == 2


def test_a_fact_about_an_unknown_call_may_make_a_row_and_the_call_may_still_come(log, store):
    stub = Turned(new_call("CA1", turn=0, node="never_served", ended_at=at(0)).note(AT, "never_served"))
    assert log.notice("CA1", HungUp(), at(0), lambda call: stub if call is None else None, PATIENCE) is True

    merged = log.turn(key("CA1", 0), lambda call: (Turned(call.but(turn=1, ended_at=None)), b"hello"), PATIENCE)
    assert merged == b"hello"
    assert count(store, "calls") == 1
    assert log.rebuild("CA1") == log.load("CA1")


# What a turn leaves beside the document


def test_events_and_effects_belong_to_their_turn_and_not_to_the_document(log, store):
    def paging(call: Call | None) -> tuple[Turned, bytes]:
        after = call.but(turn=2, case_number="48207195").owe("page", "page.1", why="nobody", due=AT)
        return Turned(after.note(AT, "paged")), b"x"

    place_call(log, "CA1", turns=1)
    log.turn(key("CA1", 1), paging, PATIENCE)

    assert (log.load("CA1").events, log.load("CA1").effects) == ((), ())
    assert rows(store, "SELECT key, kind, call_sid, case_number, detail, state, attempts FROM outbox") == [
        ("CA1.page.1", "page", "CA1", "48207195", '{"why":"nobody","due":"2026-07-14T20:30:15.123456Z"}', "waiting", 0)
    ]
    assert rows(store, "SELECT not_before, lane FROM outbox") == [(None, None)]
    assert store.moment(rows(store, "SELECT created_at FROM outbox")[0][0]) == at(1)


def test_an_effect_is_owed_once_by_its_key_and_several_may_be_owed_at_a_time(log, store):
    place_call(log, "CA1", turns=1)
    for turn in (1, 2):
        owing = lambda call: (Turned(call.but(turn=call.turn + 1).owe("page", "a").owe("alarm", "b")), b"x")  # noqa: E731
        log.turn(key("CA1", turn), owing, PATIENCE)

    assert sorted(rows(store, "SELECT key FROM outbox")) == [("CA1.a",), ("CA1.b",)]


def test_the_case_follows_its_call_and_keeps_what_people_did_to_it(log, other, store):
    """A process that does not remember the case writes it again: the same, and not opened anew."""

    def with_case(severity: int | None):
        def step(call: Call | None) -> tuple[Turned, bytes]:
            after = call.but(turn=call.turn + 1, severity=severity)
            return Turned(after, None, case_of(after, severity=severity, response_due=AT)), b"x"

        return step

    place_call(log, "CA1", turns=1)
    log.turn(key("CA1", 1), with_case(None), PATIENCE)
    log.turn(key("CA1", 2), with_case(2), PATIENCE)
    assert rows(store, "SELECT number, severity, status FROM cases") == [("48207195", 2, "open")]
    store.write(lambda conn: conn.execute("UPDATE cases SET status = 'closed'"), PATIENCE)
    other.turn(key("CA1", 3), with_case(1), PATIENCE)

    assert rows(store, "SELECT number, call_sid, severity, status FROM cases") == [("48207195", "CA1", 1, "closed")]


def test_a_case_number_stays_with_the_call_that_had_it_first(log, store):
    """It cannot happen; if it did, the older case would be the one to keep."""
    for sid, severity in (("CA1", 1), ("CA2", 2)):
        opened = Turned(new_call(sid), None, case_of(new_call(sid), severity=severity))
        log.turn(key(sid, 0), lambda _call, opened=opened: (opened, b"x"), PATIENCE)

    assert rows(store, "SELECT call_sid, severity FROM cases") == [("CA1", 1)]


def test_what_the_call_list_filters_by_is_what_the_document_says(log, store):
    basics = {"partner_id": "347109", "name": "Acme", "type": PartnerType.RESALE, "region": "us", "first_line": True}
    rest = {"certified_from": None, "certified_until": None, "representatives": (), "programme": "8x8-partner"}
    partner = Partner(**basics, **rest, status=Status.ACTIVE)
    ring = (Target("us-tier2-engineer", "us-tier2"),)
    decision = Decision("R2", Does.RING, "desk", AT, "v1", 2, "us", "us-tier2", ring)
    changes = {"partner": partner, "decision": decision, "rules": ("R1", "R2"), "severity": 2, "intent": "new"}
    late = {
        "flags": ("FOLLOWED_SUN", "UNVERIFIED"),
        "outcome": "connected",
        "case_number": "48207195",
        "ended_at": at(99),
    }
    place_call(log, "CA1", turns=1)
    log.turn(key("CA1", 1), went_on(**changes, **late, message=Message("RE1", 9, at(5))), PATIENCE)

    columns = "line_id, region, caller, partner_id, type, intent, severity, rule, kind, desk, node, outcome, flags"
    assert rows(store, f"SELECT {columns}, case_number, version FROM calls") == [
        (
            *("us-standard", "us", "+14085550142", "347109", "resale", "new", 2, "R2", "desk", "us-tier2"),
            *("node1", "connected", "FOLLOWED_SUN UNVERIFIED", "48207195", 2),
        )
    ]
    instants = rows(store, "SELECT started_at, ended_at, message_at FROM calls")[0]
    assert [store.moment(instant) for instant in instants] == [AT, at(99), at(5)]


def test_what_comes_from_outside_is_stored_and_read_back_as_it_came(log):
    odd = "\x00 \u202e </Say> '; DROP TABLE calls; -- \U0001f4de \ufffe"
    place_call(log, "CA1", turns=1)
    log.turn(key("CA1", 1, heard=Keys(odd)), went_on(typed=odd), PATIENCE)

    assert log.load("CA1").typed == odd
    assert log.timeline("CA1")[1].heard == Keys(odd)


# Faults


def test_a_turn_whose_store_is_locked_too_long_is_refused_in_time_and_taken_when_it_is_delivered_again(sqlite_url):
    file = sqlite_url.removeprefix("sqlite:///")
    with closing(open_store(sqlite_url)) as store, closing(sqlite3.connect(file, isolation_level=None)) as foreign:
        log = CallLog(store)
        place_call(log, "CA1", turns=1)
        foreign.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            log.turn(key("CA1", 1), went_on(), 0.5)
        foreign.execute("ROLLBACK")

        assert log.turn(key("CA1", 1), went_on(), PATIENCE) == b"<Response>CA1 2</Response>"
        assert count(store, "turns") == 2


def test_a_turn_while_the_file_is_gone_is_refused_and_taken_when_it_is_back(sqlite_url, tmp_path):
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    with closing(open_store(sqlite_url)) as store:
        log = CallLog(store)
        place_call(log, "CA1", turns=1)
        file.rename(tmp_path / "away.db")
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                log.turn(key("CA1", 1), went_on(), PATIENCE)
        (tmp_path / "away.db").rename(file)

        assert log.turn(key("CA1", 1), went_on(), PATIENCE) == b"<Response>CA1 2</Response>"


def refuses(log: CallLog, turn: int) -> bool:
    try:
        log.turn(key("CA1", turn), went_on(), PATIENCE)
    except StoreUnavailable as error:
        return "full" in str(error)
    return False


def test_a_turn_while_the_database_is_full_is_refused_and_taken_when_there_is_room(sqlite_url):
    with closing(open_store(sqlite_url)) as store:
        log = CallLog(store)
        place_call(log, "CA1", turns=1)
        store.write(lambda conn: conn.execute("PRAGMA max_page_count = 1").fetchall(), PATIENCE)
        refused = next(turn for turn in range(1, 200) if refuses(log, turn))
        store.write(lambda conn: conn.execute("PRAGMA max_page_count = 1000000").fetchall(), PATIENCE)

        assert log.turn(key("CA1", refused), went_on(), PATIENCE) == b"<Response>CA1 %d</Response>" % (refused + 1)
        assert log.rebuild("CA1") == log.load("CA1")


def test_a_server_that_hangs_refuses_a_turn_in_time_and_takes_it_once_when_it_goes_on(postgres_url, postgres_server):
    with closing(open_store(postgres_url)) as store:
        log = CallLog(store)
        place_call(log, "CA1", turns=1)
        with postgres_server.frozen(), pytest.raises(StoreUnavailable, match="in time"):
            log.turn(key("CA1", 1), went_on(), 0.3)

        assert log.turn(key("CA1", 1), went_on(), PATIENCE) == b"<Response>CA1 2</Response>"
        assert count(store, "turns") == 2


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_was_restarted_is_used_again_without_a_failed_turn(postgres_url, postgres_server, how):
    with closing(open_store(postgres_url)) as store:
        log = CallLog(store)
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(lambda n: place_call(log, f"CA{n}", turns=2), range(12)))
        postgres_server.stop(how)
        with pytest.raises(StoreUnavailable):
            log.turn(key("CA1", 2), went_on(), PATIENCE)
        postgres_server.start()

        assert [log.turn(key(f"CA{n}", 2), went_on(), PATIENCE) for n in range(12)]
        assert count(store, "turns") == 36


def test_a_connection_lost_after_the_commit_is_no_reason_to_take_the_turn_again(postgres_url, postgres_server):
    """The answer to the commit never arrives, so the log looks before it writes again."""
    proxy = CuttingProxy(postgres_server.port)
    url = postgres_url.replace(f":{postgres_server.port}/", f":{proxy.port}/")
    with closing(open_store(url)) as store, closing(proxy):
        log = CallLog(store)
        place_call(log, "CA1", turns=1)
        for turn in range(1, 21):
            proxy.arm()
            assert log.turn(key("CA1", turn), went_on(), PATIENCE) == b"<Response>CA1 %d</Response>" % (turn + 1)

        assert proxy.cuts == 20
        assert count(store, "turns") == 21
        assert log.rebuild("CA1") == log.load("CA1")


def serve_until_killed(url: str, sid: str, acknowledge: int) -> None:
    """Take turn after turn in two threads, and say of each that it is done only when it is."""
    with closing(open_store(url)) as store:
        log = CallLog(store)

        def serve(mine: str) -> None:
            for turn in range(100_000):
                reply = log.turn(key(mine, turn), begun(mine) if turn == 0 else went_on(), PATIENCE)
                os.write(acknowledge, f"{mine} {turn} {reply.decode()}\n".encode())

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(serve, [f"{sid}a", f"{sid}b"]))


def acknowledged_before_kill(url: str, sid: str, patience: float) -> list[str]:
    """Kill a serving process at a random moment, and return the lines that it had written by then."""
    reader, writer = os.pipe()
    child = fork(lambda: serve_until_killed(url, sid, writer))
    os.close(writer)
    with os.fdopen(reader, "rb") as lines:
        first = lines.readline()
        killer = threading.Timer(patience, os.kill, (child, signal.SIGKILL))
        killer.start()
        rest = lines.readlines()
    killer.join()
    os.waitpid(child, 0)
    return [line.decode().rstrip("\n") for line in (first, *rest) if line.endswith(b"\n")]


def test_whatever_was_acknowledged_is_there_after_the_process_was_killed(database_url, store, log):
    chance = random.Random(1)
    acknowledged = 0
    for kill in range(KILLS[store.dialect]):
        for line in acknowledged_before_kill(database_url, f"CA{kill}", chance.random() / 20):
            sid, turn, reply = line.split(" ", 2)
            assert log.timeline(sid)[int(turn)].reply.decode() == reply
            acknowledged += 1

    assert acknowledged > KILLS[store.dialect]
    assert all(log.rebuild(call.sid) == call for call in log.newest(1000))
    if store.dialect == "sqlite":
        assert rows(store, "PRAGMA integrity_check") == [("ok",)]


def test_a_killed_process_leaves_the_queue_of_writers_to_the_others(database_url, log):
    acknowledged_before_kill(database_url, "CA0", 0.01)

    assert place_call(log, "CA-next", turns=2)
