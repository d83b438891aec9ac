"""One turn: what was heard goes in, what is said comes out, and the document moves on by one."""

from datetime import datetime

from flows import audio
from flows.call import Call, Leg, Turned
from flows.case import case_of
from flows.conversation import FIRST, NODES
from flows.desk import Desk
from flows.ending import ended, settled
from flows.heard import (
    Answered,
    DialEnded,
    Heard,
    HungUp,
    Keys,
    MessageLeft,
    Rang,
    RecordingReady,
    Resumed,
    Silence,
    Transcribed,
)
from flows.node import Node, fresh
from flows.ring import leg_ended
from flows.said import HangUp, Said, Sentence
from flows.screen import screen, screened, waits_for, whisper
from flows.task import tasks_of
from flows.tokens import sentence
from flows.voicemail import kept
from routing.policy import Policy

MOST_NODES = 30  # in one turn; more is a loop


class LoopError(RuntimeError):
    """A turn went through more nodes than any conversation has: a fault of the table, not of the caller."""


def begin(rang: Rang, desk: Desk, at: datetime) -> Turned:
    """Answer a call: greet, recognise, and say whatever comes before the first wait."""
    call = new_call(rang, desk.policy, at).note(at, "rang", line=rang.line, caller=rang.caller or "withheld")
    return _visit(call, FIRST, desk, at)


def new_call(rang: Rang, policy: Policy, at: datetime) -> Call:
    """Return the document of a call that has just come in on one of a policy's lines."""
    line = policy.lines[rang.line]
    return Call(
        sid=rang.sid,
        programme=policy.programme,
        policy=policy.version,
        line=line.number,
        line_id=line.id,
        line_kind=line.kind.value,
        locale=line.locale,
        region=line.region,
        started_at=at,
        caller=rang.caller,
        shown=rang.shown,
        attestation=rang.attestation,
    )


def accepts(call: Call, leg: int, heard: Heard) -> bool:
    """Whether what was heard is something that the leg's wait can produce; anything else is an anomaly."""
    if leg > len(call.legs):
        return False
    if leg:
        return isinstance(heard, Answered) == (call.legs[leg - 1].turn == 0) and isinstance(
            heard, Answered | Keys | Silence
        )
    return isinstance(heard, NODES[call.node].hears)


def resume(call: Call, leg: int, heard: Heard, desk: Desk, at: datetime) -> Turned:
    """Go on with a call from where it waited. Leg 0 is the caller, leg k the k-th engineer who was rung."""
    call = call.note(at, "heard", kind=type(heard).__name__, leg=leg, **_keys(heard))
    if leg:
        after = screen(call, leg, heard, at)
        said = screened(after, leg, heard, desk, at)
        return _turned(_spoke(after, said, at, leg), said, desk)
    if call.ended_at or caller_gone(heard):
        return _after_the_end(call, heard, desk, at)
    node = NODES[call.node]
    if not node.to:
        return _visit(call, call.node, desk, at)
    moved, name = node.step(call, heard, desk, at)
    return _visit(moved, name, desk, at)


def caller_gone(heard: Heard) -> bool:
    """Whether nobody is left to hear the answer, so that only the fact counts."""
    return (isinstance(heard, DialEnded) and heard.over) or (isinstance(heard, MessageLeft) and heard.ended == "hangup")


def again(call: Call, leg: int, desk: Desk, at: datetime) -> Said:
    """Return what is being said and waited for now; nothing changes."""
    if leg:
        if waits_for(call, leg) and call.legs[leg - 1].accepted_at is None:
            return whisper(call, desk, at)
        return Said(call.locale, (), HangUp())
    if call.ended_at:
        return Said(call.locale, (), HangUp())
    node = NODES[call.node]
    return _said(call, node, _sentences(call, node, desk, at), desk)


def fell_back(call: Call, heard: Resumed, at: datetime) -> Call:
    """Note that the provider could not use our last answer."""
    return call.note(at, "fell_back", code=heard.code)


def _keys(heard: Heard) -> dict[str, object]:
    return {"keys": heard.keys} if isinstance(heard, Keys) else {}


def _visit(call: Call, name: str, desk: Desk, at: datetime) -> Turned:
    """Go through nodes until one waits, and collect what each says."""
    spoken: list[Sentence] = []
    for _ in range(MOST_NODES):
        node = NODES[name]
        call = call.but(node=name) if name == call.node else fresh_at(call, name)
        spoken += _sentences(call, node, desk, at)
        if node.wait:
            said = _said(call, node, tuple(spoken), desk)
            return _turned(_spoke(call.but(turn=call.turn + 1), said, at, 0), said, desk)
        call, name = node.step(call, None, desk, at)
    raise LoopError(name)


def fresh_at(call: Call, name: str) -> Call:
    """Enter another node: what was missed at the last one no longer counts, unless the step says why it comes again."""
    keep = call.again == "alert"
    return (call if keep else fresh(call)).but(node=name)


def _sentences(call: Call, node: Node, desk: Desk, at: datetime) -> tuple[Sentence, ...]:
    return tuple(sentence(key, call, desk, at) for key in node.say(call, desk, at))


def _said(call: Call, node: Node, sentences: tuple[Sentence, ...], desk: Desk) -> Said:
    wait = node.wait(call, desk) if node.wait else HangUp()
    play = call.take.recording if call.again == "hear" and call.take else ""
    return Said(call.locale, sentences, wait, play)


def _spoke(call: Call, said: Said, at: datetime, leg: int) -> Call:
    spoken = [(s.key, s.text) for s in said.sentences]
    return call.note(at, "said", leg=leg, sentences=spoken, wait=type(said.wait).__name__)


def _turned(call: Call, said: Said | None, desk: Desk) -> Turned:
    return Turned(call, said, case_of(call, desk), tasks_of(call, desk))


def _after_the_end(call: Call, heard: Heard, desk: Desk, at: datetime) -> Turned:
    """Take a fact that comes after the caller has gone; nobody is listening any more, and a take is a message."""
    call = kept(_late(call, heard, desk, at), desk, at)
    call = call.but(turn=call.turn + 1)
    return _turned(settled(call, desk, at) if call.ended_at else call, Said(call.locale, (), HangUp()), desk)


def _late(call: Call, heard: Heard, desk: Desk, at: datetime) -> Call:
    if isinstance(heard, DialEnded) and call.legs:
        return leg_ended(call, heard, at)
    if isinstance(heard, MessageLeft) and call.node == "vm_record":
        taken, _ = NODES["vm_record"].step(call, heard, desk, at)
        return taken
    return call


def notice(call: Call, heard: Heard, desk: Desk, at: datetime) -> Turned | None:
    """Take an asynchronous fact: the caller has gone, or a take's audio is settled. None means nothing new."""
    if isinstance(heard, RecordingReady):
        known = audio.settled(call, heard, at)
        return _turned(known, None, desk) if known is not call else None
    if isinstance(heard, Transcribed) and heard.recording not in call.transcripts:
        known = call.but(transcripts=(*call.transcripts, heard.recording))
        return _turned(known.note(at, "transcript", recording=heard.recording, result=heard.result), None, desk)
    if isinstance(heard, HungUp) and call.ended_at is None:
        return _turned(ended(call, heard, desk, at), None, desk)
    return None


def never_served(rang: Rang, policy: Policy, heard: HungUp, at: datetime) -> Turned:
    """Return the row of a call that we hear of only at its end: it never reached us, and somebody must know."""
    call = new_call(rang, policy, at).but(node="never_served", ended_at=at, ended_by="caller", seconds=heard.seconds)
    call = call.but(last_step="never_served", outcome="system_failed").flagged("NEVER_SERVED")
    return Turned(call.note(at, "never_served").owe("alarm", "never_served").owe("ended", "ended"))


def rescued(call: Call, number: str, desk: Desk, at: datetime, *, reached: bool) -> Turned:
    """Note that rule R0 has taken over: the service could not decide, so the living chain was rung."""
    rules = call.rules if call.rules[-1:] == ("R0",) else (*call.rules, "R0")
    call = call.but(rules=rules).flagged("RESCUED").note(at, "rescued", number=number, reached=reached)
    if reached:
        leg = Leg(number, "rescue", "living chain", at, accepted_at=at, ended_at=at, result="connected", bridged=True)
        call = call.but(legs=(*call.legs, leg))
    if call.ended_at is None:
        return Turned(call)
    call = settled(call, desk, at)
    return Turned(call, None, case_of(call, desk), tasks_of(call, desk))
