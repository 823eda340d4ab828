"""Patterns: a chain of operators, each link read by nobody else.

    conv | gemm > activation(activation=relu)

matches a convolution or inner product whose only reader is a ReLU. `|` separates alternatives, `*` is any operator,
conditions in parentheses are attributes of the operator. Inner links are not outputs of the network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import flow.operators  # noqa: F401  fills the registry of names that patterns may use
from flow.diagnostics import suggest
from flow.ir import Graph, Node, operator_names

ANY = "*"
_PART = re.compile(r"\s*([A-Za-z_]\w*|\*)\s*(?:\(([^()]*)\))?\s*")


class PatternError(ValueError):
    """A pattern that cannot match anything; `hint` says what is there instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Alternative:
    """One operator with conditions on its attributes, as text."""

    operator: str
    conditions: tuple[tuple[str, str], ...] = ()

    def fits(self, node: Node) -> bool:
        if self.operator not in (ANY, node.op.name):
            return False
        return all(str(getattr(node.op, key, None)) == value for key, value in self.conditions)


@dataclass(frozen=True, slots=True)
class Link:
    """One node of a chain."""

    alternatives: tuple[Alternative, ...]

    def fits(self, node: Node) -> bool:
        return any(a.fits(node) for a in self.alternatives)


def parse_pattern(text: str) -> tuple[Link, ...]:
    """The chain that a pattern's text says; PatternError if there is no such operator."""
    return tuple(Link(tuple(_alternative(part) for part in link.split("|"))) for link in text.split(">"))


def _alternative(text: str) -> Alternative:
    found = _PART.fullmatch(text)
    if found is None:
        raise PatternError(f"'{text.strip()}' in the pattern is not an operator")
    name, inside = found.groups()
    if name != ANY and name not in operator_names():
        raise PatternError(f"the pattern names the unknown operator '{name}'", suggest(name, operator_names()))
    pairs = [condition.partition("=") for condition in (inside or "").split(",") if condition.strip()]
    return Alternative(name, tuple((key.strip(), value.strip()) for key, _, value in pairs))


def matches(graph: Graph, chain: tuple[Link, ...]) -> Iterator[tuple[Node, ...]]:
    """Every chain in the graph, ordered by its last node; the first node in front."""
    nodes, readers = graph.by_name(), graph.consumers()
    for last in graph.nodes:
        if chain[-1].fits(last):
            yield from _backwards(graph, chain[:-1], (last,), nodes, readers)


def _backwards(
    graph: Graph,
    chain: tuple[Link, ...],
    found: tuple[Node, ...],
    nodes: dict[str, Node],
    readers: dict[str, tuple[str, ...]],
) -> Iterator[tuple[Node, ...]]:
    if not chain:
        yield found
        return
    for name in dict.fromkeys(found[0].inputs):
        source = nodes.get(name)
        if source is None or name in graph.outputs or len(readers[name]) != 1 or not chain[-1].fits(source):
            continue
        yield from _backwards(graph, chain[:-1], (source, *found), nodes, readers)
