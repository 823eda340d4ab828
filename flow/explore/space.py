"""The design space of one network on one device: layers, edges, legal cuts, reloadable layers, and their tables.

Positions count the nodes that have hardware, in the graph's topological order; a partition is a range of positions.
Tensors are numbered too: the network's inputs first, then one a position.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flow.diagnostics import BuildError, Problem
from flow.explore.tables import Layer, Rows, Table, TableBuilder, module_parameters
from flow.explore.transform import GENES, Transform
from flow.fixed_point import Format, Numbers
from flow.ir import Graph, Node, Operator, Shape
from flow.model.curves import Grid, grid, rows_of
from flow.model.datasheet import Catalogue
from flow.model.energy import EnergyModel, energy_model
from flow.model.fifos import Lag, module_lag, own_lag, window_pixels
from flow.model.memory import MemorySystem
from flow.model.shares import filters_per_pass, is_alias, passes_slices, with_filters
from flow.model.weight_memory import slot_bits, values_per_word
from flow.model.widths import Widths
from flow.spec import Device

BRAM18_BITS = 18432
AWAITED_SHARE = 8
"""Part of an interval, one eighth, for each layer of a squeeze and excitation: a frame waits in a FIFO as long as they
take, and their multiplications are few."""
SLICE_CHOICES = 5
"""Numbers of slices that are tabulated for a streamed layer, evenly spread among those that divide its filters."""
PASS_CHOICES = 6
"""Numbers of reloading passes that are tabulated for a layer, from the first whose weights may fit."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor: `producer` is a position or -1 for an input of the network; `readers` are edges in order.

    `rows`: of pixels (`flow.model.curves.rows_of`).
    """

    name: str
    producer: int
    channels: int
    pixels: int
    bits: int
    readers: tuple[int, ...]
    is_output: bool
    rows: int


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
        streams: by slices of streamed weights, its own or those of the layer whose chain it is in.
        chain: the channel-wise module behind it that sees its slices, -1 where there is none.
        aliases: names of nodes without hardware that hang on its output.
        lag: of its output behind its input; foldings do not change it.
        window: pixels that its input holds, if it has a window (`flow.model.fifos`).
        grid: points of a frame at its input and output (`flow.model.curves`); foldings do not change them.
    """

    node: Node
    inputs: tuple[Shape, ...]
    numbers: Numbers
    edges: tuple[int, ...]
    weighted: bool
    tail: tuple[int, ...]
    tables: Mapping[int, Table]
    streams: Mapping[int, Table]
    chain: int
    aliases: tuple[str, ...]
    lag: Lag
    window: int
    grid: Grid


@dataclass(frozen=True, slots=True)
class Space:
    """Everything that exploration needs to know; `bit_products` of each position as in `flow.model.energy`."""

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
    energy: EnergyModel | None
    bit_products: tuple[int, ...]

    @property
    def streamed(self) -> bool:
        """Whether weights may be streamed."""
        return any(p.streams for p in self.positions)

    def tensor_of(self, position: int) -> int:
        return self.inputs + position

    def chain(self, position: int, last: int) -> list[int]:
        """A position and those behind it, up to `last`, that would see its slices."""
        found = [position]
        while 0 <= (behind := self.positions[found[-1]].chain) <= last:
            found.append(behind)
        return found

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
    survey = _Survey(graph, widths, transforms)
    builder = TableBuilder(catalogue, memory.port_bits, limits, survey.tiles())
    tables, streams = survey.tables(builder), survey.streams(builder)
    cuts = survey.cuts() if device.reconfiguration_s is not None else ()
    allowed = len(cuts) + 1 if max_partitions is None else min(max_partitions, len(cuts) + 1)
    return Space(
        graph,
        device,
        memory,
        catalogue,
        limits,
        clock_mhz,
        batch,
        survey.positions(tables, streams),
        survey.tensors,
        survey.edges,
        survey.inputs,
        builder.rows(),
        cuts if allowed > 1 else (),
        allowed,
        energy_model(device),
        tuple(_bit_products(layer) for layer in survey.layers),
    )


class _Survey:
    """Numbers a graph's nodes, tensors and edges, and finds what may be reloaded and cut."""

    def __init__(self, graph: Graph, widths: Widths, transforms: Sequence[Transform]) -> None:
        self.graph, self.transforms = graph, transforms
        shapes = graph.shapes()
        source, self.aliases = _aliases(graph, shapes)
        self.nodes = [n for n in graph.nodes if n.name not in source]
        self.inputs = len(graph.inputs)
        names = [*(name for name, _ in graph.inputs), *(n.name for n in self.nodes)]
        number = {name: i for i, name in enumerate(names)}
        self.edges = tuple(
            Edge(number[source.get(t, t)], i, slot) for i, n in enumerate(self.nodes) for slot, t in enumerate(n.inputs)
        )
        self.tensors = tuple(
            Tensor(
                name,
                index - self.inputs,
                shapes[name][0],
                math.prod(shapes[name][1:]),
                widths.bits(name),
                tuple(e for e, edge in enumerate(self.edges) if edge.tensor == index),
                any(o in graph.outputs for o in (name, *self.aliases.get(name, ()))),
                rows_of(shapes[name]),
            )
            for index, name in enumerate(names)
        )
        awaited = self._awaited()
        self.layers = [
            self._layer(n.op, tuple(shapes[i] for i in n.inputs), widths(n), share=AWAITED_SHARE if p in awaited else 1)
            for p, n in enumerate(self.nodes)
        ]
        self.tails = [self._tail(p) for p in range(len(self.nodes))]
        self.chains = [self._chain(p) for p in range(len(self.nodes))]

    def _awaited(self) -> set[int]:
        """Positions that compute one pixel from a whole frame while that frame waits to be multiplied by it."""
        found: set[int] = set()
        for p, node in enumerate(self.nodes):
            sources = [self.tensors[edge.tensor] for edge in self.edges if edge.reader == p]
            if node.op.name != "multiply" or sources[1].pixels == sources[0].pixels:
                continue
            tensor = sources[1]
            while tensor.producer >= 0 and tensor.pixels == 1:
                inputs = [self.tensors[edge.tensor] for edge in self.edges if edge.reader == tensor.producer]
                if inputs[0].pixels == 1:
                    found.add(tensor.producer)
                tensor = inputs[0]
        return found

    def _layer(
        self,
        op: Operator,
        inputs: tuple[Shape, ...],
        numbers: Numbers,
        passes: int = 1,
        share: int = 1,
        slices: int = 1,
        tiles: tuple[int, ...] = (1,),
    ) -> Layer:
        """A layer with the genes that the transformations open for it."""
        genes = dict(GENES)
        for rule in self.transforms:
            gene = rule.gene(op, inputs)
            if gene is not None:
                genes[gene.name] = gene.values
        return Layer(op, inputs, numbers, genes, passes, share, slices, tiles)

    def _tail(self, p: int) -> tuple[int, ...]:
        """Positions right behind `p` that may share its partition when it is reloaded: a channel-wise chain."""
        chain: list[int] = []
        while True:
            tensor = self.tensors[self.inputs + p]
            if len(tensor.readers) != 1 or tensor.is_output:
                return tuple(chain)
            reader = self.edges[tensor.readers[0]].reader
            node = self.nodes[reader]
            same = self.tensors[self.inputs + reader].bits == tensor.bits
            channelwise = node.op.arity == 1 and node.op.keeps_channels() and not self.layers[reader].weighted
            if reader != p + 1 or not channelwise or not same:
                return tuple(chain)
            chain.append(reader)
            p = reader

    def _chain(self, p: int) -> int:
        """The position behind `p` that sees slices where `p` does, as `flow.model.shares.gathered` has it."""
        tensor = self.tensors[self.inputs + p]
        if len(tensor.readers) != 1 or tensor.is_output or self.aliases.get(self.nodes[p].name):
            return -1
        reader = self.edges[tensor.readers[0]].reader
        return reader if passes_slices(self.graph, self.nodes[reader]) else -1

    def tiles(self) -> tuple[int, ...]:
        """Frames that a tile may have."""
        pairs = {pair for layer in self.layers for pair in layer.genes["weights_streaming"]}
        return tuple(sorted({tile for _, tile in pairs}))

    def streams(self, builder: TableBuilder) -> list[dict[int, Table]]:
        """Of every position by slices: a streamed layer's tables and those of the chain behind it."""
        tables: list[dict[int, Table]] = [{} for _ in self.layers]
        for p, layer in enumerate(self.layers):
            if not layer.weighted or len(layer.genes["weights_streaming"]) < 2:
                continue
            filters = layer.op.output_shape(layer.inputs)[0]
            for slices, tiles in _slice_choices(layer, builder.limits):
                part = with_filters(layer.op, filters // slices)
                own = self._layer(part, layer.inputs, layer.numbers, 1, layer.share, slices, tiles)
                tables[p][slices] = builder.table(own)
                q = self.chains[p]
                while q >= 0:
                    behind = self.layers[q]
                    shapes = tuple((filters // slices, *shape[1:]) for shape in behind.inputs)
                    tables[q][slices] = builder.table(self._layer(behind.op, shapes, behind.numbers, slices=slices))
                    q = self.chains[q]
        return tables

    def tables(self, builder: TableBuilder) -> list[dict[int, Table]]:
        """Of every position, by number of passes: what it does as a whole, and in each number worth considering."""
        tables = [{1: builder.table(layer)} for layer in self.layers]
        for p, layer in enumerate(self.layers):
            if not layer.weighted or len(layer.genes["weights_reloading"]) < 2:
                continue
            per_word = values_per_word(builder.port_bits, self.tensors[self.inputs + p].bits)
            filters = layer.op.output_shape(layer.inputs)[0]
            for passes in _pass_choices(layer, filters, per_word, builder.limits):
                share = filters_per_pass(filters, passes, per_word)
                part = with_filters(layer.op, share)
                tables[p][passes] = builder.table(self._layer(part, layer.inputs, layer.numbers, passes))
                for q in self.tails[p]:
                    behind = self.layers[q]
                    shapes = tuple((share, *shape[1:]) for shape in behind.inputs)
                    tables[q][passes] = builder.table(self._layer(behind.op, shapes, behind.numbers, passes))
        return tables

    def positions(
        self, tables: Sequence[Mapping[int, Table]], streams: Sequence[Mapping[int, Table]]
    ) -> tuple[Position, ...]:
        """One record a node with hardware."""
        return tuple(
            Position(
                node,
                self.layers[p].inputs,
                self.layers[p].numbers,
                tuple(e for e, edge in enumerate(self.edges) if edge.reader == p),
                self.layers[p].weighted,
                self.tails[p],
                tables[p],
                streams[p],
                self.chains[p],
                self.aliases.get(node.name, ()),
                _lag(self.layers[p]),
                _window(self.layers[p]),
                grid(node.op.ip, _smallest(self.layers[p]), rows_of(self.layers[p].inputs[0])),
            )
            for p, node in enumerate(self.nodes)
        )

    def cuts(self) -> tuple[int, ...]:
        """Legal cuts as positions."""
        position = {n.name: p for p, n in enumerate(self.nodes)}
        opened = [gene for rule in self.transforms if (gene := rule.graph_gene(self.graph)) is not None]
        values = {self.graph.nodes[i].name for gene in opened if gene.name == "cuts" for i in gene.values}
        return tuple(sorted(position[name] for name in values if position.get(name, 0) > 0))


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


def _bit_products(layer: Layer) -> int:
    weight = layer.numbers.weight
    return 0 if weight is None else layer.op.macs(layer.inputs) * layer.numbers.inputs[0].bits * weight.bits


def _window(layer: Layer) -> int:
    return window_pixels(layer.op.ip, _smallest(layer))


def _lag(layer: Layer) -> Lag:
    return own_lag(module_lag(layer.op.ip, _smallest(layer)), math.prod(layer.inputs[0][1:]))


def _smallest(layer: Layer) -> dict[str, Any]:
    """Parameters of its module, or its first one, with the smallest folding."""
    return (module_parameters(layer, np.ones((1, 4), np.int64), 64) or [{}])[0]


def _slice_choices(layer: Layer, limits: Mapping[str, int]) -> list[tuple[int, tuple[int, ...]]]:
    """Numbers of slices, and the tiles of each: a few, from two slices that fit beside each other to the finest."""
    pairs = layer.genes["weights_streaming"]
    weight = layer.op.parameters(layer.inputs)["weight"]
    bits = 2 * math.prod(weight) * slot_bits((layer.numbers.weight or Format()).bits)
    room = max(1, limits["bram18"]) * BRAM18_BITS
    legal = sorted({n for n, _ in pairs if n > 1 and bits <= n * room})
    places = {round((len(legal) - 1) * k / (SLICE_CHOICES - 1)) for k in range(SLICE_CHOICES if legal else 0)}
    return [(legal[i], tuple(sorted({tile for n, tile in pairs if n == legal[i]}))) for i in sorted(places)]


def _pass_choices(layer: Layer, filters: int, per_word: int, limits: Mapping[str, int]) -> tuple[int, ...]:
    """Numbers of passes: the fewest whose weights may fit into the block RAM, and the next few that differ.

    Passes that share a pixel's port words evenly come first: with words left over, the reader of the tensor skips some
    at every pixel and its bursts break.
    """
    shares = range(per_word, filters, per_word)
    legal = {-(-filters // share) for share in shares} & set(layer.genes["weights_reloading"]) - {1}
    weight = layer.op.parameters(layer.inputs)["weight"]
    bits = math.prod(weight) * slot_bits((layer.numbers.weight or Format()).bits)
    room = max(1, limits["bram18"]) * BRAM18_BITS
    enough = [n for n in sorted(legal) if filters_per_pass(filters, n, per_word) * bits // filters <= room]
    words = -(-filters // per_word)
    one_pixel = math.prod(layer.op.output_shape(layer.inputs)[1:]) == 1
    even = [n for n in enough if one_pixel or words % n == 0]
    return tuple((even or enough)[:PASS_CHOICES])
