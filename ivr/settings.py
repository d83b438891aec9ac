"""What the environment says. Every fault is found at the start; all are reported together, each with its mend."""

import os
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path

import msgspec
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

DATABASE_URL = "sqlite:///var/partnerline.db"
BETWEEN_URLS = re.compile(r"[,\s]+(?=[A-Za-z0-9]+://)")  # an URL may have commas in it


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
    notify_urls: SecretStr = SecretStr("")
    event_urls: SecretStr = SecretStr("")
    event_secret: SecretStr = SecretStr("")
    metrics_token: SecretStr = SecretStr("")
    voices: str = ""
    transcribe: bool = False
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
    def operators(self) -> tuple[str, ...]:
        """Return the targets of NOTIFY_URLS. They hold secrets."""
        return _urls(self.notify_urls)

    @property
    def event_endpoints(self) -> tuple[str, ...]:
        """Return where events of calls and cases are sent."""
        return _urls(self.event_urls)

    @property
    def voice_of(self) -> dict[str, str]:
        """Return the voice of each locale that VOICES names."""
        pairs = (pair.partition("=") for pair in self.voices.split(",") if pair)
        return {locale.strip(): voice.strip() for locale, _, voice in pairs}


def _urls(text: SecretStr) -> tuple[str, ...]:
    return tuple(url.strip(", ") for url in BETWEEN_URLS.split(text.get_secret_value().strip()) if url.strip(", "))


def database_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return where the log is kept, for commands that need no other setting."""
    return environ.get("DATABASE_URL") or DATABASE_URL
