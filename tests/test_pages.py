"""Somebody who reached nobody is told about, level by level, until somebody takes it; and nobody is told twice."""

import json
from datetime import timedelta
from threading import Barrier, Thread

import msgspec
import pytest
from click.testing import CliRunner
from paging import CONTACTS, ON_CALL, Paging, PaperProvider, an_outage, unreached
from paper import SATURDAY_NIGHT, TUESDAY_MORNING
from service import LINE, Service

from flows.task import id_of
from flows.work import Entry
from ivr.commands.pages import command
from ivr.contacts import Contact
from recordings import pages
from recordings.outbox import Owed, listing
from recordings.pages import Attempt, Page, Step, Taken
from recordings.work_log import append

MINUTE = timedelta(minutes=1)
AT = SATURDAY_NIGHT
ID = id_of("CA1.page")


@pytest.fixture
def service(database_url):
    found = Service(database_url)
    yield found
    found.close()


@pytest.fixture
def paging(service):
    return Paging(service)


# --- the table


def a_page(store, **changes):
    page = Page(
        ID, "outage", "CA1", "48207195", "8x8-partner", "v", "us", "us-on-call", 1, "caller gone", AT, look_at=AT
    )
    made = Page(**{name: getattr(page, name) for name in page.__struct_fields__} | changes)
    assert pages.open_page(store, made)
    return made


def an_attempt(channel="voice", **changes):
    key = f"{ID}.1.1.us-oncall-lead.{channel}"
    values = {"level": 1, "round": 1, "destination": "us-oncall-lead", "role": "lead", "channel": channel, "at": AT}
    return Attempt(**{"key": key, "page": ID, "case_number": "48207195"} | values | changes)


def test_a_page_is_opened_once_and_read_back_as_it_was(store):
    page = a_page(store)
    assert not pages.open_page(store, page)
    assert pages.load(store, ID) == page
    assert pages.of_call(store, "CA1") == pages.newest(store, 5) == pages.look(store, AT) == [page]
    assert pages.load(store, id_of("another")) is None


def test_a_page_is_due_from_its_instant_on(store):
    a_page(store, look_at=AT + MINUTE)
    assert pages.look(store, AT) == []
    assert len(pages.look(store, AT + MINUTE)) == 1


def test_of_two_who_move_a_page_one_does_and_only_their_people_are_owed_word(store):
    page = a_page(store)
    step = Step(1, 1, AT + MINUTE, (an_attempt(),), (Owed("notify", "one"),))
    other = Step(1, 1, AT + MINUTE, (an_attempt("notify.0"),), (Owed("notify", "two"),))

    assert pages.advance(store, page, step, AT)
    assert not pages.advance(store, page, other, AT)

    assert [each.job.key for each in listing(store, "waiting")] == ["one"]
    assert [each.key for each in pages.attempts(store, ID)] == [an_attempt().key]


def test_of_two_people_who_take_a_page_at_once_exactly_one_has_it(store):
    a_page(store)
    start, won = Barrier(2), []

    def take(who):
        start.wait()
        won.append((who, pages.acknowledge(store, ID, Taken(who, "link"), AT)))

    both = [Thread(target=take, args=(who,)) for who in ("Ada", "Bo")]
    [each.start() for each in both], [each.join() for each in both]

    (winner,) = [who for who, took in won if took]
    assert pages.load(store, ID).acknowledged_by == winner
    rows = store.read(lambda conn: conn.execute("SELECT kind, actor FROM work_log").fetchall(), 5.0)
    assert [tuple(row) for row in rows] == [("acknowledged", winner)]


def test_a_page_that_somebody_has_neither_climbs_nor_closes_nor_hurries(store):
    page = a_page(store)
    assert pages.acknowledge(store, ID, Taken("Ada", "link"), AT)
    assert not pages.advance(store, page, Step(2, 1, AT), AT)
    assert not pages.close(store, ID, "service", "reached", AT)
    assert not pages.hurry(store, ID, AT)
    assert pages.look(store, AT + 60 * MINUTE) == []


def test_a_page_can_climb_again_once(store):
    a_page(store)
    pages.acknowledge(store, ID, Taken("Ada", "link"), AT)
    taken = pages.load(store, ID)
    assert pages.climb_again(store, taken, "no progress", AT + MINUTE)
    assert not pages.climb_again(store, taken, "no progress", AT + MINUTE)
    again = pages.load(store, ID)
    assert (again.state, again.why, again.acknowledged_by) == ("climbing", "no progress", "")


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (["sent"], "sent"),
        (["answered", "sent"], "answered"),
        (["no_answer", "answered"], "no_answer"),
        (["answered", "no_answer"], "no_answer"),
        (["acknowledged", "no_answer"], "acknowledged"),
        (["sent", "failed", "failed"], "failed"),
    ],
)
def test_what_came_of_an_attempt_is_known_whatever_order_it_is_told_in(store, told, known):
    page = a_page(store)
    pages.advance(store, page, Step(1, 1, AT, (an_attempt(), an_attempt("notify.0"))), AT)
    for result in told:
        pages.settle_attempt(store, an_attempt().key, result, AT + MINUTE)
    assert [each.result for each in pages.attempts(store, ID)] == [known, "owed"]


# --- an outage


def test_a_caller_who_hangs_up_unreached_is_paged_about_at_once(service, paging):
    call, ended = unreached(service)
    paging.works(ended)

    page = paging.page_of(call)
    assert (page.id, page.kind, page.level, page.round) == (id_of(f"{call.sid}.page"), "outage", 1, 1)
    assert paging.who_was_told() == [(ended, "us-oncall-engineer")]
    assert [call.to for call in paging.provider.placed] == [CONTACTS["us-oncall-engineer"].numbers[0]]
    at, _, _, subject, body = paging.told[0]
    assert at == ended
    assert subject.startswith("Severity 1, nobody reached: Acme, case ")
    assert subject.endswith("call back …0142")
    assert "+14085550142" not in subject
    assert "Call back: +14085550142" in body


@pytest.mark.parametrize("after", [0, 1, 7, 19, 21, 39, 62, 80, 85, 100, 180, 600])
def test_whenever_they_hang_up_the_first_attempt_is_within_fifteen_seconds(service, paging, after):
    """G13: of a Severity 1 caller who is not reached, whatever was going on when they hung up."""
    call = an_outage(service)
    call.hangs_up_at(after)
    while not call.over:
        if call.is_ringing():
            call.does_not_answer()
        else:
            call.stays_silent()
    ended = service.call_of(call).ended_at
    paging.works_until(SATURDAY_NIGHT, ended + timedelta(seconds=15), timedelta(seconds=5))

    assert any(at <= ended + timedelta(seconds=15) for at, _ in paging.who_was_told())
    assert any(page.state == "climbing" for page in pages.of_call(service.parts.store, call.sid))


def test_nobody_takes_it_so_each_level_is_told_after_five_minutes_and_then_everybody_again_and_again(service, paging):
    """F-I6: an hour without an answer."""
    _, ended = unreached(service)
    paging.works_until(ended, ended + 60 * MINUTE)

    told = [(round((at - ended) / MINUTE), to) for at, to in paging.who_was_told()]
    assert told[:4] == [(0, ON_CALL[0]), (5, ON_CALL[1]), (10, ON_CALL[2]), (15, ON_CALL[3])]
    assert told[4:] == [(minute, who) for minute in range(20, 61, 5) for who in ON_CALL]


def test_it_stops_once_somebody_has_it(service, paging):
    call, ended = unreached(service)
    paging.works_until(ended, ended + 7 * MINUTE)
    page = paging.page_of(call)
    assert pages.acknowledge(paging.store, page.id, Taken("us-oncall-lead", "link"), ended + 7 * MINUTE)
    before = len(paging.told)

    paging.works_until(ended + 7 * MINUTE, ended + 60 * MINUTE)

    assert len(paging.told) == before
    assert service.query("SELECT state, holder FROM tasks WHERE call_sid = ?", call.sid) == [
        ("claimed", "us-oncall-lead")
    ]


def test_every_round_that_nobody_answers_pages_every_level_at_once(service, paging):
    call = an_outage(service)
    while not service.call_of(call).round:
        call.does_not_answer()
    at = service.phone.clock.instant
    paging.works(at)

    assert paging.who_was_told() == [(at, who) for who in ON_CALL]
    assert all("on the line now" in subject for *_, subject, _ in paging.told)

    paging.works(at + timedelta(seconds=30))
    assert len(paging.who_was_told()) == 4, "nobody is told twice in a minute"


def test_whoever_had_it_while_the_caller_waited_is_asked_first_once_the_caller_has_gone(service, paging):
    call = an_outage(service)
    while not service.call_of(call).round:
        call.does_not_answer()
    at = service.phone.clock.instant
    paging.works(at)
    assert pages.acknowledge(paging.store, paging.page_of(call).id, Taken("us-oncall-manager", "key"), at)
    call.hangs_up(after=70)
    ended = service.call_of(call).ended_at
    paging.works_until(ended, ended + 5 * MINUTE)

    assert paging.page_of(call).id == id_of(f"{call.sid}.ended")
    assert [to for _, to in paging.who_was_told(ended)] == ["us-oncall-manager", "us-oncall-engineer"]


def test_whoever_takes_it_after_the_caller_has_gone_is_not_asked_again(service, paging):
    """The job that pages may come late, or twice: what it is about was taken since."""
    call, ended = unreached(service)
    paging.works(ended)
    page = paging.page_of(call)
    pages.acknowledge(paging.store, page.id, Taken("us-oncall-engineer", "link"), ended + MINUTE)
    replayed = service.query("SELECT id FROM outbox WHERE kind = 'page'")
    assert replayed
    before = len(paging.told)
    paging.store.write(lambda conn: conn.execute("UPDATE outbox SET state = 'waiting' WHERE kind = 'page'"), 5.0)
    paging.works(ended + 3 * MINUTE)

    assert len(paging.told) == before
    assert [each.id for each in pages.of_call(paging.store, call.sid)] == [page.id]


def test_a_page_ends_when_the_caller_is_reached_after_all(service, paging):
    call = an_outage(service)
    while not service.call_of(call).round:
        call.does_not_answer()
    paging.works(service.phone.clock.instant)
    call.stays_silent().engineer_accepts()
    call.talks(60).hangs_up()
    at = service.phone.clock.instant + 5 * MINUTE
    before = len(paging.told)
    paging.works(at)

    assert paging.page_of(call).state == "closed"
    assert len(paging.told) == before


def test_a_page_ends_when_somebody_claims_its_call_back(service, paging):
    call, ended = unreached(service)
    paging.works(ended)
    paging.store.write(lambda conn: conn.execute("UPDATE tasks SET state = 'claimed', holder = 'Ada'"), 5.0)
    paging.works(ended + 5 * MINUTE)

    page = paging.page_of(call)
    assert (page.state, page.acknowledged_by, page.acknowledged_how) == ("acknowledged", "Ada", "task")


def test_a_call_back_that_is_let_go_of_is_paged_about_again(service, paging):
    call, ended = unreached(service)
    paging.works(ended)
    pages.acknowledge(paging.store, paging.page_of(call).id, Taken("us-oncall-engineer", "link"), ended + MINUTE)
    paging.store.write(lambda conn: conn.execute("UPDATE tasks SET state = 'new', holder = NULL"), 5.0)
    paging.works(ended + 2 * MINUTE)

    page = paging.page_of(call)
    assert (page.kind, page.state, page.level) == ("call_back", "climbing", 1)
    assert paging.who_was_told(ended + 2 * MINUTE) == [(ended + 2 * MINUTE, "us-oncall-engineer")]


def test_a_caller_beyond_the_limit_pages_nobody_and_the_desk_is_told(service, paging):
    for hour in range(4):
        call, ended = unreached(service, SATURDAY_NIGHT + hour * 10 * MINUTE)
    assert not service.call_of(call).paging
    paging.works(ended + MINUTE)
    assert pages.of_call(paging.store, call.sid) == []
    told = service.query("SELECT detail FROM outbox WHERE kind = 'notify' AND call_sid = ?", call.sid)
    assert len(told) == 1
    assert "Call back owed" in told[0][0]


# --- who is told


def test_two_workers_at_once_tell_nobody_twice(service, paging):
    _, ended = unreached(service)
    paging.works(ended)
    other = Paging(service)
    at = ended + 5 * MINUTE
    start = Barrier(2)

    def looks(pager):
        start.wait()
        pager.round(at)

    both = [Thread(target=looks, args=(each.pager,)) for each in (paging, other)]
    [each.start() for each in both], [each.join() for each in both]
    paging.works(at)

    told = service.query("SELECT key FROM outbox WHERE kind = 'notify'")
    assert len(told) == 4, "two people, two channels each"


def test_one_person_on_two_levels_is_told_once_in_a_climb(service):
    lead = CONTACTS["us-oncall-lead"]
    paging = Paging(service, {**CONTACTS, "us-oncall-manager": Contact(lead.numbers, lead.notify)})
    _, ended = unreached(service)
    paging.works_until(ended, ended + 15 * MINUTE)

    told = [to for _, to in paging.who_was_told()]
    assert told[:3] == [ON_CALL[0], ON_CALL[1], ON_CALL[3]]


def test_a_level_without_anybody_is_left_out_at_once_with_an_alarm(service):
    paging = Paging(service, {**CONTACTS, "us-oncall-engineer": Contact(())})
    call, ended = unreached(service)
    paging.works(ended)

    assert paging.who_was_told() == [(ended, "us-oncall-lead")]
    ((key, detail),) = service.query("SELECT key, detail FROM outbox WHERE kind = 'alarm' AND key LIKE ?", "%.empty")
    assert key == f"{paging.page_of(call).id}.1.empty"
    assert "engineer on call" in detail
    skipped = [each for each in pages.attempts(paging.store, paging.page_of(call).id) if each.result == "skipped"]
    assert [each.level for each in skipped] == [1]


def test_where_nobody_can_be_written_to_the_operators_are_told_once_and_people_are_rung(service):
    paging = Paging(service, {})
    _, ended = unreached(service)
    paging.works_until(ended, ended + 30 * MINUTE)

    assert [to for _, to in paging.who_was_told()] == ["operators"]
    assert len(paging.provider.placed) >= 5


# --- by telephone


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_an_answer_that_was_lost_does_not_ring_anybody_twice(service, lost):
    """F-I4: the provider has placed the call, and we do not hear of it."""
    paging = Paging(service, provider=PaperProvider(loses=lost))
    _, ended = unreached(service)
    paging.works_until(ended, ended + 4 * MINUTE)

    assert len(paging.provider.placed) == 1
    paging.works_until(ended + 4 * MINUTE, ended + 8 * MINUTE)
    assert len(paging.provider.placed) == 2, "another person is another call"


def test_a_number_that_the_provider_will_not_ring_is_tried_once_and_the_next_person_is_told_at_once(service):
    """F-I5: no retry, one alarm, the next contact."""
    number = CONTACTS["us-oncall-engineer"].numbers[0]
    only_telephones = {name: Contact(contact.numbers) for name, contact in CONTACTS.items()}
    paging = Paging(service, only_telephones, PaperProvider(denies=[number]))
    call, ended = unreached(service)
    paging.works_until(ended, ended + MINUTE)

    assert paging.provider.asked == [number, CONTACTS["us-oncall-lead"].numbers[0]]
    assert paging.page_of(call).level == 2
    assert len(service.query("SELECT 1 FROM outbox WHERE kind = 'alarm' AND key LIKE ?", "%.voice.dead")) == 1


def test_nobody_is_rung_who_is_no_longer_listed(service, paging):
    call, ended = unreached(service)
    (job,) = [job for job in paging.claims(ended) if job.kind == "page"]
    paging.pager.page(job, ended)
    gone = Paging(service, {**CONTACTS, "us-oncall-engineer": Contact(())})
    gone.works(ended + timedelta(seconds=40))

    assert CONTACTS["us-oncall-engineer"].numbers[0] not in [call.to for call in gone.provider.placed]
    voice = [each for each in pages.attempts(gone.store, gone.page_of(call).id) if each.channel == "voice"]
    assert (voice[0].destination, voice[0].result) == ("us-oncall-engineer", "failed")


# --- a message that may be about an outage


def test_a_message_that_may_be_about_an_outage_pages_the_first_level(service, paging):
    call = service.at(TUESDAY_MORNING).dials(LINE["us-standard"])
    call.hangs_up()
    at = TUESDAY_MORNING + MINUTE
    paging.owed(at, Owed("page", f"{call.sid}.page.words", {"kind": "outage", "why": "all sites down"}, call.sid))

    page = paging.page_of(call)
    assert (page.kind, page.severity, page.level) == ("outage", None, 1)
    assert paging.told[-1][3].startswith("Possible outage, from a message: Acme")


# --- the command


def test_the_command_lists_shows_and_takes_a_page(service, paging, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", service.parts.settings.database_url)
    call, ended = unreached(service)
    paging.works(ended)
    ident = paging.page_of(call).id

    def says(*words, code=0):
        result = CliRunner().invoke(command, [*words])
        assert result.exit_code == code, result.output
        return result.output

    assert "climbing, level 1, round 1" in says("list")
    shown = says("show", ident)
    assert "engineer on call (voice): sent at 2026-07-19 04:00:" in shown
    assert json.loads(says("show", ident, "--json"))["page"]["id"] == ident
    assert "Ada has it since" in says("ack", ident, "--by", "Ada")
    assert f"page {ident} was not taken: Ada has it since" in says("ack", ident, "--by", "Bo", code=1)
    assert pages.load(paging.store, ident).acknowledged_by == "Ada"
    assert "there is no page" in says("show", "nothing", code=1)


# --- escalations


def an_escalation(number, at, level=1):
    detail = {"kind": "escalation", "case": number, "level": level, "why": "no response in time"}
    return Owed("page", f"{number}.escalation.{at:%H%M}", detail, "", number)


def escalated(paging):
    """Who was told of an escalation, in order."""
    return [to for _, to, _, subject, _ in paging.told if subject.startswith("Escalation, Severity 2: Acme, case ")]


def test_an_escalation_goes_up_its_own_ladder_in_its_hours(service, paging):
    number = service.case_opened_by("+14085550142", TUESDAY_MORNING, "2")
    at = TUESDAY_MORNING + MINUTE
    paging.owed(at, an_escalation(number, at))

    page = pages.load(paging.store, id_of(f"{number}.escalation"))
    assert (page.kind, page.level, page.case_number) == ("escalation", 1, number)
    paging.works_until(at, at + timedelta(hours=3, minutes=50), 10 * MINUTE)
    assert escalated(paging) == ["us-tier2-lead", "us-tier2-manager"]
    paging.works_until(at + timedelta(hours=4), at + timedelta(hours=4, minutes=1))
    assert escalated(paging) == ["us-tier2-lead", "us-tier2-manager", "us-director"]
    assert paging.provider.placed == [], "nobody is rung for it"


def test_an_escalation_that_was_taken_goes_one_level_up_when_it_is_escalated_again(service, paging):
    number = service.case_opened_by("+14085550142", TUESDAY_MORNING, "2")
    at = TUESDAY_MORNING + MINUTE
    paging.owed(at, an_escalation(number, at)).works(at + MINUTE)
    ident = id_of(f"{number}.escalation")
    pages.acknowledge(paging.store, ident, Taken("the lead", "link"), at + MINUTE)
    later = at + 30 * MINUTE
    paging.owed(later, an_escalation(number, later, 2)).works(later + MINUTE)

    page = pages.load(paging.store, ident)
    assert (page.state, page.level) == ("climbing", 2)
    assert escalated(paging)[2:] == ["us-director"]
    paging.store.write(lambda conn: conn.execute("UPDATE outbox SET state = 'waiting' WHERE kind = 'page'"), 5.0)
    paging.works(later + 2 * MINUTE).works(later + 3 * MINUTE)
    assert len(escalated(paging)) == 3, "the same jobs twice are the same steps"


def test_an_escalation_can_begin_at_a_higher_level(service, paging):
    number = service.case_opened_by("+14085550142", TUESDAY_MORNING, "2")
    at = TUESDAY_MORNING + MINUTE
    paging.works(at).owed(at, an_escalation(number, at, 2))
    assert pages.load(paging.store, id_of(f"{number}.escalation")).level == 2


def test_a_missed_severity_1_goes_to_the_people_on_call_at_any_hour_and_they_are_rung(service, paging):
    number = service.case_opened_by("+14085550142", TUESDAY_MORNING, "2")
    paging.store.write(lambda conn: conn.execute("UPDATE cases SET severity_now = 1"), 5.0)
    paging.owed(SATURDAY_NIGHT, an_escalation(number, SATURDAY_NIGHT))
    paging.works_until(SATURDAY_NIGHT, SATURDAY_NIGHT + 5 * MINUTE)
    told = [(at, to) for at, to in paging.who_was_told() if to in ON_CALL]
    assert told == [(SATURDAY_NIGHT, ON_CALL[0]), (SATURDAY_NIGHT + 5 * MINUTE, ON_CALL[1])]
    assert len(paging.provider.placed) == 2


def test_an_escalation_that_becomes_severity_1_while_everybody_is_off_duty_is_urgent_within_a_minute(service, paging):
    number = service.case_opened_by("+14085550142", TUESDAY_MORNING, "2")
    paging.owed(SATURDAY_NIGHT, an_escalation(number, SATURDAY_NIGHT))
    assert escalated(paging) == []
    paging.store.write(lambda conn: conn.execute("UPDATE cases SET severity_now = 1"), 5.0)
    paging.works_until(SATURDAY_NIGHT, SATURDAY_NIGHT + MINUTE)
    assert ON_CALL[0] in [to for _, to in paging.who_was_told(SATURDAY_NIGHT)]


def test_an_escalation_that_waits_says_for_what_and_until_when(service, paging, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", service.parts.settings.database_url)
    number = service.case_opened_by("+14085550142", TUESDAY_MORNING, "2")
    paging.owed(SATURDAY_NIGHT, an_escalation(number, SATURDAY_NIGHT))
    paging.works_until(SATURDAY_NIGHT, SATURDAY_NIGHT + 10 * MINUTE)
    shown = CliRunner().invoke(command, ["show", id_of(f"{number}.escalation")]).output
    assert "next      2026-07-20T12:00:00Z: everybody who is left to be told is off duty" in shown


def test_an_escalation_says_why_then_how_far_up_then_how_to_take_it(service, paging):
    number = service.case_opened_by("+14085550142", TUESDAY_MORNING, "2")
    at = TUESDAY_MORNING + MINUTE
    paging.owed(at, an_escalation(number, at)).works(at + MINUTE)
    body = next(body for *_, subject, body in paging.told if subject.startswith("Escalation"))
    first, second, third, *_ = body.splitlines()
    assert (first, second, third[:14]) == ("No response in time.", "Level 1 of 3", "Take it: https")
    assert "Escalation" not in body


@pytest.mark.parametrize("status", ["resolved", "closed"])
def test_an_escalation_ends_with_its_case(service, paging, status):
    number = service.case_opened_by("+14085550142", TUESDAY_MORNING, "2")
    at = TUESDAY_MORNING + MINUTE
    paging.owed(at, an_escalation(number, at))
    log_of_case(paging, number, status, "ada", at + MINUTE)
    paging.works(at + 3 * MINUTE)
    assert pages.load(paging.store, id_of(f"{number}.escalation")).state == "closed"


def test_an_escalation_ends_once_what_was_overdue_has_been_answered(service, paging):
    number = service.case_opened_by("+14085550142", TUESDAY_MORNING, "2")
    at = TUESDAY_MORNING + MINUTE
    log_of_case(paging, number, "breached", "service", at, clock="first_response")
    log_of_case(paging, number, "escalated", "service", at, level=1)
    paging.owed(at, an_escalation(number, at))
    ident = id_of(f"{number}.escalation")
    assert pages.load(paging.store, ident).state == "climbing"
    log_of_case(paging, number, "response", "ada", at + MINUTE)
    paging.works(at + 3 * MINUTE)
    assert pages.load(paging.store, ident).state == "closed"


def log_of_case(paging, number, kind, by, at, **detail):
    entry = Entry(number, kind, at, by, detail, f"{number}.{kind}", at)
    paging.store.write(lambda conn: append(conn, paging.store, (entry,)), 5.0)


def test_a_level_that_is_asked_for_is_told_though_the_page_has_just_told_a_lower_one(service, paging):
    number = service.case_opened_by("+14085550142", TUESDAY_MORNING, "2")
    at = TUESDAY_MORNING + MINUTE
    paging.owed(at, an_escalation(number, at))
    (job,) = [row for row in listing(paging.store, "done", "page", 100) if row.job.case_number == number]
    asked = msgspec.structs.replace(job.job, detail={**job.job.detail, "level": 2}, created_at=at)
    paging.pager.page(asked, at + MINUTE)
    paging.pager.page(asked, at + 2 * MINUTE)
    assert pages.load(paging.store, id_of(f"{number}.escalation")).level == 2


def test_whoever_was_told_within_a_minute_is_not_told_again_though_the_asker_is_an_hour_ahead(service, paging):
    call = an_outage(service)
    while not service.call_of(call).round:
        call.does_not_answer()
    at = service.phone.clock.instant
    paging.works(at)
    (job,) = [row.job for row in listing(paging.store, "done", "page", 100) if "round" in row.job.detail][:1]
    ahead = msgspec.structs.replace(job, created_at=at + 60 * MINUTE)
    for second in range(1, 10):
        paging.pager.page(ahead, at + timedelta(seconds=second))
    paging.works(at + timedelta(seconds=10))
    assert len(paging.who_was_told()) == 4


def test_the_level_after_the_last_is_called_everybody(service, paging, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", service.parts.settings.database_url)
    call, ended = unreached(service)
    paging.works_until(ended, ended + 26 * MINUTE)
    shown = CliRunner().invoke(command, ["show", paging.page_of(call).id]).output
    assert "climbing, everybody, round 3" in shown
    assert "level 5" not in shown


def test_a_page_is_climbing_until_somebody_has_it(store):
    a_page(store)
    assert pages.climbs(store, ID)
    pages.acknowledge(store, ID, Taken("Ada", "link"), AT)
    assert not pages.climbs(store, ID)


def test_an_ordinary_call_back_is_told_to_its_desk_and_pages_nobody(service, paging):
    call = service.at(TUESDAY_MORNING).dials(LINE["us-standard"]).presses("1").presses("2")
    while not call.over and not service.call_of(call).call_back:
        if call.is_ringing():
            call.does_not_answer()
        else:
            call.presses("1")
    at = service.phone.clock.instant + MINUTE
    paging.works(at)
    assert pages.of_call(paging.store, call.sid) == []
    ((detail,),) = service.query("SELECT detail FROM outbox WHERE kind = 'notify' AND call_sid = ?", call.sid)
    assert "Call back owed: Acme" in detail
