"""The link in a message: to look changes nothing, the button takes the page once; every other end is told in words."""

import re
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from flask import Flask
from paging import SEAL, Paging, unreached
from service import Service

from flows.task import id_of
from ivr.acknowledge import blueprint
from ivr.tokens import PageStep, PageToken, Seal
from recordings import pages
from recordings.pages import Taken

MINUTE = timedelta(minutes=1)
VOID = {"meta", "link", "br", "img", "input", "hr"}
TABLES = ("pages", "attempts", "work_log", "tasks", "outbox", "calls", "cases")


@pytest.fixture
def service(database_url):
    found = Service(database_url)
    yield found
    found.close()


class House:
    """A page that climbs, and a browser for its links. `at` is what the service's clock says."""

    def __init__(self, service):
        self.service = service
        self.paging = Paging(service)
        self.call, self.at = unreached(service)
        self.paging.works(self.at)
        self.page = self.paging.page_of(self.call)
        app = Flask("links")
        app.register_blueprint(blueprint(service.parts.store, self.paging.people, SEAL, lambda: self.at))
        self.browser = app.test_client()

    def link(self, seal=SEAL, **changes):
        values = {"page": self.page.id, "level": 1, "round": 1, "destination": "us-oncall-engineer"}
        values |= {"expires_at": self.at + timedelta(hours=24)}
        return f"/p/{seal.page(PageToken(**values | changes))}"

    def stored(self):
        everything = [self.service.query(f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES]
        return sha256(repr(everything).encode()).hexdigest()

    def now(self):
        return pages.load(self.paging.store, self.page.id)


@pytest.fixture
def house(service):
    return House(service)


class Reader(HTMLParser):
    """Reads a page strictly: every element is closed, in order. Keeps tags, attributes and text."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open[-1:] == [tag], f"</{tag}> closes nothing"
        self.open.pop()

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def read(reply):
    """Read what came back, and check what every answer must be."""
    found = Reader(reply.text)
    assert {"script", "iframe", "object", "img", "link"} & set(found.tags) == set()
    assert [name for _, name, _ in found.attributes if name.startswith("on") or name == "style"] == []
    assert [value for _, name, value in found.attributes if name in ("src", "action")] == []
    assert ("meta", "content", "width=device-width, initial-scale=1") in found.attributes
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    (style,) = re.findall("<style>(.*?)</style>", reply.text, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = reply.headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in policy
    return found


def test_the_link_in_the_note_opens_the_page(house):
    reply = house.browser.get(house.paging.link())
    text = read(reply).text
    assert reply.status_code == 200
    assert "Severity 1, nobody reached" in text
    assert "Acme" in text
    assert "I have it" in text
    assert "You answer as engineer on call" in text
    assert "engineer on call: sent message" in text
    assert "…0142" in text
    assert "+14085550142" not in reply.text, "a scanner of mail does not get the number"


@pytest.mark.parametrize("method", ["get", "head"])
def test_to_look_changes_nothing(house, method):
    before = house.stored()
    for _ in range(3):
        assert getattr(house.browser, method)(house.link()).status_code == 200
    assert house.stored() == before


def test_the_button_takes_the_page_once(house):
    reply = house.browser.post(house.link())
    found = read(reply)
    assert reply.status_code == 200
    assert "You have it" in found.text
    assert ("a", "href", "tel:+14085550142") in found.attributes
    page = house.now()
    assert (page.state, page.acknowledged_by, page.acknowledged_how) == ("acknowledged", "us-oncall-engineer", "link")
    assert page.acknowledged_at == house.at
    assert "acknowledged" in {each.result for each in pages.attempts(house.paging.store, page.id)}
    assert house.service.query("SELECT state, holder FROM tasks") == [("claimed", "us-oncall-engineer")]

    before = house.stored()
    again = house.browser.post(house.link())
    assert again.status_code == 200
    assert "You have it" in read(again).text
    assert house.stored() == before


def test_somebody_else_is_told_who_has_it(house):
    pages.acknowledge(house.paging.store, house.page.id, Taken("us-oncall-lead", "key"), house.at)
    before = house.stored()
    for reply, status in ((house.browser.get(house.link()), 200), (house.browser.post(house.link()), 409)):
        text = read(reply).text
        assert reply.status_code == status
        assert "Team lead on call has had it since" in text
        assert "I have it" not in text
        assert "+14085550142" not in reply.text
    assert house.stored() == before


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_counts_for_a_day(house, method):
    link = house.paging.link()
    house.at += timedelta(hours=24, seconds=1)
    before = house.stored()
    reply = getattr(house.browser, method)(link)
    assert reply.status_code == 410
    assert "expired" in read(reply).text
    assert house.stored() == before


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_was_used_shows_no_number_after_a_day(house, method):
    link = house.link()
    assert "+14085550142" in house.browser.post(link).text
    house.at += timedelta(hours=24, seconds=1)
    reply = getattr(house.browser, method)(link)
    assert reply.status_code == 410
    assert "0142" not in reply.text


def test_whoever_has_it_reads_which_task_it_is_and_the_command_that_logs_it(house):
    text = read(house.browser.post(house.link())).text
    ((task,),) = house.service.query("SELECT id FROM tasks")
    assert f"The task is call back {task}." in text
    assert f"ivr tasks answer {task} --outcome reached --by us-oncall-engineer" in text


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"page": id_of("another")}, 404),
        ({"seal": Seal("another secret of at least thirty-two")}, 403),
        ({"step": PageStep.KEYS}, 403),
    ],
)
def test_what_is_not_this_pages_link_takes_nothing(house, method, wrong, status):
    before = house.stored()
    reply = getattr(house.browser, method)(house.link(**wrong))
    read(reply)
    assert reply.status_code == status
    assert house.stored() == before


def test_every_changed_character_spoils_a_link(house):
    link = house.link()
    before = house.stored()
    for place in range(3, len(link)):
        changed = link[:place] + ("b" if link[place] == "a" else "a") + link[place + 1 :]
        assert house.browser.post(changed).status_code == 403, changed
    assert house.stored() == before


def test_a_page_that_is_settled_says_so(house):
    pages.close(house.paging.store, house.page.id, "service", "the caller was reached", house.at)
    assert "Settled" in read(house.browser.get(house.link())).text
    assert house.browser.post(house.link()).status_code == 409


def test_hostile_words_are_shown_as_words(service):
    """A partner's name is anybody's text."""
    name = "<script>alert(1)</script>"
    service.parts.store.write(lambda conn: conn.execute(f"UPDATE partners SET name = '{name}'"), 5.0)
    house = House(service)
    reply = house.browser.get(house.link())
    assert name in read(reply).text


def test_the_service_itself_answers_links(service):
    house = House(service)
    link = house.link(expires_at=house.at + timedelta(days=10_000))
    reply = service.app.test_client().get(link)
    assert reply.status_code == 200
    assert "I have it" in read(reply).text
