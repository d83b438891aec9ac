"""Notification targets: apprise's URLs, with secrets in them. They are read, and never repeated."""

import logging
import warnings

from apprise import Apprise, AppriseAsset
from apprise.plugins.base import NotifyBase

TERMINAL = "terminal://"  # a target of our own: the worker's standard output, for the demo
PATIENCE = 10.0  # seconds for one message

# What apprise and urllib3 have to say at DEBUG holds whole URLs. None of it may reach our log; what apprise says is
# read all the same, for it is the only place where a refusal can be told from a failure.
logging.getLogger("apprise").propagate = False
logging.getLogger("apprise").setLevel(logging.DEBUG)
logging.getLogger("urllib3").setLevel(logging.INFO)

with warnings.catch_warnings():  # apprise loads its plugins when it is first asked, and one tries a module of old
    warnings.simplefilter("ignore", DeprecationWarning)
    Apprise.instantiate("json://localhost")

_ASSET = AppriseAsset(
    app_id="Partnerline",
    app_desc="Partnerline",
    async_mode=False,
    http_redirects=False,
    secure_logging=True,
    storage_mode="memory",
    service_timeout=PATIENCE,
)


def service_of(target: str) -> NotifyBase | None:
    """Return what apprise makes of a target; None if nothing."""
    return Apprise.instantiate(target, asset=_ASSET)


def line_to(service: NotifyBase) -> Apprise:
    """Return what delivers to one service, and to no other."""
    return Apprise(services=service, asset=_ASSET)


def is_terminal(target: str) -> bool:
    """Whether notes to this target are printed."""
    return target.startswith(TERMINAL)


def target_fault(target: str) -> str:
    """Return what is wrong with a target, without a word of it but its scheme; empty if nothing is."""
    scheme, divided, _ = target.partition("://")
    if is_terminal(target) or service_of(target) is not None:
        return ""
    return f"is no target that can be used (it begins with {scheme}://)." if divided else "is no URL."
