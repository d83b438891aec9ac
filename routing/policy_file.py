"""Read a policy file and check the whole of it, so that every fault is reported at once, each with place and mend."""

from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from routing.fault import PolicyError
from routing.policy import PartnerIdFormat, Policy, Provenance, Timing
from routing.policy_aftercare import aftercare
from routing.policy_checks import check_parts
from routing.policy_form import read_form
from routing.policy_model import PolicyEntry
from routing.policy_parts import Parts, read_parts
from routing.policy_text import MOST_CHARACTERS, Sheet, read_sheet

FOLDER = Path(__file__).parent / "policies"
VERSION_LENGTH = 12

# Entries that a policy takes over as they are, where the file gives them.
_PLAIN = ("grace_days", "pages_per_hour", "unknown_ids_per_hour", "notice", "call_example_hours")


def shipped_policies() -> tuple[Path, ...]:
    """Return the files of the policies that come with the service."""
    return tuple(sorted(FOLDER.glob("*.yaml")))


def policy_files(folder: Path | None = None) -> tuple[Path, ...]:
    """Return the shipped files and those of a folder; one of the same name replaces the shipped one."""
    files = {path.name: path for path in (*shipped_policies(), *(sorted(folder.glob("*.yaml")) if folder else ()))}
    return tuple(files[name] for name in sorted(files))


def read_policy(path: Path) -> Policy:
    """Return the policy in a file. Raises PolicyError, which lists every fault of the file."""
    try:
        with path.open("rb") as file:
            content = file.read(4 * MOST_CHARACTERS + 1)
        return parse_policy(content.decode("utf-8-sig"), str(path))
    except OSError as fault:
        what = f"the file cannot be read ({fault.strerror})"
        raise _refusal(str(path), what, "check its name and who may read it") from None
    except UnicodeDecodeError as fault:
        raise _refusal(str(path), f"byte {fault.start} is no UTF-8", "save the file as UTF-8") from None


def parse_policy(text: str, name: str) -> Policy:
    """Return the policy that a text says; `name` stands for it in faults. Raises PolicyError."""
    sheet = read_sheet(text, name)
    draft = read_form(sheet)
    parts = read_parts(draft, sheet) if draft else None
    if draft and parts:
        check_parts(parts, draft, sheet)
    if sheet.faults or draft is None or parts is None:
        raise PolicyError(sorted(sheet.faults, key=lambda fault: (fault.line, fault.code)))
    return _policy(draft.entry, parts, sha256(text.encode()).hexdigest()[:VERSION_LENGTH], name)


def _refusal(file: str, what: str, mend: str) -> PolicyError:
    sheet = Sheet(file)
    sheet.mark("Y1", (), what, mend)
    return PolicyError(sheet.faults)


def _policy(entry: PolicyEntry, parts: Parts, version: str, file: str) -> Policy:
    given: dict[str, Any] = {part.name: getattr(parts, part.name) for part in fields(parts)}
    given |= entry.model_dump(include=set(_PLAIN), exclude_none=True)
    given |= aftercare(entry)
    if entry.partner_id:
        given["partner_id"] = PartnerIdFormat(entry.partner_id.length)
    return Policy(
        programme=entry.programme,
        version=version,
        brand=entry.brand,
        portal=entry.portal,
        follow_the_sun=tuple(entry.follow_the_sun),
        timing=Timing(**entry.timing.model_dump(exclude_none=True)),
        provenance=Provenance(entry.source, entry.verified_on, entry.assumed, 1),
        file=file,
        **given,
    )
