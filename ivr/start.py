"""The start of a process: everything is checked first, and everything that is wrong is said at once."""

from collections.abc import Iterable
from functools import partial

from ivr import programmes
from ivr.clock import now
from ivr.meanwhile import meanwhile
from ivr.observe import log, set_up_logging
from ivr.programmes import Programmes, proof_faults
from ivr.settings import Fault, Settings, SettingsError
from recordings.engines import open_store
from recordings.failpoint import arm
from recordings.schema import is_current
from recordings.store import StoreUnavailable

UPGRADE = "Run `ivr db upgrade`."


class Check:
    """Everything that must be right before the first call. The long part of it goes on while the rest is got ready."""

    def __init__(self, settings: Settings, faults: Iterable[Fault], *, answers_calls: bool = True) -> None:
        set_up_logging(settings.log_level)
        self._url = settings.database_url
        self._faults = [*faults]
        self._faults += _armed(settings.ivr_failpoint if not self._faults else "")
        self._listing, self._proof = self._loaded(settings), _nothing
        if self._listing and answers_calls:
            self._proof = meanwhile(partial(proof_faults, self._listing, now()))

    def outcome(self) -> Programmes:
        """Return what is listed, if nothing at all is wrong. Raises SettingsError with every fault."""
        faults = [*self._faults, *_schema_faults(self._url), *self._proof()]
        if faults or self._listing is None:
            raise SettingsError(faults)
        return self._listing

    def _loaded(self, settings: Settings) -> Programmes | None:
        try:
            return programmes.load(settings, None)
        except SettingsError as error:
            self._faults += error.faults
            return None


def _nothing() -> list[Fault]:
    return []


def _armed(failpoint: str) -> Iterable[Fault]:
    try:
        arm(failpoint)
    except ValueError as error:
        yield Fault("IVR_FAILPOINT", f"{error}.")


def _schema_faults(url: str) -> Iterable[Fault]:
    """Find a database that was not upgraded.

    A server that cannot be reached is no reason not to start: callers are put through to people until it can be.
    """
    try:
        store = open_store(url)
    except ValueError as error:
        yield Fault("DATABASE_URL", f"{error}.")
        return
    try:
        if not is_current(store):
            yield Fault("DATABASE_URL", "has the schema of another version.", UPGRADE)
    except StoreUnavailable as error:
        if store.dialect == "sqlite":
            yield Fault("DATABASE_URL", f"cannot be used: {error}.", UPGRADE)
        else:
            log.error("The database cannot be used: %s. If it is new: %s", error, UPGRADE)
    finally:
        store.close()
