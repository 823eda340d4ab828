"""Designs with their figures and objectives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.population import BY_PARTITION, Figures, Population

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


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

    def unique(self) -> Scored:
        """Each design once, the first of each kept."""
        rows = np.concatenate([self.population.cuts.astype(np.int64), self.population.rows], axis=1)
        _, first = np.unique(rows, axis=0, return_index=True)
        return self.take(np.sort(first))


def merged(a: Scored, b: Scored) -> Scored:
    """Both, each design once."""
    width = max(a.figures.interval.shape[1], b.figures.interval.shape[1])
    figures = Figures(
        **{
            name: np.concatenate([_widened(name, getattr(s.figures, name), width) for s in (a, b)])
            for name in a.figures.__dataclass_fields__
        }
    )
    population = joined([a.population, b.population])
    objectives = np.concatenate([a.objectives, b.objectives])
    return Scored(population, figures, objectives, np.concatenate([a.shortfall, b.shortfall])).unique()


def joined(populations: list[Population]) -> Population:
    """All designs as one population."""
    cuts = np.concatenate([p.cuts for p in populations])
    return Population(cuts, np.concatenate([p.rows for p in populations]))


def _widened(name: str, values: npt.NDArray[Any], width: int) -> npt.NDArray[Any]:
    """Arrays over partitions padded with zeros to a common width."""
    if name not in BY_PARTITION or values.shape[1] == width:
        return values
    shape = (values.shape[0], width - values.shape[1], *values.shape[2:])
    return np.concatenate([values, np.zeros(shape, values.dtype)], axis=1)
