"""Instants, stretches of time and case numbers as people read them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

WEEK = 6  # days: further away than that, a weekday alone may be taken for another week's
SHORT = timedelta(minutes=10)  # what has counted for less is told with its seconds


def there(at: datetime, zone: str, asked: datetime | None = None) -> str:
    """Return an instant as the clocks of a zone show it: "Tue 20:30 PDT".

    More than six days from the instant at which it is asked it has its date, "Tue 14 Jul 20:30 PDT", and in another
    year that, too.
    """
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%a} {_date(local, asked.astimezone(ZoneInfo(zone)) if asked else local)}{clock_words(local)}"


def _date(local: datetime, asked: datetime) -> str:
    if abs((local.date() - asked.date()).days) <= WEEK:
        return ""
    return f"{local.day} {local:%b} " if local.year == asked.year else f"{local.day} {local:%b %Y} "


def clock_words(local: datetime) -> str:
    """Return a local time as "20:30 PDT", or as "11:30 UTC+8" where the zone has no abbreviation but a number."""
    name = f"{local:%Z}"
    if not name.startswith(("+", "-")):
        return f"{local:%H:%M} {name}"
    minutes = f":{name[3:5]}" if name[3:5] not in ("", "00") else ""
    return f"{local:%H:%M} UTC{name[0]}{int(name[1:3])}{minutes}"


def span_words(amount: timedelta) -> str:
    """Return a stretch of time as "8 h 30 min"; a minute that has begun counts."""
    return _minutes(-(-amount // timedelta(minutes=1)))


def left_words(amount: timedelta) -> str:
    """Return how much time is left: only whole minutes, so that nobody counts on one that is not there."""
    minutes = amount // timedelta(minutes=1)
    return "less than 1 min" if timedelta() < amount < timedelta(minutes=1) else _minutes(minutes)


def counted_words(amount: timedelta) -> str:
    """Return how much time has counted: to the second if it is less than ten minutes, else to the nearest minute."""
    if amount >= SHORT:
        return _minutes(round(amount / timedelta(minutes=1)))
    minutes, seconds = divmod(round(amount.total_seconds()), 60)
    return " ".join([f"{minutes} min"] * bool(minutes or not seconds) + [f"{seconds} s"] * bool(seconds))


def _minutes(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours))


def number_of(count: int, plural: str) -> str:
    """Return a number of things: "2 cases", "1 case", "1 policy"."""
    if count != 1 or not plural.endswith("s"):
        return f"{count} {plural}"
    return f"1 {plural[:-3]}y" if plural.endswith("ies") else f"1 {plural[:-1]}"


def grouped(case_number: str) -> str:
    """Return a case number in groups of three, as it is spoken: "482 071 95"."""
    return " ".join(case_number[at : at + 3] for at in range(0, len(case_number), 3))
