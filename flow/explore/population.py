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
from flow.explore.groups import by_partition, runs_of
from flow.explore.pipelines import pipelines
from flow.explore.reloading import broken_chains, misplaced
from flow.explore.space import Space
from flow.model.energy import in_order
from flow.model.resources import RESOURCES

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
    partitions) is the part of it that single partitions' resources are to blame for, `illegal` counts reloaded layers
    that cannot be built. `largest` (designs, resources) are those of the partition that takes most of each. `energy_j`
    is of a frame, not a number where the device has no energy figures.
    """

    count: Integers
    passes: Integers
    interval: Integers
    latency: Integers
    resources: Integers
    largest: Integers
    time_s: Floats
    total_s: Floats
    latency_s: Floats
    memory_bytes: Integers
    energy_j: Floats
    over: Floats
    illegal: Integers
    violation: Floats

    def throughput(self, batch: int) -> Floats:
        return batch / self.total_s


BY_PARTITION = ("passes", "interval", "latency", "resources", "time_s", "over")
"""Figures over partitions."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What the modules of every design add up to; P designs, N partitions, 0 where a design has fewer.

    Attributes:
        count: (P,) partitions.
        illegal: (P,) rows that cannot be built.
        passes, interval, latency: (P, N); cycles stretched by the memory.
        last: (P, N) cycles of a pass's last frame, until the memory has moved its words; where weights are streamed,
            until its tile has gone.
        streamed_words: (P, N) port words of streamed weights.
        resources: (P, N, resources).
        first_words, later_words: (P, N) port words of the first and of every later pass's weights.
        live, spare: (P, N) bytes of each frame's tensors in memory, and bytes once.
        words: (P, N) port words that a frame moves in a pass.
        products: (P,) data bits * weight bits of all multiply-accumulates of a frame, repeated passes included.
    """

    count: Integers
    illegal: Integers
    passes: Integers
    interval: Integers
    latency: Integers
    last: Integers
    resources: Integers
    first_words: Integers
    later_words: Integers
    streamed_words: Integers
    live: Integers
    spare: Integers
    words: Integers
    products: Integers


def evaluate_population(space: Space, population: Population) -> Figures:
    """Figures of all designs of a population, by arrays; `flow.explore.compiled` finds the same faster."""
    return figures_of(space, _Evaluation(space, population).sums())


def figures_of(space: Space, sums: Sums) -> Figures:
    """Times, memory and what is over its limit."""
    clock = space.clock_mhz * 1e6
    count, passes, latency = sums.count, sums.passes, sums.latency
    exists = passes > 0
    loads = space.memory.load_seconds(sums.first_words, space.clock_mhz)
    loads = loads + (passes - 1) * space.memory.load_seconds(sums.later_words, space.clock_mhz)
    resident = (count == 1) & (passes[:, 0] == 1)
    loads = np.where(resident[:, None], 0.0, loads) * exists
    time_s = np.where(exists, loads + passes * ((space.batch - 1) * sums.interval + sums.last) / clock, 0.0)
    switch = space.device.reconfiguration_s or 0.0
    total_s = in_order(time_s) + np.where(count > 1, count, 0) * switch
    latency_s = in_order(np.where(exists, loads + passes * latency / clock, 0.0)) + (count - 1) * switch
    weights = np.where(exists, sums.first_words + (passes - 1) * sums.later_words, 0).sum(axis=1)
    stored = weights + sums.streamed_words.sum(axis=1)
    memory = (sums.live * space.batch + sums.spare).max(axis=1) + stored * (space.memory.port_bits // 8)
    energy = _energy(space, sums, time_s, total_s, np.where(resident, 0, weights))
    over = _over(space, sums.resources)
    violation = _violation(space, over, memory, count) + sums.illegal
    return Figures(
        count, passes, np.where(exists, sums.interval, 0), latency, sums.resources, sums.resources.max(axis=1), time_s,
        total_s, latency_s, memory, energy, over, sums.illegal, violation,
    )  # fmt: skip


def _energy(space: Space, sums: Sums, time_s: Floats, total_s: Floats, loaded: Integers) -> Floats:
    """Joules of a frame (P,); `loaded`: port words of weights in a batch."""
    if space.energy is None:
        return np.full(len(total_s), np.nan)
    words = (sums.passes * sums.words).sum(axis=1) * space.batch + loaded
    switches = np.where(sums.count > 1, sums.count, 0)
    bits = words * space.memory.port_bits + switches * space.energy.configuration_bits
    busy = time_s * space.clock_mhz * 1e6
    parts = space.energy.parts(space.batch, total_s, sums.products, busy, sums.resources, bits)
    joules: Floats = sum(parts.values(), np.zeros(len(total_s)))
    return joules


def _over(space: Space, resources: Integers) -> Floats:
    limits = np.array([space.limits[name] for name in RESOURCES])
    over: Floats = in_order(np.maximum(resources - limits, 0) / np.maximum(limits, 1))
    return over


def _violation(space: Space, over: Floats, memory: Integers, count: Integers) -> Floats:
    result = in_order(over) + np.maximum(memory / space.memory.capacity_bytes - 1, 0)
    result = result + np.maximum(count - space.max_partitions, 0)
    rounded: Floats = np.round(result, 9)
    return rounded


class _Evaluation:
    """Intermediate arrays of one call; P designs, L positions, E edges, N partitions."""

    def __init__(self, space: Space, population: Population) -> None:
        self.space, self.rows = space, population.rows
        self.part = population.part()
        self.runs = runs_of(self.part)
        self.most = int(self.part[:, -1].max()) + 1
        self.passes_at = space.rows.passes[self.rows]
        self.links: Connectors = connectors_of(space, self.part, self.rows)

    def sums(self) -> Sums:
        space = self.space
        count = self.part[:, -1] + 1
        exists = np.arange(self.most) < count[:, None]
        passes = np.maximum(self._largest(self.passes_at), 1) * exists
        traffic = space.memory.traffic_cycles(self.links.words, self.links.masters, space.clock_mhz)
        stretched = np.maximum(traffic, self.links.ports)
        interval = np.maximum(np.maximum(self._largest(space.rows.interval[self.rows]), self.links.interval), stretched)
        pipes = pipelines(space, self.links, self.part, self.rows, self.most, traffic)
        latency, interval = pipes.latency, np.maximum(interval, pipes.interval)
        last = np.where(latency > 0, np.maximum(latency, traffic), 0)
        tiled = np.maximum(pipes.ended - (space.batch - 1) * interval, traffic)
        last = np.where(pipes.ended > 0, tiled, last)
        resources = self._sum(space.rows.cost[self.rows]) + self.links.cost + pipes.joins
        first, later = self._weight_words(passes)
        illegal = misplaced(space, self.part, self.passes_at, self.links.taps.leaves)
        illegal = illegal + broken_chains(space, self.rows, self.links)
        words, products = self.links.words, self._products(passes)
        return Sums(
            count,
            illegal,
            passes,
            interval,
            latency,
            last,
            resources,
            first,
            later,
            self._sum(self._streamed_words()),
            self.links.live,
            self.links.spare,
            words,
            products,
        )

    def _streamed_words(self) -> Integers:
        """Port words of all slices (P, L)."""
        streams, record = self.space.rows.streams, self.space.rows.sliced[self.rows]
        return streams.slices[record] * streams.words[record]

    def _products(self, passes: Integers) -> Integers:
        """A reloaded layer does its share in every pass, the layers in front of it all their work."""
        times = passes[np.arange(len(self.part))[:, None], self.part] // self.passes_at
        products: Integers = times @ np.array(self.space.bit_products, np.int64)
        return products

    # Per partition

    def _sum(self, values: Integers) -> Integers:
        """Sum over the positions of every partition: (P, L, …) to (P, N, …)."""
        return by_partition(np.add, values, self.runs, self.most)

    def _largest(self, values: Integers) -> Integers:
        return by_partition(np.maximum, values, self.runs, self.most)

    def _weight_words(self, passes: Integers) -> tuple[Integers, Integers]:
        """Port words of the first and of every later pass's weights."""
        payload = self.space.rows.payload[self.rows]
        layers = self.links.weighted
        reloaded = np.where(np.array([p.weighted for p in self.space.positions]) & (self.passes_at > 1), payload, 0)
        return layers + self._sum(payload), np.where(passes > 1, layers + self._sum(reloaded), 0)
