"""What is known of a call when it is to be routed, and the facts that routes may ask about."""

from dataclasses import dataclass

from routing.partner import Certification, PartnerType
from routing.policy import LineKind

# The closed set of facts that a route may ask about, and every value that each can have.
FACTS: dict[str, tuple[str, ...]] = {
    "line": ("standard", "certified", "shared", "voicemail"),
    "type": ("agency", "resale", "wholesale", "referral", "unknown"),
    "certified": ("yes", "no"),
    "certification": ("valid", "expired", "none"),
    "loa": ("on_file", "missing", "not_required"),
    "intent": ("new", "existing", "escalation", "engineer", "none"),
    "urgent": ("yes", "no", "unasked"),
    "home": ("open", "closed"),
    "elsewhere": ("open", "closed"),
    "case_desk": ("open", "closed", "none"),
    "choice": ("none", "live", "voicemail", "customer", "how", "declined"),
}
URGENT_AT_MOST = 1  # Severity 0 and 1


@dataclass(frozen=True, slots=True)
class Enquiry:
    """All that is known of a call when it is to be routed.

    An unidentified caller has no type. `severity` is None until it is known; `outage_denied` says that the caller
    was asked and that it is no Severity 1.
    """

    line: LineKind
    region: str
    type: PartnerType | None = None
    certification: Certification = Certification.NONE
    loa: str = "not_required"
    intent: str = "none"
    severity: int | None = None
    outage_denied: bool = False
    case_desk: str | None = None
    choice: str = "none"

    @property
    def certified(self) -> bool:
        """Whether Tier 2 is open to the caller: a valid certification of any type but referral."""
        return self.certification is Certification.VALID and self.type not in (None, PartnerType.REFERRAL)

    @property
    def urgent(self) -> str:
        """Whether this is a Severity 0 or 1; one that nobody asked about may be."""
        if self.severity is None:
            return "no" if self.outage_denied else "unasked"
        return "yes" if self.severity <= URGENT_AT_MOST else "no"

    @property
    def tier(self) -> int:
        """The tier that the caller is entitled to."""
        return 2 if self.certified else 1
