"""The whole conversation as one checked table of nodes."""

from collections.abc import Mapping

from flows import identify, left, menu, paged, ring, route, screen, voicemail
from flows.node import Node
from flows.prompts import LOCALES, catalogue, tokens_of
from flows.tokens import TOKENS

FIRST = "greet"
NODES: Mapping[str, Node] = {
    node.name: node for table in (identify, left, menu, route, ring, voicemail) for node in table.NODES
}
SPOKEN_ELSEWHERE = (*screen.PROMPTS, *paged.PROMPTS, "err.sys", "vm.unsaved", "rescue.whisper")
NOT_SPOKEN = ("hash", "date")


def faults(nodes: Mapping[str, Node] = NODES) -> list[str]:
    """Return everything wrong with the table: a target or a prompt that is not there, a node that nobody reaches."""
    return [*_graph_faults(nodes), *(fault for locale in LOCALES for fault in _prompt_faults(nodes, locale))]


def reachable(nodes: Mapping[str, Node], first: str) -> set[str]:
    """Return the names of all nodes that can follow a first one, itself included."""
    seen: set[str] = set()
    ahead = [first]
    while ahead:
        name = ahead.pop()
        if name not in seen and name in nodes:
            seen.add(name)
            ahead.extend(nodes[name].to)
    return seen


def _graph_faults(nodes: Mapping[str, Node]) -> list[str]:
    missing = [f"{n.name} leads to {to}, which is not there" for n in nodes.values() for to in n.to if to not in nodes]
    unreached = [f"{name} is never reached" for name in nodes if name not in reachable(nodes, FIRST)]
    stuck = [f"{n.name} waits and hears nothing" for n in nodes.values() if n.wait and n.to and not n.hears]
    ends = {name for name, node in nodes.items() if not node.to}
    endless = [f"{name} has no way out" for name in nodes if not reachable(nodes, name) & ends]
    return missing + unreached + stuck + endless


def _prompt_faults(nodes: Mapping[str, Node], locale: str) -> list[str]:
    texts = catalogue(locale)
    used = {prompt for node in nodes.values() for prompt in node.prompts} | set(SPOKEN_ELSEWHERE)
    missing = [f"{locale}: prompt {key} is not there" for key in sorted(used - set(texts))]
    unused = [f"{locale}: prompt {key} is never spoken" for key in sorted(set(texts) - used - set(NOT_SPOKEN))]
    unknown = [
        f"{locale}: prompt {key} asks for {{{token}}}, which nothing fills in"
        for key in sorted(set(texts) - set(NOT_SPOKEN))
        for token in sorted(tokens_of(texts[key]) - set(TOKENS))
    ]
    return missing + unused + unknown
