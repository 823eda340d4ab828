"""From estimated cuts to designs that fit: many target intervals and prices, evaluated exactly.

Partitions do not share resources, so one row of a population carries a candidate for every partition, and the best
candidate of each is taken on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flow.explore.frontier import PRICES, Frontiers
from flow.explore.population import Figures, Population, evaluate_population
from flow.explore.segments import Segment
from flow.explore.space import Space

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TARGETS = 24
"""Target intervals tried for a partition in one round."""
RANDOM_PRICES = 8
ROUNDS = ((0.82, 1.6), (0.94, 1.06))
"""Range of each round's targets, relative to the best known."""
FURTHER_ROUNDS, CLOSE = 6, (0.9, 1.01)
"""Rounds of the final improvement and the range of their targets."""


@dataclass(slots=True)
class Polisher:
    """Finds foldings for given cuts."""

    space: Space
    frontiers: Frontiers
    random: np.random.Generator
    latency: bool
    evaluations: int = 0

    def design(self, segments: Sequence[Segment]) -> Population:
        """The best design with these partitions, as a population of one; it may still be over a limit."""
        best = self._start(segments)
        for low, high in ROUNDS:
            targets = self._intervals(best, segments)
            best = self._round(best, segments, targets, low, high)
        return best

    def improved(self, best: Population) -> Population:
        """A design with the same cuts that is at least as good: closer targets, further prices."""
        figures = self.evaluate(best)
        part = best.part()[0]
        segments = []
        for number in range(int(figures.count[0])):
            inside = np.flatnonzero(part == number)
            first, last, passes = int(inside[0]), int(inside[-1]), int(figures.passes[0, number])
            segments.append(Segment(first, last, int(figures.interval[0, number]), 0, passes, 0.0))
        for _ in range(FURTHER_ROUNDS):
            figures = self.evaluate(best)
            best = self._round(best, segments, figures.interval[0, : len(segments)], *CLOSE)
        return best

    def evaluate(self, population: Population) -> Figures:
        self.evaluations += len(population.rows)
        return evaluate_population(self.space, population)

    def _start(self, segments: Sequence[Segment]) -> Population:
        cuts = np.zeros((1, len(self.space.positions)), bool)
        rows = np.zeros((1, len(self.space.positions)), np.int64)
        for segment in segments:
            cuts[0, segment.first] = segment.first > 0
            target = np.array([segment.target])
            for p in range(segment.first, segment.last + 1):
                rows[0, p] = self._row(p, segment, PRICES[segment.price], target)[0]
        return Population(cuts, rows)

    def _row(self, p: int, segment: Segment, price: tuple[float, ...], targets: Integers) -> Integers:
        """Cheapest rows of a position for the targets; its fastest row where none meets one."""
        table = self.space.positions[p].tables[self.passes(p, segment)]
        rows = self.frontiers.rows(table, price, targets)
        return np.where(rows >= 0, rows, table.start)

    def passes(self, p: int, segment: Segment) -> int:
        if segment.passes == 1:
            return 1
        weighted = [q for q in range(segment.first, segment.last + 1) if self.space.positions[q].weighted]
        return segment.passes if p >= weighted[-1] else 1

    def _intervals(self, best: Population, segments: Sequence[Segment]) -> Integers:
        """Reference target of every partition: its current interval, or the estimate's where that is larger."""
        figures = self.evaluate(best)
        return np.array([max(int(figures.interval[0, i]), s.target) for i, s in enumerate(segments)])

    def _round(
        self, best: Population, segments: Sequence[Segment], reference: Integers, low: float, high: float
    ) -> Population:
        drawn = np.round(self.random.dirichlet(np.ones(5), RANDOM_PRICES) + 0.01, 6)
        prices = [*PRICES, *(tuple(float(v) for v in row) for row in drawn)]
        count = len(prices) * TARGETS
        cuts = np.repeat(best.cuts, count + 1, axis=0)
        rows = np.repeat(best.rows, count + 1, axis=0)
        for number, segment in enumerate(segments):
            targets = self._targets(segment, int(reference[number]), low, high)
            for p in range(segment.first, segment.last + 1):
                columns = [self._row(p, segment, price, targets) for price in prices]
                rows[1:, p] = np.concatenate(columns)
        population = Population(cuts, rows)
        figures = self.evaluate(population)
        chosen = np.array([self._best(figures, number) for number in range(len(segments))])
        part = population.part()[0]
        picked = population.rows[chosen[part], np.arange(len(part))]
        return Population(best.cuts, picked[None, :])

    def _targets(self, segment: Segment, reference: int, low: float, high: float) -> Integers:
        """Intervals that some layer of the partition can have, near the reference; exactly `TARGETS` of them."""
        found = []
        for p in range(segment.first, segment.last + 1):
            table = self.space.positions[p].tables[self.passes(p, segment)]
            intervals = self.space.rows.interval[table.start : table.stop]
            found.append(intervals[(intervals >= reference * low) & (intervals <= reference * high)])
        distinct = np.unique(np.concatenate([*found, [reference]]))
        place = np.linspace(0, len(distinct) - 1, TARGETS).round().astype(np.int64)
        return distinct[place]

    def _best(self, figures: Figures, number: int) -> int:
        """The candidate of one partition that fits and takes least time; else the one that is least over."""
        time = figures.latency[:, number] if self.latency else figures.time_s[:, number]
        order = np.lexsort((figures.resources[:, number].sum(axis=1), time, np.round(figures.over[:, number], 9)))
        return int(order[0])
