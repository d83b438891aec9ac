"""The directory, as a conversation looks things up in it: partners, letters, cases, and what a number did before."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from flows.call import CaseRef, MessageState
from recordings.case_numbers import CaseNumbers
from recordings.store import Row, Store
from routing.partner import Partner, PartnerType, Status

TIMEOUT = 1.0
LONGEST_CALL = timedelta(days=1)  # a message is at most so much younger than its call
PARTNER_COLUMNS = (
    "partner_id",
    "name",
    "type",
    "region",
    "certified_from",
    "certified_until",
    "first_line",
    "status",
    "programme",
)
_SELECT = f"SELECT {', '.join(f'partners.{name}' for name in PARTNER_COLUMNS)}, representatives.number "
_WITH_NUMBERS = "LEFT JOIN representatives ON representatives.partner_id = partners.partner_id "
_IN_ORDER = "ORDER BY partners.partner_id, representatives.position"
ALL_PARTNERS = f"{_SELECT} FROM partners {_WITH_NUMBERS} {_IN_ORDER}"
PARTNER = f"{_SELECT} FROM partners {_WITH_NUMBERS} WHERE partners.partner_id = ? {_IN_ORDER}"
PARTNERS_OF = (
    f"{_SELECT} FROM representatives AS wanted JOIN partners ON partners.partner_id = wanted.partner_id "
    f"{_WITH_NUMBERS} WHERE wanted.number = ? {_IN_ORDER}"
)
LETTER = (
    "SELECT 1 FROM letters "
    "WHERE partner_id = ? AND valid_from <= ? AND (valid_until IS NULL OR valid_until >= ?) LIMIT 1"
)
CASE = "SELECT number, partner_id, coalesce(severity_now, severity), desk, status FROM cases WHERE number = ?"
_MESSAGE = (
    "SELECT calls.case_number, tasks.state, calls.message_at, "
    "(SELECT min(work_log.at) FROM work_log WHERE work_log.subject IN (tasks.id, tasks.recording) "
    "AND work_log.kind IN ('listened', 'claimed')), tasks.answered_at, tasks.due_at "
    "FROM calls LEFT JOIN tasks ON tasks.call_sid = calls.sid AND tasks.kind = 'message' "
    "WHERE calls.partner_id = ? AND calls.{} = ? AND calls.started_at >= ? AND calls.message_at >= ? "
    "ORDER BY calls.message_at DESC LIMIT 1"
)
MESSAGE, REFERRED = _MESSAGE.format("caller"), _MESSAGE.format("case_number")
# Both look at no more rows than it takes to reach any limit that a policy may set.
UNKNOWN_IDS = (
    "SELECT coalesce(sum(unknown_ids), 0) FROM (SELECT unknown_ids FROM calls WHERE caller = ? AND started_at >= ? "
    "ORDER BY started_at DESC LIMIT 500) AS latest"
)
SEVERITY_1 = (
    "SELECT count(*) FROM (SELECT 1 FROM calls WHERE caller = ? AND started_at >= ? AND severity <= 1 "
    "LIMIT 500) AS latest"
)


class SqlDirectory:
    """What a conversation may look up, answered from the store. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._numbers = CaseNumbers(store)

    def partner(self, partner_id: str) -> Partner | None:
        """Return the partner with this ID, whatever its status."""
        return next(read_partners(self._rows(PARTNER, partner_id)), None)

    def partners_of(self, number: str) -> tuple[Partner, ...]:
        """Return every partner that lists this E.164 number as an authorised representative's, by Partner ID."""
        return tuple(read_partners(self._rows(PARTNERS_OF, number)))

    def partners(self) -> list[Partner]:
        """Return the whole directory, by Partner ID."""
        return list(read_partners(self._rows(ALL_PARTNERS, timeout=30.0)))

    def loa_on_file(self, partner_id: str, instant: datetime) -> bool:
        """Whether the agency has any Letter of Agency in force on that day, by the calendar of UTC."""
        day = instant.astimezone(UTC).date().isoformat()
        return bool(self._rows(LETTER, partner_id, day, day))

    def case(self, number: str) -> CaseRef | None:
        """Return a stored case."""
        rows = self._rows(CASE, number)
        if not rows:
            return None
        number, partner_id, severity, desk, status = rows[0]
        return CaseRef(number, partner_id or "", severity, desk or "", closed=status == "closed")

    def message_state(self, partner_id: str, caller: str, since: datetime, reference: str = "") -> MessageState | None:
        """Return the newest escalation voicemail of this partner since then from this number.

        With a reference, the one under that case number, whatever number it was left from.
        """
        instant = self._store.instant
        sql, which = (REFERRED, reference) if reference else (MESSAGE, caller)
        rows = self._rows(sql, partner_id, which, instant(since - LONGEST_CALL), instant(since))
        return self._message_state(rows[0]) if rows else None

    def unknown_ids(self, caller: str, since: datetime) -> int:
        """Return how many Partner IDs that nobody has were keyed from this number, in calls that began since then.

        What was keyed in earlier turns of a call counts, also while that call goes on.
        """
        return int(self._rows(UNKNOWN_IDS, caller, self._store.instant(since))[0][0])

    def severity_1_calls(self, caller: str, since: datetime) -> int:
        """Return how many calls that began since then from this number were of Severity 0 or 1 when last written."""
        return int(self._rows(SEVERITY_1, caller, self._store.instant(since))[0][0])

    def new_case_number(self) -> str:
        """Return a number that no case has had, with its check digit."""
        return self._numbers.take()

    def _message_state(self, row: Row) -> MessageState:
        reference, state, *instants = row
        received_at, heard_at, answered_at, due_at = (each and self._store.moment(each) for each in instants)
        moot = answered_at or state == "closed"
        return MessageState(
            reference or "", received_at, heard_at, state == "claimed", answered_at, None if moot else due_at
        )

    def _rows(self, sql: str, *params: object, timeout: float = TIMEOUT) -> list[Row]:
        text = self._store.sql(sql)
        return self._store.read(lambda conn: conn.execute(text, params).fetchall(), timeout)


def read_partners(rows: Iterable[Row]) -> Iterator[Partner]:
    """Turn rows of partners with a representative each, a partner's rows together, into partners."""
    for _, same in groupby(rows, key=lambda row: row[0]):
        first, *others = same
        numbers = tuple(row[-1] for row in (first, *others) if row[-1] is not None)
        partner_id, name, kind, region, start, end, first_line, status, programme, _ = first
        yield Partner(
            partner_id=partner_id,
            name=name,
            type=PartnerType(kind),
            region=region,
            certified_from=_day(start),
            certified_until=_day(end),
            first_line=bool(first_line),
            status=Status(status),
            representatives=numbers,
            programme=programme,
        )


def _day(stored: date | str | None) -> date | None:
    return date.fromisoformat(stored) if isinstance(stored, str) else stored
