"""Trouble: what is answered when a turn cannot be. Every way out of here leads to a person."""

import re
from collections.abc import Callable
from datetime import datetime

from flows.call import Call, Turned
from flows.heard import DialEnded, Heard, Silence
from flows.turn import fell_back, rescued
from ivr import hearing, urls
from ivr.answer import Answer
from ivr.conversation import Conversation
from ivr.guard import Webhook
from ivr.hearing import FINAL, Strange
from ivr.ledger import HASTE, Ledger
from ivr.observe import log
from ivr.programmes import Desks
from ivr.rescue import Rescue
from ivr.tokens import CALL_SID, Seal
from ivr.twiml import EMPTY, document
from recordings.store import StoreUnavailable

CALLBACKS = frozenset({"/voice/status", urls.RECORDING, urls.TRANSCRIPT})
NO_CALL = "CA" + "0" * 32  # stands for a call whose own id cannot be read
_sid = re.compile(CALL_SID).fullmatch


class Trouble:
    """Answers the fallback URL, the steps of a rescue, and every webhook that nothing else could answer."""

    def __init__(self, ledger: Ledger, conversation: Conversation, rescue: Rescue, desks: Desks, seal: Seal) -> None:
        self._ledger = ledger
        self._conversation = conversation
        self._rescue = rescue
        self._desks = desks
        self._seal = seal

    def instead(self, webhook: Webhook, field: str = "") -> Answer:
        """Answer in the place of whoever could not: callbacks with nothing, everybody else with a rescue."""
        sid = sid_of(webhook)
        if webhook.place in CALLBACKS:
            return Answer(EMPTY, "lost", sid, field=field)
        if "ParentCallSid" in webhook.form.fields:
            return Answer(self._for_engineer(webhook), "rescue", sid, leg=1, field=field)
        return Answer(self._for_caller(webhook), "rescue", sid, field=field)

    def fallback(self, webhook: Webhook) -> Answer:
        """Say again what Twilio could not fetch or carry out; if that fails too, or the call is unknown, rescue."""
        if hearing.parent_sid(webhook.form):
            return Answer(document("<Hangup/>"), "again", sid_of(webhook), leg=1)
        sid, heard = hearing.call_sid(webhook.form), hearing.resumed(webhook.form)
        call = self._ledger.load(sid)
        if call is None or self._ledger.fell_back(sid):
            return self.instead(webhook)
        self._write(sid, heard, webhook.at, lambda now: Turned(fell_back(now or call, heard, webhook.at)))
        return Answer(self._conversation.says_again(call, 0, webhook.at), "again", sid, 0, call.turn, "Resumed", call)

    def rescue_step(self, webhook: Webhook) -> Answer:
        """Go on with a rescue after an attempt: the end after a conversation, else the next number."""
        token = self._seal.read_rescue(webhook.token)
        if token is None:
            raise Strange("token")
        number, bridged, at = self._rescue.rung(token), _bridged(webhook), webhook.at

        def follows(call: Call | None) -> Turned:
            known = call or self._rescue.call_of(token, *_caller(webhook), at)
            desk = self._desks.desk_for(known.policy, known.programme)
            return rescued(known, number, desk, at, reached=bridged)

        self._write(token.sid, _dial_ended(webhook), at, follows)
        gone = webhook.form.fields.get("CallStatus") in FINAL
        body = EMPTY if gone else self._rescue.goes_on(token, bridged=bridged)
        return Answer(body, "rescue", token.sid, 0, token.step, "DialEnded")

    def rescue_screen(self, webhook: Webhook) -> Answer:
        """Ask an engineer who was rung in a rescue for the key that proves a person."""
        token = self._seal.read_rescue(webhook.token, "screen")
        if token is None:
            raise Strange("token")
        body = self._rescue.screens(token, _keys(webhook))
        return Answer(body, "rescue", token.sid, 1, token.step)

    def _for_caller(self, webhook: Webhook) -> bytes:
        if webhook.form.fields.get("CallStatus") in FINAL:
            return EMPTY
        if _bridged(webhook):
            return document("<Hangup/>")
        left_a_message = webhook.place == urls.TURN and "RecordingUrl" in webhook.form.fields
        prompt = "vm.unsaved" if left_a_message else "err.sys"
        return self._rescue.begins(sid_of(webhook), hearing.line_of(webhook.form), prompt)

    def _for_engineer(self, webhook: Webhook) -> bytes:
        """Whoever answers is asked to take the call unseen; the caller is put through to whoever presses 1."""
        parent = webhook.form.fields["ParentCallSid"]
        token = self._rescue.token(parent if _sid(parent) else NO_CALL, hearing.line_of(webhook.form))
        return self._rescue.screens(token, _keys(webhook))

    def _write(self, sid: str, heard: Heard, at: datetime, follows: Callable[[Call | None], Turned]) -> None:
        """Write something down if that can be done at once; the caller is not kept waiting for it."""
        try:
            self._ledger.notice(sid, heard, at, follows, HASTE)
        except StoreUnavailable:
            log.warning("Call %s: a step of its rescue could not be written down.", sid)


def sid_of(webhook: Webhook) -> str:
    """Return the call that a webhook is about, as far as that can be read."""
    sid = webhook.form.fields.get("CallSid", "")
    return sid if _sid(sid) else NO_CALL


def _bridged(webhook: Webhook) -> bool:
    ended = _dial_ended(webhook)
    return isinstance(ended, DialEnded) and ended.bridged


def _dial_ended(webhook: Webhook) -> Heard:
    try:
        return hearing.dial_ended(webhook.form)
    except Strange:
        return Silence()


def _caller(webhook: Webhook) -> tuple[str | None, str]:
    try:
        return hearing.caller(webhook.form)
    except Strange:
        return None, ""


def _keys(webhook: Webhook) -> str:
    try:
        return hearing.keys(webhook.form)
    except Strange:
        return ""
