"""The worker's rounds: close the calls whose end never reached us, and say when something waits to be done."""

from datetime import datetime, timedelta
from threading import Event

from flows.call import Call, Turned
from flows.heard import HungUp
from flows.turn import notice
from ivr.clock import now
from ivr.observe import log
from ivr.service import Service
from recordings.housekeeping import silent_since, waiting
from recordings.store import StoreUnavailable

TIMEOUT = 10.0  # seconds
GRACE = timedelta(minutes=10)  # beyond the longest talk, for what goes before and after it
LOST = HungUp("completed")


class Rounds:
    """Goes over what is left lying, again and again."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._waiting = 0
        limits = (policy.timing.talk_limit for policy in service.programmes.policies.values())
        self._longest = timedelta(seconds=max(limits)) + GRACE

    def once(self, at: datetime) -> None:
        """Go over everything once. A store that cannot be used is left for the next round."""
        try:
            if self._service.settings.production:  # a demo's calls say themselves what time it is
                self._close_silent(at)
            self._watch_outbox()
        except StoreUnavailable as error:
            log.warning("A round of the worker was left out: %s", error)

    def _close_silent(self, at: datetime) -> None:
        for sid in silent_since(self._service.store, at - self._longest, TIMEOUT):
            if self._service.log.notice(sid, LOST, at, lambda call: self._closed(call, at), TIMEOUT):
                log.warning("Call %s was closed: nothing was heard of it for longer than a call can last.", sid)

    def _closed(self, call: Call | None, at: datetime) -> Turned | None:
        desks = self._service.desks
        return notice(call, LOST, desks.desk_for(call.policy, call.programme), at) if call else None

    def _watch_outbox(self) -> None:
        count = waiting(self._service.store, TIMEOUT)
        if count != self._waiting:
            log.info("%d effects of calls wait to be carried out.", count)
        self._waiting = count


def go_round(service: Service, every: float, stop: Event) -> None:
    """Go round at once, and then every so many seconds until told to stop."""
    rounds = Rounds(service)
    rounds.once(now())
    while not stop.wait(every):
        rounds.once(now())
