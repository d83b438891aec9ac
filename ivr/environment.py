"""Reading the environment into settings, and everything that is wrong with it in one go."""

from collections.abc import Iterable

from pydantic import ValidationError

from ivr.settings import Fault, Settings, SettingsError
from ivr.settings_rules import rule_faults


def load() -> Settings:
    """Read the environment. Raises SettingsError with every fault."""
    settings, faults = survey()
    if faults:
        raise SettingsError(faults)
    return settings


def survey() -> tuple[Settings, list[Fault]]:
    """Return the settings and everything that is wrong with them; what cannot be read has its default."""
    try:
        settings, faults = Settings(), []
    except ValidationError as error:
        faults = [_unreadable(str(found["loc"][0]), found["msg"]) for found in error.errors()]
        spare = {str(found["loc"][0]) for found in error.errors()}
        settings = Settings(**{name: Settings.model_fields[name].get_default() for name in spare})
    return settings, faults + [fault for fault in rule_faults(settings) if fault.where.lower() not in _names(faults)]


def _names(faults: Iterable[Fault]) -> set[str]:
    return {fault.where.lower() for fault in faults}


def _unreadable(name: str, message: str) -> Fault:
    return Fault(name.upper(), f"cannot be read: {message}.", "See docs/settings.md for what it takes.")
