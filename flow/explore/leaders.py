"""The front of all designs that a search has evaluated, in whatever phase, thinned where it is dense."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from flow.explore.objectives import Goal, nondominated
from flow.explore.population import Population
from flow.explore.scored import Scored, joined

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Leaders:
    """Designs that keep all limits and constraints and that no other beats, by their first objective.

    More than twice `most` are thinned to `most`; `values` are (designs, columns of the goal).
    """

    goal: Goal
    most: int
    population: Population | None = None
    values: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def learn(self, found: Scored) -> None:
        """Keep what no leader beats; of equal objectives the first design that was seen."""
        self.add(found)
        if len(self.values) > 2 * self.most:
            self.thin()

    def add(self, found: Scored) -> None:
        """The same, but leave all there is."""
        values = found.objectives
        better = np.flatnonzero((found.violation == 0) & ~self._beaten(values))
        better = better[nondominated(values[better])]
        if better.size:
            self._join(found.population.take(better), values[better])

    def thin(self) -> None:
        """Leave at most `most`, one by one without the one whose neighbours are nearest."""
        kept = np.arange(len(self.values))
        while len(kept) > self.most:
            kept = np.delete(kept, np.argmin(self._room(self.values[kept])))
        self._take(kept)

    def _beaten(self, values: Floats) -> Booleans:
        """Which designs a leader beats or equals."""
        if self.population is None:
            return np.zeros(len(values), bool)
        if values.shape[1] == 2:  # the leaders, sorted by the first objective, fall in the second
            place = np.searchsorted(self.values[:, 0], values[:, 0], "right") - 1
            lower: Booleans = (place >= 0) & (self.values[place, 1] <= values[:, 1])
            return lower
        beaten: Booleans = np.any(np.all(self.values[:, None] <= values, axis=2), axis=0)
        return beaten

    def _join(self, population: Population, values: Floats) -> None:
        if self.population is not None:
            population = joined([self.population, population])
            values = np.concatenate([self.values, values])
        self.population, self.values = population, values
        kept = np.flatnonzero(nondominated(values))
        self._take(kept[np.lexsort(values[kept].T[::-1])])

    def _take(self, index: npt.NDArray[np.int64]) -> None:
        if self.population is not None:
            self.population, self.values = self.population.take(index), self.values[index]

    def _room(self, values: Floats) -> Floats:
        """How far apart the neighbours of every design are in each objective, multiplied.

        For two objectives that is the hypervolume that would be lost without it. The best of any objective and the best
        by score have all the room there is.
        """
        room, ends = np.ones(len(values)), [int(np.argmin(self.goal.score(values)))]
        for column in values.T:
            order = np.argsort(column, kind="stable")
            gaps = column[order[2:]] - column[order[:-2]]
            room[order[1:-1]] *= gaps / max(float(column[order[-1]] - column[order[0]]), 1e-300)
            ends += [int(order[0]), int(order[-1])]
        room[ends] = np.inf
        return room
