"""The reconciler: the provider's calls and recordings against ours. What was lost on the way is found here."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from prometheus_client import Counter, Gauge

from flows.call import Call, Turned
from flows.heard import HungUp, Rang
from flows.turn import never_served, notice
from ivr.hearing import FINAL, LEGACY
from ivr.jobs.audio import RESULTS
from ivr.jobs.keeping import Keeping, delete_of, fetch_of
from ivr.observe import log
from ivr.programmes import Programmes
from ivr.provider import TheirCall, TheirRecording
from ivr.rest import Gone, ProviderFault
from recordings import kept
from recordings.housekeeping import silent_since
from recordings.kept import State
from recordings.marks import mark, put_mark
from recordings.outbox import Owed, owe_now

EVERY = 300.0  # seconds between two rounds
NAME = "reconciled"
OVERLAP = timedelta(minutes=30)  # that two rounds have in common
FIRST = timedelta(days=1)  # that the first round of all looks back
IDLE = timedelta(minutes=5)  # of silence, after which the provider is asked whether a call goes on
SETTLING = timedelta(minutes=2)  # in which what we have not heard of may still be on its way
LONGEST = timedelta(hours=5)  # that an unknown call is waited for
HALF_WRITTEN = timedelta(days=1)  # how old a file must be that nobody has finished writing
TIMEOUT = 5.0
E164 = re.compile(r"\+[1-9][0-9]{6,14}")

DIFFERENCES = Counter(
    "partnerline_reconciled",
    "Differences to the provider's account that were mended: calls ended, calls never served, recordings found, "
    "recordings without audio, copies that should be gone",
    ["difference"],
)
OPEN_CALLS = Gauge("partnerline_unended_calls", "Calls of which nothing was heard for five minutes and that go on")
KINDS = ("ended", "never_served", "found", "no_audio", "undeleted")


class Reconciler:
    """Compares, and mends. Everything that it does may be done twice."""

    def __init__(self, parts: Keeping, programmes: Programmes) -> None:
        self._parts = parts
        self._programmes = programmes

    def once(self, at: datetime) -> dict[str, int]:
        """Go round once, and return how many differences of each kind were mended.

        A provider that cannot be asked is left for the next round: the mark stays where it is.
        """
        counts = dict.fromkeys(KINDS, 0)
        since = (mark(self._parts.store, NAME) or at - FIRST + OVERLAP) - OVERLAP
        try:
            calls = {each.sid: each for each in self._parts.provider.calls_since(since)}
            until = min(self._unserved(calls.values(), counts, at), at)
            self._end(calls, counts, at)
            for theirs in self._parts.provider.recordings_since(since):
                self._compare(theirs, counts, at)
        except ProviderFault as fault:
            log.warning("The provider could not be compared with: %s", fault)
        else:
            put_mark(self._parts.store, NAME, until)
        self._parts.audio.sweep(at - HALF_WRITTEN)
        self._report(counts)
        return counts

    def _report(self, counts: Mapping[str, int]) -> None:
        for difference, count in counts.items():
            DIFFERENCES.labels(difference).inc(count)
        if any(counts.values()):
            log.warning("Reconciled: %s.", ", ".join(f"{name} {count}" for name, count in counts.items() if count))

    def _unserved(self, calls: Iterable[TheirCall], counts: dict[str, int], at: datetime) -> datetime:
        """Write down calls to our lines that never reached us. Return since when calls must be looked at again."""
        since = at
        for theirs in calls:
            policy = self._programmes.of_line(theirs.to)
            if policy is None or theirs.direction != "inbound" or self._parts.log.load(theirs.sid):
                continue
            if not theirs.over or at - (theirs.ended_at or theirs.created_at) < SETTLING:
                if at - theirs.created_at < LONGEST:
                    since = min(since, theirs.created_at)
                continue
            counts["never_served"] += self._never_served(theirs, at)
        return since

    def _never_served(self, theirs: TheirCall, at: datetime) -> bool:
        caller = theirs.from_ if E164.fullmatch(theirs.from_) and theirs.from_ not in LEGACY else None
        rang = Rang(theirs.sid, theirs.to, caller, "" if caller else theirs.from_[:64])
        heard = HungUp(FINAL[theirs.status], theirs.seconds)

        def take(call: Call | None) -> Turned | None:
            policy = self._programmes.of_line(rang.line)
            return never_served(rang, policy, heard, theirs.created_at) if policy and call is None else None

        log.error("Call %s to %s never reached us.", rang.sid, rang.line)
        return self._parts.log.notice(theirs.sid, heard, at, take, TIMEOUT)

    def _end(self, calls: Mapping[str, TheirCall], counts: dict[str, int], at: datetime) -> None:
        """End the calls of which we have long heard nothing, and that the provider says are over."""
        going_on = 0
        for sid in self._silent(at):
            theirs = calls[sid] if sid in calls and calls[sid].over else self._call(sid)
            if theirs is None:
                continue
            if theirs.over:
                counts["ended"] += self._ended(theirs, at)
            else:
                going_on += 1
        OPEN_CALLS.set(going_on)

    def _silent(self, at: datetime) -> Iterator[str]:
        """Return the calls that have been silent for long, a batch after the other, as long as there are new ones."""
        seen: set[str] = set()
        while new := [sid for sid in silent_since(self._parts.store, at - IDLE, TIMEOUT) if sid not in seen]:
            seen.update(new)
            yield from new

    def _call(self, sid: str) -> TheirCall | None:
        """Return a call as the provider knows it; None if it does not, so that it is left to be closed in time."""
        try:
            return self._parts.provider.call(sid)
        except Gone:
            return None

    def _ended(self, theirs: TheirCall, at: datetime) -> bool:
        """End a call as the provider says that it ended."""
        heard = HungUp(FINAL[theirs.status], theirs.seconds)

        def take(call: Call | None) -> Turned | None:
            if call is None:
                return None
            ended_at = max(call.started_at, min(theirs.ended_at or at, at))
            return notice(call, heard, self._parts.desk_for(call.policy, call.programme), ended_at)

        return self._parts.log.notice(theirs.sid, heard, at, take, TIMEOUT)

    def _compare(self, theirs: TheirRecording, counts: dict[str, int], at: datetime) -> None:
        """Have a recording fetched that we do not have, written off if there is none, or deleted if we removed it."""
        store = self._parts.store
        known = kept.find(store, theirs.sid)
        if known and known.state in kept.REMOVED:
            counts["undeleted"] += 1
            owe_now(store, [delete_of(theirs.sid, known.call_sid, f"round.{at:%Y-%m-%d}")], at)
            return
        if (known and known.state not in kept.OPEN) or not self._parts.log.load(theirs.call_sid):
            return
        if theirs.status == "completed":
            expected = (theirs.sid, theirs.call_sid, "message", theirs.seconds)
            new = self._parts.write(lambda conn: kept.expect(conn, store, expected, at))
            counts["found"] += new
            owe_now(store, [fetch_of(theirs.sid, theirs.call_sid, theirs.seconds, "found")], at)
        elif theirs.status in RESULTS and (known is None or known.state is State.EXPECTED):
            counts["no_audio"] += 1
            detail: dict[str, object] = {"recording": theirs.sid, "result": theirs.status}
            owe_now(store, [Owed("audio", f"{theirs.sid}.audio.found", detail, theirs.call_sid)], at)
