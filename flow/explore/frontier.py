"""The cheapest folding of a layer that meets a target interval, for every target: a running minimum over its table.

What "cheapest" means is a price of each resource, as shares of the device. A handful of price vectors stands for
designs that are short of DSPs, of block RAM, of LUTs, or of several.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from flow.explore.space import Space
from flow.explore.tables import Table
from flow.model.resources import RESOURCES

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PRICES = (
    (1.0, 0.1, 0.1, 0.1, 0.02),
    (0.1, 1.0, 0.1, 0.1, 0.02),
    (1.0, 0.5, 0.1, 0.2, 0.02),
    (0.5, 1.0, 0.1, 0.2, 0.02),
    (0.2, 0.2, 0.1, 1.0, 0.05),
    (1.0, 1.0, 0.1, 1.0, 0.05),
    (1.0, 0.02, 0.02, 0.5, 0.02),
    (0.3, 0.6, 0.1, 1.0, 0.05),
)
"""Prices of dsp, bram18, uram, lut, ff that the seeds are worked out for."""


@dataclass(slots=True)
class Frontiers:
    """Cheapest rows by target interval, remembered by table and price vector."""

    space: Space
    _minima: dict[tuple[int, tuple[float, ...]], Integers] = field(default_factory=dict)

    def rows(self, table: Table, price: tuple[float, ...], targets: Integers) -> Integers:
        """For every target interval the cheapest row that meets it, -1 where none does.

        A layer that others wait for with a frame in their FIFO takes its share of the target, or its fastest row.
        """
        key = (table.start, price)
        if key not in self._minima:
            self._minima[key] = self._running_minimum(table, price)
        intervals = self.space.rows.interval[table.start : table.stop]
        if table.share > 1:
            targets = np.minimum(targets, np.maximum(targets // table.share, intervals[0]))
        place = np.searchsorted(intervals, targets, "right") - 1
        return np.where(place >= 0, table.start + self._minima[key][np.maximum(place, 0)], -1)

    def _running_minimum(self, table: Table, price: tuple[float, ...]) -> Integers:
        limits = np.array([max(self.space.limits[name], 1) for name in RESOURCES])
        cost = self.space.rows.cost[table.start : table.stop]
        score = np.round(cost @ (np.array(price) / limits), 12)
        best = np.minimum.accumulate(score)
        place = np.where(score <= best, np.arange(len(score)), 0)
        # Of equal scores the first, fastest row stays.
        place[1:] = np.where(score[1:] < best[:-1], place[1:], 0)
        return np.maximum.accumulate(place)
