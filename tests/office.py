"""The service as it is put together for work, with the real worker: contacts in a file, a provider, an audio folder."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from paper import TUESDAY_MORNING, shipped
from phone import AppWire, Call, Telephone
from service import ENVIRONMENT, Service, settings_for

from flows.casework import CaseView
from flows.work import Action
from ivr import programmes
from ivr.app import create_app
from ivr.jobs.assembly import keyring_for, worker_for
from recordings import casebook, tasks
from recordings.audio_store import open_audio
from recordings.fsck import Ground, examine
from recordings.partners import load_demo
from recordings.retention import times_of
from routing.policy import Policy


class Office(Service):
    """A service whose people have mailboxes. `notify` are the targets of each contact, by its name."""

    def __init__(self, url: str, folder: Path, notify: Mapping[str, Sequence[str]], **environ: str) -> None:
        contacts = folder / "contacts.yaml"
        contacts.write_text("".join(_entry(name, targets) for name, targets in notify.items()))
        given = {"CONTACTS_FILE": str(contacts), "RECORDINGS_URL": f"file:{folder / 'audio'}", **environ}
        self.settings, self.folder = settings_for(url, **given), folder / "audio"
        self.environ = {**ENVIRONMENT, "DATABASE_URL": url, **given}
        listing = programmes.load(self.settings, None)
        self.app = create_app(self.settings, listing)
        self.parts = self.app.extensions["partnerline"]
        load_demo(self.parts.store)
        self.parts.keep_policies()
        self.phone = Telephone(AppWire(self.app), at=TUESDAY_MORNING)
        self.worker = worker_for(self.parts)

    def works(self, start: datetime, until: datetime, every: timedelta = timedelta(minutes=1)) -> None:
        """Look at everything at an instant, and then every so often until another."""
        at = start
        while at <= until:
            self.worker.once(at)
            at += every

    def case(self, call: Call, at: datetime) -> CaseView:
        """The case of a call as it stands at an instant."""
        return casebook.view(self.parts.store, self.call_of(call).case_number, self.policy_of, at)

    def policy_of(self, version: str, programme: str) -> Policy:
        return self.parts.desks.desk_for(version, programme).policy

    def does(self, task: str, kind: str, by: str, at: datetime, **detail: Any) -> None:
        """Let somebody do something with a task."""
        tasks.act(self.parts.store, task, Action(kind, by, at, at, detail), self.policy_of)

    def examined(self, at: datetime) -> list[str]:
        """What the checker finds, with every stored file listened to."""
        ground = Ground(
            self.parts.store,
            at,
            self.parts.desks.desk_for,
            times_of(self.parts.programmes.policies.values()).of,
            audio=open_audio(self.settings.recordings_url),
            keyring=keyring_for(self.settings),
        )
        return [f"{each.check} {each.subject}: {each.what}" for each in examine(ground).findings]


def _entry(name: str, targets: Sequence[str]) -> str:
    """One contact: the number that the policy shows stays; a desk has none."""
    found = shipped().destinations.get(name)
    number = f"numbers: ['{found.number}'], " if found else ""
    return f"{name}: {{{number}notify: [{', '.join(repr(target) for target in targets)}]}}\n"
