"""Formats that only carry widths: what cost depends on before any calibration has chosen exponents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flow.fixed_point import Format, Numbers, accumulator_bits, sum_bits
from flow.ir import Graph, Node, Shape, elements
from flow.operators.keeps_format import KeepsFormat
from flow.spec import Precision


@dataclass(frozen=True, slots=True)
class Widths:
    """Numbers of every node of a graph by the wordlengths of a precision; exponents are 0.

    A node's activation width is its output's; pooling keeps its input's format, as the hardware does.
    """

    graph: Graph
    precision: Precision
    _shapes: Mapping[str, Shape] = field(init=False)
    _nodes: Mapping[str, Node] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_shapes", self.graph.shapes())
        object.__setattr__(self, "_nodes", self.graph.by_name())

    def __call__(self, node: Node) -> Numbers:
        inputs = tuple(Format(self.bits(name)) for name in node.inputs)
        output = Format(self.bits(node.name))
        parameters = node.op.parameters([self._shapes[name] for name in node.inputs])
        if "weight" not in parameters:
            widest = max(f.bits for f in inputs)
            return Numbers(inputs, output, None, sum_bits(widest, len(inputs)))
        weight = Format(self.precision.of(node.name, node.op.name)[0])
        terms = elements(parameters["weight"][1:]) + 1
        return Numbers(inputs, output, weight, accumulator_bits(inputs[0].bits, weight.bits, terms))

    def bits(self, tensor: str) -> int:
        """Width of a tensor's values."""
        node = self._nodes.get(tensor)
        while node is not None and isinstance(node.op, KeepsFormat):
            tensor = node.inputs[0]
            node = self._nodes.get(tensor)
        if node is None:
            return self.precision.activations
        return self.precision.of(node.name, node.op.name)[1]


def numbers_of_widths(graph: Graph, precision: Precision) -> Widths:
    """Formats around every node for the cost model: right widths, no exponents yet."""
    return Widths(graph, precision)
