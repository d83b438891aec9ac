"""How a call ended, as the log has it."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from flows.call import Call
from recordings.engines import open_store
from recordings.log import CallLog
from recordings.store import Store, StoreUnavailable

T = TypeVar("T")


class Ending(msgspec.Struct, frozen=True):
    """What came of a call. `destination` is a desk, or else the kind of place; `dialled` the destinations in order."""

    rule: str
    rules: tuple[str, ...]
    case_number: str
    outcome: str
    destination: str
    dialled: tuple[str, ...]
    flags: tuple[str, ...]


def ending_of(call: Call) -> Ending:
    """Return what came of a call."""
    decision = call.decision
    return Ending(
        rule=call.rules[-1] if call.rules else "",
        rules=call.rules,
        case_number=call.case_number,
        outcome=call.outcome,
        destination=(decision.desk or decision.kind) if decision else "none",
        dialled=tuple(leg.destination for leg in call.legs),
        flags=call.flags,
    )


def look_up(sid: str, database_url: str) -> Ending | None:
    """Return what came of a call; None if it is not in the log, or the log is out of reach."""
    try:
        call = with_store(database_url, lambda store: CallLog(store).load(sid))
    except (StoreUnavailable, ValueError):
        return None
    return ending_of(call) if call else None


def with_store(database_url: str, work: Callable[[Store], T]) -> T:
    """Do something with the store. Raises StoreUnavailable, and ValueError for a URL that is none."""
    store = open_store(database_url)
    try:
        return work(store)
    finally:
        store.close()
