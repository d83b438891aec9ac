"""The floor: the least that a Flask application can do for a webhook. It parses the form and answers a constant."""

from flask import Flask, Response, request

TWIML = (
    '<?xml version="1.0" encoding="UTF-8"?><Response>'
    '<Gather input="dtmf" action="/voice/turn/next" method="POST" timeout="5" numDigits="1">'
    "<Say>For a new case, press 1. For an existing case, press 2.</Say></Gather></Response>"
)

app = Flask(__name__)


@app.post("/voice")
@app.post("/voice/status")
@app.post("/voice/turn/<token>")
def answer(token: str = "") -> Response:
    """Answer the same to everybody."""
    request.form.get(token or "Digits", "")
    return Response(TWIML, mimetype="text/xml")
