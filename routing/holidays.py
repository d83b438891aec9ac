"""Public holidays of a desk's country, with the days that its office adds or works through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import holidays

# Their national lists leave out days that every office of the country keeps, such as Easter Monday in England.
_NEEDS_SUBDIVISION = ("AU", "GB")


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """Which days an office keeps: a country's public holidays as observed, less `remove`, and `add` with their names.

    `country` is an ISO 3166 code and `subdivision` the part after the hyphen of ISO 3166-2; both None for a calendar
    of added days only. Raises ValueError for a country or subdivision of which no calendar is known.
    """

    country: str | None = None
    subdivision: str | None = None
    remove: frozenset[date] = frozenset()
    add: Mapping[date, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Refuse a place of which no calendar is known."""
        if self.country is not None:
            _check_place(self.country, self.subdivision)
        elif self.subdivision is not None:
            raise ValueError(f"subdivision {self.subdivision!r} has no country: name one, as in GB with ENG")

    def on(self, day: date) -> str | None:
        """Return the name of the day's holiday, or None on a working day."""
        name = self.add.get(day)
        if name is not None or day in self.remove or self.country is None:
            return name
        return _calendar(self.country, self.subdivision, day.year).get(day)


def covers(rule: HolidayRule, year: int) -> bool:
    """Whether holiday data exist for the year. A rule without a country needs none."""
    return rule.country is None or bool(_calendar(rule.country, rule.subdivision, year))


def predicted(rule: HolidayRule, year: int) -> tuple[date, ...]:
    """Return the days of the year that are forecasts: movable feasts which the country has not gazetted yet."""
    if rule.country is None:
        return ()
    calendar = _calendar(rule.country, rule.subdivision, year)
    return tuple(sorted(day for day, name in calendar.items() if "estimated" in name and day not in rule.remove))


@lru_cache(maxsize=512)
def _calendar(country: str, subdivision: str | None, year: int) -> Mapping[date, str]:
    known = holidays.country_holidays(country, subdiv=subdivision).supported_languages
    english = (f"en_{country}", "en_GB", "en_US")
    language = next((one for one in english if one in known), None)
    return dict(holidays.country_holidays(country, subdiv=subdivision, years=year, observed=True, language=language))


def _check_place(country: str, subdivision: str | None) -> None:
    try:
        calendar = holidays.country_holidays(country)
    except NotImplementedError:
        calendar = None
    if calendar is None or getattr(calendar, "country", "") != country:  # the library also knows names, such as UK
        raise ValueError(f"no holiday calendar for country {country!r}: use an ISO code such as US, GB or SG")
    choices = ", ".join(calendar.subdivisions)
    if subdivision is None and country in _NEEDS_SUBDIVISION:
        raise ValueError(f"holidays of {country} differ by subdivision: name one of {choices}")
    try:
        holidays.country_holidays(country, subdiv=subdivision)
    except NotImplementedError:
        choice = f"name one of {choices}" if choices else "leave it out"
        raise ValueError(f"no holiday calendar for subdivision {subdivision!r} of {country}: {choice}") from None
