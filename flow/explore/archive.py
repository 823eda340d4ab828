"""The best hardware seen for every range of layers, from all designs that were evaluated.

Partitions do not share resources, so a partition that one design found is worth as much in another. The archive keeps
the fastest legal one of every range with its exact time, and puts the best whole designs together from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from flow.explore.cuts import cut
from flow.explore.population import Figures, Population
from flow.explore.segments import Found, Segment
from flow.explore.space import Space

Integers = npt.NDArray[np.int64]


@dataclass(slots=True)
class Archive:
    """Of every range (first, last) of positions the seconds, passes and rows of the best partition."""

    space: Space
    latency: bool
    best: dict[tuple[int, int], tuple[float, int, Integers]] = field(default_factory=dict)

    def learn(self, population: Population, figures: Figures) -> None:
        """Remember what is better than before; designs of one partition keep their weights and are another matter."""
        for design in np.flatnonzero((figures.count > 1) & (figures.illegal == 0)):
            starts = [0, *(int(p) for p in np.flatnonzero(population.cuts[design]) if p > 0)]
            ends = [*starts[1:], len(self.space.positions)]
            for number, (first, end) in enumerate(zip(starts, ends, strict=True)):
                self.note(population, figures, int(design), number, first, end)

    def note(self, population: Population, figures: Figures, design: int, number: int, first: int, end: int) -> None:
        """Remember partition `number` of a design, positions `first` to `end`, if it fits and is the fastest so far."""
        if figures.over[design, number] or figures.illegal[design] or figures.count[design] < 2:
            return
        passes = int(figures.passes[design, number])
        cycles_s = passes * int(figures.latency[design, number]) / (self.space.clock_mhz * 1e6)
        seconds = round(cycles_s if self.latency else float(figures.time_s[design, number]), 12)
        known = self.best.get((first, end - 1))
        if known is None or seconds < known[0]:
            self.best[first, end - 1] = (seconds, passes, population.rows[design, first:end].copy())

    def designs(self, most: int) -> Population | None:
        """The fastest combinations of known partitions, at most one for each number of partitions."""
        found: Found = {
            (first, last): [Segment(first, last, 0, 0, passes, seconds)]
            for (first, last), (seconds, passes, _) in sorted(self.best.items())
        }
        covers = cut(self.space, found)[:most]
        if not covers:
            return None
        cuts = np.zeros((len(covers), len(self.space.positions)), bool)
        rows = np.zeros(cuts.shape, np.int64)
        for design, cover in enumerate(covers):
            for segment in cover:
                cuts[design, segment.first] = segment.first > 0
                rows[design, segment.first : segment.last + 1] = self.best[segment.first, segment.last][2]
        return Population(cuts, rows)
