"""What is checked before and after a backup is put in place."""

from collections.abc import Mapping

from recordings.backup_file import Manifest

LISTS = ("alembic_version", "policies", "counters", "marks")  # what a service writes without having had a call


class RestoreRefused(Exception):  # noqa: N818 - nothing has gone wrong, and nothing has changed
    """A backup was not restored. The message says why, and what to do about it."""


def refuse_unless_empty(rows: Mapping[str, int]) -> None:
    """Raise RestoreRefused for a database that holds anything."""
    there = [f"{number} {table}" for table, number in sorted(rows.items()) if number and table not in LISTS]
    if there:
        what = ", ".join(there)
        raise RestoreRefused(f"the database is not empty: it has {what}. --force puts the backup in its place")


def check_rows(manifest: Manifest, rows: Mapping[str, int]) -> None:
    """Raise RestoreRefused unless as many rows have arrived as were saved."""
    wrong = [table for table, number in manifest.rows.items() if rows.get(table) != number]
    if wrong:
        raise RestoreRefused(f"not all rows have arrived: {', '.join(wrong)}")
