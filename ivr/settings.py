"""What the environment says. Every fault is found at the start; all are reported together, each with its mend."""

import os
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from recordings.failpoint import GRAMMAR

DATABASE_URL = "sqlite:///var/partnerline.db"
LOCALE = re.compile("[a-z]{2}-[A-Z]{2}")
VOICE = re.compile(r"[A-Za-z][A-Za-z0-9._\-]*")


class Environment(StrEnum):
    """Where the service runs. The demo dials nobody, and lets a caller say what time it is."""

    PRODUCTION = "production"
    DEMO = "demo"


class LogLevel(StrEnum):
    """The least grave line that is written."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class Fault(msgspec.Struct, frozen=True):
    """One thing that is wrong: where, what, and how to mend it."""

    where: str
    problem: str
    mend: str = ""

    def __str__(self) -> str:
        """Return the fault as one line for an operator."""
        return f"{self.where}: {self.problem}" + (f" {self.mend}" if self.mend else "")


class SettingsError(Exception):
    """The service may not start. `faults` holds everything that is wrong, not only the first thing."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class Settings(BaseSettings):
    """The environment, read once. A field is its variable in lower case; docs/settings.md lists them."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    ivr_env: Environment = Environment.PRODUCTION
    public_base_url: str = ""
    database_url: str = DATABASE_URL
    redis_url: str = ""
    twilio_account_sid: str = ""
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_auth_token_secondary: SecretStr = SecretStr("")
    twilio_api_base: str = "https://api.twilio.com"
    secret_key: SecretStr = SecretStr("")
    policy_dir: Path | None = None
    contacts_file: Path | None = None
    recordings_url: str = "file:var/recordings"
    recordings_key: SecretStr = SecretStr("")
    notify_urls: str = ""
    metrics_token: SecretStr = SecretStr("")
    voices: str = ""
    port: int = Field(default=8080, ge=1, le=65_535)
    web_concurrency: int = Field(default=1, ge=1, le=64)
    web_threads: int = Field(default=16, ge=1, le=256)
    log_level: LogLevel = LogLevel.INFO
    ivr_failpoint: str = ""

    @property
    def production(self) -> bool:
        """Whether real callers are served."""
        return self.ivr_env == Environment.PRODUCTION

    @property
    def tokens(self) -> tuple[str, ...]:
        """Return the Twilio auth tokens that sign requests to us: the one in use, then the one rotated in or out."""
        both = (self.twilio_auth_token, self.twilio_auth_token_secondary)
        return tuple(token.get_secret_value() for token in both if token.get_secret_value())

    @property
    def voice_of(self) -> dict[str, str]:
        """Return the voice of each locale that VOICES names."""
        pairs = (pair.partition("=") for pair in self.voices.split(",") if pair)
        return {locale.strip(): voice.strip() for locale, _, voice in pairs}


def load() -> Settings:
    """Read the environment. Raises SettingsError with every fault."""
    settings, faults = survey()
    if faults:
        raise SettingsError(faults)
    return settings


def survey() -> tuple[Settings, list[Fault]]:
    """Return the settings and everything that is wrong with them; what cannot be read has its default."""
    try:
        settings, faults = Settings(), []
    except ValidationError as error:
        faults = [_unreadable(str(found["loc"][0]), found["msg"]) for found in error.errors()]
        spare = {str(found["loc"][0]) for found in error.errors()}
        settings = Settings(**{name: Settings.model_fields[name].get_default() for name in spare})
    return settings, faults + [fault for fault in _rules(settings) if fault.where.lower() not in _names(faults)]


def database_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return where the log is kept, for commands that need no other setting."""
    return environ.get("DATABASE_URL") or DATABASE_URL


def _names(faults: Iterable[Fault]) -> set[str]:
    return {fault.where.lower() for fault in faults}


def _unreadable(name: str, message: str) -> Fault:
    return Fault(name.upper(), f"cannot be read: {message}.", "See docs/settings.md for what it takes.")


def _rules(settings: Settings) -> list[Fault]:
    return [*_secrets(settings), *_addresses(settings), *_files(settings), *_voices(settings), *_failpoint(settings)]


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
