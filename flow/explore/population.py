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
from flow.explore.reloading import misplaced
from flow.explore.space import Space
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
    that cannot be built.
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
    illegal: Integers
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
        self.runs = runs_of(self.part)
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
        stretched = np.maximum(stretched, self.links.ports)
        interval = np.maximum(np.maximum(self._largest(space.rows.interval[self.rows]), self.links.interval), stretched)
        latency, joins = pipelines(space, self.links, self.part, self.rows, self.most)
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
        illegal = misplaced(space, self.part, self.passes_at, self.links.taps.leaves)
        violation = self._violation(over, memory, count) + illegal
        return Figures(
            count, np.where(exists, passes, 0), np.where(exists, interval, 0), np.where(exists, latency, 0), resources,
            time_s, total_s, latency_s, memory, over, illegal, violation,
        )  # fmt: skip

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

    def _over(self, resources: Integers) -> Floats:
        limits = np.array([self.space.limits[name] for name in RESOURCES])
        over: Floats = (np.maximum(resources - limits, 0) / np.maximum(limits, 1)).sum(axis=2)
        return over

    def _violation(self, over: Floats, memory: Integers, count: Integers) -> Floats:
        result = over.sum(axis=1) + np.maximum(memory / self.space.memory.capacity_bytes - 1, 0)
        result = result + np.maximum(count - self.space.max_partitions, 0)
        rounded: Floats = np.round(result, 9)
        return rounded
