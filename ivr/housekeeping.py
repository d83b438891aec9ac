"""Calls whose end never reached us, and of which the provider cannot tell us either: closed in time all the same."""

from datetime import datetime, timedelta

from flows.call import Call, Turned
from flows.heard import HungUp
from flows.turn import notice
from ivr.observe import log
from ivr.service import Service
from recordings.housekeeping import silent_since

TIMEOUT = 10.0  # seconds
GRACE = timedelta(minutes=10)  # beyond the longest talk, for what goes before and after it
LOST = HungUp("completed")


class LostCalls:
    """Closes the calls of which nothing was heard for longer than a call can last."""

    def __init__(self, service: Service) -> None:
        self._service = service
        limits = (policy.timing.talk_limit for policy in service.programmes.policies.values())
        self._longest = timedelta(seconds=max(limits)) + GRACE

    def close(self, at: datetime) -> None:
        """Close them. Raises StoreUnavailable."""
        for sid in silent_since(self._service.store, at - self._longest, TIMEOUT):
            if self._service.log.notice(sid, LOST, at, lambda call: self._closed(call, at), TIMEOUT):
                log.warning("Call %s was closed: nothing was heard of it for longer than a call can last.", sid)

    def _closed(self, call: Call | None, at: datetime) -> Turned | None:
        desks = self._service.desks
        return notice(call, LOST, desks.desk_for(call.policy, call.programme), at) if call else None
