"""A call's turns: a webhook that the conversation waits for goes in, and the next document comes out."""

from collections.abc import Callable
from datetime import datetime, timedelta

from flows.call import Call, Turned
from flows.desk import Desk
from flows.heard import Heard, Silence
from flows.said import Said
from flows.turn import accepts, again, begin, resume
from ivr import hearing
from ivr.answer import Answer
from ivr.guard import Webhook
from ivr.hearing import Strange
from ivr.ledger import Ledger
from ivr.observe import ANOMALIES, UNKNOWN_LINES, log
from ivr.programmes import Desks, Programmes
from ivr.tokens import Seal, TurnToken
from ivr.twiml import Place, Writer, document
from recordings.log import UnknownCall, waited_for
from recordings.rows import TurnKey

REPEATED_FOR = timedelta(hours=1)  # after the end of a call; the provider gives up after fifteen seconds

Take = Callable[[Call | None], tuple[Turned, bytes]]


class UnknownLine(LookupError):  # noqa: N818 - a fault of the set-up, which callers must not pay for
    """Somebody has called a number that no policy lists."""


class Stay(Exception):  # noqa: N818 - a way out of a turn, not an error
    """The request changes nothing: what is being said is said again."""

    def __init__(self, reply: bytes, call: Call) -> None:
        super().__init__("again")
        self.reply = reply
        self.call = call


class Conversation:
    """Carries calls from turn to turn."""

    def __init__(self, ledger: Ledger, programmes: Programmes, desks: Desks, writer: Writer, seal: Seal) -> None:
        self._ledger = ledger
        self._programmes = programmes
        self._desks = desks
        self._writer = writer
        self._seal = seal

    def rang(self, webhook: Webhook) -> Answer:
        """Answer a call that has come in. Raises Strange, UnknownLine, and StoreUnavailable."""
        rang, at = hearing.rang(webhook.form), webhook.at
        policy = self._programmes.of_line(rang.line)
        if policy is None:
            UNKNOWN_LINES.inc()
            log.error("Somebody called %s, which no policy lists. Add it to the lines of its programme.", rang.line)
            raise UnknownLine(rang.line)
        desk = self._desks.desk_for(policy.version, policy.programme)

        def take(call: Call | None) -> tuple[Turned, bytes]:
            if call is not None:
                raise self._stay(call, 0, at)
            return self._rendered(begin(rang, desk, at), 0)

        return self._answer(TurnKey(rang.sid, 0, 0, rang, at), take)

    def turn(self, webhook: Webhook) -> Answer:
        """Go on with a call. Raises Strange for a token that is not ours, UnknownCall, and StoreUnavailable."""
        token, at = self._seal.read_turn(webhook.token), webhook.at
        if token is None:
            raise Strange("token")
        heard, strange = _heard(webhook, token)

        def take(call: Call | None) -> tuple[Turned, bytes]:
            awaited = waited_for(call, token.leg) if call else None
            if call is None or awaited is None:
                raise UnknownCall(token.sid)
            if strange or awaited != token.turn or not accepts(call, token.leg, heard):
                raise self._stay(call, token.leg, at)
            return self._rendered(resume(call, token.leg, heard, self._desk(call), at), token.leg)

        return self._answer(TurnKey(token.sid, token.leg, token.turn, heard, at), take, strange)

    def says_again(self, call: Call, leg: int, at: datetime) -> bytes:
        """Return what a leg hears now, once more."""
        return self._written(again(call, leg, self._desk(call), at), call, leg)

    def _answer(self, key: TurnKey, take: Take, strange: str = "") -> Answer:
        made: list[tuple[Turned, bytes]] = []

        def noted(call: Call | None) -> tuple[Turned, bytes]:
            made[:] = [take(call)]
            return made[0]

        try:
            body = self._ledger.turn(key, noted)
        except Stay as stay:
            ANOMALIES.labels(strange or "wait").inc()
            return _answered(key, stay.reply, "again", stay.call, strange or "wait")
        if made and made[0][1] is body:
            return _answered(key, body, "fresh", made[0][0].call)
        return _answered(key, self._repeated(key, body), "repeated", None)

    def _repeated(self, key: TurnKey, body: bytes) -> bytes:
        """Return the reply that was given before; long after the call there is nobody left whom it could serve."""
        call = self._ledger.load(key.sid)
        over = call is not None and call.ended_at is not None and key.at - call.ended_at > REPEATED_FOR
        return document("<Hangup/>") if over else body

    def _stay(self, call: Call, leg: int, at: datetime) -> Stay:
        return Stay(self.says_again(call, leg, at), call)

    def _rendered(self, turned: Turned, leg: int) -> tuple[Turned, bytes]:
        if turned.said is None:
            raise LookupError("nothing was said to somebody who waits for an answer")
        return turned, self._written(turned.said, turned.call, leg)

    def _written(self, said: Said, call: Call, leg: int) -> bytes:
        return self._writer.render(said, Place(call.sid, call.line, leg, waited_for(call, leg) or 0))

    def _desk(self, call: Call) -> Desk:
        return self._desks.desk_for(call.policy, call.programme)


def _heard(webhook: Webhook, token: TurnToken) -> tuple[Heard, str]:
    """Return what was heard; or silence, and the field that keeps us from believing the request."""
    try:
        return hearing.heard(webhook.form, token), ""
    except Strange as strange:
        return Silence(), str(strange)


def _answered(key: TurnKey, body: bytes, reply: str, call: Call | None, field: str = "") -> Answer:
    return Answer(body, reply, key.sid, key.leg, key.turn, type(key.heard).__name__, call, field)
