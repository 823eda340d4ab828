"""One search from its seeds to the polished last generation: within its budget, and from a checkpoint if there is one.

    seeds        exact foldings for the best cuts, range by range, on the whole device and on smaller parts of it
    generations  NSGA-II
    polish       the best designs once more

The best design so far is what counts when a budget is spent, in whatever phase that is, and the front is that of all
designs that were evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from flow.diagnostics import BuildError
from flow.explore.archive import Archive
from flow.explore.budget import SEARCHED, Budget, Effort
from flow.explore.checkpoint import Checkpoint, State
from flow.explore.compiled import Evaluator
from flow.explore.covers import Cover, covers_of
from flow.explore.diagnose import no_design
from flow.explore.frontier import Frontiers
from flow.explore.leaders import Leaders
from flow.explore.log import SearchLog
from flow.explore.objectives import Goal
from flow.explore.polish import Polisher
from flow.explore.population import Population
from flow.explore.scored import Scored, joined, merged
from flow.explore.search import Progress, Search
from flow.explore.segments import Segment
from flow.explore.space import Space


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search found.

    Attributes:
        seeds: designs that the search started from, best first, with the front of all that led to them.
        last: all that it ended with, best first, with the front of all that were evaluated.
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
    leaders: Leaders = field(init=False)
    polisher: Polisher = field(init=False)
    search: Search = field(init=False)

    def outcome(self) -> Outcome:
        """The whole search. BuildError where no cuts give any design at all."""
        self.budget = Budget(self.effort)
        self.random = np.random.default_rng(self.effort.seed)
        frontiers, latency = Frontiers(self.space), self.goal.latency
        self.leaders = Leaders(self.goal, self.effort.population)
        self.polisher = Polisher(
            self.space, Evaluator(self.space), frontiers, self.random, latency, Archive(self.space, latency), self.goal,
            self.leaders,
        )  # fmt: skip
        kinds = [latency, not latency] if self.goal.both else [latency]
        covers, ranges = covers_of(self.space, frontiers, kinds)
        self.search = Search(self.space, self.polisher, ranges, self.random, self.goal, self.polisher.archive)
        state = self._resumed()
        seeds = self._seeded(covers, state)
        found, generations = self._searched(seeds, state)
        last = self._polished(seeds, found, generations, state)
        scored = self.search.ordered(self.polisher.known(seeds))
        return Outcome(scored, last, self.polisher.evaluations, generations, self.polisher.log)

    # Phases

    def _seeded(self, covers: list[Cover], state: State | None) -> Population:
        """Polished designs with the best cuts, and the front so far; best first."""
        if state is not None and state.phase != "seeds":
            return state.populations["seeds"]
        designs = [] if state is None else [state.populations["designs"]]
        for step, cover in enumerate(covers):
            if state is not None and step < state.step:
                continue
            if designs and self._late(SEARCHED) and self._fits(designs):
                break
            self.polisher.latency = cover.latency
            design = self.polisher.design(cover.segments, cover.room)
            known = any((joined(designs).cuts == design.cuts).all(axis=1)) if designs else False
            if not known:
                for segments in self._ways(cover):
                    self.polisher.sweep(design, segments)
            designs.append(design)
            self._save("seeds", step + 1, designs=joined(designs))
        self.polisher.latency = self.goal.latency
        if not designs:
            raise self.refusal(self.space)
        return self.search.ordered(self._with_front(self.polisher.scored(joined(designs)))).population

    def _ways(self, cover: Cover) -> list[tuple[Segment, ...]]:
        """The cover, or a single partition's solutions for every number of passes."""
        first, *more = cover.segments
        known = self.search.found.get((first.first, first.last), [])
        return [cover.segments] if more or not known else [(segment,) for segment in known]

    def _searched(self, seeds: Population, state: State | None) -> tuple[Scored, int]:
        """The last generation and what the archive adds, best first, and its number."""
        if state is not None and state.phase == "polish":
            return self.polisher.known(state.populations["found"]), state.step
        if state is not None and state.phase == "generations":
            parents, first = self.polisher.known(state.populations["parents"]), state.step
        else:
            parents, first = self.search.start(seeds, self.effort.population), 0

        def late(parents: Scored, number: int) -> bool:
            self._save("generations", number, seeds=seeds, parents=parents.population)
            return self._late(SEARCHED)

        generations = range(first, self.effort.generations)
        last, number = self.search.run(parents, generations, self.effort.population, self.progress, late)
        return self.search.assembled(last), number

    def _polished(self, seeds: Population, found: Scored, number: int, state: State | None) -> Scored:
        further: list[Population] = []
        if state is not None and "further" in state.populations:
            known = state.populations["further"]
            further = [known.take(np.array([i])) for i in range(len(known.rows))]

        def late() -> bool:
            polished = {"further": joined(further)} if further else {}
            self._save("polish", number, seeds=seeds, found=found.population, **polished)
            return self._late(1.0)

        return self.search.ordered(self._with_front(self.search.improved(found, further, late)))

    def _with_front(self, found: Scored) -> Scored:
        """The designs and, thinned, the leaders so far."""
        self.leaders.thin()
        leaders = self.leaders.population
        return found if leaders is None else merged(found, self.polisher.known(leaders))

    # Budget and checkpoint

    def _late(self, part: float) -> bool:
        return self.budget.spent(self.polisher.evaluations, part)

    def _fits(self, designs: list[Population]) -> bool:
        figures = self.polisher.evaluate(joined(designs))
        return bool((figures.violation == 0).any())

    def _save(self, phase: str, step: int, **populations: Population) -> None:
        if self.checkpoint is not None:
            self.checkpoint.save(lambda: self._state(phase, step, populations))

    def _state(self, phase: str, step: int, populations: Mapping[str, Population]) -> State:
        random, evaluations = self.random.bit_generator.state, self.polisher.evaluations
        best = self.polisher.archive.best
        if self.leaders.population is not None:
            populations = {**populations, "leaders": self.leaders.population}
        return State(phase, step, populations, best, random, evaluations, self.budget.elapsed_s())

    def _resumed(self) -> State | None:
        """What a killed search has left, taken over."""
        state = self.checkpoint.load() if self.checkpoint is not None else None
        if state is not None:
            self.random.bit_generator.state = state.random
            self.polisher.evaluations = state.evaluations
            self.polisher.archive.best.update(state.best)
            self.budget.before_s = state.seconds
            if "leaders" in state.populations:
                self.leaders.add(self.polisher.known(state.populations["leaders"]))
        return state
