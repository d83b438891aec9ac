"""The case number by text. Nothing leans on it: after three attempts it is dropped, and counted."""

from collections.abc import Callable, Mapping
from datetime import datetime

from prometheus_client import Counter

from ivr.jobs.job import Handler
from ivr.notify.words import text_of_case
from recordings.outbox import Job

TRIES = 3

TEXTS = Counter("partnerline_texts", "Texts with a case number, by what came of them", ["result"])

SendText = Callable[[str, str, str, datetime | None], object]  # to, from, body, and since when one may be there already


class Texts:
    """Carries out rows of kind `text`."""

    def __init__(self, send: SendText) -> None:
        self._send = send

    def handlers(self) -> Mapping[str, Handler]:
        """Return what carries out which kind of row."""
        return {"text": self.text}

    def text(self, job: Job, _at: datetime) -> None:
        """Send the case number from the line that was called. What the provider raises is raised, but for the last."""
        body = text_of_case(str(job.detail["case"]))
        since = job.created_at if job.attempts > 1 else None
        try:
            self._send(str(job.detail["to"]), str(job.detail["from"]), body, since)
        except Exception:
            if job.attempts < TRIES:
                raise
            TEXTS.labels("dropped").inc()
            return
        TEXTS.labels("sent").inc()
