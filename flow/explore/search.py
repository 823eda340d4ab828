"""NSGA-II over cuts, foldings and reloading: DEAP selects, variation works on whole arrays.

The objectives of `flow.explore.objectives` are minimised: what the spec asks for, and the share of the device that is
used where it asks for one thing. Designs over a limit lose to every design that keeps them, and among themselves by how
far they are over (Deb's feasibility rules), so no penalty has to be weighed. Foldings follow from a target interval by
table, so most moves change a cut, a target, a price or a number of passes and look the rows up; the rest step to
neighbouring rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.archive import Archive
from flow.explore.frontier import PRICES
from flow.explore.objectives import Goal
from flow.explore.polish import Polisher
from flow.explore.population import Figures, Population
from flow.explore.segments import Found, Segment
from flow.explore.space import Space

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int, float], None]

ASSEMBLED, ASSEMBLE_EVERY = 8, 10
"""Designs that are put together from known partitions, and generations between."""
IMPROVED = 160
"""Positions of all the designs that are polished at the end."""
TURNED = 0.2
"""Share of new targets with which weights of a partition begin to be streamed, or end."""
STEP = 12
"""Typical distance, in rows of a table, of a step to a neighbouring folding."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A population with its figures and objectives (designs, columns of the goal), smaller is better.

    `shortfall`: by how much each design misses what the spec asks of the result.
    """

    population: Population
    figures: Figures
    objectives: Floats
    shortfall: Floats

    @property
    def violation(self) -> Floats:
        """What is over a limit of the device, and what misses the spec's constraints; 0: neither."""
        violation: Floats = self.figures.violation + self.shortfall
        return violation

    def take(self, index: Integers) -> Scored:
        taken = {name: getattr(self.figures, name)[index] for name in self.figures.__dataclass_fields__}
        return Scored(self.population.take(index), Figures(**taken), self.objectives[index], self.shortfall[index])


Late = Callable[[Scored, int], bool]


@dataclass(slots=True)
class Search:
    """One run; `found` are the estimated solutions of every range that moves may use."""

    space: Space
    polisher: Polisher
    found: Found
    random: np.random.Generator
    goal: Goal
    archive: Archive

    def start(self, seeds: Population, size: int) -> Scored:
        """The first generation: the seeds and variations of them."""
        return self._unique(self.scored(self._filled(seeds, size)))

    def run(
        self, parents: Scored, generations: range, size: int, progress: Progress | None, late: Late
    ) -> tuple[Scored, int]:
        """The last generation, best first, and its number.

        `late` is called before every generation with the parents and its number; True ends the search there.
        """
        number = generations.start
        for number in (*generations, generations.stop):
            if number == generations.stop or late(parents, number):
                break
            with self.polisher.log.timed("variation"):
                children = self._children(parents.population, size)
            merged = self._merged(parents, self.scored(children))
            if number % ASSEMBLE_EVERY == 0:
                merged = self.assembled(merged)
            with self.polisher.log.timed("selection"):
                parents = self._selected(merged, size)
            if progress is not None:
                progress(number + 1, generations.stop, self._best_fps(parents))
        return self.ordered(parents), number

    def improved(self, merged: Scored, further: list[Population], late: Callable[[], bool]) -> Scored:
        """The designs and the best of them polished once more, best first.

        `further` are the polished ones so far, to which new ones are added; `late` is called before each.
        """
        for index in self._distinct(merged)[len(further) :]:
            if late():
                break
            further.append(self.polisher.improved(merged.population.take(np.array([index]))))
        for better in further:
            merged = self._merged(self.scored(better), merged)
        return self.assembled(merged)

    def ordered(self, scored: Scored) -> Scored:
        """Best first."""
        return scored.take(self.goal.order(scored.objectives, scored.violation))

    def assembled(self, scored: Scored) -> Scored:
        """The designs, and the best that the archive's partitions make together; best first."""
        assembled = self.archive.designs(ASSEMBLED)
        if assembled is None:
            return scored
        return self.ordered(self._merged(self.scored(assembled), scored))

    def _distinct(self, scored: Scored) -> list[int]:
        """The best design of each of the best sets of cuts; fewer for larger networks."""
        most = min(max(IMPROVED // len(self.space.positions), 1), 4)
        chosen: dict[bytes, int] = {}
        for index in np.flatnonzero(scored.violation == 0):
            chosen.setdefault(scored.population.cuts[index].tobytes(), int(index))
        return list(chosen.values())[:most]

    # Objectives

    def scored(self, population: Population) -> Scored:
        """A population evaluated, and the archive told."""
        figures = self.polisher.evaluate(population)
        self.archive.learn(population, figures)
        with self.polisher.log.timed("evaluation"):
            values, missed = self.goal.values(self.space, figures), self.goal.shortfall(self.space, figures)
        return Scored(population, figures, values, missed)

    def _best_fps(self, scored: Scored) -> float:
        fits = scored.violation == 0
        fps = np.where(fits, self.space.batch / scored.figures.total_s, 0.0)
        return float(fps.max())

    # Selection

    def _merged(self, a: Scored, b: Scored) -> Scored:
        width = max(a.figures.interval.shape[1], b.figures.interval.shape[1])
        figures = Figures(
            **{
                name: np.concatenate([_widened(getattr(s.figures, name), width) for s in (a, b)])
                for name in a.figures.__dataclass_fields__
            }
        )
        population = Population(
            np.concatenate([a.population.cuts, b.population.cuts]),
            np.concatenate([a.population.rows, b.population.rows]),
        )
        objectives = np.concatenate([a.objectives, b.objectives])
        return self._unique(Scored(population, figures, objectives, np.concatenate([a.shortfall, b.shortfall])))

    @staticmethod
    def _unique(scored: Scored) -> Scored:
        """Each design once, the first of each kept."""
        rows = np.concatenate([scored.population.cuts.astype(np.int64), scored.population.rows], axis=1)
        _, first = np.unique(rows, axis=0, return_index=True)
        return scored.take(np.sort(first))

    def _selected(self, scored: Scored, size: int) -> Scored:
        from deap import base, tools

        cost = type("Cost", (base.Fitness,), {"weights": (-1.0,) * scored.objectives.shape[1]})
        worst = scored.objectives.max(axis=0) + 1.0
        individuals = []
        for index, violation in enumerate(scored.violation):
            values = tuple(scored.objectives[index]) if violation == 0 else tuple(worst + violation)
            individuals.append(_Individual(index, cost(values)))
        chosen = tools.selNSGA2(individuals, min(size, len(individuals)), nd="log")
        return scored.take(np.array([i.index for i in chosen]))

    # Variation

    def _filled(self, seeds: Population, size: int) -> Population:
        """The seeds, and variations of them up to the population's size."""
        missing = size - len(seeds.rows)
        if missing <= 0:
            return seeds.take(slice(0, size))
        varied = self._children(seeds, missing)
        return Population(np.concatenate([seeds.cuts, varied.cuts]), np.concatenate([seeds.rows, varied.rows]))

    def _children(self, parents: Population, size: int) -> Population:
        count = len(parents.rows)
        first, second = self.random.integers(0, count, (2, size))
        # Parents come best first: the better of two draws.
        first = np.minimum(first, self.random.integers(0, count, size))
        children = parents.take(first)
        children = Population(children.cuts.copy(), children.rows.copy())
        self._cross(children, parents.take(second))
        self.vary(children)
        return children

    def vary(self, children: Population) -> None:
        """Change every design by one move, in place."""
        size = len(children.rows)
        moves = self.random.integers(0, 8, size)
        for child in range(size):
            if moves[child] < 3:
                self._retarget(children, child)
            elif moves[child] < 5:
                self._recut(children, child)
        self._step(children, moves >= 4)

    def _cross(self, children: Population, others: Population) -> None:
        """Everything behind a cut that both parents have comes from the other parent, for half of the children."""
        common = children.cuts & others.cuts
        for child in np.flatnonzero(common.any(axis=1) & (self.random.random(len(children.rows)) < 0.5)):
            places = np.flatnonzero(common[child])
            place = places[self.random.integers(len(places))]
            children.cuts[child, place:] = others.cuts[child, place:]
            children.rows[child, place:] = others.rows[child, place:]

    def _step(self, children: Population, active: npt.NDArray[np.bool_]) -> None:
        """Step to neighbouring rows of one to three positions."""
        size, length = children.rows.shape
        chosen = (self.random.random((size, length)) < 1.5 / length) & active[:, None]
        steps = np.round(self.random.laplace(0, STEP, (size, length))).astype(np.int64)
        table = self.space.rows.table
        moved = np.clip(children.rows + steps, 0, len(table) - 1)
        same = table[moved] == table[children.rows]
        children.rows[:] = np.where(chosen & same, moved, children.rows)

    def _ranges(self, cuts: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
        starts = [0, *(int(p) for p in np.flatnonzero(cuts) if p > 0)]
        return list(zip(starts, [*(s - 1 for s in starts[1:]), len(cuts) - 1], strict=True))

    def _retarget(self, children: Population, child: int) -> None:
        """One partition gets the cheapest foldings for a new target, at other prices."""
        ranges = self._ranges(children.cuts[child])
        first, last = ranges[self.random.integers(len(ranges))]
        rows = children.rows[child, first : last + 1]
        interval = int(self.space.rows.interval[rows].max())
        target = int(interval * (0.9 + 0.15 * self.random.random()))
        price = self._price()
        streamed = bool((self.space.rows.slices[rows] > 1).any())
        if self.space.streamed and self.random.random() < TURNED:
            streamed = not streamed
        passes = int(self.space.rows.passes[rows].max())
        self._look_up(children, child, Segment(first, last, target, 0, passes, 0.0, streamed), price)

    def _look_up(self, children: Population, child: int, segment: Segment, price: tuple[float, ...]) -> None:
        """Cheapest rows of one partition for its target."""
        rows = self.polisher.rows(segment, price, np.array([segment.target]))[:, 0]
        children.rows[child, segment.first : segment.last + 1] = rows

    def _price(self) -> tuple[float, ...]:
        return PRICES[int(self.random.integers(len(PRICES)))]

    def _recut(self, children: Population, child: int) -> None:
        """Move, add or remove a cut; the ranges beside it start from their estimated solutions."""
        cuts = children.cuts[child].copy()
        legal = np.array(self.space.cuts, np.int64)
        if not legal.size:
            return
        place = int(legal[self.random.integers(len(legal))])
        kind = int(self.random.integers(3))
        present = np.flatnonzero(cuts)
        if kind == 0 and present.size:
            old = int(present[self.random.integers(len(present))])
            near = legal[np.argsort(np.abs(legal - old), kind="stable")[1:4]]
            cuts[old], place = False, int(near[self.random.integers(len(near))]) if near.size else old
            cuts[place] = True
        else:
            cuts[place] = not cuts[place]
        before = set(self._ranges(children.cuts[child]))
        new = [r for r in self._ranges(cuts) if r not in before]
        if all(r in self.found for r in new):
            children.cuts[child] = cuts
            for r in new:
                self._solve(children, child, r)

    def _solve(self, children: Population, child: int, where: tuple[int, int]) -> None:
        """A range's foldings from one of its estimated solutions, its best most often."""
        segments = sorted(self.found[where], key=lambda s: s.seconds)
        index = min(int(self.random.geometric(0.7)) - 1, len(segments) - 1)
        segment = segments[index]
        target = int(segment.target * (0.95 + 0.15 * self.random.random()))
        price = PRICES[segment.price] if self.random.random() < 0.5 else self._price()
        self._look_up(children, child, replace(segment, target=target), price)


@dataclass(slots=True)
class _Individual:
    """What DEAP selects: a row number with its fitness."""

    index: int
    fitness: Any


def _widened(values: npt.NDArray[Any], width: int) -> npt.NDArray[Any]:
    """Arrays over partitions padded with zeros to a common width."""
    if values.ndim == 1 or values.shape[1] == width:
        return values
    shape = (values.shape[0], width - values.shape[1], *values.shape[2:])
    return np.concatenate([values, np.zeros(shape, values.dtype)], axis=1)
