"""The last instant that the store knows of: of a case or a task with all that was done with it, or of any."""

from datetime import datetime

from recordings.store import Store

TIMEOUT = 5.0  # seconds
OF_ONE = """
SELECT max(instants.at) FROM (
  SELECT opened_at AS at FROM cases WHERE number = ?
  UNION ALL SELECT received_at FROM tasks WHERE id = ? OR case_number = ?
  UNION ALL SELECT at FROM work_log
    WHERE subject = ? OR subject IN (SELECT id FROM tasks WHERE case_number = ?)
) AS instants
"""
OF_ANY = """
SELECT max(instants.at) FROM (
  SELECT max(opened_at) AS at FROM cases
  UNION ALL SELECT max(received_at) FROM tasks
  UNION ALL SELECT max(at) FROM work_log
) AS instants
"""


def latest(store: Store, subject: str = "") -> datetime | None:
    """Return when the last thing happened with a case, its tasks or a task, or with any; None if nothing did.

    Raises StoreUnavailable.
    """
    sql, params = (OF_ONE, (subject,) * 5) if subject else (OF_ANY, ())
    ((at,),) = store.read(lambda conn: conn.execute(store.sql(sql), params).fetchall(), TIMEOUT)
    return None if at is None else store.moment(at)
