"""A take: one recording that a Record or a Dial made, and the requests that tell of it."""

from dataclasses import dataclass
from typing import Self

from clock import whole
from leg import Leg, new_sid
from twiml_reader import Verb


@dataclass(frozen=True)
class Take:
    """A recording in Twilio's keeping; `verb` asked for it, `started` is RFC 2822, 0 seconds is an empty one."""

    sid: str
    account_sid: str
    call_sid: str
    seconds: int
    verb: Verb
    started: str

    @classmethod
    def of(cls, call: Leg, verb: Verb, seconds: float) -> Self:
        """Keep what a leg has just recorded."""
        account_sid = call.identity["AccountSid"]
        return cls(new_sid("RE"), account_sid, call.sid, whole(seconds), verb, call.carrier.clock.timestamp)

    @property
    def url(self) -> str:
        """Where Twilio says the audio is."""
        return f"https://api.twilio.com/2010-04-01/Accounts/{self.account_sid}/Recordings/{self.sid}"

    @property
    def action_fields(self) -> dict[str, str]:
        """What the action request adds."""
        return {"RecordingSid": self.sid, "RecordingUrl": self.url, "RecordingDuration": str(self.seconds)}

    def is_awaited(self, status: str) -> bool:
        """Tell whether the document subscribed to this end; a failure is told to everybody."""
        wanted = self.verb.get("recordingStatusCallbackEvent", "completed").split()
        return "recordingStatusCallback" in self.verb.attributes and status in [*wanted, "failed"]

    def callback_fields(self, status: str) -> dict[str, str]:
        """What the recording callback says: no From, no To, and a duration only of a completed one."""
        fields = {
            "AccountSid": self.account_sid,
            "CallSid": self.call_sid,
            "RecordingSid": self.sid,
            "RecordingUrl": self.url,
            "RecordingStatus": status,
            "RecordingChannels": "2" if self.verb.get("record").endswith("dual") else "1",
            "RecordingStartTime": self.started,
            "RecordingSource": f"{self.verb.name}Verb",
            "RecordingTrack": "both",
            "ErrorCode": "0",
        }
        if status == "completed":
            fields["RecordingDuration"] = str(self.seconds)
        return fields
