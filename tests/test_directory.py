"""The directory: what a conversation may look up, and that it is quick at a hundred thousand partners."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from logbook import AT, CALLER, PATIENCE, begun, case_of, key, new_call, went_on

from flows.call import Call, CaseRef, Directory, Message, MessageState, Tally, Turned
from recordings.directory import SqlDirectory
from recordings.engines import open_store
from recordings.log import CallLog
from recordings.partners import DEMO, Kind, import_partners, load_demo
from recordings.store import Store, StoreUnavailable
from routing.numbers import is_fictional
from routing.partner import Certification, Partner, PartnerType, Status, read_loa_row

ACME, BEACON, HARBOUR = "347109", "620045", "620052"
HOUR = timedelta(hours=1)


@pytest.fixture
def directory(store: Store) -> Directory:
    """The demo's directory."""
    load_demo(store)
    return SqlDirectory(store)


# Partners


def test_a_partner_is_found_by_its_id_with_everything_that_the_file_says(directory):
    assert directory.partner(ACME) == Partner(
        partner_id=ACME,
        name="Acme",
        type=PartnerType.RESALE,
        region="us",
        certified_from=date(2024, 2, 1),
        certified_until=None,
        first_line=True,
        status=Status.ACTIVE,
        representatives=("+14085550142",),
        programme="8x8-partner",
    )


@pytest.mark.parametrize("wrong", ["347108", "", "34710", "0347109", "%", "347109 ", "' OR 1=1 --"])
def test_an_id_that_nobody_has_finds_nobody(directory, wrong):
    assert directory.partner(wrong) is None


def test_a_partner_is_found_whatever_its_status(directory):
    assert directory.partner("733387").status is Status.SUSPENDED


def test_a_representatives_number_finds_every_partner_that_lists_it(store, tmp_path):
    file = tmp_path / "partners.csv"
    rows = ["3,C,resale,us,,,no,active,+14085550142 +14085550143,p", "2,B,resale,us,,,no,closed,+14085550142,p"]
    header = (DEMO / "partners.csv").read_text().splitlines()[0]
    file.write_text("\n".join([header, *rows, "1,A,resale,us,,,no,active,+14085550143,p"]))
    import_partners(store, file)
    directory = SqlDirectory(store)

    assert [partner.partner_id for partner in directory.partners_of("+14085550142")] == ["2", "3"]
    assert directory.partners_of("+14085550142")[1].representatives == ("+14085550142", "+14085550143")
    assert directory.partners_of("+14085550199") == ()


def test_the_whole_directory_comes_in_order(directory):
    ids = [partner.partner_id for partner in directory.partners()]

    assert len(ids) == 9
    assert ids == sorted(ids)


# Letters of Agency


@pytest.mark.parametrize(
    ("day", "on_file"), [("2025-12-31", False), ("2026-01-01", True), ("2026-06-30", True), ("2026-07-01", False)]
)
def test_a_letter_is_on_file_on_its_first_and_last_day_and_between(directory, store, tmp_path, day, on_file):
    file = tmp_path / "letters.csv"
    row = f"{HARBOUR},Pinewood Library,,2026-01-01,2026-06-30"
    file.write_text(f"partner_id,customer,service_number,valid_from,valid_until\n{row}\n")
    import_partners(store, file, Kind.LETTERS)
    letter = read_loa_row(
        dict(
            zip(("partner_id", "customer", "service_number", "valid_from", "valid_until"), row.split(","), strict=True)
        )
    )

    assert directory.loa_on_file(HARBOUR, datetime.fromisoformat(f"{day}T12:00:00+00:00")) is on_file
    assert letter.in_force(date.fromisoformat(day)) is on_file


def test_an_open_ended_letter_stays_on_file_and_is_its_agencys_alone(directory):
    assert directory.loa_on_file(BEACON, datetime(2040, 1, 1, tzinfo=UTC))
    assert not directory.loa_on_file(BEACON, datetime(2024, 12, 31, tzinfo=UTC))
    assert not directory.loa_on_file(HARBOUR, datetime(2040, 1, 1, tzinfo=UTC))


# Cases, and what a number did before


def with_case(**fields: object):
    def step(call: Call) -> tuple[Turned, bytes]:
        after = call.but(turn=call.turn + 1)
        return Turned(after, None, case_of(after, **fields)), b"x"

    return step


def test_a_case_is_found_by_its_number_once_its_call_is_written(directory, store):
    log = CallLog(store)
    log.turn(key("CA1", 0), begun("CA1"), PATIENCE)
    assert directory.case("48207195") is None
    log.turn(key("CA1", 1), with_case(severity=2, desk="us-tier2"), PATIENCE)

    assert directory.case("48207195") == CaseRef("48207195", ACME, 2, "us-tier2", closed=False)
    store.write(lambda conn: conn.execute("UPDATE cases SET status = 'closed'"), PATIENCE)
    assert directory.case("48207195") == CaseRef("48207195", ACME, 2, "us-tier2", closed=True)


def test_a_case_of_nobody_at_no_desk_is_found_too(directory, store):
    log = CallLog(store)
    log.turn(key("CA1", 0), begun("CA1"), PATIENCE)
    log.turn(key("CA1", 1), with_case(partner_id=""), PATIENCE)

    assert directory.case("48207195") == CaseRef("48207195", "")


def place(store: Store, sid: str, started: datetime, **fields: object) -> None:
    log = CallLog(store)
    log.turn(key(sid, 0), begun(sid, started_at=started), PATIENCE)
    log.turn(key(sid, 1), went_on(**fields), PATIENCE)


def test_the_newest_message_of_a_partner_from_a_number_is_found(directory, store):
    acme, cobalt = directory.partner(ACME), directory.partner("518820")
    for hours, number, partner in (
        (1, "10000008", acme),
        (3, "20000006", acme),
        (2, "30000004", acme),
        (4, "40000002", cobalt),
    ):
        took = Message("RE1", 30, AT + hours * HOUR)
        place(store, f"CA{number}", AT + hours * HOUR, partner=partner, case_number=number, message=took)
    place(store, "CA5", AT + 5 * HOUR, partner=acme, case_number="50000000")
    place(store, "CA6", AT + 5 * HOUR, partner=acme, message=Message("RE2", 9, AT + 5 * HOUR), caller="+14085550199")

    assert directory.message_state(ACME, CALLER, AT) == MessageState("20000006", AT + 3 * HOUR)
    assert directory.message_state(ACME, CALLER, AT + 3 * HOUR + timedelta(microseconds=1)) is None
    assert directory.message_state(ACME, "+442079460999", AT) is None


def test_a_message_is_found_from_any_number_under_its_case_number_but_only_by_its_partner(directory, store):
    took = Message("RE1", 30, AT)
    place(store, "CA1", AT, partner=directory.partner(ACME), case_number="10000008", message=took)

    assert directory.message_state(ACME, "+442079460999", AT, "10000008") == MessageState("10000008", AT)
    assert directory.message_state("518820", "+442079460999", AT, "10000008") is None
    assert directory.message_state(ACME, CALLER, AT, "20000006") is None


def test_a_message_is_found_by_when_it_was_taken_and_not_by_when_its_call_began(directory, store):
    late = AT + 3 * HOUR
    place(store, "CA1", AT, partner=directory.partner(ACME), case_number="10000008", message=Message("RE1", 9, late))

    assert directory.message_state(ACME, CALLER, late - timedelta(minutes=30)) == MessageState("10000008", late)


HEARD = {
    "nobody has heard it": ([], "new", None, None),
    "somebody has listened to it twice": ([("RE1", "listened", 3), ("RE1", "listened", 2)], "new", 2, None),
    "somebody has taken it": ([("task", "claimed", 1), ("RE1", "listened", 2)], "claimed", 1, None),
    "only a note was made": ([("task", "note", 1)], "new", None, None),
    "it is answered": ([("task", "claimed", 1)], "answered", 1, 4),
    "it is closed": ([("RE1", "listened", 1)], "closed", 1, None),
}


@pytest.mark.parametrize("done", HEARD.values(), ids=HEARD)
def test_what_became_of_a_message_is_what_was_done_with_it(directory, store, done):
    entries, state, heard, answered = done
    partner = directory.partner(ACME)
    place(store, "CA1", AT, partner=partner, case_number="10000008", message=Message("RE1", 30, AT))
    after = lambda hours: None if hours is None else AT + hours * HOUR  # noqa: E731
    instant = lambda hours: None if hours is None else store.instant(after(hours))  # noqa: E731

    def work(conn):
        for number, (subject, kind, hours) in enumerate(entries):
            row = (f"key {number}", subject, kind, instant(hours), instant(hours), "somebody", "{}")
            conn.execute(
                store.sql(
                    "INSERT INTO work_log (key, subject, kind, at, logged_at, actor, detail) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)"
                ),
                row,
            )
        conn.execute(
            store.sql(
                "INSERT INTO tasks (id, kind, call_sid, programme, policy, region, desk, why, recording, audio, state, "
                "received_at, due_at, answered_at, flags, version) VALUES "
                "('task', 'message', 'CA1', '8x8-partner', '1', 'us', 'us-tier2', 'escalation voicemail', 'RE1', "
                "'stored', ?, ?, ?, ?, '', 1)"
            ),
            (state, instant(0), instant(4), instant(answered)),
        )

    store.write(work, PATIENCE)
    due = after(4) if state in ("new", "claimed") else None
    expected = MessageState("10000008", AT, after(heard), state == "claimed", after(answered), due)
    assert directory.message_state(ACME, CALLER, AT) == expected


def test_unknown_ids_are_counted_over_the_calls_of_a_number_and_the_turns_of_a_call(directory, store):
    log = CallLog(store)
    place(store, "CA1", AT, tally=Tally(unknown_ids=3))
    place(store, "CA2", AT + HOUR, tally=Tally(unknown_ids=1))
    place(store, "CA3", AT + HOUR, tally=Tally(unknown_ids=5), caller="+14085550199")
    log.turn(key("CA2", 2), went_on(tally=Tally(unknown_ids=2)), PATIENCE)

    assert directory.unknown_ids(CALLER, AT) == 5
    assert directory.unknown_ids(CALLER, AT + timedelta(seconds=1)) == 2
    assert directory.unknown_ids("+442079460999", AT) == 0


def test_severity_0_and_1_calls_of_a_number_are_counted(directory, store):
    for number, severity in enumerate((0, 1, 2, None, 1)):
        place(store, f"CA{number}", AT + number * HOUR, severity=severity)

    assert directory.severity_1_calls(CALLER, AT) == 3
    assert directory.severity_1_calls(CALLER, AT + HOUR) == 2
    assert directory.severity_1_calls("+442079460999", AT) == 0


# The demo


def test_the_demo_has_a_partner_for_every_kind_of_call(directory):
    day = date(2026, 7, 14)
    found = {p.name: (p.type.value, p.region, p.certification(day), p.status.value) for p in directory.partners()}

    assert found == {
        "Acme": ("resale", "us", Certification.VALID, "active"),
        "Cobalt": ("wholesale", "emea", Certification.VALID, "active"),
        "Delta": ("resale", "emea", Certification.NONE, "active"),
        "Everest": ("resale", "apac", Certification.EXPIRED, "active"),
        "Kookaburra": ("resale", "apac", Certification.VALID, "active"),
        "Beacon": ("agency", "us", Certification.NONE, "active"),
        "Harbour": ("agency", "us", Certification.NONE, "active"),
        "Fjord": ("referral", "emea", Certification.NONE, "active"),
        "Lantern": ("resale", "us", Certification.VALID, "suspended"),
    }


def test_the_demo_rings_nobody_and_recognises_each_partner_by_one_number(directory):
    for partner in directory.partners():
        assert partner.first_line == (partner.certification(date(2026, 7, 14)) is Certification.VALID)
        assert [is_fictional(number) for number in partner.representatives] == [True]
        assert directory.partners_of(partner.representatives[0]) == (partner,)


def test_the_demo_is_not_loaded_over_a_directory_that_is_in_use(store, tmp_path):
    file = tmp_path / "partners.csv"
    file.write_text((DEMO / "partners.csv").read_text().replace("Acme", "Somebody else"))
    import_partners(store, file)
    load_demo(store)

    assert SqlDirectory(store).partner(ACME).name == "Somebody else"


# Size


SIZE = {"sqlite": 100_000, "postgresql": 20_000}
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 100000 UNION ALL SELECT i + 1 FROM n WHERE i < 100000 + ? - 1)"
PARTNERS = f"""
    INSERT INTO partners (partner_id, name, type, region, first_line, status, programme) {NUMBERS}
    SELECT CAST(i AS TEXT), 'Somebody', 'resale', 'us', true, 'active', '8x8-partner' FROM n"""
REPRESENTATIVES = f"""
    INSERT INTO representatives (partner_id, position, number) {NUMBERS}
    SELECT CAST(i AS TEXT), 0, '+1408' || CAST(i AS TEXT) FROM n"""


def test_a_look_up_takes_no_longer_in_a_large_directory(store):
    """A busy machine's clock tells only the order of magnitude, but a scan would take a hundred times as long."""
    size = SIZE[store.dialect]
    for sql in (PARTNERS, REPRESENTATIVES):
        text = store.sql(sql)
        store.write(lambda conn, text=text: conn.execute(text, (size,)), PATIENCE)
    store.write(lambda conn: conn.execute("ANALYZE"), PATIENCE)
    directory = SqlDirectory(store)
    started = time.perf_counter()
    for number in range(100_000, 100_000 + size, size // 100):
        assert directory.partner(str(number)).partner_id == str(number)
        assert [p.partner_id for p in directory.partners_of(f"+1408{number}")] == [str(number)]

    assert time.perf_counter() - started < 1.5


def test_a_directory_out_of_reach_is_said_to_be_so(tmp_path):
    with pytest.raises(StoreUnavailable, match="ivr db upgrade"):
        SqlDirectory(open_store(f"sqlite:///{tmp_path}/nothing.db")).partner(ACME)


def test_it_is_the_directory_that_conversations_expect(directory):
    promised = [name for name in vars(Directory) if not name.startswith("_")]

    assert [name for name in promised if not callable(getattr(directory, name, None))] == []
    assert new_call("CA1").sid
