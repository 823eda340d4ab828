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
from flow.explore.population import Population
from flow.explore.scored import Scored, joined, merged
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
NEAR, CLOSE = 1.3, 1.1
"""Times the best score: designs that half of a population is chosen from, and cuts that are polished at the end."""
BESIDE = 3
"""Children of the front for each of the population."""
STEP = 12
"""Typical distance, in rows of a table, of a step to a neighbouring folding."""


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
        return self._selected(self.scored(self._filled(seeds, size)).unique(), size)

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
                children = joined([self._children(parents.population, size), *self._beside(BESIDE * size)])
            found = merged(parents, self.scored(children))
            if number % ASSEMBLE_EVERY == 0:
                found = self.assembled(found)
            with self.polisher.log.timed("selection"):
                parents = self._selected(found, size)
            if progress is not None:
                progress(number + 1, generations.stop, self._best_fps(parents))
        return self.ordered(parents), number

    def improved(self, found: Scored, further: list[Population], late: Callable[[], bool]) -> Scored:
        """The designs and the best of them polished once more, best first.

        `further` are the polished designs so far, to which new ones are added; `late` is called before each.
        """
        most = min(max(IMPROVED // len(self.space.positions), 1), 4)
        while len(further) < most and not late():
            begun = self._promising(found, further)
            if begun is None:
                break
            further.append(self.polisher.improved(begun))
        for better in further:
            found = merged(self.scored(better), found)
        return self.assembled(found)

    def _promising(self, found: Scored, further: list[Population]) -> Population | None:
        """The best design whose cuts come near the best and are not polished; the best one where all such are.

        Polished partitions make other cuts worth while, so designs are put together anew.
        """
        assembled = self.archive.designs(ASSEMBLED)
        for known in (*further, *([] if assembled is None else [assembled])):
            found = merged(self.polisher.known(known), found)
        found = self.ordered(found)
        near = np.flatnonzero(self._near(found, CLOSE))
        polished = {design.cuts.tobytes() for design in further}
        fresh = [i for i in near if found.population.cuts[i].tobytes() not in polished]
        return found.population.take(np.array([(fresh or near)[0]])) if near.size else None

    def ordered(self, scored: Scored) -> Scored:
        """Best first."""
        return scored.take(self.goal.order(scored.objectives, scored.violation))

    def assembled(self, scored: Scored) -> Scored:
        """The designs, and the best that the archive's partitions make together; best first."""
        assembled = self.archive.designs(ASSEMBLED)
        if assembled is None:
            return scored
        return self.ordered(merged(self.scored(assembled), scored))

    # Objectives

    def scored(self, population: Population) -> Scored:
        """A population evaluated, and the archive told."""
        found = self.polisher.scored(population)
        self.archive.learn(population, found.figures)
        return found

    def _best_fps(self, scored: Scored) -> float:
        fits = scored.violation == 0
        fps = np.where(fits, self.space.batch / scored.figures.total_s, 0.0)
        return float(fps.max())

    # Selection

    def _selected(self, scored: Scored, size: int) -> Scored:
        from deap import base, tools

        cost = type("Cost", (base.Fitness,), {"weights": (-1.0,) * scored.objectives.shape[1]})
        worst = scored.objectives.max(axis=0) + 1.0
        individuals = []
        for index, violation in enumerate(scored.violation):
            values = tuple(scored.objectives[index]) if violation == 0 else tuple(worst + violation)
            individuals.append(_Individual(index, cost(values)))
        near = self._near(scored, NEAR)
        groups = [[i for i in individuals if near[i.index]], [i for i in individuals if not near[i.index]]]
        first = min(len(groups[0]), max(size // 2, size - len(groups[1])))
        sizes = (first, min(size - first, len(groups[1])))
        chosen = [i for group, n in zip(groups, sizes, strict=True) if n for i in tools.selNSGA2(group, n, nd="log")]
        return scored.take(np.array([i.index for i in chosen]))

    def _near(self, scored: Scored, factor: float) -> npt.NDArray[np.bool_]:
        """Legal designs whose score is at most `factor` times the best one's."""
        legal: npt.NDArray[np.bool_] = scored.violation == 0
        score = self.goal.score(scored.objectives)
        if legal.any():
            best = float(score[legal].min())
            legal &= score <= (best * factor if len(self.goal.weights) == 1 else best + np.log(factor))
        return legal

    # Variation

    def _filled(self, seeds: Population, size: int) -> Population:
        """The seeds, and variations of them up to the population's size."""
        missing = size - len(seeds.rows)
        if missing <= 0:
            return seeds
        varied = self._children(seeds, missing)
        return joined([seeds, varied])

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

    def _beside(self, size: int) -> list[Population]:
        """Neighbours of designs all along the front: some layers stepped, or one as cheap as its partition allows.

        Every second is one of a design that is best in some objective: these are few, and they bound the front.
        """
        leaders = self.polisher.leaders.population
        if leaders is None:
            return []
        best = np.argmin(self.polisher.leaders.values, axis=0)[self.random.integers(0, len(self.goal.columns), size)]
        chosen = np.where(self.random.random(size) < 0.5, best, self.random.integers(0, len(leaders.rows), size))
        children = Population(leaders.cuts[chosen], leaders.rows[chosen])
        stepped = self.random.random(size) < 0.5
        self._step(children, stepped)
        self._relax(children, ~stepped)
        return [children]

    def _relax(self, children: Population, active: npt.NDArray[np.bool_]) -> None:
        """One layer gets the cheapest row for the interval of its partition, or for a longer one."""
        size, length = children.rows.shape
        at = np.arange(size), self.random.integers(0, length, size)
        part, intervals = children.part(), self.space.rows.interval[children.rows]
        slowest = np.where(part == part[at][:, None], intervals, 0).max(axis=1)
        targets = (slowest * 2.0 ** np.maximum(self.random.uniform(-1, 3, size), 0.0)).astype(np.int64)
        prices = np.asarray(self.random.integers(0, len(PRICES), size), np.int64)
        cheapest = self.polisher.frontiers.cheapest(self.space.rows.table[children.rows[at]], prices, targets)
        children.rows[at] = np.where(active, cheapest, children.rows[at])

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
        streamed = bool((self.space.rows.slices[rows] > 1).any())
        if self.space.streamed and self.random.random() < TURNED:
            passes = int(self.space.rows.passes[rows].max())
            self._look_up(children, child, Segment(first, last, target, self._price(), passes, 0.0, not streamed))
            return
        tables = self.space.rows.table[rows]
        children.rows[child, first : last + 1] = self.polisher.frontiers.cheapest(tables, self._price(), target)

    def _look_up(self, children: Population, child: int, segment: Segment) -> None:
        """Cheapest rows of one partition for its target, of weights that may be streamed."""
        rows = self.polisher.rows(segment, PRICES[segment.price], np.array([segment.target]))[:, 0]
        children.rows[child, segment.first : segment.last + 1] = rows

    def _price(self) -> int:
        return int(self.random.integers(len(PRICES)))

    def _recut(self, children: Population, child: int) -> None:
        """Move, add or remove a cut; the ranges beside it start from their estimated solutions."""
        cuts = children.cuts[child].copy()
        legal = np.array(self.space.cuts, np.int64)
        if not legal.size:
            (whole,) = self._ranges(cuts)
            if whole in self.found:
                self._solve(children, child, whole)
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
        price = segment.price if self.random.random() < 0.5 else self._price()
        if segment.streamed:
            self._look_up(children, child, replace(segment, target=target, price=price))
            return
        first, last = where
        tables = self.polisher.tables(segment)
        children.rows[child, first : last + 1] = self.polisher.frontiers.cheapest(tables, price, target)


@dataclass(slots=True)
class _Individual:
    """What DEAP selects: a row number with its fitness."""

    index: int
    fitness: Any
