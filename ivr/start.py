"""The start of a process: everything is checked first, and everything that is wrong is said at once."""

from collections.abc import Iterable

from ivr import programmes
from ivr.clock import now
from ivr.observe import log, set_up_logging
from ivr.programmes import Programmes
from ivr.settings import Fault, Settings, SettingsError
from recordings.engines import open_store
from recordings.failpoint import arm
from recordings.schema import is_current
from recordings.store import StoreUnavailable

UPGRADE = "Run `ivr db upgrade`."


def check(settings: Settings, faults: Iterable[Fault], *, answers_calls: bool = True) -> Programmes:
    """Return what is listed, if nothing at all is wrong. Raises SettingsError with every fault."""
    found = list(faults)
    set_up_logging(settings.log_level)
    found += _armed(settings.ivr_failpoint if not found else "")
    try:
        listing = programmes.load(settings, now() if answers_calls else None)
    except SettingsError as error:
        found += error.faults
    found += _schema_faults(settings.database_url)
    if found:
        raise SettingsError(found)
    return listing


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
