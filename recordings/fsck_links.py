"""Checks that whatever names something else names something that is there."""

# ruff: noqa: S608 - the only names that are put into these statements are the columns of this package

from collections.abc import Iterator

import msgspec

from recordings.fsck_ground import Finding, Ground, Tally

INTEGRITY = "PRAGMA integrity_check(20)"


class Link(msgspec.Struct, frozen=True):
    """Rows of a table that must each have a match: `lost` is true for one that has none, `what` says so of it."""

    check: str
    table: str
    key: str
    first: object
    lost: str
    what: str
    mend: str


RESTORE = "Compare it with a backup: nothing of a call is removed but all of it together."
NO_CALL = "NOT EXISTS (SELECT 1 FROM calls WHERE calls.sid = {0}.{1})"
LINKS = (
    Link("calls.once", "turns", "id", 0, NO_CALL.format("turns", "sid"), "turns of the call {0} and no call", RESTORE),
    Link(
        "cases.one_call",
        "cases",
        "number",
        "",
        NO_CALL.format("cases", "call_sid"),
        "the case names the call {0}, which is not there",
        RESTORE,
    ),
    Link(
        "tasks.call",
        "tasks",
        "id",
        "",
        NO_CALL.format("tasks", "call_sid"),
        "the task names the call {0}, which is not there",
        RESTORE,
    ),
    Link(
        "pages.call",
        "pages",
        "id",
        "",
        "pages.call_sid <> '' AND " + NO_CALL.format("pages", "call_sid"),  # an escalation is about a case alone
        "the page names the call {0}, which is not there",
        RESTORE,
    ),
    Link(
        "recordings.call",
        "recordings",
        "sid",
        "",
        "recordings.call_sid <> '' AND " + NO_CALL.format("recordings", "call_sid"),
        "the recording names the call {0}, which is not there",
        "Let the worker reconcile: it finds the call at the provider.",
    ),
    Link(
        "attempts.page",
        "attempts",
        "id",
        0,
        "NOT EXISTS (SELECT 1 FROM pages WHERE pages.id = attempts.page)",
        "the attempt names the page {0}, which is not there",
        RESTORE,
    ),
    Link(
        "work_log.subject",
        "work_log",
        "id",
        0,
        "NOT EXISTS (SELECT 1 FROM cases WHERE cases.number = work_log.subject) "
        "AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = work_log.subject) "
        "AND NOT EXISTS (SELECT 1 FROM pages WHERE pages.id = work_log.subject) "
        "AND NOT EXISTS (SELECT 1 FROM recordings WHERE recordings.sid = work_log.subject)",
        "something was done with {0}, which is not there",
        RESTORE,
    ),
)
NAMED = {
    "turns": "sid",
    "attempts": "page",
    "work_log": "subject",
    **dict.fromkeys(("cases", "tasks", "pages", "recordings"), "call_sid"),
}


def check_links(ground: Ground, tally: Tally) -> Iterator[Finding]:
    """Look at every row that names a call, a page, or whatever was worked on."""
    for link in LINKS:
        named = f"{link.table}.{NAMED[link.table]}"
        sql = (
            f"SELECT {link.key}, {named}, CASE WHEN {link.lost} THEN 1 ELSE 0 END "
            f"FROM {link.table} WHERE {link.key} > ? ORDER BY {link.key} LIMIT ?"
        )
        for rows in ground.batches(sql, link.first):
            tally.add(link.table, len(rows) if link.table != "turns" else 0)
            for key, name, lost in rows:
                if lost:
                    yield Finding(link.check, str(key), link.what.format(name), link.mend)


def check_soundness(ground: Ground, tally: Tally) -> Iterator[Finding]:
    """Have SQLite compare its tables with their indexes, page by page; Postgres does so for itself when it reads."""
    if ground.store.dialect != "sqlite":
        return
    tally.add("files", 1)
    for (said,) in ground.rows(INTEGRITY):
        if said != "ok":
            mend = "Stop the service, keep a copy of the file, and restore the newest backup."
            yield Finding("database.sound", "the file", str(said), mend)
