"""One simulated call: documents come from the real webhooks, and are carried out as the provider would."""

from ivr.phone.clock import CallerGone
from ivr.phone.dialling import dial
from ivr.phone.keypad import enter
from ivr.phone.leg import Leg, length
from ivr.phone.people import REACTION, Leave, ScriptFault, Speak
from ivr.phone.recording import record
from ivr.phone.twiml import Dial, Gather, Hangup, Pause, Record, Redirect, Verb

END: tuple[Verb, ...] = ()


class Call:
    """Places one call, and carries it through to its end."""

    def __init__(self, leg: Leg, *, keeps_early_keys: bool = True) -> None:
        self._leg = leg
        self._keeps_early_keys = keeps_early_keys
        self._early = ""  # keys that an earlier prompt did not take

    def place(self) -> None:
        """Ring, and do what the documents say until somebody hangs up. Raises WireFault, TwimlFault or ScriptFault."""
        try:
            document = self._leg.fetch("/voice", CallStatus="ringing")
            while document:
                document = self._perform(document)
            self._leg.note("hung_up", "service")
        except (CallerGone, KeyboardInterrupt):
            self._leg.note("hung_up", "caller")
        finally:
            self._leg.report_end()

    def _perform(self, document: tuple[Verb, ...]) -> tuple[Verb, ...]:
        """Carry out a document, and return the one that follows; an empty one is the end."""
        for verb in document:
            following = self._carry_out(verb)
            if following is not None:
                return following
        return END

    def _carry_out(self, verb: Verb) -> tuple[Verb, ...] | None:
        """Carry out a verb, and return the document that it leads to; None goes on to the next verb."""
        match verb:
            case Gather():
                return self._gather(verb)
            case Record():
                return record(self._leg, verb)
            case Dial():
                return dial(self._leg, verb)
            case Redirect(url):
                return self._leg.fetch(url)
            case Hangup():
                return END
        self._leg.hear(verb)
        return None

    def _gather(self, gather: Gather) -> tuple[Verb, ...] | None:
        """Hear a prompt, up to the key that cuts it off, and deliver what was entered."""
        entry = enter(self._early or self._choose(gather), gather)
        self._early = entry.rest if self._keeps_early_keys else ""
        self._leg.clock.spend(entry.seconds)
        self._leg.note("keyed" if entry.pressed else "silent", entry.pressed)
        if not entry.digits and not gather.answers_silence:
            return None
        return self._leg.fetch(gather.action, Digits=entry.digits, FinishedOnKey=entry.finish, msg="Gather End")

    def _choose(self, gather: Gather) -> str:
        """Hear the prompt as far as the caller wants to, and return the keys that they press then."""
        *before, last = gather.heard or (Pause(0),)
        for verb in before:
            self._leg.hear(verb)
        self._leg.show(last)
        does = self._leg.people.caller.at_gather(gather, length(last))
        if isinstance(does, Speak):
            raise ScriptFault("the service waits for keys here, but the caller was told to leave a message")
        if isinstance(does, Leave):
            self._leg.clock.spend(REACTION)
            raise CallerGone
        cut_off = does.keys and not does.keys.startswith(",")
        self._leg.clock.spend(min(does.after, length(last)) if cut_off else length(last))
        return does.keys
