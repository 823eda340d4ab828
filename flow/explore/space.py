"""The design space of one network on one device: layers, edges, legal cuts, reloadable layers, and their tables.

Positions count the nodes that have hardware, in the graph's topological order; a partition is a range of positions.
Tensors are numbered too: the network's inputs first, then one a position.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flow.diagnostics import BuildError, Problem
from flow.explore.tables import Layer, Rows, Table, TableBuilder, module_parameters
from flow.explore.transform import GENES, Transform
from flow.fixed_point import Format, Numbers
from flow.ir import Graph, Node, Shape
from flow.model.datasheet import Catalogue
from flow.model.fifos import Lag, module_lag
from flow.model.lowering import filters_per_pass, is_alias
from flow.model.memory import MemorySystem
from flow.model.weight_memory import slot_bits, values_per_word
from flow.model.widths import Widths
from flow.spec import Device

PASS_CHOICES = 6
"""Numbers of reloading passes that are tabulated for a layer, from the first whose weights may fit."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor: `producer` is a position or -1 for an input of the network; `readers` are edges in order."""

    name: str
    producer: int
    channels: int
    pixels: int
    bits: int
    readers: tuple[int, ...]
    is_output: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """A reader's input: tensor `tensor` into argument `slot` of the node at position `reader`."""

    tensor: int
    reader: int
    slot: int


@dataclass(frozen=True, slots=True)
class Position:
    """A node with hardware.

    Attributes:
        node: of the graph.
        inputs: shapes of what it reads.
        numbers: its widths.
        edges: numbers of its input edges.
        weighted: whether it has weights.
        tail: positions of the channel-wise chain behind it, if it can be reloaded at all.
        tables: by number of passes (1 included).
        aliases: names of nodes without hardware that hang on its output.
        lag: of its output behind its input; foldings do not change it.
    """

    node: Node
    inputs: tuple[Shape, ...]
    numbers: Numbers
    edges: tuple[int, ...]
    weighted: bool
    tail: tuple[int, ...]
    tables: Mapping[int, Table]
    aliases: tuple[str, ...]
    lag: Lag


@dataclass(frozen=True, slots=True)
class Space:
    """Everything that exploration needs to know."""

    graph: Graph
    device: Device
    memory: MemorySystem
    catalogue: Catalogue
    limits: Mapping[str, int]
    clock_mhz: float
    batch: int
    positions: tuple[Position, ...]
    tensors: tuple[Tensor, ...]
    edges: tuple[Edge, ...]
    inputs: int
    rows: Rows
    cuts: tuple[int, ...]
    max_partitions: int

    def tensor_of(self, position: int) -> int:
        return self.inputs + position

    def per_word(self, tensor: int) -> int:
        """Values of a tensor in a memory port's word: the lanes of its memory streams."""
        return values_per_word(self.memory.port_bits, self.tensors[tensor].bits)


def build_space(
    graph: Graph,
    device: Device,
    memory: MemorySystem,
    catalogue: Catalogue,
    limits: Mapping[str, int],
    widths: Widths,
    transforms: Sequence[Transform],
    clock_mhz: float,
    batch: int,
    max_partitions: int | None,
) -> Space:
    """Number the nodes and tabulate their foldings.

    Raises:
        BuildError: DSE001 for every node that has no hardware.
    """
    check_mappable(graph, catalogue)
    shapes = graph.shapes()
    source, aliases = _aliases(graph, shapes)
    nodes = [n for n in graph.nodes if n.name not in source]
    number = {name: i for i, (name, _) in enumerate(graph.inputs)}
    inputs = len(number)
    number |= {n.name: inputs + i for i, n in enumerate(nodes)}
    edges = [Edge(number[source.get(t, t)], i, slot) for i, n in enumerate(nodes) for slot, t in enumerate(n.inputs)]
    tensors = []
    for index, name in enumerate([*(name for name, _ in graph.inputs), *(n.name for n in nodes)]):
        readers = tuple(e for e, edge in enumerate(edges) if edge.tensor == index)
        is_output = any(o in graph.outputs for o in (name, *aliases.get(name, ())))
        shape = shapes[name]
        bits = widths.bits(name)
        tensors.append(Tensor(name, index - inputs, shape[0], math.prod(shape[1:]), bits, readers, is_output))
    builder = TableBuilder(catalogue, memory.port_bits, limits)
    genes = [_genes(n, [shapes[i] for i in n.inputs], transforms) for n in nodes]
    tails = [_tail(p, nodes, tensors, edges, inputs) for p in range(len(nodes))]
    layers = [Layer(n.op, tuple(shapes[i] for i in n.inputs), widths(n), g) for n, g in zip(nodes, genes, strict=True)]
    tables: list[dict[int, Table]] = [{1: builder.table(layer)} for layer in layers]
    for p in range(len(layers)):
        _reloaded_tables(p, layers, tails[p], tensors, inputs, builder, tables, memory.port_bits, genes[p])
    positions = tuple(
        Position(
            node,
            layers[p].inputs,
            layers[p].numbers,
            tuple(e for e, edge in enumerate(edges) if edge.reader == p),
            _weighted(layers[p]),
            tails[p],
            tables[p],
            aliases.get(node.name, ()),
            _lag(layers[p]),
        )
        for p, node in enumerate(nodes)
    )
    cuts = _cuts(graph, nodes, transforms) if device.reconfiguration_s is not None else ()
    allowed = len(cuts) + 1 if max_partitions is None else min(max_partitions, len(cuts) + 1)
    return Space(
        graph, device, memory, catalogue, limits, clock_mhz, batch, positions, tuple(tensors), tuple(edges), inputs,
        builder.rows(), cuts if allowed > 1 else (), allowed,
    )  # fmt: skip


def check_mappable(graph: Graph, catalogue: Catalogue) -> None:
    """BuildError with every node that no hardware computes."""
    shapes = graph.shapes()
    problems = []
    for node in graph.nodes:
        if is_alias(node, shapes[node.inputs[0]]):
            continue
        reason = ""
        if not node.op.ip:
            reason = f"there is no hardware for {node.op.name}"
        elif node.op.ip not in catalogue.sheets:
            reason = f"IP '{node.op.ip}' of {node.op.name} has no data sheet"
        elif any(d != 1 for d in getattr(node.op, "dilations", ())):
            reason = "a dilated window has no hardware"
        if reason:
            hint = f"hardware exists for {', '.join(sorted(catalogue.sheets))}"
            problems.append(Problem("DSE001", f"node '{node.name}': {reason}", hint, node.origin))
    if problems:
        raise BuildError(tuple(problems))


def _aliases(graph: Graph, shapes: Mapping[str, Shape]) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Names without hardware to the tensor they stand for, and back."""
    source: dict[str, str] = {}
    for node in graph.nodes:
        if is_alias(node, shapes[node.inputs[0]]):
            source[node.name] = source.get(node.inputs[0], node.inputs[0])
    back: dict[str, tuple[str, ...]] = {}
    for name, origin in source.items():
        back[origin] = (*back.get(origin, ()), name)
    return source, back


def _genes(node: Node, inputs: Sequence[Shape], transforms: Sequence[Transform]) -> dict[str, tuple[Any, ...]]:
    genes = dict(GENES)
    for rule in transforms:
        gene = rule.gene(node.op, inputs)
        if gene is not None:
            genes[gene.name] = gene.values
    return genes


def _cuts(graph: Graph, nodes: Sequence[Node], transforms: Iterable[Transform]) -> tuple[int, ...]:
    """Legal cuts as positions of nodes with hardware."""
    position = {n.name: p for p, n in enumerate(nodes)}
    opened = [gene for rule in transforms if (gene := rule.graph_gene(graph)) is not None]
    values = {graph.nodes[i].name for gene in opened if gene.name == "cuts" for i in gene.values}
    return tuple(sorted(position[name] for name in values if position.get(name, 0) > 0))


def _lag(layer: Layer) -> Lag:
    return module_lag(layer.op.ip, module_parameters(layer, np.ones((1, 4), np.int64), 64)[0])


def _weighted(layer: Layer) -> bool:
    return bool(layer.op.parameters(layer.inputs))


def _tail(
    p: int, nodes: Sequence[Node], tensors: Sequence[Tensor], edges: Sequence[Edge], inputs: int
) -> tuple[int, ...]:
    """Positions right behind `p` that may share its partition when it is reloaded: a chain of channel-wise layers."""
    chain: list[int] = []
    while True:
        tensor = tensors[inputs + p]
        if len(tensor.readers) != 1 or tensor.is_output:
            return tuple(chain)
        reader = edges[tensor.readers[0]].reader
        node = nodes[reader]
        same = tensors[inputs + reader].bits == tensor.bits
        if reader != p + 1 or node.op.arity != 1 or node.op.parameters([node.shape]) or not same:
            return tuple(chain)
        chain.append(reader)
        p = reader


def _reloaded_tables(
    p: int,
    layers: Sequence[Layer],
    tail: Sequence[int],
    tensors: Sequence[Tensor],
    inputs: int,
    builder: TableBuilder,
    tables: Sequence[dict[int, Table]],
    port_bits: int,
    genes: Mapping[str, tuple[Any, ...]],
) -> None:
    """Tables of a layer and of the chain behind it for each number of passes worth considering."""
    layer = layers[p]
    if not _weighted(layer) or len(genes["weights_reloading"]) < 2:
        return
    per_word = values_per_word(port_bits, tensors[inputs + p].bits)
    filters = layer.op.output_shape(layer.inputs)[0]
    for passes in _pass_choices(layer, filters, per_word, builder.limits, genes["weights_reloading"]):
        share = filters_per_pass(filters, passes, per_word)
        field = "filters" if hasattr(layer.op, "filters") else "features"
        part = replace(layer, op=replace(layer.op, **{field: share}), passes=passes)  # type: ignore[type-var]
        tables[p][passes] = builder.table(part)
        for q in tail:
            shapes = tuple((share, *shape[1:]) for shape in layers[q].inputs)
            tables[q][passes] = builder.table(replace(layers[q], inputs=shapes, passes=passes))


def _pass_choices(
    layer: Layer, filters: int, per_word: int, limits: Mapping[str, int], legal: Sequence[int]
) -> tuple[int, ...]:
    """Numbers of passes: the fewest whose weights may fit into the block RAM, and the next few that differ."""
    shares = range(per_word, filters, per_word)
    even = sorted({-(-filters // share) for share in shares} & set(legal) - {1})
    weight = layer.op.parameters(layer.inputs)["weight"]
    bits = math.prod(weight) * slot_bits((layer.numbers.weight or Format()).bits)
    room = max(1, limits["bram18"]) * 18432 + limits["uram"] * 294912
    enough = [n for n in even if filters_per_pass(filters, n, per_word) * bits // filters <= room]
    return tuple(enough[:PASS_CHOICES])
