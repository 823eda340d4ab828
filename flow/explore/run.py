"""One search from its seeds to the polished last generation: within its budget, and from a checkpoint if there is one.

    seeds        exact foldings for the best cuts, range by range
    generations  NSGA-II
    polish       the best designs once more

The best design so far is what counts when a budget is spent, in whatever phase that is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from flow.diagnostics import BuildError
from flow.explore.archive import Archive
from flow.explore.budget import SEARCHED, Budget, Effort
from flow.explore.checkpoint import Checkpoint, State
from flow.explore.compiled import Evaluator
from flow.explore.cuts import cut
from flow.explore.diagnose import no_design
from flow.explore.frontier import Frontiers
from flow.explore.log import SearchLog
from flow.explore.objectives import Goal
from flow.explore.polish import Polisher
from flow.explore.population import Population
from flow.explore.search import Progress, Scored, Search
from flow.explore.segments import Found, Segment, Segments
from flow.explore.space import Space

ROOMS = (1.0, 0.97, 0.92, 0.85, 0.7)
"""Parts of the limits that estimates may use, so that what they leave out still fits."""
COVERED = 240
"""Positions that are polished for each of them, whole sets of cuts, at least two and at most eight."""
Cover = tuple[bool, tuple[Segment, ...]]
"""Segments that cover all positions, and whether they are for the time of one frame."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search found.

    Attributes:
        seeds: designs that the search started from, best first.
        last: all that it ended with, best first.
        generations: that it went through.
    """

    seeds: Scored
    last: Scored
    evaluations: int
    generations: int
    log: SearchLog


@dataclass(slots=True)
class Run:
    """A search under way; `refusal` says why there is no design."""

    space: Space
    goal: Goal
    effort: Effort
    checkpoint: Checkpoint | None = None
    progress: Progress | None = None
    refusal: Callable[[Space], BuildError] = no_design
    budget: Budget = field(init=False)
    random: np.random.Generator = field(init=False)
    polisher: Polisher = field(init=False)
    search: Search = field(init=False)

    def outcome(self) -> Outcome:
        """The whole search. BuildError where no cuts give any design at all."""
        self.budget = Budget(self.effort)
        self.random = np.random.default_rng(self.effort.seed)
        frontiers, latency = Frontiers(self.space), self.goal.latency
        self.polisher = Polisher(
            self.space, Evaluator(self.space), frontiers, self.random, latency, Archive(self.space, latency)
        )
        kinds = [latency, not latency] if self.goal.both else [latency]
        covers, found = covers_of(self.space, frontiers, kinds)
        self.search = Search(self.space, self.polisher, found, self.random, self.goal, self.polisher.archive)
        state = self._resumed()
        seeds = self._seeded(covers, state)
        merged, generations = self._searched(seeds, state)
        last = self._polished(seeds, merged, generations, state)
        # What the seeds are worth is known already: asking again is no further evaluation.
        evaluations, scored = self.polisher.evaluations, self.search.ordered(self.search.scored(seeds))
        return Outcome(scored, last, evaluations, generations, self.polisher.log)

    # Phases

    def _seeded(self, covers: list[Cover], state: State | None) -> Population:
        """Polished designs with the best cuts, best first."""
        if state is not None and state.phase != "seeds":
            return state.populations["seeds"]
        designs = [] if state is None else [state.populations["designs"]]
        for step, (latency, cover) in enumerate(covers):
            if state is not None and step < state.step:
                continue
            if designs and self._late(SEARCHED) and self._fits(designs):
                break
            self.polisher.latency = latency
            designs.append(self.polisher.design(cover))
            self._save("seeds", step + 1, designs=joined(designs))
        self.polisher.latency = self.goal.latency
        if not designs:
            raise self.refusal(self.space)
        seeds = joined(designs)
        figures = self.polisher.evaluate(seeds)
        values, missed = self.goal.values(self.space, figures), self.goal.shortfall(self.space, figures)
        return seeds.take(self.goal.order(values, figures.violation + missed))

    def _searched(self, seeds: Population, state: State | None) -> tuple[Scored, int]:
        """The last generation and what the archive adds, best first, and its number."""
        if state is not None and state.phase == "polish":
            return self._again(state.populations["merged"]), state.step
        if state is not None and state.phase == "generations":
            parents, first = self._again(state.populations["parents"]), state.step
        else:
            parents, first = self.search.start(seeds, self.effort.population), 0

        def late(parents: Scored, number: int) -> bool:
            self._save("generations", number, seeds=seeds, parents=parents.population)
            return self._late(SEARCHED)

        generations = range(first, self.effort.generations)
        last, number = self.search.run(parents, generations, self.effort.population, self.progress, late)
        return self.search.assembled(last), number

    def _polished(self, seeds: Population, merged: Scored, number: int, state: State | None) -> Scored:
        further: list[Population] = []
        if state is not None and "further" in state.populations:
            known = state.populations["further"]
            further = [known.take(np.array([i])) for i in range(len(known.rows))]

        def late() -> bool:
            polished = {"further": joined(further)} if further else {}
            self._save("polish", number, seeds=seeds, merged=merged.population, **polished)
            return self._late(1.0)

        return self.search.improved(merged, further, late)

    # Budget and checkpoint

    def _late(self, part: float) -> bool:
        return self.budget.spent(self.polisher.evaluations, part)

    def _fits(self, designs: list[Population]) -> bool:
        figures = self.polisher.evaluate(joined(designs))
        return bool((figures.violation == 0).any())

    def _again(self, population: Population) -> Scored:
        """Designs of a checkpoint; their evaluation was counted when they were found."""
        evaluations = self.polisher.evaluations
        scored = self.search.scored(population)
        self.polisher.evaluations = evaluations
        return scored

    def _save(self, phase: str, step: int, **populations: Population) -> None:
        if self.checkpoint is not None:
            self.checkpoint.save(lambda: self._state(phase, step, populations))

    def _state(self, phase: str, step: int, populations: Mapping[str, Population]) -> State:
        random, evaluations = self.random.bit_generator.state, self.polisher.evaluations
        best = self.polisher.archive.best
        return State(phase, step, populations, best, random, evaluations, self.budget.elapsed_s())

    def _resumed(self) -> State | None:
        """What a killed search has left, taken over."""
        state = self.checkpoint.load() if self.checkpoint is not None else None
        if state is not None:
            self.random.bit_generator.state = state.random
            self.polisher.evaluations = state.evaluations
            self.polisher.archive.best.update(state.best)
            self.budget.before_s = state.seconds
        return state


def covers_of(space: Space, frontiers: Frontiers, kinds: Sequence[bool]) -> tuple[list[Cover], Found]:
    """The best ways to cut, each once, and the estimated solutions of every range, of the first kind.

    `kinds`: for the time of one frame (True) or of a batch.
    """
    covers: dict[tuple[bool, tuple[Segment, ...]], None] = {}
    most = min(max(COVERED // len(space.positions), 2), 8)
    ways = [(latency, streamed) for latency in kinds for streamed in ((False, True) if space.streamed else (False,))]
    rooms = [Segments(space, frontiers, *way).all(ROOMS) for way in ways]
    for (latency, _), found in zip(ways, rooms, strict=True):
        covers |= {(latency, tuple(cover)): None for room in found for cover in cut(space, room)[:most]}
    ranges = rooms[0][0]
    if space.streamed:
        more = rooms[1][0]
        ranges = {where: [*ranges.get(where, ()), *more.get(where, ())] for where in sorted({*ranges, *more})}
    return list(covers), ranges


def joined(populations: list[Population]) -> Population:
    """All designs as one population."""
    cuts = np.concatenate([p.cuts for p in populations])
    return Population(cuts, np.concatenate([p.rows for p in populations]))
