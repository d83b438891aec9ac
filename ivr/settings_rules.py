"""What the settings must keep to. Each rule names the variable, what is wrong with it, and the mend."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from ivr.settings import Fault, Settings
from recordings.failpoint import GRAMMAR

LOCALE = re.compile("[a-z]{2}-[A-Z]{2}")
VOICE = re.compile(r"[A-Za-z][A-Za-z0-9._\-]*")
EVENT_URL = re.compile(r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~%/\-]*)?(\?[A-Za-z0-9._~%=&\-]*)?")


def rule_faults(settings: Settings) -> list[Fault]:
    """Return everything that is wrong, each with its mend, and without a word of any secret."""
    groups = (_secrets, _recordings_key, _addresses, _files, _targets, _events, _voices, _failpoint)
    return [fault for faults_of in groups for fault in faults_of(settings)]


def _secrets(settings: Settings) -> Iterable[Fault]:
    token = settings.twilio_auth_token.get_secret_value()
    secondary = settings.twilio_auth_token_secondary.get_secret_value()
    secret = settings.secret_key.get_secret_value()
    console = "Copy it from the Twilio console, Account info."
    if not re.fullmatch("[0-9A-Za-z]{32,}", token):
        yield Fault("TWILIO_AUTH_TOKEN", _missing(token, "has fewer than 32 letters and digits"), console)
    if secondary and not re.fullmatch("[0-9A-Za-z]{32,}", secondary):
        yield Fault("TWILIO_AUTH_TOKEN_SECONDARY", "has fewer than 32 letters and digits.", console + " Or unset it.")
    if not re.fullmatch("AC[0-9a-f]{32}", settings.twilio_account_sid):
        yield Fault("TWILIO_ACCOUNT_SID", _missing(settings.twilio_account_sid, "is not AC and 32 hex digits"), console)
    if len(secret) < 32:
        problem = _missing(secret, "is shorter than 32 characters")
        yield Fault("SECRET_KEY", problem, "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'.")
    if secret and secret == token:
        yield Fault("SECRET_KEY", "is the same as TWILIO_AUTH_TOKEN.", "Make one of its own.")


def _recordings_key(settings: Settings) -> Iterable[Fault]:
    from recordings.sealed import MAKE, key_faults  # noqa: PLC0415 - loads ciphers, which few commands need

    key = settings.recordings_key.get_secret_value()
    if settings.production and not key:
        yield Fault("RECORDINGS_KEY", "is not set.", f"Write an id, a colon and a key, as in 2026:KEY. {MAKE}")
    for problem, mend in key_faults(key) if key else ():
        yield Fault("RECORDINGS_KEY", problem, mend)


def _missing(value: str, otherwise: str) -> str:
    return f"{otherwise}." if value else "is not set."


def _addresses(settings: Settings) -> Iterable[Fault]:
    base = settings.public_base_url
    if problem := _base_problem(base, secure=settings.production):
        yield Fault(
            "PUBLIC_BASE_URL", problem, "Set it to what callers' webhooks reach, such as https://ivr.example.com."
        )
    if _base_problem(settings.twilio_api_base, secure=settings.production):
        yield Fault(
            "TWILIO_API_BASE", "is not an https address without a path.", "Unset it for https://api.twilio.com."
        )


def _base_problem(base: str, *, secure: bool) -> str:
    if not base:
        return "is not set."
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?", base):
        return "is not a scheme and a host alone: no path, no log-in, no underscore, no slash at the end."
    if secure and urlsplit(base).scheme != "https":
        return "is not https, so that anybody on the way could listen."
    return ""


def _files(settings: Settings) -> Iterable[Fault]:
    if settings.policy_dir and not settings.policy_dir.is_dir():
        yield Fault("POLICY_DIR", f"there is no folder {settings.policy_dir}.", "Create it, or unset POLICY_DIR.")
    if settings.contacts_file and not settings.contacts_file.is_file():
        yield Fault(
            "CONTACTS_FILE", f"there is no file {settings.contacts_file}.", "Create it, or unset CONTACTS_FILE."
        )


def _targets(settings: Settings) -> Iterable[Fault]:
    if not settings.operators:
        return
    from ivr.notify.targets import is_terminal, target_fault  # noqa: PLC0415 - takes half a second

    for place, target in enumerate(settings.operators, 1):
        if problem := target_fault(target):
            yield Fault("NOTIFY_URLS", f"entry {place} {problem}", "Write it as apprise's pages say.")
        elif settings.production and is_terminal(target):
            yield Fault("NOTIFY_URLS", f"entry {place} tells nobody, it only prints.", "Name a real target.")


def _events(settings: Settings) -> Iterable[Fault]:
    secret = settings.event_secret.get_secret_value()
    make = "Make one: python3 -c 'import base64, os; print(\"whsec_\" + base64.b64encode(os.urandom(32)).decode())'."
    if settings.event_endpoints and not secret:
        yield Fault("EVENT_SECRET", "is not set, so that nobody could tell our events from forged ones.", make)
    if secret and not re.fullmatch("whsec_[0-9A-Za-z+/]{32,88}={0,2}", secret):
        yield Fault("EVENT_SECRET", "is not whsec_ and 24 to 64 bytes in base64.", make)
    if settings.event_urls.get_secret_value().strip() and not settings.event_endpoints:
        yield Fault("EVENT_URLS", "holds no address.", "Write https://crm.example.com/events.")
    for place, url in enumerate(settings.event_endpoints, 1):
        if not EVENT_URL.fullmatch(url) or (settings.production and not url.startswith("https:")):
            mend = "Write https://crm.example.com/events, without a log-in."
            yield Fault("EVENT_URLS", f"entry {place} is no https address.", mend)


def _voices(settings: Settings) -> Iterable[Fault]:
    for locale, voice in settings.voice_of.items():
        if not LOCALE.fullmatch(locale) or not VOICE.fullmatch(voice):
            yield Fault("VOICES", f"{locale}={voice} names no voice.", "Write en-US=Polly.Joanna-Neural,en-GB=...")


def _failpoint(settings: Settings) -> Iterable[Fault]:
    if not settings.ivr_failpoint:
        return
    if settings.production:
        yield Fault("IVR_FAILPOINT", "makes the service fail on purpose, which production never does.", "Unset it.")
    elif not GRAMMAR.fullmatch(settings.ivr_failpoint):
        yield Fault("IVR_FAILPOINT", "is not PLACE:kill9, :raise, :enospc or :sleep:SECONDS, perhaps with @N.")
