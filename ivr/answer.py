"""An answer to a webhook: the document, and what the log's line says of it."""

import msgspec

from flows.call import Call


class Answer(msgspec.Struct, frozen=True):
    """What goes back to Twilio. `reply` says how it came about: fresh, repeated, again, rescue, noted or nothing."""

    body: bytes
    reply: str
    sid: str = ""
    leg: int = 0
    turn: int = 0
    heard: str = ""
    call: Call | None = None  # as the answer leaves it, where that is known
    field: str = ""  # the part of the request that was strange
