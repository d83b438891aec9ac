"""People: who is behind the destinations of a ladder now, by which numbers, and in which role."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from ivr.contacts import Contact, numbers_of, off, person_of
from ivr.programmes import Desks, Programmes
from recordings.pages import Page
from routing.ladder import Off, PersonOf
from routing.policy import Policy

if TYPE_CHECKING:
    from ivr.service import Service


class People(msgspec.Struct, frozen=True):
    """Policies in force, the older ones that pages still live by, and whom the contacts name."""

    desks: Desks
    programmes: Programmes
    contacts: Mapping[str, Contact]

    def policy_of(self, page: Page) -> Policy:
        """Return the policy that a page lives by. Raises StoreUnavailable while an older one cannot be looked up."""
        return self.desks.desk_for(page.policy, page.programme).policy

    def person_of(self, programme: str) -> PersonOf:
        """Return who is behind a destination; the answer is None for one that the policy in force does not list."""
        policy = self.programmes.policies.get(programme)
        return person_of(policy, self.contacts) if policy else lambda _destination: None

    def off(self, zone: str) -> Off:
        """Return who has a day off."""
        return off(self.contacts, zone)

    def number(self, programme: str, destination: str) -> str:
        """Return the number by which a destination is paged: one that is listed now, and none of our own lines."""
        policy = self.programmes.policies.get(programme)
        numbers = numbers_of(policy, self.contacts).get(destination, ()) if policy else ()
        return next((number for number in numbers if number not in self.programmes.our_lines), "")

    def role(self, page: Page, destination: str) -> str:
        """Return a destination's role in words; whoever is none by the name given."""
        found = self.policy_of(page).destinations.get(destination)
        return found.role if found else destination

    def line(self, page: Page, dialled: str) -> str:
        """Return the line of ours that a page's telephone calls come from: the one that was dialled, if we have it."""
        if dialled in self.programmes.our_lines:
            return dialled
        policy = self.policy_of(page)
        lines = [line.number for line in policy.lines.values() if line.region == page.region]
        return (lines or [*policy.lines])[0]


def people_of(service: "Service") -> People:
    """Return the people whom a service knows."""
    return People(service.desks, service.programmes, service.programmes.contact_list)
