"""The words of a policy file: how its texts are written, and what any of its entries has."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from routing.policy import Provenance

# How texts are written, and the words in which a mend explains it.
HINTS = {
    (NAME := "^[a-z0-9]+(-[a-z0-9]+)*$"): "small letters, digits and single hyphens, as in us-tier1",
    (AMOUNT := "^[1-9][0-9]{0,3} (min|h|d)$"): "a number and a unit, as in 30 min, 4 h or 90 d",
    (
        TARGET := "^[1-9][0-9]{0,3} (min|h|d)( (elapsed|working days|desk hours|follow the sun))?$"
    ): "a number and a unit, as in 30 min or 4 h, and what counts, as in 24 h working days",
    (PROMPT := "^[a-z0-9]+([._][a-z0-9]+)*$"): "the key of a prompt, as in route.t1",
    (DAYS := "^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$"): "a day or two, as in sat or mon-fri",
    (LOCALE := "^[a-z]{2}-[A-Z]{2}$"): "a language and a country, as in en-GB",
    (COUNTRY := "^[A-Z]{2}$"): "an ISO 3166 code, as in US, GB or SG",
    (SUBDIVISION := "^[A-Z0-9]{1,3}$"): "the part after the hyphen of ISO 3166-2, as in ENG or NSW",
    (RULE := "^R[0-9]{1,2}$"): "R and a number, as in R4",
    (FLAG := "^[A-Z][A-Z0-9_]*$"): "capital letters and underscores, as in NO_LOA",
}

Name = Annotated[str, Field(pattern=NAME, max_length=60)]
Words = Annotated[str, Field(min_length=1, max_length=200)]
Amount = Annotated[str, Field(pattern=AMOUNT)]
Aim = Annotated[str, Field(pattern=TARGET)]
Prompt = Annotated[str, Field(pattern=PROMPT, max_length=60)]
Days = Annotated[str, Field(pattern=DAYS)]
SeverityNumber = Annotated[int, Field(ge=0, le=4)]
YesNo = Literal["yes", "no"]


class Entry(BaseModel):
    """A part of the file. Unknown names are refused, and no value is bent into another kind."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Published(Entry):
    """An entry that somebody has published, or that we read into what they published."""

    source: Words
    verified_on: date
    assumed: bool = False


def provenance_of(given: Published, line: int) -> Provenance:
    """Return where an entry's value comes from."""
    return Provenance(given.source, given.verified_on, given.assumed, line)
