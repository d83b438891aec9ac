"""The worker, put together: every kind of job with what carries it out, and everything that is looked at regularly."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import msgspec

from ivr.housekeeping import LostCalls
from ivr.jobs import audio, reconcile, transcripts
from ivr.jobs.climbing import Climber
from ivr.jobs.clocks import Clocks
from ivr.jobs.hand_over import HandOver
from ivr.jobs.job import Handler
from ivr.jobs.keeping import Keeping
from ivr.jobs.notices import Notices
from ivr.jobs.pages import Pager
from ivr.jobs.passing_on import PassingOn, Sources
from ivr.jobs.people import People, people_of
from ivr.jobs.retention import Purge
from ivr.jobs.texts import Texts
from ivr.jobs.voice_pages import VoicePages
from ivr.jobs.webhooks import Webhooks
from ivr.jobs.work import Regular, Worker
from ivr.notify.careful import Careful
from ivr.notify.send import send
from ivr.notify.tell import Teller
from ivr.provider import NoProvider, Provider, has_provider
from ivr.rest import rest_for
from ivr.service import Service
from ivr.settings import Settings
from ivr.takes import tone
from recordings import pages
from recordings.audio_store import open_audio
from recordings.retention import Times
from recordings.sealed import Keyring
from routing.policy import Policy

TONE = 8  # seconds of sound that stand for a message in a demo
SOON, OFTEN, SELDOM = 1.0, 5.0, 30.0  # seconds
HOURLY = 3600.0


class Parts(msgspec.Struct, frozen=True):
    """What several kinds of jobs are done with."""

    service: Service
    people: People
    teller: Teller
    provider: Provider
    keeping: Keeping

    def policy_of(self, version: str, programme: str) -> Policy:
        """Return a version of a programme's policy. Raises StoreUnavailable."""
        return self.service.desks.desk_for(version, programme).policy


def worker_for(service: Service) -> Worker:
    """Return the worker of a service. Nothing is opened but the folder or bucket of the audio."""
    parts = parts_of(service)
    pager = Pager(service.store, parts.people, Climber(parts.people, parts.teller, service.urls), parts.teller)
    passing_on = PassingOn(_sources(parts))
    return Worker(service.store, _handlers(parts, pager, passing_on), [*_rounds(parts, pager, passing_on)])


def parts_of(service: Service) -> Parts:
    """Return what several kinds of jobs are done with."""
    teller, provider = teller_for(service), provider_for(service.settings, partial(tone, TONE))
    keeping = Keeping(
        service.store,
        service.log,
        open_audio(service.settings.recordings_url),
        keyring_for(service.settings),
        provider,
        teller.tell,
        service.desks.desk_for,
    )
    return Parts(service, people_of(service), teller, provider, keeping)


def provider_for(settings: Settings, tone: Callable[[], bytes]) -> Provider:
    """Return the provider under these settings; nothing is opened before the first question.

    A demo that has no provider takes a tone for every recording.
    """
    if not has_provider(settings):
        return NoProvider(tone)
    from ivr.twilio_rest import Twilio  # noqa: PLC0415 - the library is loaded only where something is asked

    return Twilio(rest_for(settings), settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value())


def keyring_for(settings: Settings) -> Keyring:
    """Return the keys of the recordings: those of RECORDINGS_KEY, and the one that follows from SECRET_KEY."""
    return Keyring.parse(settings.recordings_key.get_secret_value(), settings.secret_key.get_secret_value())


def teller_for(service: Service) -> Teller:
    """Return who knows whom to tell: the contacts, the people behind the desks of every policy, the operators."""
    policies = service.programmes.policies.values()
    desks = {desk.id: desk.ring for policy in policies for desk in policy.desks.values()}
    return Teller(service.programmes.contact_list, desks, service.settings.operators)


def _sources(parts: Parts) -> Sources:
    service, settings = parts.service, parts.service.settings
    secret = settings.event_secret.get_secret_value()
    webhooks = Webhooks(settings.event_endpoints, secret, private=not settings.production)
    return Sources(service.store, service.log, service.desks.desk_for, parts.teller, webhooks)


def _handlers(parts: Parts, pager: Pager, passing_on: PassingOn) -> Mapping[str, Handler]:
    store = parts.service.store
    return {
        **Notices(
            store,
            parts.teller,
            partial(pages.settle_attempt, store),
            send=Careful(send),
            wanted=partial(pages.climbs, store),
        ).handlers(),
        **pager.handlers(),
        **VoicePages(store, parts.people, parts.service.urls, parts.provider).handlers(),
        **passing_on.handlers(),
        **_sources(parts).webhooks.handlers(),
        **Texts(parts.provider.send_text).handlers(),
        **audio.handlers(parts.keeping),
        **transcripts.handlers(store, parts.keeping.keys),
    }


def _rounds(parts: Parts, pager: Pager, passing_on: PassingOn) -> Iterator[Regular]:
    service = parts.service
    yield Regular("the pages", SOON, pager.round)
    yield Regular("the clocks", SOON, Clocks(service.store, parts.policy_of, parts.teller.tell))
    yield Regular("the hand-over", OFTEN, HandOver(service.store, parts.policy_of, parts.teller.tell))
    yield Regular("the events", OFTEN, passing_on.follow)
    times = Times({policy.programme: policy.retention for policy in service.programmes.policies.values()})
    yield Regular("the retention", HOURLY, Purge(service.store, parts.keeping.audio, times))
    if service.settings.production:  # a demo's calls say themselves what time it is
        yield Regular("lost calls", SELDOM, LostCalls(service).close)
    if has_provider(service.settings):
        reconciler = reconcile.Reconciler(parts.keeping, service.programmes)
        yield Regular("the reconciler", reconcile.EVERY, reconciler.once)
