"""A whole population evaluated at once: arrays of designs by positions, edges and partitions.

A design is a row of `cuts` (whether a partition begins at a position) and a row of `rows` (which folding of its table a
position has, the number of passes included). What `flow.model.performance` works out module by module on the lowered
hardware is worked out here by indexing the tables and by one data-sheet call for all connectors; both agree exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.connectors import Connectors, connectors_of
from flow.explore.groups import by_partition
from flow.explore.space import Space
from flow.explore.tables import concat_stages
from flow.model.fifos import join_words
from flow.model.resources import RESOURCES, fifo_cost, fifo_depth
from flow.model.timing import Pace, Span, joined, passed

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Population:
    """`cuts` (designs, positions) boolean, first column unused; `rows` (designs, positions) row numbers."""

    cuts: Booleans
    rows: Integers

    def take(self, index: Any) -> Population:
        return Population(self.cuts[index], self.rows[index])

    def part(self) -> Integers:
        """Partition of every position."""
        cuts = self.cuts.copy()
        cuts[:, 0] = False
        return np.cumsum(cuts, axis=1)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of every design; arrays over partitions are (designs, most partitions), 0 where a design has fewer.

    `violation` sums what is over a limit, relative to it; 0 means that the design can be built. `over` (designs, most
    partitions) is the part of it that single partitions' resources are to blame for.
    """

    count: Integers
    passes: Integers
    interval: Integers
    latency: Integers
    resources: Integers
    time_s: Floats
    total_s: Floats
    latency_s: Floats
    memory_bytes: Integers
    over: Floats
    violation: Floats

    def throughput(self, batch: int) -> Floats:
        return batch / self.total_s


def evaluate_population(space: Space, population: Population) -> Figures:
    """Figures of all designs of a population."""
    return _Evaluation(space, population).figures()


class _Evaluation:
    """Intermediate arrays of one call; P designs, L positions, E edges, N partitions."""

    def __init__(self, space: Space, population: Population) -> None:
        self.space, self.rows = space, population.rows
        self.part = population.part()
        self.designs = np.arange(len(self.rows))
        self.most = int(self.part[:, -1].max()) + 1
        self.passes_at = space.rows.passes[self.rows]
        self.links: Connectors = connectors_of(space, self.part, self.rows)

    def figures(self) -> Figures:
        space, clock = self.space, self.space.clock_mhz * 1e6
        count = self.part[:, -1] + 1
        exists = np.arange(self.most) < count[:, None]
        passes = np.maximum(self._largest(self.passes_at), 1)
        stretched = space.memory.traffic_cycles(self.links.words, self.links.masters, space.clock_mhz)
        interval = np.maximum(np.maximum(self._largest(space.rows.interval[self.rows]), self.links.interval), stretched)
        latency, joins = self._pipelines(stretched)
        resources = self._sum(space.rows.cost[self.rows]) + self.links.cost + joins
        first, later = self._weight_words(passes)
        loads = space.memory.load_seconds(first, space.clock_mhz)
        loads = loads + (passes - 1) * space.memory.load_seconds(later, space.clock_mhz)
        resident = (count == 1) & (passes[:, 0] == 1)
        loads = np.where(resident[:, None], 0.0, loads) * exists
        time_s = np.where(exists, loads + passes * ((space.batch - 1) * interval + latency) / clock, 0.0)
        switch = space.device.reconfiguration_s or 0.0
        total_s = time_s.sum(axis=1) + np.where(count > 1, count, 0) * switch
        latency_s = np.where(exists, loads + passes * latency / clock, 0.0).sum(axis=1) + (count - 1) * switch
        weights = np.where(exists, first + (passes - 1) * later, 0).sum(axis=1) * (space.memory.port_bits // 8)
        memory = self.links.live.max(axis=1) * space.batch + weights
        over = self._over(resources)
        violation = self._violation(over, memory, count)
        return Figures(
            count, np.where(exists, passes, 0), np.where(exists, interval, 0), np.where(exists, latency, 0), resources,
            time_s, total_s, latency_s, memory, over, violation,
        )  # fmt: skip

    # Per partition

    def _sum(self, values: Integers) -> Integers:
        """Sum over the positions of every partition: (P, L, …) to (P, N, …)."""
        return by_partition(np.add, values, self.part, self.most)

    def _largest(self, values: Integers) -> Integers:
        return by_partition(np.maximum, values, self.part, self.most)

    def _weight_words(self, passes: Integers) -> tuple[Integers, Integers]:
        """Port words of the first and of every later pass's weights."""
        payload = self.space.rows.payload[self.rows]
        layers = self.links.weighted
        reloaded = np.where(np.array([p.weighted for p in self.space.positions]) & (self.passes_at > 1), payload, 0)
        return layers + self._sum(payload), np.where(passes > 1, layers + self._sum(reloaded), 0)

    def _over(self, resources: Integers) -> Floats:
        limits = np.array([self.space.limits[name] for name in RESOURCES])
        over: Floats = (np.maximum(resources - limits, 0) / np.maximum(limits, 1)).sum(axis=2)
        return over

    def _violation(self, over: Floats, memory: Integers, count: Integers) -> Floats:
        result = over.sum(axis=1) + np.maximum(memory / self.space.memory.capacity_bytes - 1, 0)
        result = result + np.maximum(count - self.space.max_partitions, 0) + self.links.illegal
        rounded: Floats = np.round(result, 9)
        return rounded

    # Along the pipelines

    def _pipelines(self, stretched: Integers) -> tuple[Integers, Integers]:
        """Latency of every partition, and what the FIFOs at its joins cost beyond two words each."""
        space, links = self.space, self.links
        latency = np.zeros((len(self.rows), self.most), np.int64)
        joins = np.zeros((len(self.rows), self.most, len(RESOURCES)), np.int64)
        count = len(self.rows)
        span: dict[int, Span] = {}
        zero = np.zeros(count)
        lags: dict[int, tuple[Floats, Floats]] = {}
        for p, position in enumerate(space.positions):
            part, inputs, flows = self.part[:, p], [], []
            pace_memory = stretched[self.designs, part]
            for e in position.edges:
                t = space.edges[e].tensor
                inputs.append(links.arrival(e, span.get(t), pace_memory))
                lag, lead = lags.get(t, (zero, zero))
                crossing = links.crossing[:, e]
                flows.append((np.where(crossing, 0.0, lag), np.where(crossing, 0.0, lead)))
            out, lag_out, held = self._node(p, inputs, flows)
            joins[self.designs, part] += held
            span[space.tensor_of(p)], lags[space.tensor_of(p)] = out, lag_out
            written = links.departure(p, out, pace_memory)
            latency[self.designs, part] = np.maximum(
                latency[self.designs, part], np.where(links.leaves[:, p], written, 0)
            )
        return latency, joins

    def _node(
        self, p: int, inputs: list[Span], flows: list[tuple[Floats, Floats]]
    ) -> tuple[Span, tuple[Floats, Floats], Integers]:
        """Output of the node at `p`, its lag and lead, and the cost of its join's FIFOs."""
        space, rows = self.space, self.space.rows
        position, own = space.positions[p], self.rows[:, p]
        held = np.zeros((len(own), len(RESOURCES)), np.int64)
        if position.node.op.name == "concat":
            return self._concat(p, inputs, flows)
        lag = position.lag
        longest, lead = _longest(flows)
        if len(inputs) > 1:
            for e, flow in zip(position.edges, flows, strict=True):
                held += self._join(p, e, flow, longest, np.asarray(space.tensors[space.edges[e].tensor].channels))
        pace = Pace(rows.interval[own], rows.fill[own], rows.drain[own])
        return passed(joined(inputs), pace, lag.needed), (longest + lag.needed, lead + lag.ahead), held

    def _concat(
        self, p: int, inputs: list[Span], flows: list[tuple[Floats, Floats]]
    ) -> tuple[Span, tuple[Floats, Floats], Integers]:
        """A chain of two-input modules, each with its own join."""
        space, position = self.space, self.space.positions[p]
        lanes = space.rows.lanes_in[self.rows[:, p]]
        held = np.zeros((len(lanes), len(RESOURCES)), np.int64)
        left, flow, edge, channels = inputs[0], flows[0], position.edges[0], position.inputs[0][0]
        for index, (shapes, numbers) in enumerate(concat_stages(position.inputs, position.numbers), 1):
            right_edge = position.edges[index]
            longest, lead = _longest([flow, flows[index]])
            if index == 1:
                held += self._join(p, edge, flow, longest, np.asarray(channels))
            else:
                words = position.numbers.output.bits
                held += self._inner_join(lanes, flow, longest, shapes[0], words) + self._inner_stream(lanes, words)
            held += self._join(p, right_edge, flows[index], longest, np.asarray(shapes[1][0]))
            pace = self._concat_pace(shapes, numbers, lanes)
            left, flow = passed(joined([left, inputs[index]]), pace, 0.0), (longest, lead)
        return left, flow, held

    def _concat_pace(self, shapes: Any, numbers: Any, lanes: Integers) -> Pace:
        pixels = int(np.prod(shapes[0][1:], dtype=np.int64))
        parameters = {
            "pixels": pixels, "channels_a": shapes[0][0], "channels_b": shapes[1][0], "coarse": lanes,
            "bits_a": numbers.inputs[0].bits, "bits_b": numbers.inputs[1].bits, "out_bits": numbers.output.bits,
            "shift_a": 0, "shift_b": 0,
        }  # fmt: skip
        figures = self.space.catalogue.evaluate("concat", parameters)
        return Pace(figures["interval"], figures["fill"], figures["drain"])

    def _join(self, p: int, e: int, flow: tuple[Floats, Floats], longest: Floats, channels: Any) -> Integers:
        """Cost of a join's input FIFO beyond that of two words."""
        space = self.space
        lanes = space.rows.lanes_in[self.rows[:, p]]
        tensor = space.tensors[space.edges[e].tensor]
        pixels = tensor.pixels
        words = pixels * -(-channels // lanes)
        depth = fifo_depth(join_words(flow[0], flow[1], longest, pixels, words))
        depth = np.where(self.links.direct[:, e], 2, depth)
        return _extra(depth, lanes * tensor.bits)

    @staticmethod
    def _inner_join(lanes: Integers, flow: tuple[Floats, Floats], longest: Floats, shape: Any, bits: int) -> Integers:
        pixels = int(np.prod(shape[1:], dtype=np.int64))
        words = pixels * -(-shape[0] // lanes)
        return _extra(fifo_depth(join_words(flow[0], flow[1], longest, pixels, words)), lanes * bits)

    @staticmethod
    def _inner_stream(lanes: Integers, bits: int) -> Integers:
        cost = fifo_cost(2, lanes * bits)
        return np.stack([np.broadcast_to(cost[name], lanes.shape) for name in RESOURCES], axis=-1)


def _extra(depth: Any, width: Any) -> Integers:
    deep, shallow = fifo_cost(depth, width), fifo_cost(2, width)
    return np.stack(np.broadcast_arrays(*(deep[name] - shallow[name] for name in RESOURCES)), axis=-1)


def _longest(flows: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    lag, lead = flows[0]
    for other_lag, other_lead in flows[1:]:
        lag, lead = np.maximum(lag, other_lag), np.maximum(lead, other_lead)
    return lag, lead
