"""The guard: what a webhook must be before anything is done with it. Whoever is turned away has changed nothing."""

from datetime import datetime
from time import monotonic

import msgspec

from ivr import urls
from ivr.clock import now, parse_instant
from ivr.form import BODY_LIMIT, TRANSCRIPT_LIMIT, Environ, Form, Refused, read
from ivr.observe import FORGED, log
from ivr.signature import Signature

PLACES = frozenset({"/voice", "/voice/status", "/voice/fallback"})
KINDS = frozenset({urls.TURN, urls.RECORDING, urls.TRANSCRIPT, urls.RESCUE, urls.SCREEN, urls.PAGE})
SIGNATURE = "HTTP_X_TWILIO_SIGNATURE"
INSTANT = "HTTP_X_PARTNERLINE_INSTANT"
WARN_EVERY = 10.0  # seconds between two lines about requests that nobody signed


class Webhook(msgspec.Struct, frozen=True):
    """A request that Twilio has signed: where it goes, the token in its URL, what it says, and when it came."""

    place: str
    token: str
    form: Form
    at: datetime


class Guard:
    """Lets signed requests of our own account through, and turns everything else away."""

    def __init__(self, signature: Signature, account_sid: str, *, time_travel: bool) -> None:
        self._signature = signature
        self._account_sid = account_sid
        self._time_travel = time_travel
        self._warned = -WARN_EVERY

    def admit(self, environ: Environ) -> Webhook:
        """Return the request as a webhook. Raises Refused."""
        target = target_of(environ)
        place, token = divided(target)
        if environ["REQUEST_METHOD"] != "POST":
            raise Refused("405 Method Not Allowed", "method")
        form = read(environ, TRANSCRIPT_LIMIT if place == urls.TRANSCRIPT else BODY_LIMIT)
        if not self._signature.is_genuine(target, form.signed, environ.get(SIGNATURE)):
            self._forged(place)
        if not form.signed[:1].isalpha():  # the end of another of our URLs has been made the first field
            raise Refused("400 Bad Request", "first field")
        if form.fields.get("AccountSid") != self._account_sid:
            raise Refused("403 Forbidden", "account")
        return Webhook(place, token, form, self._instant(environ))

    def _forged(self, place: str) -> None:
        FORGED.inc()
        if monotonic() - self._warned >= WARN_EVERY:
            self._warned = monotonic()
            log.warning(
                "A request to %s was not signed by our account. If it was Twilio's, TWILIO_AUTH_TOKEN or "
                "PUBLIC_BASE_URL is not what Twilio uses.",
                place,
            )
        raise Refused("403 Forbidden", "signature")

    def _instant(self, environ: Environ) -> datetime:
        wanted = environ.get(INSTANT)
        if wanted is None:
            return now()
        if not self._time_travel:
            raise Refused("403 Forbidden", "instant")
        try:
            return parse_instant(wanted)
        except ValueError:
            raise Refused("400 Bad Request", "instant") from None


def target_of(environ: Environ) -> str:
    """Return the target of the request line as it was sent: decoding would change what was signed."""
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    return target


def divided(target: str) -> tuple[str, str]:
    """Return the place that a target names, and the token that it carries. Raises Refused for any other target."""
    if target in PLACES:
        return target, ""
    head, _, token = target.rpartition("/")
    if token and f"{head}/" in KINDS:
        return f"{head}/", token
    raise Refused("404 Not Found", "path")
