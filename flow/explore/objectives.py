"""What a search optimises: one component or a mix of them, all minimised, and what a spec asks of the result.

A mix is a weighted geometric mean: with weights 2 and 1, ten percent less of the first make up for twenty percent more
of the second, whatever the units are. Its front is over its components; the front of a single component is over that
and the share of the device that is used.

A further component (an estimate of lost accuracy) is a line in `COMPONENTS` that reads a figure of
every design from `Figures`, and its word in the schema of specs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flow.explore.population import Figures
from flow.explore.space import Space
from flow.model.resources import RESOURCES
from flow.spec import Constraints

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SHARED = ("dsp", "bram18", "lut")
"""Resources whose mean share is what a design takes of the device."""


@dataclass(frozen=True, slots=True)
class Component:
    """A figure of every design, smaller is better: its name in pareto.json, its unit, and where it comes from."""

    figure: str
    unit: str
    of: Callable[[Space, Figures], Floats]


def _frame_s(space: Space, figures: Figures) -> Floats:
    return figures.total_s / space.batch


def _latency_s(space: Space, figures: Figures) -> Floats:
    return figures.latency_s


def _energy_j(space: Space, figures: Figures) -> Floats:
    return figures.energy_j


def _utilisation(space: Space, figures: Figures) -> Floats:
    """Mean share of the limits, each the largest over the partitions."""
    limits = np.array([max(space.limits[name], 1) for name in RESOURCES])
    columns = [RESOURCES.index(name) for name in SHARED]
    used: Floats = (figures.largest[:, columns] / limits[columns]).mean(axis=1)
    return used


COMPONENTS: Mapping[str, Component] = {
    "throughput": Component("frame_s", "s", _frame_s),
    "latency": Component("latency_s", "s", _latency_s),
    "energy": Component("energy_per_frame_j", "J", _energy_j),
    "resources": Component("utilisation", "", _utilisation),
}


@dataclass(frozen=True, slots=True)
class Goal:
    """The objective of one search.

    Attributes:
        weights: of the components that count, their sum is 1.
        columns: components of the front; the weighted ones first.
        min_fps, max_latency_s: what the spec asks of the result.
    """

    weights: Mapping[str, float]
    columns: tuple[str, ...]
    min_fps: float | None = None
    max_latency_s: float | None = None

    @property
    def latency(self) -> bool:
        """Whether partitions are sized for one frame's time rather than for a batch's."""
        return self.weights.get("latency", 0.0) > self.weights.get("throughput", 0.0)

    @property
    def both(self) -> bool:
        """Whether a batch's time and one frame's count, so that seeds of either kind are worth having."""
        return {"throughput", "latency"} <= self.weights.keys() or (not self.latency and self.max_latency_s is not None)

    @property
    def figures(self) -> tuple[str, ...]:
        """Names of the minimised figures, in the order of the columns."""
        return tuple(COMPONENTS[name].figure for name in self.columns)

    def values(self, space: Space, figures: Figures) -> Floats:
        """(designs, columns), rounded so that machines agree."""
        columns = [COMPONENTS[name].of(space, figures) for name in self.columns]
        stacked: Floats = np.stack(columns, axis=1)
        return np.asarray(np.round(stacked, 12), np.float64)

    def shortfall(self, space: Space, figures: Figures) -> Floats:
        """How far every design misses what is asked of the result, relative to it."""
        missed: Floats = np.zeros(len(figures.count))
        if self.min_fps is not None:
            missed += np.maximum(self.min_fps * figures.total_s / space.batch - 1, 0)
        if self.max_latency_s is not None:
            missed += np.maximum(figures.latency_s / self.max_latency_s - 1, 0)
        rounded: Floats = np.round(missed, 9)
        return rounded

    def score(self, values: Floats) -> Floats:
        """One number a design, smaller is better: the component, or the logarithm of the mix."""
        if len(self.weights) == 1:
            return values[:, 0]
        logs = np.log(np.maximum(values[:, : len(self.weights)], 1e-12))
        score: Floats = np.round(
            logs @ np.array([self.weights[name] for name in self.columns[: len(self.weights)]]), 12
        )
        return score

    def order(self, values: Floats, *before: Floats) -> Integers:
        """Best first: by `before` (the first counts most), then by score, then by the front's columns."""
        keys = (*values.T[::-1], self.score(values), *before[::-1])
        return np.lexsort(keys).astype(np.int64)


def goal_of(objective: str | Mapping[str, float], constraints: Constraints) -> Goal:
    """The goal of a spec's `objective`: a component's name, or a mix of names to weights."""
    given = {objective: 1.0} if isinstance(objective, str) else objective
    total = sum(given.values())
    weights = {name: given[name] / total for name in COMPONENTS if name in given}
    columns = tuple(weights)
    if len(columns) == 1:
        columns = (*columns, "throughput" if "resources" in columns else "resources")
    return Goal(weights, columns, constraints.min_fps, constraints.max_latency_s)


def nondominated(values: Floats) -> npt.NDArray[np.bool_]:
    """Which rows (designs, columns) no other row beats; of equal rows the first."""
    kept = np.ones(len(values), bool)
    if values.shape[1] == 2:
        order = np.lexsort(values.T[::-1])
        lowest = np.minimum.accumulate(values[order, 1])
        kept[order[1:]] = values[order[1:], 1] < lowest[:-1]
        return kept
    for row in range(len(values)):
        no_worse = (values <= values[row]).all(axis=1)
        better = (values < values[row]).any(axis=1)
        equal_before = ~better & (np.arange(len(values)) < row)
        kept[row] = not (no_worse & (better | equal_before)).any()
    return kept
