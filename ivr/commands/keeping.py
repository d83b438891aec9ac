"""What the commands that check, keep and forget work with: database, audio and keys, as the settings name them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import msgspec

from ivr.demo_note import adopt
from ivr.environment import survey
from ivr.settings import Settings, SettingsError
from ivr.wording import number_of
from recordings.engines import open_store
from recordings.sealed import KeyFault, Keyring
from recordings.store import Store, StoreUnavailable

if TYPE_CHECKING:
    from recordings.audio_store import AudioStore
    from recordings.fsck import Examined, Ground

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


class Place(msgspec.Struct, frozen=True):
    """The settings and what they name. The keyring is parsed when it is asked for: not every command needs a key."""

    settings: Settings
    store: Store

    def keyring(self) -> Keyring:
        """Return the keys of RECORDINGS_KEY and SECRET_KEY. Ends the command if there is none that can be used."""
        texts = self.settings.recordings_key, self.settings.secret_key
        try:
            return Keyring.parse(*(text.get_secret_value() for text in texts))
        except KeyFault as fault:
            raise click.ClickException(f"RECORDINGS_KEY: {fault}") from None

    def audio(self) -> "AudioStore":
        """Return the store of RECORDINGS_URL. Ends the command if it cannot be used."""
        from recordings.audio_store import open_audio  # noqa: PLC0415 - not every command needs it

        try:
            return open_audio(self.settings.recordings_url)
        except ValueError as fault:
            raise click.ClickException(str(fault)) from None

    def secret(self) -> str:
        """Return SECRET_KEY. Ends the command if it is not set."""
        secret = self.settings.secret_key.get_secret_value()
        if not secret:
            raise click.ClickException("SECRET_KEY is not set: a certificate needs it, so that it names nobody.")
        return secret

    def ground(self, at: datetime, *, audio: bool = False) -> "Ground":
        """Return what a check stands on. Ends the command if a policy or the contacts cannot be read."""
        from ivr.programmes import Desks, load  # noqa: PLC0415
        from recordings.directory import SqlDirectory  # noqa: PLC0415
        from recordings.fsck import Ground  # noqa: PLC0415
        from recordings.policy_texts import text_of  # noqa: PLC0415
        from recordings.retention import times_of  # noqa: PLC0415

        try:
            listing = load(self.settings, None)
        except SettingsError as error:
            raise click.ClickException("\n".join(map(str, error.faults))) from None
        desks = Desks(listing, SqlDirectory(self.store), lambda version: text_of(self.store, version, TIMEOUT))
        return Ground(
            self.store,
            at,
            desks.desk_for,
            times_of(listing.policies.values()).of,
            _changed_at(self.settings),
            self.audio() if audio else None,
            self.keyring() if audio else None,
        )


TIMEOUT = 10.0  # seconds


@contextmanager
def opened() -> Iterator[Place]:
    """Open what the settings name. Ends the command in words if the database cannot be used."""
    adopt()
    settings, _ = survey()
    try:
        store = open_store(settings.database_url)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    try:
        yield Place(settings, store)
    except StoreUnavailable as error:
        raise click.ClickException(f"the database cannot be used: {error}") from None
    finally:
        store.close()


def _changed_at(settings: Settings) -> datetime | None:
    """Return since when the contacts are as they are; None if they are the policies' own."""
    if settings.contacts_file is None or not settings.contacts_file.is_file():
        return None
    return datetime.fromtimestamp(settings.contacts_file.stat().st_mtime, UTC)


def told(examined: "Examined") -> str:
    """Return what a check has found, grouped, in words."""
    lines = ["checked " + ", ".join(number_of(number, what) for what, number in examined.checked.items())]
    for check, number in sorted(examined.found.items()):
        shown = [each for each in examined.findings if each.check == check]
        lines += ["", f"{check}: {number}", *(f"  {each.subject}: {each.what}. {each.mend}" for each in shown)]
        lines += [f"  and {number - len(shown)} more"] if number > len(shown) else []
    total = sum(examined.found.values())
    return "\n".join([*lines, "", number_of(total, "findings") if total else "nothing was found"])


def as_text(value: object) -> str:
    """Return a value as a JSON document for people."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
