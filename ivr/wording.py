"""Instants, stretches of time and case numbers as people read them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def there(at: datetime, zone: str) -> str:
    """Return an instant as the clocks of a zone show it: "Tue 20:30 PDT"."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%a} {clock_words(local)}"


def clock_words(local: datetime) -> str:
    """Return a local time as "20:30 PDT", or as "11:30 UTC+8" where the zone has no abbreviation but a number."""
    name = f"{local:%Z}"
    if not name.startswith(("+", "-")):
        return f"{local:%H:%M} {name}"
    minutes = f":{name[3:5]}" if name[3:5] not in ("", "00") else ""
    return f"{local:%H:%M} UTC{name[0]}{int(name[1:3])}{minutes}"


def span_words(amount: timedelta) -> str:
    """Return a stretch of time as "8 h 30 min"; a minute that has begun counts."""
    minutes = -(-amount // timedelta(minutes=1))
    hours, rest = divmod(minutes, 60)
    return " ".join([f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours))


def grouped(case_number: str) -> str:
    """Return a case number in groups of three, as it is spoken: "482 071 95"."""
    return " ".join(case_number[at : at + 3] for at in range(0, len(case_number), 3))
