"""Who is calling: the greeting, recognition by number, and the Partner ID."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from flows.call import Call
from flows.desk import Desk, certification_of
from flows.heard import Heard, Keys, Silence
from flows.left import VOICEMAIL, with_message_before
from flows.node import ENTRY_WAIT, Menu, Node, Step, after_last_star, always, going_to, missed, passing, patient
from flows.said import Gather
from routing.partner import Certification, Partner, PartnerType, Status

TRIES = 3
WAITS = 3  # how often a caller may ask for a minute
MINUTE_ALERT = 50  # seconds of silence after which we ask whether they are still there
GREETINGS = {"standard": "greet.std", "shared": "greet.std", "certified": "greet.cert", "voicemail": "greet.vm"}


def _greeting(call: Call, desk: Desk, _at: datetime) -> Sequence[str]:
    notice = ("notice.rec",) if desk.policy.notice else ()
    return (GREETINGS[call.line_kind], *notice)


def _greet(call: Call, _heard: Heard | None, desk: Desk, at: datetime) -> tuple[Call, str]:
    known = (
        [p for p in desk.directory.partners_of(call.caller or "") if p.status is Status.ACTIVE] if call.caller else []
    )
    if len(known) != 1:
        return call.note(at, "not_recognised", candidates=len(known)), "pid"
    return _identified_as(call, known[0], desk).but(recognised=True).note(
        at, "recognised", partner=known[0].partner_id
    ), "known"


def _identified_as(call: Call, partner: Partner, desk: Desk) -> Call:
    region = partner.region if partner.region in desk.policy.regions else call.region
    return call.but(partner=replace(partner, representatives=()), region=region, typed="")


def _ask(call: Call, _desk: Desk, _at: datetime) -> Sequence[str]:
    if call.again == "wrong":
        return ("pid.bad1",) if call.tally.unknown_ids == 1 else ("pid.bad2",)
    waited = call.tally.waits >= WAITS
    if call.again == "silent":
        return ("pid.silent1",) if call.tally.here_silent == 1 and not waited else ("pid.silent2",)
    if call.again == "alert":
        return ("pid.wait.last",) if waited else ("pid.wait.alert",)
    return () if call.again == "more" else ("pid.ask",)


def _enter(call: Call, heard: Heard | None, desk: Desk, at: datetime) -> tuple[Call, str]:
    keys = heard.keys if isinstance(heard, Keys) else ""
    if keys == "*" and call.tally.waits < WAITS:
        return call.but(tally=replace(call.tally, waits=call.tally.waits + 1), typed=""), "pid_wait"
    entered = after_last_star(keys)
    if entered == "9" and call.tally.repeats < 5:
        return call.but(again="repeat", tally=replace(call.tally, repeats=call.tally.repeats + 1)), "pid"
    if entered == "0":
        return call.but(typed=""), "nopid"
    if "*" in keys and len(keys) == _room(call, desk) and len(entered) < desk.policy.partner_id.length:
        return call.but(typed=entered, again="more"), "pid"
    if not entered:
        return _not_heard(call, desk, at)
    return _look_up(call, entered, desk, at)


def _room(call: Call, desk: Desk) -> int:
    length = desk.policy.partner_id.length
    return length - len(call.typed) if call.again == "more" else length


def _look_up(call: Call, entered: str, desk: Desk, at: datetime) -> tuple[Call, str]:
    length = desk.policy.partner_id.length
    begun = call.typed if call.again in ("", "more") else ""
    candidates = [text for text in dict.fromkeys((entered, begun + entered)) if len(text) == length]
    partner = next((p for text in candidates if (p := desk.directory.partner(text))), None)
    if partner and partner.status is Status.ACTIVE:
        found = _identified_as(call, partner, desk)
        return found.note(at, "identified", partner=partner.partner_id), "pid_ok"
    if partner:
        call = call.flagged("PARTNER_INACTIVE")
    return _not_found(call.but(typed=candidates[-1] if candidates else entered), desk, at)


def _not_found(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    """Count an ID that nobody has. Three in a call are enough, however the caller came back to the question."""
    call = missed(call, Keys(call.typed), at, "pid").note(at, "id_unknown", keyed=call.typed)
    call = call.but(tally=replace(call.tally, unknown_ids=call.tally.unknown_ids + 1))
    if _guessing(call, desk, at):
        call = call.flagged("PID_GUESSING")
    return call, "pid_giveup" if call.tally.unknown_ids >= TRIES else "pid"


def _guessing(call: Call, desk: Desk, at: datetime) -> bool:
    """Whether this number has keyed too many unknown IDs this hour; the log knows all but the one of this turn."""
    if call.caller is None:
        return False
    before = desk.directory.unknown_ids(call.caller, at - timedelta(hours=1))
    return before + 1 >= desk.policy.unknown_ids_per_hour


def _not_heard(call: Call, _desk: Desk, at: datetime) -> tuple[Call, str]:
    call = missed(call.but(typed=""), None, at, "pid")
    return (call, "pid_giveup") if call.tally.here_silent >= TRIES else (call, "pid")


def _waited(call: Call, heard: Heard | None, _desk: Desk, _at: datetime) -> tuple[Call, str]:
    keys = heard.keys if isinstance(heard, Keys) else ""
    if keys == "*" and call.tally.waits < WAITS:
        return call.but(tally=replace(call.tally, waits=call.tally.waits + 1)), "pid_wait"
    if not keys:
        return call.but(again="alert"), "pid"
    return call.but(typed=after_last_star(keys)), "pid"


def _identified(call: Call, _heard: Heard | None, desk: Desk, at: datetime) -> tuple[Call, str]:
    partner = call.partner
    if partner is None:
        call = call.flagged("UNVERIFIED")
    else:
        call = call.but(loa=_loa(call, partner, desk, at)).flagged(*_standing_flags(call, partner, desk))
        call = call.flagged("NO_LOA") if call.loa == "missing" else call
    if call.line_kind == VOICEMAIL:
        return with_message_before(call, desk, at), "vm_back"
    return call, "preface"


def _loa(call: Call, partner: Partner, desk: Desk, at: datetime) -> str:
    if partner.type is not PartnerType.AGENCY or not desk.home(call).loa_required:
        return "not_required"
    return "on_file" if desk.directory.loa_on_file(partner.partner_id, at) else "missing"


def _standing_flags(call: Call, partner: Partner, desk: Desk) -> tuple[str, ...]:
    expired = certification_of(call, desk.policy) is Certification.EXPIRED
    referral = partner.type is PartnerType.REFERRAL
    return (("CERT_EXPIRED",) if expired else ()) + (("REFERRAL",) if referral else ())


def forget_partner(call: Call, desk: Desk, at: datetime) -> tuple[Call, str]:
    """Start the identification over: the caller says that we have the wrong company."""
    line = desk.policy.lines[call.line]
    kept = tuple(f for f in call.flags if f not in ("CERT_EXPIRED", "NO_LOA", "REFERRAL", "UNVERIFIED"))
    call = call.but(partner=None, recognised=False, region=line.region, loa="not_required", flags=kept, typed="")
    call = call.but(left=None, left_told=False)
    return call.note(at, "partner_changed"), "pid"


def _direct_customer(call: Call, _desk: Desk, at: datetime) -> tuple[Call, str]:
    return call.flagged("DIRECT_CUSTOMER").note(at, "direct_customer"), "identified"


def _goes(node: str) -> Step:
    return lambda call, _heard, _desk, _at: (call, node)


_PID_PROMPTS = ("pid.ask", "pid.silent1", "pid.silent2", "pid.bad1", "pid.bad2", "pid.wait.alert", "pid.wait.last")
_nopid = Menu(
    "nopid",
    say=lambda *_: ("nopid.menu",),
    keys=always({"1": going_to("pid_giveup"), "2": going_to("reseller")}),
    give_up=going_to("pid_giveup"),
    back=going_to("pid"),
)
_reseller = Menu(
    "reseller",
    say=lambda *_: ("cust.reseller",),
    keys=always({"1": _direct_customer}),
    give_up=going_to("identified"),
    back=going_to("nopid"),
)

NODES = (
    passing("greet", _greet, ("known", "pid"), _greeting, (*GREETINGS.values(), "notice.rec")),
    passing("known", _goes("identified"), ("identified",), ("pid.known",)),
    Node(
        "pid",
        _enter,
        ("pid", "pid_ok", "pid_wait", "pid_giveup", "nopid"),
        _ask,
        _PID_PROMPTS,
        lambda call, desk: Gather(patient(call, ENTRY_WAIT), _room(call, desk), "#"),
        (Keys, Silence),
    ),
    Node(
        "pid_wait",
        _waited,
        ("pid", "pid_wait"),
        lambda *_: ("pid.wait",),
        ("pid.wait",),
        lambda *_: Gather(MINUTE_ALERT),
        (Keys, Silence),
    ),
    passing("pid_ok", _goes("identified"), ("identified",), ("pid.ok",)),
    passing("pid_giveup", _goes("identified"), ("identified",), ("pid.giveup",)),
    _nopid.node(("pid_giveup", "reseller", "pid"), ("nopid.menu",)),
    _reseller.node(("identified", "nopid"), ("cust.reseller",)),
    passing("identified", _identified, ("vm_back", "preface")),
)
