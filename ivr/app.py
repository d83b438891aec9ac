"""The web application: the voice webhooks in front, everything else behind them in Flask."""

from collections.abc import Callable, Iterable
from functools import partial

from flask import Flask

from ivr import acknowledge, health, programmes, shared
from ivr.clock import now
from ivr.form import Environ
from ivr.jobs.people import people_of
from ivr.programmes import Programmes
from ivr.service import Service, assemble
from ivr.settings import Settings
from ivr.urls import PAGE, TAKE
from ivr.voice import StartResponse
from ivr.voice_page import voice_page_of

Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class Front:
    """Leads what Twilio sends to the webhooks, past the framework, and everything else to it."""

    def __init__(self, service: Service, behind: Application) -> None:
        self._service = service
        self._paged = voice_page_of(service)
        self._behind = behind

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ["PATH_INFO"]
        if path.startswith(TAKE):
            return self._service.takes(environ, start_response)
        if path.startswith(PAGE):
            return self._paged(environ, start_response)
        if path.startswith("/voice"):
            return self._service.voice(environ, start_response)
        return self._behind(environ, start_response)


def create_app(settings: Settings, listing: Programmes | None = None) -> Flask:
    """Return the application. Raises SettingsError for policies or contacts that cannot be used."""
    service = assemble(settings, listing or programmes.load(settings, now()))
    app = Flask("ivr", static_folder=None, template_folder=None)
    versions = {name: policy.version for name, policy in service.programmes.policies.items()}
    token = settings.metrics_token.get_secret_value()
    redis = partial(shared.trouble, settings.redis_url)
    app.register_blueprint(health.blueprint(service.keep_policies, service.note_backlog, redis, versions, token))
    app.register_blueprint(acknowledge.blueprint(service.store, people_of(service), service.urls.seal))
    app.extensions["partnerline"] = service
    app.wsgi_app = Front(service, app.wsgi_app)  # type: ignore[method-assign]
    return app
