"""The decision table of the partner programme, written out as plain questions, and the desks' hours from local clocks.

It shares nothing with the engine: no policy file, no schedules, no route table. Where both agree, both are right, or
wrong for reasons of their own.
"""

from datetime import date
from zoneinfo import ZoneInfo

WEST = {"us": ("apac", "emea"), "apac": ("emea", "us"), "emea": ("us", "apac")}
CLOCKS = {
    "us": ("America/Los_Angeles", 5, 18),
    "emea": ("Europe/London", 8, 18),
    "apac": ("Asia/Singapore", 9, 18),
}
# Public holidays of the weeks that are asked about, as the calendars of the three countries have them.
CLOSED = {
    "us": {date(2026, 11, 26), date(2026, 12, 25), date(2027, 1, 1)},
    "emea": {date(2026, 12, 25), date(2026, 12, 28), date(2027, 1, 1)},
    "apac": {date(2026, 11, 9), date(2026, 12, 25), date(2027, 1, 1)},
}


def open_desks(instant):
    """Which regions' desks are open."""
    found = set()
    for region, (zone, opens, closes) in CLOCKS.items():
        local = instant.astimezone(ZoneInfo(zone))
        if local.weekday() < 5 and local.date() not in CLOSED[region] and opens <= local.hour < closes:
            found.add(region)
    return found


def team(region, tier):
    return (f"{region}-tier{tier}-engineer", f"{region}-tier{tier}-second")


def ladder(region):
    return tuple(f"{region}-oncall-{role}" for role in ("engineer", "lead", "manager", "director"))


def teams(regions, tier):
    return tuple(person for region in regions for person in team(region, tier))


def route(line, region, kind, certification, loa, intent, urgent, case_desk, choice, opened):  # noqa: C901, PLR0911, PLR0912, PLR0917
    """Return (rule, what is done, whom it rings, what is offered, what is said, flags)."""
    certified = certification == "valid" and kind not in (None, "referral")
    tier = 2 if certified else 1
    home = region in opened
    others = [each for each in WEST[region] if each in opened]
    ours, theirs, on_call = team(region, tier), teams(others, tier), ladder(region)
    wrong_line = ("route.notcert",) if line == "certified" else ()
    wants_a_person = intent == "engineer"

    if urgent == "yes":
        if home:
            also = team(region, 1) if certified else ()
            said = "vm.s1" if line == "voicemail" else "route.s1"
            return "R1", "ring", (*ours, *also, *theirs, *on_call), {}, (said,), ()
        if others:
            return "R2", "ring", (*theirs, *on_call), {}, ("route.s1.follow",), ("FOLLOWED_SUN",)
        return "R3", "ring", on_call, {}, ("s1.oncall",), ()

    if line == "voicemail" and not certified and home and not wants_a_person:
        if choice in ("live", "declined"):
            return "R4", "ring", ours, {}, ("route.t1",), ()
        return "R4", "offer", (), {"1": "live"}, ("vm.notcert",), ()
    if certified and (
        (line == "voicemail" and not wants_a_person) or choice == "voicemail" or (intent == "escalation" and not home)
    ):
        return "R5", "record", (), {}, (), ()
    if intent == "escalation" and home:
        if choice in ("live", "declined"):
            said = "route.t2" if certified else "route.t1"
            return ("R6" if certified else "R7"), "ring", ours, {}, (said,), ("ESCALATION",)
        if certified:
            return "R6", "offer", (), {"1": "live", "2": "voicemail"}, ("esc.cert.open",), ()
        return "R7", "offer", (), {"1": "live"}, ("esc.notcert",), ()
    if intent == "existing" and case_desk and int(case_desk[-1]) <= tier and case_desk.split("-")[0] in opened:
        return "R8", "ring", team(*case_desk.split("-tier")), {}, ("case.ok",), ()

    if certified and home:
        return "R9", "ring", ours, {}, ("route.t2",), ()
    if certified and others:
        if choice == "live":
            return "R10", "ring", theirs, {}, ("route.s1.follow",), ("FOLLOWED_SUN",)
        if choice == "declined":
            return "R10", "inform", (), {}, ("closed.logged",), ()
        return "R10", "offer", (), {"1": "live", "2": "voicemail"}, ("closed.offer.cert",), ()
    if certified:
        if choice == "declined":
            return "R11", "inform", (), {}, ("closed.logged",), ()
        return "R11", "offer", (), {"1": "voicemail"}, ("closed.vm",), ()

    if home and certification == "expired":
        ready = ("route.t1.ready",) if kind in ("resale", "wholesale") else ()
        return "R12", "ring", ours, {}, ("route.expired", *ready), ("CERT_EXPIRED",)
    if home and kind in ("resale", "wholesale"):
        return "R13", "ring", ours, {}, (*wrong_line, "route.t1.resale"), ()
    if home and kind == "agency":
        if loa == "missing" and choice == "customer":
            return "R14", "ring", ours, {}, (*wrong_line, "route.t1"), ("CUSTOMER_PRESENT", "NO_LOA")
        if loa == "missing" and not wants_a_person and choice == "how":
            return "R14", "offer", (), {"1": "live"}, ("loa.how",), ("NO_LOA",)
        if loa == "missing" and not wants_a_person and choice in ("none", "voicemail"):
            return "R14", "offer", (), {"1": "customer", "2": "how", "3": "live"}, ("loa.none",), ("NO_LOA",)
        return "R14", "ring", ours, {}, (*wrong_line, "route.t1"), ("NO_LOA",) if loa == "missing" else ()
    if home:
        return "R15", "ring", ours, {}, (*wrong_line, "route.t1"), ("REFERRAL",) if kind == "referral" else ()

    first = ("vm.notcert.closed",) if line == "voicemail" else ("esc.portal",) if intent == "escalation" else ()
    if others:
        if choice == "live":
            return "R16", "ring", theirs, {}, ("route.s1.follow",), ("FOLLOWED_SUN",)
        if choice == "declined":
            return "R16", "inform", (), {}, ("closed.logged",), ()
        return "R16", "offer", (), {"1": "live"}, (*first, "closed.offer"), ()
    unheard = ("closed.all",) if line == "voicemail" else ()
    return "R17", "inform", (), {}, (*first, *unheard, "closed.logged", "closed.web"), ()
