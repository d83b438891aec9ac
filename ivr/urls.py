"""Our own URLs, as they stand in TwiML: absolute, signed, and with word for Twilio on how to try again."""

from msgspec.structs import replace

from ivr.tokens import Awaits, PageStep, PageToken, RescueToken, Seal, TakeToken, TurnToken

# Two attempts of five seconds each fit into the fifteen that Twilio allows.
RETRY = "#rc=2&rp=ct,rt,5xx&ct=2000&rt=6000&tt=15000"

TURN = "/voice/turn/"
RECORDING = "/voice/recording/"
TRANSCRIPT = "/voice/transcript/"
RESCUE = "/voice/rescue/"
SCREEN = "/voice/rescue-screen/"
TAKE = "/voice/take/"
PAGE = "/voice/page/"
TAKING = "/p/"


class Urls:
    """Writes every URL that a document of ours can contain."""

    def __init__(self, base_url: str, seal: Seal) -> None:
        self._base = base_url
        self.seal = seal

    def turn(self, sid: str, leg: int, turn: int, awaits: Awaits) -> str:
        """Return where the next turn of a leg is delivered."""
        return f"{self._base}{TURN}{self.seal.turn(TurnToken(sid, leg, turn, awaits))}{RETRY}"

    def recording(self, sid: str, turn: int) -> str:
        """Return where the news of a take's audio is delivered."""
        token = self.seal.turn(TurnToken(sid, 0, turn, Awaits.MESSAGE), "audio")
        return f"{self._base}{RECORDING}{token}{RETRY}"

    def transcript(self, sid: str, turn: int) -> str:
        """Return where the transcript of a take is delivered."""
        token = self.seal.turn(TurnToken(sid, 0, turn, Awaits.MESSAGE), "transcript")
        return f"{self._base}{TRANSCRIPT}{token}{RETRY}"

    def rescue(self, token: RescueToken) -> str:
        """Return where the next step of a rescue is delivered."""
        return f"{self._base}{RESCUE}{self.seal.rescue(token)}{RETRY}"

    def screen(self, token: RescueToken) -> str:
        """Return what an engineer who is rung in a rescue hears, and where the key goes that is pressed then."""
        return f"{self._base}{SCREEN}{self.seal.rescue(token, 'screen')}{RETRY}"

    def take(self, sid: str, recording: str) -> str:
        """Return where a take can be heard by the caller who is still on the line."""
        return f"{self._base}{TAKE}{self.seal.take(TakeToken(sid, recording))}"

    def page(self, token: PageToken) -> str:
        """Return what is delivered of a telephone call to somebody who is paged: picked up, a key, the end of it."""
        return f"{self._base}{PAGE}{self.seal.page(token)}{RETRY}"

    def taking(self, token: PageToken) -> str:
        """Return the link in a message by which somebody takes a page."""
        return f"{self._base}{TAKING}{self.seal.page(replace(token, step=PageStep.LINK, repeats=0))}"
