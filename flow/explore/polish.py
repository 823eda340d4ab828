"""From estimated cuts to designs that fit: many target intervals and prices, evaluated exactly.

Partitions do not share resources, so one row of a population carries a candidate for every partition, and the best
candidate of each is taken on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from flow.explore.archive import Archive
from flow.explore.compiled import Evaluator
from flow.explore.frontier import PRICES, Frontiers
from flow.explore.leaders import Leaders
from flow.explore.log import SearchLog
from flow.explore.objectives import Goal
from flow.explore.population import Figures, Population
from flow.explore.room import Room
from flow.explore.scored import Scored, joined
from flow.explore.segments import Segment
from flow.explore.space import Space
from flow.model.resources import RESOURCES

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TARGETS = 24
"""Target intervals tried for a partition in one round."""
RANDOM_PRICES = 8
ROUNDS = ((0.82, 1.6), (0.94, 1.06))
"""Range of each round's targets, relative to the best known."""
FURTHER_ROUNDS, CLOSE = 6, (0.9, 1.01)
"""Rounds of the final improvement and the range of their targets."""
SLOWER, LEAST_SLOWER = 512, 64
"""Slower designs that are tried of a single partition, fewer of several."""
LEAP_EVERY, LEAP_ROUNDS = 4, 6
"""Rounds of steps in front of a leap, and behind it."""
HASTE = 0.04
"""By how much of its interval a random step may hasten a partition."""
STEP_ROUNDS, STEPS = 12, 256
"""Rounds of the random steps behind it, and candidates of each."""


@dataclass(slots=True)
class Polisher:
    """Finds foldings for given cuts."""

    space: Space
    evaluator: Evaluator
    frontiers: Frontiers
    random: np.random.Generator
    latency: bool
    archive: Archive
    goal: Goal
    leaders: Leaders
    room: Room = field(init=False)
    log: SearchLog = field(default_factory=SearchLog)
    evaluations: int = 0

    def __post_init__(self) -> None:
        self.room = Room(self.space)

    def design(self, segments: Sequence[Segment], room: float = 1.0) -> Population:
        """The best design with these partitions, as a population of one; it may still be over a limit.

        `room`: the part of every limit that it may use.
        """
        best = self._start(segments)
        intervals = self.evaluate(best).interval[0, : len(segments)]
        # The estimate's target counts where its foldings turn out faster than it needs.
        intervals = np.maximum(intervals, np.array([s.target for s in segments]))
        for low, high in ROUNDS:
            best, intervals = self._round(best, segments, intervals, low, high, room)
        return best

    def sweep(self, best: Population, segments: Sequence[Segment]) -> None:
        """Slower and smaller designs with the same partitions; the leaders remember them."""
        intervals = self.evaluate(best).interval[0, : len(segments)]
        slowest = int(self.space.rows.interval.max()) / int(intervals.min())
        factors = np.geomspace(1.0, max(slowest, 1.0), max(SLOWER // len(segments), LEAST_SLOWER))
        targets = np.round(intervals * factors[:, None]).astype(np.int64)[:, best.part()[0]]
        tables = np.concatenate([self.tables(segment) for segment in segments])
        prices = np.arange(len(PRICES))[:, None, None]
        rows = self.frontiers.cheapest(tables, prices, targets).reshape(-1, len(tables))
        rows = np.unique(rows, axis=0)
        self.evaluate(Population(np.repeat(best.cuts, len(rows), axis=0), rows))

    def improved(self, best: Population) -> Population:
        """A design with the same cuts that is at least as good: closer targets, further prices."""
        figures = self.evaluate(best)
        part = best.part()[0]
        segments = []
        for number in range(int(figures.count[0])):
            inside = np.flatnonzero(part == number)
            first, last, passes = int(inside[0]), int(inside[-1]), int(figures.passes[0, number])
            streamed = bool((self.space.rows.slices[best.rows[0, inside]] > 1).any())
            segments.append(Segment(first, last, int(figures.interval[0, number]), 0, passes, 0.0, streamed))
        intervals = figures.interval[0, : len(segments)]
        for _ in range(FURTHER_ROUNDS):
            best, intervals = self._round(best, segments, intervals, *CLOSE)
        for number in range(STEP_ROUNDS):
            best, intervals = self._steps(best, segments, intervals)
            if number % LEAP_EVERY == LEAP_EVERY - 1:
                best, intervals = self._leap(best, segments, intervals)
        return best

    def evaluate(self, population: Population) -> Figures:
        return self.scored(population).figures

    def scored(self, population: Population) -> Scored:
        """A population evaluated; the leaders learn of it."""
        self.evaluations += len(population.rows)
        self.log.saw(population)
        with self.log.timed("evaluation"):
            found = self.known(population)
        with self.log.timed("front"):
            self.leaders.learn(found)
        return found

    def known(self, population: Population) -> Scored:
        """Designs that were evaluated before, once more: no further evaluation."""
        figures = self.evaluator(population)
        values, missed = self.goal.values(self.space, figures), self.goal.shortfall(self.space, figures)
        return Scored(population, figures, values, missed)

    def _start(self, segments: Sequence[Segment]) -> Population:
        cuts = np.zeros((1, len(self.space.positions)), bool)
        rows = np.zeros((1, len(self.space.positions)), np.int64)
        for segment in segments:
            cuts[0, segment.first] = segment.first > 0
            target = np.array([segment.target])
            rows[0, segment.first : segment.last + 1] = self.rows(segment, PRICES[segment.price], target)[:, 0]
        return Population(cuts, rows)

    def rows(self, segment: Segment, price: tuple[float, ...], targets: Integers) -> Integers:
        """Cheapest rows of a partition's positions for the targets (positions, targets)."""
        found = np.full((segment.last - segment.first + 1, len(targets)), -1)
        for p in range(segment.first, segment.last + 1):
            if found[p - segment.first, 0] >= 0:
                continue
            position = self.space.positions[p]
            if segment.streamed and position.weighted and position.streams and self.passes(p, segment) == 1:
                members = self.space.chain(p, segment.last)
                chosen = self.frontiers.together(members, price, targets, *self._straight(members, segment))
                for q, rows in zip(members, chosen, strict=True):
                    found[q - segment.first] = np.where(rows >= 0, rows, self.space.positions[q].tables[1].start)
            else:
                found[p - segment.first] = self._row(p, segment, price, targets)
        return found

    def _straight(self, members: Sequence[int], segment: Segment) -> tuple[bool, bool]:
        """Whether a chain's frames come straight from memory, and go there."""
        space = self.space
        comes = all(
            space.tensors[space.edges[e].tensor].producer < segment.first for e in space.positions[members[0]].edges
        )
        readers = [space.edges[e].reader for e in space.tensors[space.tensor_of(members[-1])].readers]
        return comes, all(r > segment.last for r in readers)

    def _row(self, p: int, segment: Segment, price: tuple[float, ...], targets: Integers) -> Integers:
        """Cheapest rows of a position for the targets; its fastest row where none meets one."""
        table = self.space.positions[p].tables[self.passes(p, segment)]
        rows = self.frontiers.rows(table, price, targets)
        return np.where(rows >= 0, rows, table.start)

    def tables(self, segment: Segment) -> Integers:
        """Numbers of the tables that a segment's positions are processed with."""
        positions = range(segment.first, segment.last + 1)
        starts = [self.space.positions[p].tables[self.passes(p, segment)].start for p in positions]
        return self.space.rows.table[starts]

    def passes(self, p: int, segment: Segment) -> int:
        if segment.passes == 1:
            return 1
        weighted = [q for q in range(segment.first, segment.last + 1) if self.space.positions[q].weighted]
        return segment.passes if p >= weighted[-1] else 1

    def _round(
        self,
        best: Population,
        segments: Sequence[Segment],
        reference: Integers,
        low: float,
        high: float,
        room: float = 1.0,
    ) -> tuple[Population, Integers]:
        """Cheapest foldings for targets in a range about the reference intervals, at many prices."""
        drawn = np.round(self.random.dirichlet(np.ones(5), RANDOM_PRICES) + 0.01, 6)
        prices = [*PRICES, *(tuple(float(v) for v in row) for row in drawn)]
        count = len(prices) * TARGETS
        cuts = np.repeat(best.cuts, count + 1, axis=0)
        rows = np.repeat(best.rows, count + 1, axis=0)
        for number, segment in enumerate(segments):
            targets = self._targets(segment, int(reference[number]), low, high)
            columns = [self.rows(segment, price, targets) for price in prices]
            rows[1:, segment.first : segment.last + 1] = np.concatenate(columns, axis=1).T
        return self._combined(Population(cuts, rows), segments, room)

    def _steps(
        self, best: Population, segments: Sequence[Segment], intervals: Integers, below: Integers | None = None
    ) -> tuple[Population, Integers]:
        """Change one to three layers of every partition at random: near by in their tables, or anywhere fast enough.

        `below`: intervals that a partition must stay below before anything else counts.
        """
        space, count = self.space, STEPS
        rows = np.repeat(best.rows, count + 1, axis=0)
        for number, segment in enumerate(segments):
            size = segment.last - segment.first + 1
            changed = self.random.random((count, size)) < 1.0 / size
            changed[np.arange(count), self.random.integers(0, size, count)] = True
            near = np.round(self.random.laplace(0, 4, (count, size))).astype(np.int64)
            anywhere, jumps = self.random.random((count, size)), self.random.random((count, size)) < 0.5
            for i, p in enumerate(range(segment.first, segment.last + 1)):
                slices = int(space.rows.slices[best.rows[0, p]])
                position, passes = space.positions[p], self.passes(p, segment)
                table = position.streams[slices] if slices > 1 else position.tables[passes]
                sizes = space.rows.interval[table.start : table.stop]
                fast = max(int(np.searchsorted(sizes, intervals[number], "right")), 1)
                jumped = (anywhere[:, i] * fast).astype(np.int64)
                stepped = np.clip(best.rows[0, p] - table.start + near[:, i], 0, len(sizes) - 1)
                moved = table.start + np.where(jumps[:, i], jumped, stepped)
                rows[1:, p] = np.where(changed[:, i], moved, best.rows[0, p])
            self._hasten(rows[1 : count // 2], segment, int(intervals[number]))
        return self._combined(Population(np.repeat(best.cuts, count + 1, axis=0), rows), segments, below=below)

    def _leap(self, best: Population, segments: Sequence[Segment], intervals: Integers) -> tuple[Population, Integers]:
        """Every partition hastened whether or not it then fits, and stepped until it does; else it stays as it was."""
        rows = best.rows.copy()
        for segment, interval in zip(segments, intervals.tolist(), strict=True):
            self._hasten(rows, segment, interval)
        leapt = Population(best.cuts, rows)
        for _ in range(LEAP_ROUNDS):
            leapt, _ = self._steps(leapt, segments, intervals - 1, intervals)
        return self._combined(joined([best, leapt]), segments)

    def _hasten(self, rows: Integers, segment: Segment, interval: int) -> None:
        """Give every layer that is slower than a target below the partition's interval its cheapest row for it."""
        where = slice(segment.first, segment.last + 1)
        part = 1.0 - HASTE * self.random.random((len(rows), 1)) ** 3
        targets = np.minimum((interval * part).astype(np.int64), interval - 1)
        prices = self.random.integers(0, len(PRICES), (len(rows), 1))
        faster = self.frontiers.cheapest(self.tables(segment), prices, targets)
        rows[:, where] = np.where(self.space.rows.interval[rows[:, where]] > targets, faster, rows[:, where])

    def _combined(
        self, population: Population, segments: Sequence[Segment], room: float = 1.0, below: Integers | None = None
    ) -> tuple[Population, Integers]:
        """Every partition's best candidate as one design, and their intervals; all rows have the same cuts."""
        figures = self.evaluate(population)
        late = np.zeros((len(figures.count), len(segments)), bool)
        if below is not None:
            late = figures.interval[:, : len(segments)] >= below
        chosen = np.array([self._best(figures, number, room, late[:, number]) for number in range(len(segments))])
        for number, segment in enumerate(segments):
            self.archive.note(population, figures, int(chosen[number]), number, segment.first, segment.last + 1)
        part = population.part()[0]
        picked = population.rows[chosen[part], np.arange(len(part))]
        intervals = figures.interval[chosen, np.arange(len(segments))]
        return Population(population.cuts[:1], picked[None, :]), intervals

    def _targets(self, segment: Segment, reference: int, low: float, high: float) -> Integers:
        """Intervals that some layer of the partition can have, near the reference; exactly `TARGETS` of them."""
        found = []
        for p in range(segment.first, segment.last + 1):
            tables = [self.space.positions[p].tables[passes := self.passes(p, segment)]]
            if passes == 1 and segment.streamed:
                tables += self.space.positions[p].streams.values()
            for table in tables:
                intervals = self.space.rows.interval[table.start : table.stop]
                found.append(intervals[(intervals >= reference * low) & (intervals <= reference * high)])
        distinct = np.unique(np.concatenate([*found, [reference]]))
        place = np.linspace(0, len(distinct) - 1, TARGETS).round().astype(np.int64)
        return distinct[place]

    def _best(self, figures: Figures, number: int, room: float, late: npt.NDArray[np.bool_]) -> int:
        """The candidate of one partition that fits and takes least time; else the one that is least over."""
        time = figures.latency[:, number] if self.latency else figures.time_s[:, number]
        limits = np.array([max(self.space.limits[name], 1) for name in RESOURCES])
        used = np.round((figures.resources[:, number] / limits).max(axis=1), 9)
        over = np.round(figures.over[:, number], 9)
        if room < 1.0:
            over = over + np.round(np.maximum(self.room.taken(figures.resources[:, number]) - room, 0.0), 9)
        order = np.lexsort((used, np.round(time, 12), over, late))
        return int(order[0])
