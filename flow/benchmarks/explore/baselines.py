"""Searches to compare with, at equal evaluations: random designs, greedy climbs, simulated annealing.

All see the same space, the same objectives and the same feasibility rules as the genetic algorithm. Greedy and
annealing use its own mutations, with the exact solutions of ranges that those draw from; none of the three gets its
polished seeds. Random designs draw cuts, and for every partition a target interval and a price of resources, whose
cheapest foldings are looked up: choosing foldings themselves at random never fits a large network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flow.explore.archive import Archive
from flow.explore.compiled import Evaluator
from flow.explore.covers import covers_of
from flow.explore.frontier import PRICES, Frontiers
from flow.explore.leaders import Leaders
from flow.explore.objectives import Goal, nondominated
from flow.explore.polish import Polisher
from flow.explore.population import Population
from flow.explore.scored import Scored
from flow.explore.search import Search
from flow.explore.space import Space

Floats = npt.NDArray[np.float64]

CHAINS = 48
"""Climbs or annealings side by side, each with its own weight of the objectives."""
HEAT, COOL = 0.3, 0.002
"""Temperatures at the start and the end, as differences of a logarithm."""
PATIENCE = 60
"""Steps without a better neighbour after which a greedy climb starts anew."""
DENSITIES = (0.0, 0.05, 0.15, 0.4)


@dataclass(slots=True)
class Front:
    """What a baseline has found so far: legal designs that no other beats, and the best score."""

    goal: Goal
    values: Floats
    evaluations: int = 0

    def add(self, scored: Scored) -> None:
        self.evaluations += len(scored.objectives)
        both = np.concatenate([self.values, scored.objectives[scored.violation == 0]])
        self.values = both[nondominated(both)]


class Baselines:
    """Baselines of one space; each run of one has random numbers of its own, from the same seed."""

    def __init__(self, space: Space, goal: Goal, seed: int = 0) -> None:
        """The exact solutions of ranges are the same for all, and worked out once."""
        self.space, self.goal, self.seed = space, goal, seed
        self.frontiers, self.evaluator = Frontiers(space), Evaluator(space)
        _, self.found = covers_of(space, self.frontiers, [goal.latency])

    def search(self) -> Search:
        random, latency = np.random.default_rng(self.seed), self.goal.latency
        archive = Archive(self.space, latency)
        polisher = Polisher(
            self.space, self.evaluator, self.frontiers, random, latency, archive, self.goal, Leaders(self.goal, 96)
        )
        return Search(self.space, polisher, self.found, random, self.goal, archive)

    def front(self) -> Front:
        return Front(self.goal, np.zeros((0, len(self.goal.columns))))

    def random(self, evaluations: int) -> Front:
        """Designs that know nothing of each other."""
        search, front = self.search(), self.front()
        for size in _pieces(evaluations, 256):
            front.add(search.scored(self.drawn(search, size)))
        return front

    def greedy(self, evaluations: int) -> Front:
        """Every chain goes to any neighbour that is better, and starts anew when it finds none."""
        return self._chains(evaluations, annealed=False)

    def annealing(self, evaluations: int) -> Front:
        """Every chain also goes to worse neighbours, less and less often."""
        return self._chains(evaluations, annealed=True)

    def _chains(self, evaluations: int, annealed: bool) -> Front:
        search, front = self.search(), self.front()
        weights, stuck = np.linspace(1.0, 0.0, CHAINS), np.zeros(CHAINS, np.int64)
        now = self.drawn(search, CHAINS)
        scored = search.scored(now)
        front.add(scored)
        energy = _energy(scored, weights)
        for step in range(1, evaluations // CHAINS):
            neighbours = Population(now.cuts.copy(), now.rows.copy())
            search.vary(neighbours)
            stale = (stuck > PATIENCE) & (not annealed)
            if stale.any():
                fresh = self.drawn(search, int(stale.sum()))
                neighbours.cuts[stale], neighbours.rows[stale] = fresh.cuts, fresh.rows
            scored = search.scored(neighbours)
            front.add(scored)
            found = _energy(scored, weights)
            heat = HEAT * (COOL / HEAT) ** (step * CHAINS / evaluations)
            taken = (found < energy) | stale
            if annealed:
                taken |= search.random.random(CHAINS) < np.exp(np.minimum(energy - found, 0.0) / heat)
            stuck = np.where((found < energy) | stale, 0, stuck + 1)
            energy = np.where(taken, found, energy)
            mask = taken[:, None]
            now = Population(
                np.where(mask, neighbours.cuts, now.cuts), np.where(mask, neighbours.rows, now.rows)
            )  # fmt: skip
        return front

    def drawn(self, search: Search, size: int) -> Population:
        """Random cuts, targets, prices and numbers of passes."""
        space, random = self.space, search.random
        length = len(space.positions)
        cuts = np.zeros((size, length), bool)
        if space.cuts:
            density = random.choice(DENSITIES, size)
            cuts[:, list(space.cuts)] = random.random((size, len(space.cuts))) < density[:, None]
        part = Population(cuts, np.zeros((size, length), np.int64)).part()
        most = int(part.max()) + 1
        low, high = float(space.rows.interval.min()), float(space.rows.interval.max())
        targets = np.exp(random.uniform(np.log(max(low, 1.0)), np.log(high), (size, most))).astype(np.int64)
        prices = random.integers(0, len(PRICES), (size, most))
        passes = self._passes(random, part)
        rows = np.zeros((size, length), np.int64)
        for p, position in enumerate(space.positions):
            for number, table in position.tables.items():
                for price, vector in enumerate(PRICES):
                    mine = (passes[:, p] == number) & (prices[np.arange(size), part[:, p]] == price)
                    if mine.any():
                        wanted = targets[np.flatnonzero(mine), part[mine, p]]
                        looked = self.frontiers.rows(table, vector, wanted)
                        rows[mine, p] = np.where(looked >= 0, looked, table.start)
        return Population(cuts, rows)

    def _passes(self, random: np.random.Generator, part: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Half of the partitions that may be reloaded are, in a random number of passes."""
        passes = np.ones(part.shape, np.int64)
        last = np.array([part[:, p] for p in range(part.shape[1])] + [part[:, -1] + 1])
        for p, position in enumerate(self.space.positions):
            choices = sorted(position.tables)
            if not position.weighted or len(choices) < 2:
                continue
            ends = [p, *position.tail]
            for end in ends:
                here = (last[p] == last[end]) & (last[end] != last[end + 1]) & (random.random(len(part)) < 0.5)
                drawn = random.choice(choices, len(part))
                known = [set(self.space.positions[q].tables) for q in range(p, end + 1)]
                allowed = np.isin(drawn, sorted(set.intersection(*known)))
                for q in range(p, end + 1):
                    passes[:, q] = np.where(here & allowed, drawn, passes[:, q])
        return passes


def _energy(scored: Scored, weights: Floats) -> Floats:
    """Weighted logarithms of the objectives; what is over a limit counts far more."""
    logs = np.log(np.maximum(scored.objectives, 1e-12))
    rest = logs[:, 1:].mean(axis=1)
    energy: Floats = weights * logs[:, 0] + (1 - weights) * rest + 10 * scored.violation
    return energy


def _pieces(total: int, size: int) -> Iterator[int]:
    while total > 0:
        yield min(size, total)
        total -= size
