"""Hours that hold but may surprise: names of zones, published GMT, seams between desks, holidays. Codes H2 to H5."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pendulum

from routing.fault import Level, Note
from routing.policy import Desk, Policy, Quotation
from routing.policy_hours import READINGS
from routing.schedule import Schedule, Window, covers, predicted

MONTHS = 13
SOON = timedelta(days=60)  # how long before its last day a holiday calendar is missed
DAY = timedelta(days=1)

Span = tuple[datetime, datetime]


def lint_hours(policy: Policy, today: date) -> Iterator[Note]:
    """Yield what to know about the hours of the coming thirteen months."""
    start = datetime.combine(today, time(), UTC)
    end = pendulum.instance(start).add(months=MONTHS)
    for quoted in policy.quotations:
        yield from _reading(quoted)
        yield from _published_gmt(quoted, today)
    for chain in _chains(policy):
        yield from _gaps(chain, start, end)
        yield from _zero_seams(chain, start, end)
    for desk in policy.desks.values():
        yield from _unescalated(desk, start, end)
    schedules = {each.name: each for desk in policy.desks.values() for each in (desk.hours, desk.escalation_hours)}
    for schedule in schedules.values():
        yield from _holidays(policy, schedule, today)


def _reading(quoted: Quotation) -> Iterator[Note]:
    name = quoted.hours.split()[-1]
    if name in READINGS:
        what = f"{name} of {quoted.schedule.name} is read as {quoted.schedule.zone}, daylight time included"
        yield Note(Level.INFO, quoted.file_line, "H2", what, "correct the zone if it keeps other clocks")


def _published_gmt(quoted: Quotation, today: date) -> Iterator[Note]:
    """Compare the published column of GMT with the hours that the desk keeps in January and in July."""
    if quoted.gmt is None:
        return
    off = {month: _hours_off(quoted.schedule, quoted.gmt, _monday(today, month)) for month in (1, 7)}
    names = {1: "January", 7: "July"}
    wrong = [f"{hours:g} h off in {names[month]}" for month, hours in off.items() if hours]
    if wrong:
        what = f"{quoted.schedule.name}: published as {quoted.gmt} GMT, which is {' and '.join(wrong)}"
        yield Note(Level.WARNING, quoted.file_line, "H3", what, "local time is kept; tell the publisher")


def _monday(today: date, month: int) -> date:
    """Return the first Monday after the middle of the next such month."""
    middle = date(today.year + (today.month >= month), month, 15)
    return middle + timedelta(days=-middle.weekday() % 7)


def _hours_off(schedule: Schedule, gmt: Window, day: date) -> float:
    """Return by how many hours the opening in GMT differs from what was published, the shorter way round the clock."""
    windows = schedule.weekly[day.weekday()]
    if not windows:
        return 0
    opens, _ = windows[0].span(day, ZoneInfo(schedule.zone))
    published, _ = gmt.span(day, ZoneInfo("UTC"))
    return abs((opens - published + 12 * 3600) % (24 * 3600) - 12 * 3600) / 3600


def _chains(policy: Policy) -> Iterator[tuple[Desk, ...]]:
    """Yield the desks that relieve each other, tier by tier; a tier that keeps the hours of another is not repeated."""
    seen = set()
    for tier in (1, 2):
        chain = tuple(policy.desk(region, tier) for region in policy.follow_the_sun)
        hours = tuple(desk.hours.name for desk in chain)
        if hours not in seen:
            seen.add(hours)
            yield chain


def _gaps(chain: Sequence[Desk], start: datetime, end: datetime) -> Iterator[Note]:
    spans = sorted(span for desk in chain for span in desk.hours.openings(start, end))
    gaps = list(_between(spans))
    long = [gap for gap in gaps if _length(gap) > DAY]
    short = [gap for gap in gaps if _length(gap) <= DAY]
    for kind, found in (("of more than a day", long), ("within the week", short)):
        if found:
            longest = max(found, key=_length)
            usual = Counter(map(_length, found)).most_common(2)
            often = " or ".join(sorted(_hours(length) for length, _ in usual))
            what = f"{len(found)} gaps {kind} in which no desk is open, mostly {often}; the longest is {_said(longest)}"
            line = chain[0].provenance.file_line
            yield Note(Level.WARNING, line, "H4", what, "keep the on-call ladder staffed then")


def _between(spans: Sequence[Span]) -> Iterator[Span]:
    until = spans[0][1] if spans else None
    for opens, closes in spans:
        if until and opens > until:
            yield until, opens
        until = max(until or closes, closes)


def _zero_seams(chain: Sequence[Desk], start: datetime, end: datetime) -> Iterator[Note]:
    """Find desks that close at the very minute at which the next one opens: nobody can hand anything over."""
    for desk, successor in pairwise((*chain, chain[0])):
        if desk is successor:
            continue
        opening = {opens for opens, _ in successor.hours.openings(start, end)}
        touching = [closes for _, closes in desk.hours.openings(start, end) if closes in opening]
        if touching:
            days = f"on {len(touching)} days, first {touching[0]:%Y-%m-%d}, last {touching[-1]:%Y-%m-%d}"
            what = f"{desk.name} closes at the minute at which {successor.name} opens, {days}"
            line = desk.provenance.file_line
            yield Note(Level.WARNING, line, "H4", what, "expect no overlap between the two desks then")


def _unescalated(desk: Desk, start: datetime, end: datetime) -> Iterator[Note]:
    """Find times at which a desk's telephone is answered while its escalation desk has gone home or is yet to come."""
    escalation = desk.escalation_hours.openings(start, end)
    seams: Counter[str] = Counter()
    for opens, closes in desk.hours.openings(start, end):
        present = [
            (max(opens, since), min(closes, until)) for since, until in escalation if since < closes and until > opens
        ]
        edges = [(opens, opens), *present, (closes, closes)] if present else []
        seams.update(_clock(desk, gap) for gap in _between(edges))
    for clock, days in seams.most_common():
        what = f"{desk.name} answers its telephone {clock}, when its escalation desk is closed, on {days} days"
        line = desk.provenance.file_line
        yield Note(Level.WARNING, line, "H4", what, "expect escalations to wait then, or move a window")


def _clock(desk: Desk, span: Span) -> str:
    since, until = (at.astimezone(ZoneInfo(desk.hours.zone)) for at in span)
    return f"from {since:%H:%M} to {until:%H:%M} in {desk.hours.zone}"


def _holidays(policy: Policy, schedule: Schedule, today: date) -> Iterator[Note]:
    origin = policy.provenances.get(f"schedules.{schedule.name}")
    line, rule = origin.file_line if origin else 1, schedule.holidays
    if rule is None:
        mend = "name a country under holidays, or list none on purpose with `holidays: {}`"
        yield Note(Level.WARNING, line, "H5", f"{schedule.name} keeps no holidays", mend)
        return
    end = pendulum.instance(datetime.combine(today, time(), UTC)).add(months=MONTHS).date()
    for year in range(today.year, end.year + 1):
        if not covers(rule, year):
            level = Level.ERROR if (today + SOON).year >= year else Level.WARNING
            what = f"there are no holiday data of {rule.country} for {year}"
            yield Note(level, line, "H5", what, "update the holidays package, or list the days under add")
    forecast = [day for year in range(today.year, end.year + 1) for day in predicted(rule, year) if today <= day < end]
    if forecast:
        what = f"{schedule.name}: {', '.join(map(str, forecast))} are forecasts until the country gazettes them"
        yield Note(Level.INFO, line, "H5", what, "compare with the gazette, and correct under add and remove")


def _length(span: Span) -> timedelta:
    return span[1] - span[0]


def _hours(length: timedelta) -> str:
    return f"{length / timedelta(hours=1):g} h"


def _said(span: Span) -> str:
    return f"{_hours(_length(span))} from {span[0]:%a %Y-%m-%d %H:%M}Z to {span[1]:%a %Y-%m-%d %H:%M}Z"
