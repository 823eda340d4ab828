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
class Rows:
    """The columns of the store; `cost` is (rows, resources), `folding` (rows, 4) as in `Folding`.

    `placement` numbers `PLACES`; `payload` counts port words of weights; `wait` are cycles that a frame of one pixel
    takes; `table` numbers the tables; lanes are those of the layer's streams. `trips` (rows, 3 * points) are those of
    `flow.model.curves`: read, write, need.
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


@dataclass(frozen=True, slots=True)
class Layer:
    """What a table is made from: an operator of known shapes and widths, and its opened genes."""

    op: Operator
    inputs: tuple[Shape, ...]
    numbers: Numbers
    genes: Mapping[str, tuple[Any, ...]]
    passes: int = 1
    share: int = 1

    @property
    def weighted(self) -> bool:
        return bool(self.op.parameters(self.inputs))

    def key(self) -> tuple[Any, ...]:
        return (self.op, self.inputs, self.numbers, tuple(sorted(self.genes.items())), self.passes, self.share)


@dataclass(slots=True)
class TableBuilder:
    """Collects tables; equal layers are worked out once."""

    catalogue: Catalogue
    port_bits: int
    limits: Mapping[str, int]
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
        names = self.columns[0].keys() - {"trips"}
        trips = np.concatenate([c["trips"] for c in self.columns]).astype(np.float64)
        stored = {name: np.concatenate([c[name] for c in self.columns]).astype(np.int64) for name in names}
        coarse_in, coarse_out, coarse_group, _ = stored["folding"].T
        return Rows(**stored, trips=trips, lanes_in=coarse_in * coarse_group, lanes_out=coarse_out * coarse_group)

    def _columns(self, layer: Layer) -> dict[str, Integers]:
        blocks = [self._placed(layer, place) for place in _places(layer)]
        columns = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
        cost, foldings = columns["cost"], columns["folding"]
        fits = np.all(cost <= np.array([self.limits[name] for name in RESOURCES]), axis=1)
        if not fits.any():
            fits[np.argmin(np.prod(foldings, axis=1))] = True
        keys = (columns["placement"], *foldings.T, cost[:, 3], cost[:, 1], cost[:, 0], columns["interval"])
        order = np.lexsort(keys)
        order = order[fits[order]]
        return {name: column[order] for name, column in columns.items()}

    def _trips(self, layer: Layer, foldings: Integers, figures: Mapping[str, Integers]) -> Integers:
        """Trips of every folding; a concatenation's are worked out stage by stage, where it stands."""
        if layer.op.name == "concat":
            return np.zeros((len(foldings), 3 * POINTS), np.int64)
        (parameters,) = module_parameters(layer, foldings, self.port_bits)
        at = grid(layer.op.ip, parameters, rows_of(layer.inputs[0]))
        found = trips(self.catalogue, layer.op.ip, parameters, at, figures)
        return np.concatenate([found.read, found.write, found.need]).T.astype(np.int64)

    def _placed(self, layer: Layer, place: str) -> dict[str, Integers]:
        """All foldings with the weights in one kind of memory."""
        foldings = candidates(layer)
        figures, payload, wait = self._figures(layer, foldings, place)
        cost = np.stack([figures[name] for name in RESOURCES], axis=1)
        placement = np.full(len(foldings), PLACES.index(place))
        own = {"folding": foldings, "placement": placement, "cost": cost, "payload": payload, "wait": wait}
        return {name: figures[name] for name in TIMING} | own | {"trips": self._trips(layer, foldings, figures)}

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


def module_parameters(layer: Layer, foldings: Integers, port_bits: int, place: str = BY_DEPTH) -> list[dict[str, Any]]:
    """Parameters of the layer's modules with arrays for the foldings; a chain of modules for a long concatenation."""
    arrays = Folding(*foldings.T)
    parts: list[tuple[Sequence[Shape], Numbers]] = [(layer.inputs, layer.numbers)]
    if layer.op.name == "concat":
        parts = concat_stages(layer.inputs, layer.numbers)
    result = []
    for inputs, numbers in parts:
        parameters: dict[str, Any] = layer.op.module_parameters(inputs, numbers, arrays)
        if layer.op.parameters(inputs):
            parameters = parameters | {"port_bits": port_bits, "slices": 1, "tile": 1}
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
