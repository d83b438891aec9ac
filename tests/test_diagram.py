"""The drawing of the conversation."""

import re
from pathlib import Path

from click.testing import CliRunner

from flows.conversation import NODES
from flows.prompts import catalogue
from ivr.cli import main
from ivr.diagram import drawing, listing, page

PAGE = Path(__file__).parent.parent / "docs" / "conversation.md"


def test_the_drawing_in_the_docs_is_the_conversation_as_it_is():
    assert PAGE.read_text("utf-8") == page(NODES, catalogue("en-US")), "run `make diagram`"


def test_every_way_from_node_to_node_is_drawn_once():
    edges = re.findall("^  ([a-z0-9_]+) --> ([a-z0-9_]+)$", drawing(NODES), re.MULTILINE)
    assert sorted(edges) == sorted({(node.name, to) for node in NODES.values() for to in node.to if to != node.name})


def test_the_list_has_every_sentence_of_every_node():
    text = listing(NODES, catalogue("en-US"))
    for node in NODES.values():
        assert f"## `{node.name}`" in text
        assert all(f"- `{prompt}` " in text for prompt in node.prompts)


def test_the_command_writes_the_page(tmp_path):
    file = tmp_path / "docs" / "conversation.md"
    result = CliRunner().invoke(main, ["diagram", "--write", str(file)])
    assert result.exit_code == 0, result.output
    assert file.read_text("utf-8") == page(NODES, catalogue("en-US"))
