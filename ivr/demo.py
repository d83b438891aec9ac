"""The demo: settings that need no account, a database with fictional partners, and both processes in one terminal."""

import json
import os
import secrets
import shlex
import socket
import sys
import threading
from collections.abc import Mapping
from datetime import date, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import monotonic, sleep

from honcho.manager import Manager

from ivr.clock import now
from ivr.demo_note import NOTE
from ivr.settings import DATABASE_URL, Environment
from recordings import migrations
from recordings.engines import open_store
from recordings.partners import load_demo
from recordings.store import StoreUnavailable

PATIENCE = 30.0  # seconds until the web process must answer
SETTINGS = (
    "IVR_ENV",
    "PUBLIC_BASE_URL",
    "DATABASE_URL",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "SECRET_KEY",
    "RECORDINGS_URL",
    "NOTIFY_URLS",
)
TRY = """
Partnerline is at {url}. Stop it with Ctrl-C. In another terminal, try:

  a certified partner, Severity 2, in opening hours
    .venv/bin/ivr call --to us-standard --from +14085550142 --keys "1 2" --at "{tuesday} 10:15 America/Los_Angeles"
  the same partner with an outage on a Saturday night
    .venv/bin/ivr call --to us-standard --from +14085550142 --keys "1 1 1" --at "{saturday} 21:00 America/Los_Angeles"
  an escalation voicemail on a Friday at five to six, and its clock over the weekend
    .venv/bin/ivr call --to us-voicemail --from +14085550142 --keys "2 # message:42 1 h" \\
      --at "{friday} 17:55 America/Los_Angeles"
    .venv/bin/ivr worker --once --at "{monday} 12:00 Australia/Sydney"
    .venv/bin/ivr cases show CASE --at "{monday} 12:00 Australia/Sydney"
  any call by hand
    .venv/bin/ivr call --to us-standard --from +14085550142

What people are told is printed here by the worker.
"""


class DemoFault(Exception):  # noqa: N818 - it is said to a person, with what to do
    """The demo cannot start; the message says why and how to mend it."""


def invitation(url: str, today: date) -> str:
    """Return what can be tried now, on days to come: some desks are open on a Tuesday, and none on a Saturday."""
    tuesday, friday, saturday = (today + timedelta(days=1 + (day - today.weekday() - 1) % 7) for day in (1, 4, 5))
    return TRY.format(url=url, tuesday=tuesday, friday=friday, saturday=saturday, monday=friday + timedelta(days=3))


def run(*, fictional_partners: bool) -> int:
    """Run the demo until it is stopped, and return the exit code."""
    environ = environment(os.environ, _noted(NOTE))
    _require_free(environ["PORT"])
    _note(NOTE, environ)
    _prepare(environ["DATABASE_URL"], fictional_partners=fictional_partners)
    manager = Manager()  # type: ignore[no-untyped-call]
    for name, command in (("web", "serve"), ("worker", "worker")):
        line = f"exec {shlex.quote(sys.executable)} -m ivr {command}"
        manager.add_process(name, line, env=environ)  # type: ignore[no-untyped-call]
    threading.Thread(target=_announce, args=(_address(environ),), daemon=True).start()
    manager.loop()  # type: ignore[no-untyped-call]
    return int(manager.returncode or 0)


def environment(given: Mapping[str, str], noted: Mapping[str, str]) -> dict[str, str]:
    """Return the processes' environment: what is given, what an earlier demo used, and what suits one."""
    port = given.get("PORT") or "8080"
    suits = {
        "IVR_ENV": Environment.DEMO.value,
        "PORT": port,
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "DATABASE_URL": DATABASE_URL,
        "TWILIO_ACCOUNT_SID": noted.get("account_sid") or f"AC{secrets.token_hex(16)}",
        "TWILIO_AUTH_TOKEN": noted.get("auth_token") or secrets.token_hex(16),
        "SECRET_KEY": noted.get("secret_key") or secrets.token_urlsafe(48),
        "RECORDINGS_URL": "file:var/recordings",
        "NOTIFY_URLS": "terminal://",
    }
    return {**given, **{name: given.get(name) or value for name, value in suits.items()}}


def _noted(path: Path) -> dict[str, str]:
    try:
        noted = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _note(path: Path, environ: Mapping[str, str]) -> None:
    """Write down, for the owner's eyes alone, how calls reach the demo; keep its secrets for the next time."""
    noted = {
        "url": _address(environ),
        "public_base_url": environ["PUBLIC_BASE_URL"],
        "account_sid": environ["TWILIO_ACCOUNT_SID"],
        "auth_token": environ["TWILIO_AUTH_TOKEN"],
        "secret_key": environ["SECRET_KEY"],
        "environment": {name: environ[name] for name in SETTINGS},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(noted, out, indent=2)
    draft.replace(path)


def _address(environ: Mapping[str, str]) -> str:
    return f"http://127.0.0.1:{environ['PORT']}"


def _require_free(port: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except ValueError:
            raise DemoFault(f"PORT={port} is no port: make it a number, as in PORT=8081 make run") from None
        except (OSError, OverflowError):
            raise DemoFault(f"port {port} is taken: stop what uses it, or choose another: PORT=8081 make run") from None


def _prepare(url: str, *, fictional_partners: bool) -> None:
    try:
        migrations.upgrade(url)
        store = open_store(url)
        if fictional_partners:
            load_demo(store)
        store.close()
    except (StoreUnavailable, ValueError) as error:
        raise DemoFault(f"DATABASE_URL: {error}") from None


def _announce(url: str) -> None:
    """Say that the demo can be called, once it can."""
    host = url.removeprefix("http://")
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        connection = HTTPConnection(host, timeout=1)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                print(invitation(url, now().date()), flush=True)  # noqa: T201 - said to the person who started it
                return
        except (OSError, HTTPException):
            sleep(0.1)
        finally:
            connection.close()
