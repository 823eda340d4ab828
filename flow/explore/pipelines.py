"""Along the pipelines of a population: when a frame reaches every layer, and what the FIFOs at joins must hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.connectors import Connectors
from flow.explore.groups import by_partition
from flow.explore.space import Space
from flow.explore.tables import concat_stages
from flow.model.curves import POINTS, Trips, points
from flow.model.datasheet import TIMING
from flow.model.fifos import join_words, window_words
from flow.model.latency import WEIGHTS_READY
from flow.model.primitives import ceil_div
from flow.model.resources import RESOURCES, STREAM_DEPTH, fifo_depth
from flow.model.timing import Arrival, even, header_words, joined, passed

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def pipelines(space: Space, links: Connectors, part: Integers, rows: Integers, most: int) -> tuple[Integers, Integers]:
    """Latency of every partition (P, N), and the cost of its deep FIFOs beyond `STREAM_DEPTH` words (P, N, resources).

    Args:
        part, rows: partition and folding row of every position (P, L).
        most: N, partitions that a design has at most.
    """
    walk = _Walk(space, links, part, rows, most)
    return walk.latency(), walk.joins()


@dataclass(frozen=True, slots=True)
class _Flow:
    """Of a stream: lag and lead, shares of a frame, and cycles of waiting (`flow.model.fifos`)."""

    lag: Floats
    lead: Floats
    wait: Integers


@dataclass(slots=True)
class _Walk:
    """Visits the positions in order and collects the inputs of joins on the way."""

    space: Space
    links: Connectors
    part: Integers
    rows: Integers
    most: int
    positions: list[int] = field(default_factory=list)
    words: list[Integers] = field(default_factory=list)
    widths: list[Integers] = field(default_factory=list)
    base: list[bool] = field(default_factory=list)
    """Of every deep FIFO: position, words that it must hold, width, and whether the shallow one is charged already."""

    def latency(self) -> Integers:
        space, links = self.space, self.links
        written = np.zeros(self.part.shape, np.int64)
        arrivals: dict[int, Arrival] = {}
        none = _Flow(np.zeros(len(self.rows)), np.zeros(len(self.rows)), np.zeros(len(self.rows), np.int64))
        flows: dict[int, _Flow] = {}
        for p, position in enumerate(space.positions):
            inputs, behind = [], []
            for e in position.edges:
                t = space.edges[e].tensor
                inputs.append(links.arrival(e, space.tensors[t], arrivals.get(t)))
                flow, outside = flows.get(t, none), links.taps.crossing[:, e]
                behind.append(_Flow(*(np.where(outside, 0, value) for value in (flow.lag, flow.lead, flow.wait))))
            concat = position.node.op.name == "concat"
            t = space.tensor_of(p)
            arrivals[t], flows[t] = (self._concat if concat else self._node)(p, inputs, behind)
            written[:, p] = links.departure(p, space.tensors[t], arrivals[t])
        last: Integers = by_partition(np.maximum, written, self.part, self.most)
        header = np.array([header_words(space.tensors[e.tensor].bits) for e in space.edges])
        return np.where(last > 0, last - links.started(header) + 1, 0)

    def joins(self) -> Integers:
        """Cost of what `latency` collected."""
        most = self.most
        if not self.positions:
            return np.zeros((len(self.part), most, len(RESOURCES)), np.int64)
        width = np.stack(self.widths, axis=1)
        deep = self.space.catalogue.fifo_cost(fifo_depth(np.stack(self.words, axis=1)), width)
        shallow, charged = self.space.catalogue.fifo_cost(STREAM_DEPTH, width), np.array(self.base)
        cost = np.stack([deep[name] - shallow[name] * charged for name in RESOURCES], axis=-1)
        total: Integers = by_partition(np.add, cost, self.part[:, self.positions], most)
        return total

    def _hold(self, p: int, words: Integers, width: Integers, charged: bool) -> None:
        self.positions.append(p)
        self.words.append(words)
        self.widths.append(width)
        self.base.append(charged)

    def _held(self, p: int, e: int, flow: _Flow, longest: _Flow) -> None:
        """A join's input along an edge; straight from a memory port it needs no more than any stream."""
        tensor = self.space.tensors[self.space.edges[e].tensor]
        lanes = self.space.rows.lanes_in[self.rows[:, p]]
        words = join_words(
            flow.lag, flow.lead, longest.lag, tensor.pixels, tensor.pixels * ceil_div(tensor.channels, lanes),
            longest.wait - flow.wait,
        )  # fmt: skip
        self._hold(p, np.where(self.links.taps.direct[:, e], STREAM_DEPTH, words), lanes * tensor.bits, True)

    def _windowed(self, p: int, e: int) -> None:
        """The rows that a window's input holds; a reloaded producer puts out a share of its channels."""
        t = self.space.edges[e].tensor
        tensor, lanes = self.space.tensors[t], self.space.rows.lanes_in[self.rows[:, p]]
        channels: Any = tensor.channels
        if t >= self.space.inputs:
            share = self.space.rows.channels[self.rows[:, t - self.space.inputs]]
            channels = np.where(self.links.taps.crossing[:, e], channels, share)
        words = window_words(self.space.positions[p].window, tensor.pixels, tensor.pixels * ceil_div(channels, lanes))
        self._hold(p, np.where(self.links.taps.direct[:, e], STREAM_DEPTH, words), lanes * tensor.bits, True)

    def _node(self, p: int, inputs: list[Arrival], flows: list[_Flow]) -> tuple[Arrival, _Flow]:
        rows, own, position = self.space.rows, self.rows[:, p], self.space.positions[p]
        longest = _longest(flows)
        if len(inputs) > 1:
            for e, flow in zip(position.edges, flows, strict=True):
                self._held(p, e, flow, longest)
        elif position.window:
            self._windowed(p, position.edges[0])
        taken = np.ascontiguousarray(rows.trips[own].T)
        trips = Trips(taken[:POINTS], taken[POINTS : 2 * POINTS], taken[2 * POINTS :])
        wait = longest.wait + rows.wait[own]
        behind = _Flow(longest.lag + position.lag.needed, longest.lead + position.lag.ahead, wait)
        came = joined(inputs, header_words(position.numbers.inputs[0].bits))
        header = header_words(position.numbers.output.bits) + position.weighted
        start = WEIGHTS_READY if position.weighted else 0
        return passed(came, trips, position.grid, rows.depth[own] + 1, header, start), behind

    def _concat(self, p: int, inputs: list[Arrival], flows: list[_Flow]) -> tuple[Arrival, _Flow]:
        """A chain of two-input modules, each with its own join; the streams between them are charged whole."""
        position = self.space.positions[p]
        stages = concat_stages(position.inputs, position.numbers)
        lanes = self.space.rows.lanes_in[self.rows[:, p]]
        timing = self._concat_timing(stages, lanes)
        at = points(self.space.tensors[self.space.tensor_of(p)].rows)
        left, flow = inputs[0], flows[0]
        pixels = int(np.prod(position.inputs[0][1:], dtype=np.int64))
        for index, (shapes, numbers) in enumerate(stages, 1):
            longest = _longest([flow, flows[index]])
            if index == 1:
                self._held(p, position.edges[0], flow, longest)
            else:
                words = join_words(
                    flow.lag, flow.lead, longest.lag, pixels, pixels * ceil_div(shapes[0][0], lanes),
                    longest.wait - flow.wait,
                )  # fmt: skip
                self._hold(p, words, lanes * position.numbers.output.bits, False)
            self._held(p, position.edges[index], flows[index], longest)
            came = joined([left, inputs[index]], header_words(numbers.inputs[0].bits))
            interval, fill, drain, depth = timing[index - 1]
            left = even(came, at, interval, fill, drain, depth + 1, header_words(numbers.output.bits))
            flow = longest
        return left, flow

    def _concat_timing(self, stages: list[Any], lanes: Integers) -> list[tuple[Integers, ...]]:
        """Interval, fill, drain and depth of all stages, from one evaluation of the data sheet."""
        if not stages:
            return []
        pixels = int(np.prod(stages[0][0][0][1:], dtype=np.int64))
        parameters = {
            "pixels": pixels,
            "channels_a": np.array([shapes[0][0] for shapes, _ in stages]),
            "channels_b": np.array([shapes[1][0] for shapes, _ in stages]),
            "coarse": lanes[:, None],
            "bits_a": np.array([numbers.inputs[0].bits for _, numbers in stages]),
            "bits_b": np.array([numbers.inputs[1].bits for _, numbers in stages]),
            "out_bits": stages[0][1].output.bits,
            "shift_a": 0,
            "shift_b": 0,
        }
        figures = self.space.catalogue.evaluate("concat", parameters)
        shape = (len(lanes), len(stages))
        columns = [np.broadcast_to(figures[name], shape) for name in TIMING]
        return [tuple(column[:, stage] for column in columns) for stage in range(len(stages))]


def _longest(flows: list[_Flow]) -> _Flow:
    first, *others = flows
    lag, lead, wait = first.lag, first.lead, first.wait
    for other in others:
        lag, lead, wait = np.maximum(lag, other.lag), np.maximum(lead, other.lead), np.maximum(wait, other.wait)
    return _Flow(lag, lead, wait)
