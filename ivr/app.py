"""The web application: the voice webhooks in front, everything else behind them in Flask."""

from collections.abc import Callable, Iterable

import msgspec
from flask import Flask

from ivr import health, programmes
from ivr.breaker import Breaker
from ivr.callbacks import Callbacks
from ivr.clock import now
from ivr.conversation import Conversation
from ivr.form import Environ
from ivr.guard import Guard
from ivr.ledger import TURN_TIMEOUT, Ledger
from ivr.observe import Witness
from ivr.programmes import Desks, Programmes
from ivr.rescue import Rescue
from ivr.settings import Settings
from ivr.signature import Signature
from ivr.takes import Takes, fetch_for
from ivr.tokens import Seal
from ivr.trouble import Trouble
from ivr.twiml import Writer
from ivr.urls import TAKE, Urls
from ivr.voice import StartResponse, Voice
from recordings.directory import SqlDirectory
from recordings.log import CallLog
from recordings.policy_texts import keep, text_of
from recordings.store import Store, open_store

PROBE_TIMEOUT = 1.0  # seconds

Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class Service(msgspec.Struct, frozen=True):
    """The parts of a running service that others reach for."""

    settings: Settings
    programmes: Programmes
    store: Store
    log: CallLog
    ledger: Ledger
    voice: Voice
    takes: Takes

    def keep_policies(self) -> None:
        """Keep the text of every policy in force: a real write, and so a probe too. Raises StoreUnavailable."""
        keep(self.store, self.programmes.texts, now(), PROBE_TIMEOUT)


class Front:
    """Leads what Twilio sends to the webhooks, past the framework, and everything else to it."""

    def __init__(self, service: Service, behind: Application) -> None:
        self._service = service
        self._behind = behind

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ["PATH_INFO"]
        if path.startswith(TAKE):
            return self._service.takes(environ, start_response)
        if path.startswith("/voice"):
            return self._service.voice(environ, start_response)
        return self._behind(environ, start_response)


def create_app(settings: Settings, listing: Programmes | None = None) -> Flask:
    """Return the application. Raises SettingsError for policies or contacts that cannot be used."""
    service = assemble(settings, listing or programmes.load(settings, now()))
    app = Flask("ivr", static_folder=None, template_folder=None)
    versions = {name: policy.version for name, policy in service.programmes.policies.items()}
    app.register_blueprint(health.blueprint(service.keep_policies, versions, settings.metrics_token.get_secret_value()))
    app.extensions["partnerline"] = service
    app.wsgi_app = Front(service, app.wsgi_app)  # type: ignore[method-assign]
    return app


def assemble(settings: Settings, listing: Programmes) -> Service:
    """Put the parts together. The store is not opened before it is used."""
    store = open_store(settings.database_url)
    calls, seal = CallLog(store), Seal(settings.secret_key.get_secret_value())
    place = Urls(settings.public_base_url, seal)
    writer = Writer(place, settings.voice_of)
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
        Callbacks(ledger, listing, desks, seal),
        Trouble(ledger, conversation, Rescue(listing, place, writer), seal),
        Witness(settings.secret_key.get_secret_value(), settings.log_level),
    )
    return Service(settings, listing, store, calls, ledger, voice, Takes(seal, ledger, fetch_for(settings)))
