"""What a take says, as the provider has understood it: the words of a stranger, personal, and perhaps wrong."""

import re
from base64 import b64encode
from typing import Protocol

from flows.card_numbers import masked_cards
from flows.heard import Transcribed
from ivr.form import Form
from ivr.hearing import RECORDING_SID, Strange, call_sid
from ivr.tokens import TurnToken

MOST = 8000  # characters that are kept
RESULTS = frozenset({"completed", "failed"})
NEEDED = ("RecordingSid", "TranscriptionStatus")

_recording_sid = re.compile(RECORDING_SID).fullmatch


class Seals(Protocol):
    """What seals something small, so that it opens only with the same `about`."""

    def seal(self, content: bytes, about: str) -> bytes:
        """Return it sealed."""


def sealed(text: str, recording: str, keys: Seals) -> str:
    """Return a transcript as it may wait in the outbox: card numbers masked, sealed, as base64."""
    return b64encode(keys.seal(masked_cards(text).encode("utf-8", "replace"), recording)).decode()


def transcribed(form: Form, token: TurnToken) -> tuple[Transcribed, str]:
    """Return that a take has been transcribed, and the first characters of what it says. Raises Strange."""
    if call_sid(form) != token.sid:
        raise Strange("CallSid")
    for name in (*NEEDED, "TranscriptionText"):
        if name in form.repeated or (name in NEEDED and name not in form.fields):
            raise Strange(name)
    recording, result = (form.fields[name] for name in NEEDED)
    if not _recording_sid(recording):
        raise Strange("RecordingSid")
    if result not in RESULTS:
        raise Strange("TranscriptionStatus")
    return Transcribed(recording, result), form.fields.get("TranscriptionText", "")[:MOST]
