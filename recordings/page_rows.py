"""Pages and attempts as they are stored: their columns, and from a row to a value and back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from recordings.outbox import Owed
from recordings.store import Row, Store

CLIMBING, ACKNOWLEDGED, CLOSED = "climbing", "acknowledged", "closed"

PAGE = (
    "id, kind, call_sid, case_number, programme, policy, region, ladder, severity, why, state, level, round, "
    "opened_at, acknowledged_at, acknowledged_by, acknowledged_how, version, look_at"
)
ATTEMPT = "key, page, case_number, level, round, destination, role, channel, at, result, settled_at"


class Page(msgspec.Struct, frozen=True):
    """One page. `kind` is outage, call_back or escalation; `state` is climbing, acknowledged or closed."""

    id: str
    kind: str
    call_sid: str
    case_number: str
    programme: str
    policy: str
    region: str
    ladder: str
    severity: int | None
    why: str
    opened_at: datetime
    state: str = CLIMBING
    level: int = 0
    round: int = 0
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    acknowledged_how: str = ""
    version: int = 1
    look_at: datetime | None = None


class Attempt(msgspec.Struct, frozen=True):
    """One try to reach one destination on one channel, and what came of it."""

    key: str
    page: str
    case_number: str
    level: int
    round: int
    destination: str
    role: str
    channel: str
    at: datetime
    result: str = "owed"
    settled_at: datetime | None = None


class Step(msgspec.Struct, frozen=True):
    """One move of a page: where it now stands, when it is looked at again, who is tried, and what is owed for it."""

    level: int
    round: int
    look_at: datetime | None
    attempts: tuple[Attempt, ...] = ()
    owed: tuple[Owed, ...] = ()
    why: str = ""  # for what the page waits, if nobody is told
    next_at: datetime | None = None  # when somebody is to be told next, as things are


class Taken(msgspec.Struct, frozen=True):
    """Who takes a page, and how: link, key, console, api, command, or task for a claimed task of its call."""

    by: str
    how: str
    attempt: str = ""  # the key of the attempt that reached them, or its beginning


def page_from(store: Store, row: Sequence[Any]) -> Page:
    """Return the page of a row."""
    moment = store.moment
    *named, opened_at, taken_at, taken_by, taken_how, version, look_at = row
    ident, kind, call_sid, case, programme, policy, region, ladder, severity, why, state, level, round_ = named
    return Page(
        *(ident, kind, call_sid, case or "", programme, policy, region, ladder, severity, why),
        *(moment(opened_at), state, level, round_),
        acknowledged_at=moment(taken_at) if taken_at is not None else None,
        acknowledged_by=taken_by or "",
        acknowledged_how=taken_how or "",
        version=version,
        look_at=moment(look_at) if look_at is not None else None,
    )


def page_row(store: Store, page: Page) -> tuple[object, ...]:
    """Return a new page as a row."""
    at = store.instant
    return (
        *(page.id, page.kind, page.call_sid, page.case_number or None, page.programme, page.policy, page.region),
        *(page.ladder, page.severity, page.why, page.state, page.level, page.round, at(page.opened_at)),
        *(None, None, None, page.version, at(page.look_at or page.opened_at)),
    )


def attempt_row(store: Store, attempt: Attempt) -> tuple[object, ...]:
    """Return an attempt as a row."""
    return (
        *(attempt.key, attempt.page, attempt.case_number or None, attempt.level, attempt.round, attempt.destination),
        *(attempt.role, attempt.channel, store.instant(attempt.at), attempt.result),
        store.instant(attempt.settled_at) if attempt.settled_at else None,
    )


def attempt_from(store: Store, row: Row) -> Attempt:
    """Return the attempt of a row."""
    *named, at, result, settled_at = row
    key, page, case, level, round_, destination, role, channel = named
    settled = store.moment(settled_at) if settled_at is not None else None
    return Attempt(key, page, case or "", level, round_, destination, role, channel, store.moment(at), result, settled)
