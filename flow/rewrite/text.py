"""Graphs as text, one node a line; what rule files show in their examples.

    x = Input() shape=3x32x32
    c = conv(x) filters=64 kernel=3x3 pads_begin=1x1 pads_end=1x1
    r = activation(c) activation=relu

Attributes at their defaults may be left out; strides and dilations are 1 and pads 0 unless said. Outputs are the
tensors that nobody reads, or those of an `outputs:` line. Parameters get seeded values, or one that is given like an
attribute (`scale=0.5`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

import flow.operators  # noqa: F401  fills the registry of names that text may use
from flow.ir import Graph, Node, Operator, Recipe, Shape, Weight, operator_class, operator_names

_LINE = re.compile(r"(\S+) = ([A-Za-z_]\w*)\(([^()]*)\)(.*)")
_SIZES = re.compile(r"\d+(x\d+)*")
_TUPLES = "tuple[int, ...]"


class TextError(ValueError):
    """A line that says no node; the message quotes it."""


def parse_graph(text: str, name: str = "example") -> Graph:
    """The graph that the lines describe."""
    inputs: dict[str, Shape] = {}
    nodes: list[Node] = []
    weights: dict[str, Weight] = {}
    outputs: tuple[str, ...] = ()
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("outputs:"):
            outputs = tuple(line.removeprefix("outputs:").split())
            continue
        words = _words(line)
        if words.kind == "Input":
            inputs[words.tensor] = _sizes(words.attributes.get("shape", ""), line)
            continue
        node, parameters = _node(words, inputs | {n.name: n.shape for n in nodes})
        nodes.append(node)
        weights |= parameters
    read = {i for node in nodes for i in node.inputs}
    ends = outputs or tuple(node.name for node in nodes if node.name not in read)
    return Graph(name, tuple(inputs.items()), ends, tuple(nodes), weights)


def format_graph(graph: Graph) -> str:
    """The graph as lines, attributes at their defaults left out."""
    lines = [f"{name} = Input() shape={'x'.join(map(str, shape))}" for name, shape in graph.inputs]
    for node in graph.nodes:
        words = [f"{key}={_written(value)}" for key, value in _stated(node.op)]
        lines.append(" ".join([f"{node.name} = {node.op.name}({', '.join(node.inputs)})", *words]))
    read = {i for node in graph.nodes for i in node.inputs}
    if graph.outputs != tuple(node.name for node in graph.nodes if node.name not in read):
        lines.append(f"outputs: {' '.join(graph.outputs)}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class _Words:
    """A line, taken apart."""

    tensor: str
    kind: str
    sources: tuple[str, ...]
    attributes: dict[str, str]
    line: str


def _words(line: str) -> _Words:
    found = _LINE.fullmatch(line)
    if found is None:
        raise TextError(f"not a node: {line}")
    tensor, kind, sources, rest = found.groups()
    if kind != "Input" and kind not in operator_names():
        raise TextError(f"unknown operator in: {line}")
    words = [word.partition("=") for word in rest.split()]
    inputs = tuple(source.strip() for source in sources.split(",") if source.strip())
    return _Words(tensor, kind, inputs, {key: value for key, _, value in words}, line)


def _sizes(text: str, line: str) -> tuple[int, ...]:
    if not _SIZES.fullmatch(text):
        raise TextError(f"sizes such as 3x32x32 are missing in: {line}")
    return tuple(int(size) for size in text.split("x"))


def _node(words: _Words, shapes: dict[str, Shape]) -> tuple[Node, dict[str, Weight]]:
    tensor, sources, line = words.tensor, words.sources, words.line
    missing = [source for source in sources if source not in shapes]
    if missing:
        raise TextError(f"'{missing[0]}' is not defined before: {line}")
    inputs = [shapes[source] for source in sources]
    cls = operator_class(words.kind)
    own = {f.name for f in fields(cls)}  # type: ignore[arg-type]
    stated = {key: value for key, value in words.attributes.items() if key in own}
    op = _operator(words.kind, stated, len(inputs[0]) - 1, line)
    wanted = op.parameters(inputs)
    unknown = [key for key in words.attributes if key not in own and key not in wanted]
    if unknown:
        raise TextError(f"{words.kind} has no attribute '{unknown[0]}': {line}")
    weights: dict[str, Weight] = {}
    for parameter, shape in wanted.items():
        key = f"{tensor}/{parameter}"
        if parameter in words.attributes and parameter not in own:
            weights[key] = Recipe(shape, "constant", float(words.attributes[parameter]))
            continue
        mean = 1.0 if parameter in ("scale", "variance") else 0.0
        weights[key] = Recipe(shape, "normal", mean, 0.1 if mean else 0.5, 0, key)
    return Node(tensor, op, sources, op.output_shape(inputs), f"text#{tensor}"), weights


def _operator(kind: str, attributes: dict[str, str], rank: int, line: str) -> Operator:
    cls = operator_class(kind)
    values: dict[str, Any] = {}
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
    for name, field in known.items():
        if name in attributes:
            values[name] = _value(attributes[name], str(field.type), line)
        elif field.default is MISSING:
            values[name] = _usual(name, rank, line)
    return cls(**values)


def _usual(name: str, rank: int, line: str) -> tuple[int, ...]:
    if name in ("strides", "dilations"):
        return (1,) * rank
    if name in ("pads_begin", "pads_end"):
        return (0,) * rank
    raise TextError(f"'{name}' is missing in: {line}")


def _value(text: str, kind: str, line: str) -> Any:
    if kind == _TUPLES:
        return _sizes(text, line)
    if kind == "bool":
        return text == "true"
    return {"int": int, "float": float}.get(kind, str)(text)


def _stated(op: Operator) -> list[tuple[str, Any]]:
    stated = []
    for field in fields(op):  # type: ignore[arg-type]
        value = getattr(op, field.name)
        usual = {"strides": 1, "dilations": 1, "pads_begin": 0, "pads_end": 0}.get(field.name)
        if value != field.default and not (isinstance(value, tuple) and all(v == usual for v in value)):
            stated.append((field.name, value))
    return stated


def _written(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "x".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
