"""Number formats of a network: a wordlength and a power-of-two scale for every tensor and every node's weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flow.diagnostics import BuildError, Problem
from flow.fixed_point import ACCUMULATOR_LIMIT, ALPHA_BITS, Format, Numbers, accumulator_bits, sum_bits
from flow.ir import Graph, Node, Operator, Shape, elements
from flow.numerics.ranges import Ranges
from flow.operators.add import Add
from flow.operators.keeps_format import KeepsFormat
from flow.operators.multiply import Multiply

Wordlengths = Callable[[str, str], tuple[int, int]]
"""(name, operator) of a node to (weight bits, activation bits); a graph input's operator is `input`."""

HEADROOM_FROM_BITS = 12
"""Activations of at least this width keep one bit above what calibration saw: frames outside the calibration set may be
larger, and where the step is this fine a saturated value costs more than the bit does."""


@dataclass(frozen=True, slots=True)
class Formats:
    """Formats by tensor, and everything around each node."""

    tensors: Mapping[str, Format]
    nodes: Mapping[str, Numbers]

    def numbers(self, node: Node) -> Numbers:
        return self.nodes[node.name]


def bound_of(op: Operator) -> float:
    """The largest magnitude that an operator lets through, whatever comes in; infinite if there is none."""
    if getattr(op, "activation", "") != "clip":
        return math.inf
    return max(abs(float(getattr(op, end))) for end in ("low", "high"))


def exponent_for(magnitude: float, bits: int) -> int:
    """Smallest exponent at which `magnitude` fits `bits` bits (to within half a step); exact, by `frexp`."""
    return (math.frexp(magnitude)[1] if magnitude else 0) - (bits - 1)


def choose_formats(graph: Graph, ranges: Ranges, wordlengths: Wordlengths) -> Formats:
    """Power-of-two scales from the measured ranges; operators that keep their input's format keep it.

    A clipped tensor needs no headroom above its bound.

    Raises NUM001 (accumulator too wide to emulate), NUM002 (operator without an integer form).
    """

    bounds = {node.name: bound_of(node.op) for node in graph.nodes}

    def tensor(name: str, bits: int) -> Format:
        room = exponent_for(ranges.tensors[name], bits) + (bits >= HEADROOM_FROM_BITS)
        bound = bounds.get(name, math.inf)
        return Format(bits, min(room, exponent_for(bound, bits)) if math.isfinite(bound) else room)

    def weight(node: Node, bits: int, data: Format) -> Format:
        exponent = exponent_for(ranges.parameters[f"{node.name}/weight"], bits)
        bias = ranges.parameters.get(f"{node.name}/bias", 0.0)
        room = accumulator_bits(data.bits, bits, _terms(graph, node)) - 2
        # A bias that dwarfs its products would overflow the accumulator: coarser products make room for it.
        return Format(bits, max(exponent, exponent_for(bias, room) - data.exponent) if bias else exponent)

    return _assigned(graph, wordlengths, tensor, weight)


def nominal_formats(graph: Graph, wordlengths: Wordlengths) -> Formats:
    """Wordlengths alone, all exponents 0: what cost models need before anything was measured."""
    return _assigned(graph, wordlengths, lambda _, bits: Format(bits), lambda _node, bits, _data: Format(bits))


def _assigned(
    graph: Graph,
    wordlengths: Wordlengths,
    tensor: Callable[[str, int], Format],
    weight: Callable[[Node, int, Format], Format],
) -> Formats:
    tensors = {name: tensor(name, wordlengths(name, "input")[1]) for name, _ in graph.inputs}
    weights: dict[str, Format] = {}
    for node in graph.nodes:
        weight_bits, data_bits = wordlengths(node.name, node.op.name)
        source = tensors[node.inputs[0]]
        tensors[node.name] = source if isinstance(node.op, KeepsFormat) else tensor(node.name, data_bits)
        if "weight" in _parameters(graph, node):
            weights[node.name] = weight(node, weight_bits, source)
    formats = with_numbers(graph, tensors, weights)
    check_formats(graph, formats)
    return formats


def with_numbers(graph: Graph, tensors: Mapping[str, Format], weights: Mapping[str, Format]) -> Formats:
    """Formats of tensors and weights put together around each node."""
    nodes = {}
    for node in graph.nodes:
        around = Numbers(tuple(tensors[i] for i in node.inputs), tensors[node.name], weights.get(node.name))
        bits = _accumulator_bits(graph, node, around)
        nodes[node.name] = Numbers(around.inputs, around.output, around.weight, bits)
    return Formats(tensors, nodes)


def _accumulator_bits(graph: Graph, node: Node, numbers: Numbers) -> int:
    if numbers.weight is not None:
        return accumulator_bits(numbers.inputs[0].bits, numbers.weight.bits, _terms(graph, node))
    if isinstance(node.op, Add):
        aligned = [f.bits + f.exponent - numbers.accumulator_exponent for f in numbers.inputs]
        return sum_bits(max(aligned), len(aligned))
    if isinstance(node.op, Multiply):
        return sum(f.bits for f in numbers.inputs)
    return max(f.bits for f in numbers.inputs)


def _parameters(graph: Graph, node: Node) -> dict[str, Shape]:
    return node.op.parameters(graph.input_shapes(node))


def _terms(graph: Graph, node: Node) -> int:
    """Products that one output of a weighted node sums, its bias counted as one more."""
    parameters = _parameters(graph, node)
    return elements(parameters["weight"][1:]) + ("bias" in parameters)


def check_formats(graph: Graph, formats: Formats) -> None:
    """Raise every node whose sums cannot be emulated in 63 bits or whose operator has no integer form."""
    problems = []
    for node in graph.nodes:
        bits = formats.numbers(node).accumulator_bits
        if getattr(node.op, "activation", "") == "leaky_relu":
            alpha = abs(round(getattr(node.op, "alpha", 0.0) * 2**ALPHA_BITS))
            bits += max(ALPHA_BITS, alpha.bit_length())
        if bits > ACCUMULATOR_LIMIT:
            message = f"'{node.name}' ({node.op.name}) needs an accumulator of {bits} bits, above {ACCUMULATOR_LIMIT}"
            problems.append(Problem("NUM001", message, "give it fewer weight or activation bits", node.origin))
        if type(node.op).emulate is Operator.emulate:
            message = f"'{node.name}' ({node.op.name}) has no integer form"
            problems.append(Problem("NUM002", message, "a rewrite rule must remove it first", node.origin))
    if problems:
        raise BuildError(tuple(problems))
