"""What a page is about, as it is known now: whose it is, where, and by which number they can be called back."""

from flows.call import Call
from ivr.jobs.page_words import About
from ivr.jobs.people import People
from recordings.log import CallLog
from recordings.page_facts import case_of
from recordings.pages import Page
from recordings.store import Store


def about_of(store: Store, people: People, page: Page) -> About:
    """Return what a page is about. Raises StoreUnavailable."""
    region = people.policy_of(page).regions[page.region]
    call = CallLog(store).load(page.call_sid) if page.call_sid else None
    if call is None:
        case = case_of(store, page.case_number)
        first = CallLog(store).load(case.call_sid) if case and case.call_sid else None
        return About(case.partner if case else "", region, number_of(first) if first else "")
    return About(call.partner.name if call.partner else "", region, number_of(call), call.ended_at is None)


def number_of(call: Call) -> str:
    """Return where a caller wants to be called back; empty if their number was withheld."""
    return call.call_back.number if call.call_back else call.caller or ""
