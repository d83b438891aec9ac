"""Prompts: every sentence, by key and locale, and how numbers and times are spoken."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

from flows.said import Sentence

LOCALES = ("en-US", "en-GB", "en-AU")
NUMBER_WORDS = {4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}
_TOKEN = re.compile(r"\{([a-z0-9_]+)\}")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@cache
def catalogue(locale: str) -> Mapping[str, str]:
    """Return every prompt of a locale: the language's own, with what the country says differently."""
    texts: dict[str, str] = {}
    for name in (locale.split("-", maxsplit=1)[0], locale):
        source = files("flows").joinpath("locales", f"{name}.yaml").read_text("utf-8")
        texts.update(YAML(typ="safe", pure=True).load(source))
    return texts


@cache
def tokens_of(text: str) -> frozenset[str]:
    """Return the tokens that a prompt's text asks for."""
    return frozenset(_TOKEN.findall(text))


def speak(key: str, locale: str, **tokens: object) -> str:
    """Return the words spoken for a prompt; KeyError names a prompt or a token that is not there."""
    texts = catalogue(locale)
    values = {"hash": texts["hash"], **tokens}
    return _TOKEN.sub(lambda found: str(values[found[1]]), texts[key])


def sentence(key: str, locale: str, **tokens: object) -> Sentence:
    """Return a prompt as a sentence of a turn."""
    return Sentence(key, speak(key, locale, **tokens))


def digits(number: str) -> str:
    """Return a number as it is read out, one digit at a time in groups of three: "4 8 2, 0 7 1, 9 5"."""
    groups = (number[at : at + 3] for at in range(0, len(number), 3))
    return ", ".join(" ".join(group) for group in groups)


def on_date(day: date, locale: str) -> str:
    """Return a date as it is said: "January 31" or "31 January"; with the year, since it may be long ago."""
    spoken = catalogue(locale)["date"].replace("{month}", _MONTHS[day.month - 1]).replace("{day}", str(day.day))
    return f"{spoken}, {day.year}" if locale == "en-US" else f"{spoken} {day.year}"


def at_time(instant: datetime, now: datetime, zone: str, clock: str, locale: str) -> str:
    """Return an instant as a caller in a zone would say it: "5 AM Pacific on Wednesday", "2:15 PM Pacific today"."""
    there, here = (moment.astimezone(ZoneInfo(zone)) for moment in (instant, now))
    hour = there.hour % 12 or 12
    minutes = f":{there.minute:02}" if there.minute else ""
    time = f"{hour}{minutes} {'AM' if there.hour < 12 else 'PM'} {clock}"
    days = (there.date() - here.date()).days
    if days == 0:
        return f"{time} today"
    day = f"{time} on {_DAYS[there.weekday()]}"
    return day if days < 7 else f"{day}, {on_date(there.date(), locale).rsplit(' ', 1)[0].rstrip(',')}"
