"""Telephone numbers: read them, judge them, show them.

Inside the service a number is its E.164 text and nothing else. No other module imports `phonenumbers`.
"""

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

# Whom we may ring: ISO codes of whole numbering territories. +1 is shared with the Caribbean and +44 with Guernsey,
# Jersey and the Isle of Man, so a calling code alone says too little. Add a country here when a desk moves there.
RINGABLE_COUNTRIES = ("US", "CA", "GB", "AU", "SG", "FR")

RINGABLE_TYPES = {
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.TOLL_FREE,
}

_TYPE_NAMES = {
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.VOIP: "an internet or satellite number",
    PhoneNumberType.PERSONAL_NUMBER: "a personal number, which may cost anything",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.UAN: "a company-wide access number",
    PhoneNumberType.VOICEMAIL: "somebody's voicemail",
}

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_TYPED = re.compile(r"(?:\+ ?)?[0-9(][0-9 ().\-]{2,38}[0-9]")  # how people publish numbers; 40 characters are plenty
_PRINTED = str.maketrans("\u00a0\u2009\u202f\t\u2010\u2011\u2013", "    ---")  # spaces and hyphens of the printed page

# In the United States and Canada a 976 exchange is pay-per-call, and 555 is directory enquiries or nobody at all.
_PAY_PER_CALL = re.compile(r"\+1(?!8(?:00|33|44|55|66|77|88))[2-9][0-9]{2}(?:976|555)[0-9]{4}")

_FICTION = re.compile(
    r"""
      \+1[2-9][0-9]{2}55501[0-9]{2}                   # NANPA: 555-0100 to 555-0199 behind every area code
    | \+441(?:1[3-8]|[2-6]1)4960[0-9]{3}              # Ofcom, numbers for drama: eleven cities
    | \+44(?:2079460|1914980|2896496|2920180)[0-9]{3} # ... London, Tyneside, Northern Ireland, Cardiff
    | \+44(?:1632960|7700900)[0-9]{3}                 # ... no area, mobile
    | \+44(?:8081570|9098790|3069990)[0-9]{3}         # ... freephone, premium rate, UK-wide
    | \+61[2378](?:5550|7010)[0-9]{4}                 # ACMA, numbers for creative works: four regions
    | \+61(?:1800160401|1[38]009757(?:0[7-9]|1[01]))  # ... freephone, local rate
    | \+611900654321                                  # ... premium rate
    | \+6149157(?:0006|015[6-9]|0110|0313|0737|1266|1491|1804|2549|2665)  # ... thirty mobiles
    | \+6149157(?:2983|3770|3087|4118|4632|5254|5789|6398|6801|7426)
    | \+6149157(?:7644|8957|8148|8888|9212|9760|9455)
    | \+33(?:19900|26191|35301|46571|53649|63998)[0-9]{4}  # Arcep, numbers for audiovisual works
    """,
    re.VERBOSE,
)


class NumberFault(ValueError):  # noqa: N818 - the fault is in the data, and callers read its words
    """A text is no telephone number that we can use; the message says why and how to mend it."""


@lru_cache(maxsize=8192)
def parse(text: str, region: str | None = None) -> str:
    """Return as E.164 a number typed the way people publish them: "+ 44 2070966060", "+44 (0) 7515…".

    `region` is the ISO country whose national numbers may come without a country code.
    Raises NumberFault when the text is no number, or one that no operator has been given.
    """
    typed = text.translate(_PRINTED).strip()
    if not _TYPED.fullmatch(typed):
        raise NumberFault(f"{text!r:.60} is no telephone number: write it as in +44 20 7946 0123")
    if region is None and not typed.startswith("+"):
        raise NumberFault(f"{typed!r} has no country code: put one in front, as in +44 20 7946 0123")
    try:
        number = phonenumbers.parse(typed, region)
    except NumberParseException as fault:
        raise NumberFault(f"{typed!r} cannot be read ({fault}): check country code and length") from None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if not phonenumbers.is_valid_number(number) and not is_fictional(e164):
        raise NumberFault(f"{typed!r} reads as {e164}, which is in no assigned range: check every digit")
    return e164


def is_fictional(e164: str) -> bool:
    """Whether NANPA, Ofcom, ACMA or Arcep reserve the number for fiction, so that nobody can answer it."""
    return _FICTION.fullmatch(e164) is not None


@lru_cache(maxsize=8192)
def destination_fault(e164: str) -> str | None:
    """Return why we may not ring the number, or None if we may.

    An allow-list of countries and number types, because a valid number may still cost a fortune. A number reserved
    for fiction passes: whether one may be used in production is for the start of the service to say.
    """
    number = _read(e164)
    if number is None:
        return f"{e164!r:.40} is not an E.164 number, such as +442079460123"
    country = phonenumbers.region_code_for_number(number)
    if country is not None and country not in RINGABLE_COUNTRIES:
        return f"{e164} belongs to {_territory(country)}; we ring only {', '.join(RINGABLE_COUNTRIES)}"
    kind = phonenumbers.number_type(number)
    if is_fictional(e164) and kind != PhoneNumberType.PREMIUM_RATE:
        return None
    if kind not in RINGABLE_TYPES:
        return f"{e164} is {_TYPE_NAMES.get(kind, 'in no assigned range')}"
    return f"{e164} is a pay-per-call or directory number" if _PAY_PER_CALL.fullmatch(e164) else None


def diallable_abroad(e164: str) -> bool:
    """Whether callers in other countries can dial the number. Australian 1800 and 1300 numbers, for two, cannot be."""
    number = _read(e164)
    return number is not None and phonenumbers.can_be_internationally_dialled(number)


def national(e164: str) -> str:
    """Return the number grouped as its own country writes it; a text that is no number comes back as it is."""
    number = _read(e164)
    return e164 if number is None else phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)


def masked(e164: str | None) -> str:
    """Return "…0142", or "withheld" when there is no number."""
    return f"…{e164[-4:]}" if e164 and _E164.fullmatch(e164) else "withheld"


def last4(e164: str) -> str:
    """Return the last four digits."""
    return e164[-4:]


def is_mobile(e164: str) -> bool:
    """Whether the number is surely a mobile. North American numbers do not tell, so for them the answer is no."""
    number = _read(e164)
    if number is None:
        return False
    return phonenumbers.number_type(number) == PhoneNumberType.MOBILE or e164.startswith("+447700900")


def takes_texts(e164: str) -> bool:
    """Whether a text may reach the number: a mobile, or one of a country whose numbers do not tell."""
    number = _read(e164)
    mobile = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return number is not None and (phonenumbers.number_type(number) in mobile or is_mobile(e164))


@lru_cache(maxsize=8192)
def _read(e164: str) -> PhoneNumber | None:
    if not _E164.fullmatch(e164):
        return None
    try:
        return phonenumbers.parse(e164)
    except NumberParseException:
        return None


def _territory(country: str) -> str:
    return "no single country" if country == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else country
