"""A peer in the shape of the usual phone-tree tutorial: signature checked by twilio's own class, nothing stored."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, abort, request, url_for
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

DESTINATIONS = {"2": "+14085550170", "3": "+14085550171", "4": "+14085550172"}

app = Flask(__name__)


def from_twilio(view: Callable[..., Response]) -> Callable[..., Response]:
    """Refuse a request that is not signed."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Response:
        validator = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])
        if not validator.validate(request.url, request.form, request.headers.get("X-Twilio-Signature", "")):
            abort(403)
        return view(*args, **kwargs)

    return checked


def twiml(response: VoiceResponse) -> Response:
    """Return a document as a reply."""
    return Response(str(response), mimetype="text/xml")


@app.post("/voice")
@from_twilio
def welcome() -> Response:
    """Greet, and offer the first menu."""
    response = VoiceResponse()
    with response.gather(num_digits=1, action=url_for("menu"), method="POST") as gather:
        gather.say("Thank you for calling. For opening hours, press 1. To be put through, press 2.", loop=3)
    return twiml(response)


@app.post("/menu")
@from_twilio
def menu() -> Response:
    """Act on the first key."""
    response = VoiceResponse()
    match request.form.get("Digits"):
        case "1":
            response.say("We are open on weekdays from nine to five.", voice="alice", language="en-GB")
            response.hangup()
        case "2":
            response.append(_teams())
        case _:
            response.say("Returning to the main menu.")
            response.redirect(url_for("welcome"))
    return twiml(response)


def _teams() -> Gather:
    gather = Gather(num_digits=1, action=url_for("team"), method="POST")
    gather.say("For billing, press 2. For engineering, press 3. For sales, press 4.", voice="alice", language="en-GB")
    return gather


@app.post("/team")
@from_twilio
def team() -> Response:
    """Put the caller through."""
    response = VoiceResponse()
    number = DESTINATIONS.get(request.form.get("Digits", ""))
    if number:
        response.say("One moment.")
        response.dial(number)
    else:
        response.say("Returning to the main menu.")
        response.redirect(url_for("welcome"))
    return twiml(response)
