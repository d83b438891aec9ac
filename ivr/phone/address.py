"""Where the service is and how requests to it are signed: what `ivr demo` has left, else the environment."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from ivr.demo_note import NOTE
from ivr.phone.wire import Address

DEMO_FILE = NOTE
_KEYS = ("url", "public_base_url", "auth_token", "account_sid")


class NoAddress(Exception):  # noqa: N818 - it is said to a person, with what to do
    """Nobody has said where the service is; the message says how to."""


def find_address(url: str | None = None, environ: Mapping[str, str] = os.environ, demo: Path = DEMO_FILE) -> Address:
    """Return where to send calls and how to sign them; `url` overrules where they are sent. Raises NoAddress."""
    left = _left_by_demo(demo) or _from_environment(environ)
    return Address(**{**left, "url": (url or left["url"]).rstrip("/")})


def _left_by_demo(path: Path) -> dict[str, str] | None:
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise NoAddress(f"{path} cannot be read ({error}): start `ivr demo` again, which writes it") from None
    if not isinstance(content, dict) or not all(isinstance(content.get(key), str) for key in _KEYS):
        raise NoAddress(f"{path} does not say {', '.join(_KEYS)}: start `ivr demo` again, which writes it")
    return {key: content[key] for key in _KEYS}


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    names = {
        "public_base_url": "PUBLIC_BASE_URL",
        "auth_token": "TWILIO_AUTH_TOKEN",
        "account_sid": "TWILIO_ACCOUNT_SID",
    }
    missing = [name for name in names.values() if not environ.get(name)]
    if missing:
        raise NoAddress(
            f"no demo is running here. Start `ivr demo`, or set {', '.join(missing)} as the service has them"
        )
    found = {key: environ[name] for key, name in names.items()}
    return {**found, "url": f"http://127.0.0.1:{environ.get('PORT') or 8080}"}
