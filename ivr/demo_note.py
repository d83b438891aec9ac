"""What a demo has left about itself in the folder where it was started, so that other commands find it."""

import json
import os
from collections.abc import MutableMapping
from pathlib import Path

NOTE = Path("var/demo.json")
TELLS = ("IVR_ENV", "DATABASE_URL", "TWILIO_ACCOUNT_SID", "SECRET_KEY")  # whoever sets one of these means no demo


def adopt(environ: MutableMapping[str, str] = os.environ, note: Path = NOTE) -> bool:
    """Take on the settings of the demo of this folder, if there is one and the environment says nothing else."""
    if any(environ.get(name) for name in TELLS):
        return False
    try:
        settings = json.loads(note.read_text("utf-8"))["environment"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    for name, value in settings.items():
        environ.setdefault(name, value)
    return True
