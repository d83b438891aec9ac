"""The voice webhooks: what Twilio tells us goes in; a document that leads to a person or to the next step comes out.

A bare WSGI callable, since every caller waits for it. Whatever happens inside, a genuine request is answered 200 with
valid TwiML; where the service cannot think, rule R0 rings people.
"""

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any

from ivr import urls
from ivr.answer import Answer
from ivr.callbacks import Callbacks
from ivr.conversation import Conversation, UnknownLine
from ivr.form import Environ, Refused
from ivr.guard import Guard, Webhook
from ivr.hearing import Strange
from ivr.observe import ANOMALIES, REPLIES, Witness, log
from ivr.trouble import Trouble
from ivr.twiml import CONTENT_TYPE
from recordings.failpoint import reach
from recordings.log import UnknownCall
from recordings.store import StoreUnavailable

StartResponse = Callable[..., Any]


class Voice:
    """Answers everything under /voice that Twilio signs."""

    def __init__(
        self, guard: Guard, conversation: Conversation, callbacks: Callbacks, trouble: Trouble, witness: Witness
    ) -> None:
        self._guard = guard
        self._trouble = trouble
        self._witness = witness
        self._routes: dict[str, Callable[[Webhook], Answer]] = {
            "/voice": conversation.rang,
            "/voice/status": callbacks.status,
            "/voice/fallback": trouble.fallback,
            urls.TURN: conversation.turn,
            urls.RECORDING: callbacks.recording,
            urls.TRANSCRIPT: callbacks.transcript,
            urls.RESCUE: trouble.rescue_step,
            urls.SCREEN: trouble.rescue_screen,
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        started = perf_counter()
        try:
            webhook = self._guard.admit(environ)
        except Refused as refusal:
            return refuse(refusal, start_response)
        reach("recv.verified")
        answer = self._answer(webhook)
        self._witness.saw(answer, webhook.at, (perf_counter() - started) * 1000)
        reach("resp.before_send")
        start_response("200 OK", [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(answer.body)))])
        return (answer.body,)

    def _answer(self, webhook: Webhook) -> Answer:
        try:
            return self._routes[webhook.place](webhook)
        except Strange as strange:
            ANOMALIES.labels(str(strange)).inc()
            return self._trouble.instead(webhook, str(strange))
        except UnknownLine:
            return self._trouble.instead(webhook)
        except (StoreUnavailable, UnknownCall) as failure:
            kind = type(failure).__name__
            log.error("A webhook to %s was not answered as usual: %s: %s", webhook.place, kind, failure)
        except Exception:  # noqa: BLE001 - a caller waits, and rule R0 is for exactly this
            log.exception("A webhook to %s was not answered as usual.", webhook.place)
        return self._trouble.instead(webhook)


def refuse(refusal: Refused, start_response: StartResponse, allow: str = "POST") -> Iterable[bytes]:
    """Answer a request that is not what its URL takes, in as few words as possible."""
    REPLIES.labels("refused").inc()
    body = f"{refusal.status}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    if refusal.status.startswith("405"):
        headers.append(("Allow", allow))
    start_response(refusal.status, headers)
    return (body,)
