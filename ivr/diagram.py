"""The conversation as a picture, drawn from its own table: it cannot be out of date where a test compares the two."""

from collections.abc import Iterable, Mapping

from flows.conversation import FIRST
from flows.node import Node

HEAD = """\
# The conversation

Drawn by `ivr diagram --write docs/conversation.md` from the table of nodes in `flows/`; a test fails when it is out of
date. A rounded node waits for somebody, a round one ends the call, the others are passed straight through. A node that
is asked again leads to itself; the list says so, the chart does not.
"""


def page(nodes: Mapping[str, Node], texts: Mapping[str, str]) -> str:
    """Return the page: the drawing, and the same as a list, with every sentence that a node can say."""
    return f"{HEAD}\n```mermaid\n{drawing(nodes)}\n```\n\n{listing(nodes, texts)}\n"


def drawing(nodes: Mapping[str, Node]) -> str:
    """Return the table as a Mermaid flow chart."""
    shapes = (f"  {_shape(node)}" for node in nodes.values())
    edges = (f"  {node.name} --> {to}" for node in nodes.values() for to in node.to if to != node.name)
    return "\n".join(("flowchart TD", *shapes, *edges))


def listing(nodes: Mapping[str, Node], texts: Mapping[str, str]) -> str:
    """Return the table as a list: where the conversation begins, what each node says, and where it goes."""
    return "\n\n".join("\n".join(_entry(node, texts)) for node in nodes.values())


def _shape(node: Node) -> str:
    if not node.to:
        return f"{node.name}(({node.name}))"
    return f"{node.name}([{node.name}])" if node.wait else f"{node.name}[{node.name}]"


def _entry(node: Node, texts: Mapping[str, str]) -> Iterable[str]:
    begins = ", where a call begins" if node.name == FIRST else ""
    yield f"## `{node.name}`{begins}"
    yield ""
    yield from (f"- `{prompt}` {texts[prompt]}" for prompt in dict.fromkeys(node.prompts))
    if node.wait:
        heard = ", ".join(kind.__name__ for kind in node.hears)
        yield f"- waits for {heard}" if heard else "- hangs up"
    if node.to:
        yield f"- leads to {', '.join(f'`{to}`' for to in node.to)}"
