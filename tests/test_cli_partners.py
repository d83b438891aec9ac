"""`ivr db` and `ivr partners`, as they are typed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.commands.db import command as db
from ivr.commands.partners import command as partners
from recordings.partners import DEMO


@pytest.fixture
def ivr(database_url: str, monkeypatch: pytest.MonkeyPatch):
    """Type a command for a database that has the schema."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    return typed


def typed(*words: str) -> Result:
    """Type a command, and see that it ends as a command should: with 0, 1 or 2, and no traceback."""
    command = {"db": db, "partners": partners}[words[0]]
    result = CliRunner().invoke(command, words[1:])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_import_prints_what_it_did(ivr):
    first = ivr("partners", "import", str(DEMO / "partners.csv"))
    again = ivr("partners", "import", str(DEMO / "partners.csv"))

    assert (first.exit_code, first.stdout) == (0, "9 added, 0 changed, 0 unchanged, 0 deactivated\n")
    assert (again.exit_code, again.stdout) == (0, "0 added, 0 changed, 9 unchanged, 0 deactivated\n")


def test_import_of_letters_prints_json_where_that_is_asked_for(ivr):
    ivr("partners", "import", str(DEMO / "partners.csv"))
    result = ivr("partners", "import", "--loa", "--json", str(DEMO / "letters.csv"))

    assert json.loads(result.stdout) == {"added": 2, "changed": 0, "unchanged": 0, "deactivated": 0}


def test_a_refused_import_names_file_line_and_reason_on_stderr_and_exits_with_1(ivr, tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text((DEMO / "partners.csv").read_text().replace("resale,apac", "resale,moon"))
    result = ivr("partners", "import", str(file))

    assert result.exit_code == 1
    assert result.stdout == ""
    assert [line.partition(" ")[0] for line in result.stderr.splitlines()] == [f"{file}:5:", f"{file}:6:", "Error:"]
    assert "moon" in result.stderr
    assert ivr("partners", "list", "--json").stdout.strip() == "[]"


@pytest.mark.parametrize("words", [("import", "no such file"), ("import",), ("show",), ("nonsense",), ("list", "x")])
def test_wrong_usage_exits_with_2(ivr, words):
    assert ivr("partners", *words).exit_code == 2


def test_the_help_says_what_deactivated_means(ivr):
    told = " ".join(ivr("partners", "import", "--help").stdout.split())

    assert "not in FILE is deactivated: it stays, with the status closed" in told


def test_list_prints_a_line_for_each_partner(ivr):
    ivr("partners", "import", str(DEMO / "partners.csv"))
    header, *lines = ivr("partners", "list").stdout.splitlines()

    assert header.split()[:3] == ["partner_id", "name", "type"]
    assert len(lines) == 9
    assert lines[0].split() == ["347109", "Acme", "resale", "us", "active", "2024-02-01", "8x8-partner"]


def test_show_prints_everything_about_one_partner(ivr):
    ivr("partners", "import", str(DEMO / "partners.csv"))
    shown = ivr("partners", "show", "347109")

    assert shown.exit_code == 0
    assert [line.split() for line in shown.stdout.splitlines()][:3] == [
        ["partner", "id", "347109"],
        ["name", "Acme"],
        ["type", "resale"],
    ]
    assert json.loads(ivr("partners", "show", "--json", "347109").stdout)["representatives"] == ["+14085550142"]


def test_show_of_an_id_that_nobody_has_exits_with_1(ivr):
    result = ivr("partners", "show", "1")

    assert (result.exit_code, result.stderr) == (1, "Error: no partner has the ID 1\n")


def test_without_a_database_the_commands_say_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/new.db")
    for words in (
        ("partners", "list"),
        ("partners", "import", str(DEMO / "partners.csv")),
        ("db", "upgrade", "--check"),
    ):
        result = typed(*words)
        assert result.exit_code == 1
        assert "run ivr db upgrade" in result.stderr
    assert not Path(tmp_path / "new.db").exists()


def test_upgrade_makes_the_database_and_check_finds_it_up_to_date(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/var/new.db")

    assert typed("db", "upgrade").stdout == "the database is up to date\n"
    assert typed("db", "upgrade").exit_code == 0
    assert typed("db", "upgrade", "--check").exit_code == 0


@pytest.mark.parametrize("url", ["nonsense", "mysql://x@y/z"])
def test_a_url_that_is_none_is_refused_with_the_form_that_is_one(monkeypatch, url):
    monkeypatch.setenv("DATABASE_URL", url)
    for words in (("partners", "list"), ("db", "upgrade")):
        result = typed(*words)
        assert result.exit_code == 1
        assert "sqlite:///FILE or postgresql" in result.stderr
