"""The service, put together: everything that webhooks and worker need, and nothing that only one of them does."""

from functools import partial

import msgspec

from ivr.breaker import Breaker
from ivr.callbacks import Callbacks, SealText
from ivr.clock import now
from ivr.conversation import Conversation
from ivr.guard import Guard
from ivr.ledger import TURN_TIMEOUT, Ledger
from ivr.observe import Witness, note_backlog
from ivr.programmes import Desks, Programmes
from ivr.rescue import Rescue
from ivr.settings import Settings
from ivr.signature import Signature
from ivr.takes import Takes, fetch_for
from ivr.tokens import Seal
from ivr.transcribed import sealed
from ivr.trouble import Trouble
from ivr.twiml import Writer
from ivr.urls import Urls
from ivr.voice import Voice
from recordings.backlog import backlog
from recordings.directory import SqlDirectory
from recordings.engines import open_store
from recordings.log import CallLog
from recordings.policy_texts import keep, text_of
from recordings.store import Store

PROBE_TIMEOUT = 1.0  # seconds


class Service(msgspec.Struct, frozen=True):
    """The parts of a running service that others reach for."""

    settings: Settings
    programmes: Programmes
    store: Store
    log: CallLog
    desks: Desks
    ledger: Ledger
    voice: Voice
    takes: Takes
    urls: Urls

    def keep_policies(self) -> None:
        """Keep the text of every policy in force: a real write, and so a probe too. Raises StoreUnavailable."""
        keep(self.store, self.programmes.texts, now(), PROBE_TIMEOUT)

    def know_policies(self) -> None:
        """Keep the text of every policy in force that is not kept yet. Raises StoreUnavailable."""
        if any(text_of(self.store, text.version, TURN_TIMEOUT) is None for text in self.programmes.texts):
            self.keep_policies()

    def note_backlog(self) -> None:
        """Bring the figures of what there is to do up to date. Raises StoreUnavailable."""
        note_backlog(backlog(self.store, now(), PROBE_TIMEOUT))


def _sealing(settings: Settings) -> SealText | None:
    """Return what seals transcripts; None, and nothing loaded for it, where nobody asks for any."""
    if not settings.transcribe:
        return None
    from recordings.sealed import Keyring  # noqa: PLC0415

    keys = Keyring.parse(settings.recordings_key.get_secret_value(), settings.secret_key.get_secret_value())
    return partial(sealed, keys=keys)


def assemble(settings: Settings, listing: Programmes) -> Service:
    """Put the parts together. The store is not opened before it is used."""
    store = open_store(settings.database_url)
    calls, seal = CallLog(store), Seal(settings.secret_key.get_secret_value())
    place = Urls(settings.public_base_url, seal)
    writer = Writer(place, settings.voice_of, transcribe=settings.transcribe)
    ledger = Ledger(calls, Breaker())
    desks = Desks(listing, SqlDirectory(store), lambda version: text_of(store, version, TURN_TIMEOUT))
    conversation = Conversation(ledger, listing, desks, writer, seal)
    voice = Voice(
        Guard(
            Signature(settings.public_base_url, settings.tokens),
            settings.twilio_account_sid,
            time_travel=not settings.production,
        ),
        conversation,
        Callbacks(ledger, listing, desks, seal, _sealing(settings)),
        Trouble(ledger, conversation, Rescue(listing, place, writer), desks, seal),
        Witness(settings.secret_key.get_secret_value(), settings.log_level),
    )
    takes = Takes(seal, ledger, fetch_for(settings))
    return Service(settings, listing, store, calls, desks, ledger, voice, takes, place)
