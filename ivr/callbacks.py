"""Callbacks: facts that come by themselves, late, twice or in any order. Nobody waits for the answer."""

from collections.abc import Callable

from msgspec.structs import replace

from flows.call import Call, Turned
from flows.heard import Heard, HungUp, Rang, Transcribed
from flows.turn import never_served, notice
from ivr import hearing
from ivr.answer import Answer
from ivr.guard import Webhook
from ivr.hearing import Strange
from ivr.ledger import Ledger
from ivr.observe import log
from ivr.programmes import Desks, Programmes
from ivr.tokens import Seal
from ivr.transcribed import transcribed
from ivr.twiml import EMPTY
from recordings.log import TakeNotice

SealText = Callable[[str, str], str]  # a text, and the recording that it is of: sealed, as base64


class Callbacks:
    """Takes the end of a call, and what has become of a recording."""

    def __init__(
        self, ledger: Ledger, programmes: Programmes, desks: Desks, seal: Seal, seal_text: SealText | None = None
    ) -> None:
        self._ledger = ledger
        self._programmes = programmes
        self._desks = desks
        self._seal = seal
        self._seal_text = seal_text

    def status(self, webhook: Webhook) -> Answer:
        """Take the end of a caller's leg. Raises Strange and StoreUnavailable."""
        form, sid = webhook.form, hearing.call_sid(webhook.form)
        heard = None if hearing.parent_sid(form) else hearing.hung_up(form)
        if heard is None:
            return Answer(EMPTY, "nothing", sid)

        def take(call: Call | None) -> Turned | None:
            return self._noticed(call, heard, webhook) if call else self._never_served(webhook, heard)

        return self._answer(sid, heard, webhook, take)

    def recording(self, webhook: Webhook) -> Answer:
        """Take what has become of a take's audio. Raises Strange and StoreUnavailable."""
        token = self._seal.read_turn(webhook.token, "audio")
        if token is None:
            raise Strange("token")
        heard = hearing.audio(webhook.form, token)
        if heard is None:
            return Answer(EMPTY, "nothing", token.sid)

        def take(call: Call | None) -> Turned | None:
            return self._noticed(call, heard, webhook) if call else None

        return self._answer(token.sid, heard, webhook, take)

    def transcript(self, webhook: Webhook) -> Answer:
        """Take what a take says; it is sealed before it is written anywhere. Raises Strange and StoreUnavailable.

        Without anything to seal it with, because transcription has been switched off, it is let go.
        """
        token = self._seal.read_turn(webhook.token, "transcript")
        if token is None:
            raise Strange("token")
        heard, text = transcribed(webhook.form, token)
        if self._seal_text is None:
            return Answer(EMPTY, "nothing", token.sid)
        sealed = self._seal_text(text, heard.recording)

        def take(call: Call | None) -> Turned | None:
            turned = self._noticed(call, heard, webhook) if call else None
            return replace(turned, call=_owing(turned.call, heard, sealed)) if turned else None

        return self._answer(token.sid, heard, webhook, take)

    def _noticed(self, call: Call, heard: Heard, webhook: Webhook) -> Turned | None:
        return notice(call, heard, self._desks.desk_for(call.policy, call.programme), webhook.at)

    def _never_served(self, webhook: Webhook, heard: HungUp) -> Turned | None:
        """Write down a call of which we hear only the end: Twilio could not reach us when it came in."""
        rang = _rang(webhook)
        policy = self._programmes.of_line(rang.line)
        log.error("Call %s to %s ended without ever having reached us.", rang.sid, rang.line or "an unknown number")
        return never_served(rang, policy, heard, webhook.at) if policy else None

    def _answer(self, sid: str, heard: Heard, webhook: Webhook, take: TakeNotice) -> Answer:
        made: list[Turned | None] = []

        def noted(call: Call | None) -> Turned | None:
            made[:] = [take(call)]
            return made[0]

        news = self._ledger.notice(sid, heard, webhook.at, noted)
        call = made[0].call if news and made and made[0] else None
        return Answer(EMPTY, "noted" if news else "nothing", sid, heard=type(heard).__name__, call=call)


def _owing(call: Call, heard: Transcribed, sealed: str) -> Call:
    key, detail = f"{heard.recording}.transcript", {"recording": heard.recording, "status": heard.result}
    return call.owe("transcript", key, **detail, sealed=sealed)


def _rang(webhook: Webhook) -> Rang:
    caller, shown = hearing.caller(webhook.form)
    return Rang(hearing.call_sid(webhook.form), hearing.line_of(webhook.form), caller, shown)
