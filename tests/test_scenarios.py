"""The shipped scenarios, played on the real service: the whole way from a signed webhook to the log."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from typing import NamedTuple
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from click.testing import CliRunner

from ivr.app import create_app
from ivr.cli import main
from ivr.commands.test import numbers_of
from ivr.phone.ending import look_up
from ivr.phone.lines import installed_policies
from ivr.phone.rehearsal import play
from ivr.phone.scenario import ScenarioFault, read_scenarios, scenario_files
from ivr.phone.wire import Address
from ivr.settings import Settings
from recordings.engines import open_store
from recordings.migrations import upgrade
from recordings.partners import DEMO, Kind, import_partners

FOLDER = Path(__file__).parent.parent / "scenarios"
SCENARIOS = [scenario for path in scenario_files([FOLDER]) for scenario in read_scenarios(path)]
BASE = "https://ivr.example.com"
TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT = f"AC{'6' * 32}"
SATURDAY = "2026-07-18 15:00 America/Los_Angeles"


class Running(NamedTuple):
    """A service that is running, and where its log is."""

    address: Address
    database: str


class Server(ThreadingMixIn, WSGIServer):
    """A small web server, a thread a request."""

    daemon_threads = True


class Handler(WSGIRequestHandler):
    """Hands the request line on undecoded, as gunicorn does, and keeps quiet."""

    def get_environ(self) -> dict[str, object]:
        return {**super().get_environ(), "RAW_URI": self.path}

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def serving(database: str) -> Iterator[str]:
    """Serve the application over a new database with the demo's directory."""
    upgrade(database)
    store = open_store(database)
    import_partners(store, DEMO / "partners.csv", Kind.PARTNERS)
    import_partners(store, DEMO / "letters.csv", Kind.LETTERS)
    store.close()
    settings = Settings(
        ivr_env="demo",
        public_base_url=BASE,
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=TOKEN,
        secret_key="a secret that is long enough for tests of scenarios",
        database_url=database,
        log_level="ERROR",
    )
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, app, Server, Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["partnerline"].store.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service, on SQLite."""
    database = f"sqlite:///{tmp_path_factory.mktemp('scenarios')}/log.db"
    with serving(database) as url:
        yield Running(Address(url, BASE, TOKEN, ACCOUNT), database)


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    return numbers_of(installed_policies())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_a_call_goes_as_its_scenario_says(scenario, running, known):
    played = play(scenario, running.address, known, partial(look_up, database_url=running.database))
    assert not played.faults, "\n".join(played.faults)


ROWS = [
    "certified, open",
    "certified, home closed",
    "certified, all closed",
    "not certified, open",
    "not certified, home closed",
    "not certified, all closed",
    "agency",
    "referral",
    "unknown ID",
    "nobody answers",
]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("column", ["standard number", "certified number", "voicemail number"])
def test_every_cell_of_the_coverage_grid_has_a_scenario(row, column):
    cell = [scenario for scenario in SCENARIOS if scenario.name.startswith(row) and f"· {column}" in scenario.name]
    assert cell


def test_no_two_scenarios_have_one_name():
    names = [scenario.name for scenario in SCENARIOS]
    assert sorted(names) == sorted(set(names))


# Scenarios that are wrong

CERTIFIED = """
name: a call
given: {to: us-standard, from: "+14085550142", at: 2026-07-14 10:15 America/Los_Angeles}
steps:
  - {hear: "For a new problem, press 1.", press: "1"}
  - {hear: "If production is down, press 1.", press: "2"}
  - {rings: us-tier2-engineer, engineer: accepts}
expect: {rule: R9, outcome: connected, destination: us-tier2, flags: [], case: true}
"""
WRONG = {
    "other words": (("If production is down", "If all is well"), "step 2: expected to hear 'If all is well"),
    "another engineer": (("us-tier2-engineer", "us-tier1-engineer"), "us-tier1-engineer should be rung, but"),
    "keys where somebody is rung": (('press: "2"', 'press: "1"'), "step 3: the service asks for keys"),
    "a message where keys are wanted": (('press: "2"', "say: 12"), "step 2: the service asks for keys"),
    "a step too many": (("engineer: accepts}", 'engineer: accepts}\n  - {hear: "Goodbye"}'), "step 4 never came"),
    "another rule": (("rule: R9", "rule: R10"), "rule is R9, expected R10"),
    "another outcome": (("outcome: connected", "outcome: cancelled"), "outcome is connected, expected cancelled"),
    "another desk": (("destination: us-tier2", "destination: us-tier1"), "destination is us-tier2, expected us-tier1"),
    "another flag": (("flags: []", "flags: [REFERRAL]"), "flags is [], expected ['REFERRAL']"),
    "no case": (("case: true", "case: false"), "case is True, expected False"),
    "words that must not be": (("case: true", 'never: ["Tier 2"]'), "'Tier 2' was never to be spoken"),
    "words for the engineer": (("case: true", 'whispered: ["Sev 5"]'), "no engineer heard 'Sev 5'"),
}


@pytest.mark.parametrize(("change", "fault"), WRONG.values(), ids=WRONG)
def test_a_call_that_goes_otherwise_is_a_failure(change, fault, tmp_path, running, known):
    file = tmp_path / "wrong.yaml"
    file.write_text(CERTIFIED.replace(*change))
    played = play(read_scenarios(file)[0], running.address, known, partial(look_up, database_url=running.database))
    assert fault in "\n".join(played.faults)


UNREADABLE = {
    "a key that means nothing": ("rule: R9", "rulle: R9"),
    "keys without quotes": ('press: "1"', "press: 1"),
    "keys that are none": ('press: "1"', 'press: "x"'),
    "no instant": ("2026-07-14 10:15 America/Los_Angeles", "soon"),
    "an engineer who does nothing known": ("engineer: accepts", "engineer: sleeps"),
    "two things at once": ('press: "1"', 'press: "1", say: 5'),
    "nothing at all": ('{hear: "For a new problem, press 1.", press: "1"}', "{}"),
    "no YAML": ("steps:", "steps: ["),
}


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE)
def test_a_scenario_that_cannot_be_used_names_its_file(change, tmp_path):
    file = tmp_path / "wrong.yaml"
    file.write_text(CERTIFIED.replace(*change))
    with pytest.raises(ScenarioFault, match=r"wrong\.yaml"):
        read_scenarios(file)


# The commands, on the service


@pytest.fixture
def shell(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run `ivr` where a demo has left its address."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", running.database)
    (tmp_path / "var").mkdir()
    address = running.address
    known = {"url": address.url, "public_base_url": BASE, "auth_token": TOKEN, "account_sid": ACCOUNT}
    (tmp_path / "var" / "demo.json").write_text(json.dumps(known))
    return lambda *args: CliRunner().invoke(main, args)


def test_the_scenarios_of_a_folder_are_reported_one_by_one(shell, tmp_path):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "good.yaml").write_text(CERTIFIED)
    result = shell("test", "scenarios")
    assert result.exit_code == 0, result.output
    assert result.output == "✓ a call\n1 scenarios, 0 failed\n"
    (tmp_path / "scenarios" / "wrong.yaml").write_text(CERTIFIED.replace("rule: R9", "rule: R10"))
    result = shell("test", "scenarios")
    assert result.exit_code == 1
    assert result.output.splitlines()[1:] == [
        "✗ a call",
        "    rule is R9, expected R10",
        "2 scenarios, 1 failed",
    ]


def test_scenarios_can_be_reported_as_json(shell, tmp_path):
    (tmp_path / "one.yaml").write_text(CERTIFIED)
    told = json.loads(shell("test", "one.yaml", "--json").stdout)
    assert [(each["name"], each["ok"], each["faults"]) for each in told] == [("a call", True, [])]


def test_scenarios_that_cannot_be_read_are_wrong_usage(shell, tmp_path):
    (tmp_path / "one.yaml").write_text("name: half")
    assert shell("test", "one.yaml").exit_code == 2
    (tmp_path / "empty").mkdir()
    assert shell("test", "empty").exit_code == 2


def test_a_call_ends_with_what_the_log_says_of_it(shell):
    result = shell("call", "--to", "us-standard", "--from", "+14085550142", "--keys", "1 1 1", "--at", SATURDAY)
    assert result.exit_code == 0, result.output
    why, last = result.output.splitlines()[-2:]
    rule, case, outcome = last.split("   ")
    sid = why.removeprefix("why: ivr explain ")
    assert (rule, outcome) == ("R3", "connected")
    assert case.startswith("case ")
    explained = shell("explain", sid)
    assert explained.exit_code == 0, explained.output
    assert "347109 Acme · resale · US" in explained.output
    assert "R3   rings the on-call ladder" in explained.output
    assert "us-oncall-engineer connected" in explained.output


def test_a_calls_json_has_all_that_the_log_says(shell):
    how = ("--at", SATURDAY, "--keys", "518838 1 3", "--json")
    told = json.loads(shell("call", "--to", "emea-standard", "--from", "withheld", *how).stdout)
    assert (told["rule"], told["outcome"], told["destination"]) == ("R17", "closed_informed", "closed")
    assert told["dialled"] == []
    assert len(told["case_number"]) == 8


def test_what_a_partner_would_get_is_what_they_get(shell):
    text = shell("explain", "--pid", "347109", "--to", "us-standard", "--severity", "1", "--at", SATURDAY).output
    assert "347109 Acme · resale · US · certified, open-ended" in text
    assert "R3   rings the on-call ladder" in text


@pytest.mark.parametrize(("sid", "word"), [(f"CA{0:032}", "no call")])
def test_a_call_that_nobody_made_cannot_be_explained(shell, sid, word):
    result = shell("explain", sid)
    assert result.exit_code == 1
    assert word in result.output


def test_a_partner_that_nobody_listed_cannot_be_explained(shell):
    assert shell("explain", "--pid", "999999", "--to", "us-standard").exit_code == 1
