"""Tables of foldings: every legal folding of every layer with its cycles and resources, worked out once.

Rows of all tables lie one behind the other in one set of arrays, so that a population is an integer array of row
numbers and its costs are one indexing operation. Layers of equal shape share a table. Inside a table rows are sorted by
interval, so that the rows that meet a target are a prefix and neighbouring rows are similar designs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.sliced import gathering, module_columns, replaying, worthwhile
from flow.fixed_point import Numbers
from flow.ir import Folding, Operator, Shape
from flow.model.curves import POINTS, grid, rows_of, trips
from flow.model.datasheet import TIMING, Catalogue
from flow.model.fifos import one_pixel_wait
from flow.model.resources import RESOURCES
from flow.model.weight_memory import BY_DEPTH, PLACEMENTS, memory_rows, payload_words, weights_memory

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
PLACES = (BY_DEPTH, *PLACEMENTS)
"""Where weights lie, in the order of the column `placement`."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows `start` to `stop` of the store; `passes` of the reloading that they stand for, `channels` of its output.

    `share`: the layer is given that part of a partition's interval, 1 / share.
    """

    start: int
    stop: int
    passes: int
    channels: int
    share: int = 1


@dataclass(frozen=True, slots=True)
class Slices:
    """What rows say of streamed weights; record 0 is that of all rows that see no slices.

    Attributes:
        slices, tile: of the row; a channel-wise module behind the layer has no tile of its own (1).
        words, steps: of a layer, port words of a slice and trips of a frame in one.
        front: words of a frame in front of the layer.
        replay: pipeline depth of what gives a tile once a slice.
        given, gather, depth: of what puts slices together behind the row: trips in which a frame goes, trips of a frame
            in all, pipeline depth.
        gather_cost: (records, tiles, resources) of that module and the FIFO behind it, by the layer's tile.
        tiles: frames that a tile may have.
    """

    slices: Integers
    tile: Integers
    words: Integers
    steps: Integers
    front: Integers
    replay: Integers
    given: Integers
    gather: Integers
    depth: Integers
    gather_cost: Integers
    tiles: tuple[int, ...]


SLICE_COLUMNS = ("slices", "tile", "words", "steps", "front", "replay", "given", "gather", "depth")


@dataclass(frozen=True, slots=True)
class Rows:
    """The columns of the store; `cost` is (rows, resources), `folding` (rows, 4) as in `Folding`.

    `placement` numbers `PLACES`; `payload` counts port words of weights; `wait` are cycles that a frame of one pixel
    takes; `table` numbers the tables; lanes are those of the layer's streams. `trips` (rows, 3 * points) are those of
    `flow.model.curves`: read, write, need. `sliced` is a record of `streams`; `slices` of it stands here, too.
    """

    folding: Integers
    placement: Integers
    interval: Integers
    fill: Integers
    drain: Integers
    depth: Integers
    cost: Integers
    payload: Integers
    wait: Integers
    passes: Integers
    channels: Integers
    table: Integers
    trips: Floats
    lanes_in: Integers
    lanes_out: Integers
    slices: Integers
    sliced: Integers
    streams: Slices


@dataclass(frozen=True, slots=True)
class Layer:
    """What a table is made from: an operator of known shapes and widths, and its opened genes."""

    op: Operator
    inputs: tuple[Shape, ...]
    numbers: Numbers
    genes: Mapping[str, tuple[Any, ...]]
    passes: int = 1
    share: int = 1
    slices: int = 1
    tiles: tuple[int, ...] = (1,)

    @property
    def weighted(self) -> bool:
        return bool(self.op.parameters(self.inputs))

    def key(self) -> tuple[Any, ...]:
        return (
            self.op,
            self.inputs,
            self.numbers,
            tuple(sorted(self.genes.items())),
            self.passes,
            self.share,
            self.slices,
            self.tiles,
        )


@dataclass(slots=True)
class TableBuilder:
    """Collects tables; equal layers are worked out once."""

    catalogue: Catalogue
    port_bits: int
    limits: Mapping[str, int]
    tiles: tuple[int, ...] = (1,)
    tables: dict[tuple[Any, ...], Table] = field(default_factory=dict)
    columns: list[dict[str, Integers]] = field(default_factory=list)
    size: int = 0

    def table(self, layer: Layer) -> Table:
        """The layer's table; its rows hold at least one folding, the smallest, even if that does not fit."""
        key = layer.key()
        if key not in self.tables:
            columns = self._columns(layer)
            rows = len(columns["interval"])
            channels = layer.op.output_shape(layer.inputs)[0]
            self.tables[key] = Table(self.size, self.size + rows, layer.passes, channels, layer.share)
            columns |= {
                "passes": np.full(rows, layer.passes),
                "channels": np.full(rows, channels),
                "table": np.full(rows, len(self.columns)),
            }
            self.columns.append(columns)
            self.size += rows
        return self.tables[key]

    def rows(self) -> Rows:
        """The store of all tables so far."""
        names = self.columns[0].keys() - {"trips", "stream", "gather_cost"}
        trips = np.concatenate([c["trips"] for c in self.columns]).astype(np.float64)
        stored = {name: np.concatenate([c[name] for c in self.columns]).astype(np.int64) for name in names}
        coarse_in, coarse_out, coarse_group, _ = stored["folding"].T
        lanes = {"lanes_in": coarse_in * coarse_group, "lanes_out": coarse_out * coarse_group}
        slices, sliced, streams = self._slices()
        return Rows(**stored, **lanes, trips=trips, slices=slices, sliced=sliced, streams=streams)

    def _slices(self) -> tuple[Integers, Integers, Slices]:
        stream = np.concatenate([c["stream"] for c in self.columns])
        sliced = stream[:, 0] > 1
        records = np.concatenate([[[1, 1] + [0] * (len(SLICE_COLUMNS) - 2)], stream[sliced]]).astype(np.int64)
        none = np.zeros((1, len(self.tiles), len(RESOURCES)), np.int64)
        costs = np.concatenate([none, *(c["gather_cost"] for c in self.columns if c["stream"][0, 0] > 1)])
        columns = dict(zip(SLICE_COLUMNS, np.ascontiguousarray(records.T), strict=True))
        number = np.where(sliced, np.cumsum(sliced), 0)
        return stream[:, 0], number, Slices(**columns, gather_cost=costs, tiles=self.tiles)

    def _columns(self, layer: Layer) -> dict[str, Integers]:
        blocks = [self._placed(layer, place, tile) for place in _places(layer) for tile in layer.tiles]
        columns = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
        cost, foldings = columns["cost"], columns["folding"]
        fits = np.all(cost <= np.array([self.limits[name] for name in RESOURCES]), axis=1)
        if not fits.any():
            fits[np.argmin(np.prod(foldings, axis=1))] = True
        keys = (columns["placement"], *foldings.T, cost[:, 3], cost[:, 1], cost[:, 0], columns["interval"])
        order = np.lexsort(keys)
        order = order[fits[order]]
        if layer.slices > 1:
            order = order[worthwhile(columns["interval"][order], cost[order], self.limits)]
        return {name: column[order] for name, column in columns.items()}

    def _trips(self, layer: Layer, foldings: Integers, figures: Mapping[str, Integers]) -> Integers:
        """Trips of every folding; a concatenation's are worked out stage by stage, where it stands."""
        if layer.op.name == "concat":
            return np.zeros((len(foldings), 3 * POINTS), np.int64)
        (parameters,) = module_parameters(layer, foldings, self.port_bits, slices=layer.slices)
        at = grid(layer.op.ip, parameters, rows_of(layer.inputs[0]))
        found = trips(self.catalogue, layer.op.ip, parameters, at, figures)
        return np.concatenate([found.read, found.write, found.need]).T.astype(np.int64)

    def _placed(self, layer: Layer, place: str, tile: int) -> dict[str, Integers]:
        """All foldings with the weights in one kind of memory, streamed for tiles of so many frames or not at all."""
        foldings = candidates(layer)
        if layer.slices > 1:
            return self._streamed(layer, foldings, place, tile)
        figures, payload, wait = self._figures(layer, foldings, place)
        cost = np.stack([figures[name] for name in RESOURCES], axis=1)
        placement = np.full(len(foldings), PLACES.index(place))
        own = {"folding": foldings, "placement": placement, "cost": cost, "payload": payload, "wait": wait}
        own["stream"] = np.tile([1, 1] + [0] * (len(SLICE_COLUMNS) - 2), (len(foldings), 1))
        own["gather_cost"] = np.zeros((len(foldings), 0, 0), np.int64)
        return {name: figures[name] for name in TIMING} | own | {"trips": self._trips(layer, foldings, figures)}

    def _streamed(self, layer: Layer, foldings: Integers, place: str, tile: int) -> dict[str, Integers]:
        """Rows that see slices: a layer with what gives and loads them, or a module behind it."""
        catalogue, slices, shape = self.catalogue, layer.slices, layer.op.output_shape(layer.inputs)
        foldings = foldings[shape[0] % (foldings[:, 1] * foldings[:, 2]) == 0]
        count, numbers = len(foldings), layer.numbers
        (parameters,) = module_parameters(layer, foldings, self.port_bits, place, slices, tile)
        found, own = module_columns(catalogue, layer.op.ip, parameters, slices, count)
        record = gathering(catalogue, shape, foldings[:, 1] * foldings[:, 2], numbers.output.bits, slices, self.tiles)
        found["wait"], none = np.zeros(count, np.int64), np.zeros(count, np.int64)
        record |= {
            "slices": none + slices,
            "tile": none + tile,
            "words": none,
            "steps": own,
            "front": none,
            "replay": none,
        }
        if layer.weighted:
            values = catalogue.sheets[layer.op.ip].environment(parameters, catalogue.dsp_type)
            record |= {"words": none + values["payload_words"], "steps": none + values["steps"]}
            found["wait"] = slices * (none + one_pixel_wait(parameters, math.prod(layer.inputs[0][1:])))
            lanes, bits = foldings[:, 0] * foldings[:, 2], numbers.inputs[0].bits
            cost, front, depth = replaying(catalogue, layer.inputs[0], lanes, bits, slices, tile, self.port_bits)
            found["cost"], record["front"], record["replay"] = found["cost"] + cost, front, none + depth
        found |= {"folding": foldings, "payload": none, "gather_cost": record.pop("gather_cost")}
        found["placement"] = np.full(count, PLACES.index(place))
        found["stream"] = np.stack([record[name] for name in SLICE_COLUMNS], axis=1)
        found["trips"] = self._trips(layer, foldings, found | {"interval": record["steps"]})
        return found

    def _figures(self, layer: Layer, foldings: Integers, place: str) -> tuple[dict[str, Integers], Integers, Integers]:
        """Cycles and resources of every folding, port words of its weights, and cycles of a frame of one pixel."""
        count = len(foldings)
        total: dict[str, Integers] = {}
        payload, wait = np.zeros(count, np.int64), np.zeros(count, np.int64)
        for parameters in module_parameters(layer, foldings, self.port_bits, place):
            if "weights_memory" in parameters:
                payload = payload + payload_words(parameters)
                wait = wait + one_pixel_wait(parameters, math.prod(layer.inputs[0][1:]))
            figures = self.catalogue.evaluate(layer.op.ip, parameters)
            for name, values in figures.items():
                column = np.broadcast_to(np.asarray(values, np.int64), (count,))
                merge = np.maximum if name in TIMING else np.add
                total[name] = merge(total[name], column) if name in total else column
        for name in (*TIMING, *RESOURCES):
            total.setdefault(name, np.zeros(count, np.int64))  # a concatenation of one tensor is a wire
        return total, payload, wait


def _places(layer: Layer) -> tuple[str, ...]:
    """Memories that the layer's weights may lie in."""
    return layer.genes["weights_placement"] if layer.weighted else (BY_DEPTH,)


def candidates(layer: Layer) -> Integers:
    """All foldings of the layer's genes, one a row."""
    rows = [(*coarse, fine) for coarse, fine in itertools.product(layer.genes["coarse"], layer.genes["fine"])]
    return np.array(rows, np.int64).reshape(-1, 4)


def module_parameters(
    layer: Layer, foldings: Integers, port_bits: int, place: str = BY_DEPTH, slices: int = 1, tile: int = 1
) -> list[dict[str, Any]]:
    """Parameters of the layer's modules with arrays for the foldings; a chain of modules for a long concatenation."""
    arrays = Folding(*foldings.T)
    parts: list[tuple[Sequence[Shape], Numbers]] = [(layer.inputs, layer.numbers)]
    if layer.op.name == "concat":
        parts = concat_stages(layer.inputs, layer.numbers)
    result = []
    for inputs, numbers in parts:
        parameters: dict[str, Any] = layer.op.module_parameters(inputs, numbers, arrays)
        if layer.op.parameters(inputs):
            parameters = parameters | {"port_bits": port_bits, "slices": slices, "tile": tile}
            parameters["weights_memory"] = weights_memory(place, memory_rows(parameters))
        result.append(parameters)
    return result


def concat_stages(inputs: Sequence[Shape], numbers: Numbers) -> list[tuple[Sequence[Shape], Numbers]]:
    """The two-input modules of a concatenation: what is between them is already in the output's format."""
    stages: list[tuple[Sequence[Shape], Numbers]] = []
    left, left_format = inputs[0], numbers.inputs[0]
    for right, right_format in zip(inputs[1:], numbers.inputs[1:], strict=True):
        pair = Numbers((left_format, right_format), numbers.output, None, numbers.accumulator_bits)
        stages.append(((left, right), pair))
        left, left_format = (left[0] + right[0], *left[1:]), numbers.output
    return stages
