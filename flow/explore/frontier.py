"""The cheapest folding of a layer that meets a target interval, for every target: a running minimum over its table.

What "cheapest" means is a price of each resource, as shares of the device. A handful of price vectors stands for
designs that are short of DSPs, of block RAM, of LUTs, or of several.
"""

from __future__ import annotations

from collections.abc import Callable
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
    (1.0, 1.0, 0.0, 1.0, 0.0),
)
"""Prices of dsp, bram18, uram, lut, ff that the seeds are worked out for."""


Minimum = Callable[[Table, tuple[float, ...]], Integers]
_APART = 1 << 44
"""Lies between the intervals of one table and the next in a list of all of them."""


@dataclass(frozen=True, slots=True)
class _Index:
    """All tables behind each other, for look-ups in many of them at once.

    Attributes:
        start, share, fastest: of every table: first row, part of an interval that it is given, least interval.
        keys: (rows,) intervals, those of each table further on than the last one's.
        minima: (prices, rows) the cheapest row of the table up to each.
    """

    start: Integers
    share: Integers
    fastest: Integers
    keys: Integers
    minima: Integers

    @classmethod
    def of(cls, space: Space, minimum: Minimum) -> _Index:
        found = {t.start: t for p in space.positions for t in p.tables.values()}
        tables = [found[start] for start in sorted(found)]
        rows = space.rows
        start = np.array([t.start for t in tables])
        minima = [np.concatenate([t.start + minimum(t, price) for t in tables]) for price in PRICES]
        return cls(
            start, np.array([t.share for t in tables]), rows.interval[start], rows.interval + rows.table * _APART,
            np.stack(minima),
        )  # fmt: skip

    def cheapest(self, tables: Integers, prices: Integers | int, targets: Integers | int) -> Integers:
        fastest, share = self.fastest[tables], self.share[tables]
        given = np.where(share > 1, np.minimum(targets, np.maximum(targets // share, fastest)), targets)
        place = np.searchsorted(self.keys, np.minimum(given, _APART - 1) + tables * _APART, "right") - 1
        found: Integers = self.minima[prices, np.maximum(place, self.start[tables])]
        return found


@dataclass(slots=True)
class Frontiers:
    """Cheapest rows by target interval, remembered by table and price vector."""

    space: Space
    _minima: dict[tuple[int, tuple[float, ...]], Integers] = field(default_factory=dict)
    _index: _Index = field(init=False)

    def __post_init__(self) -> None:
        self._index = _Index.of(self.space, self._running_minimum)

    def cheapest(self, tables: Integers, prices: Integers | int, targets: Integers | int) -> Integers:
        """Rows of many tables at once (their numbers), each for a price of `PRICES` (its number) and a target interval.

        The cheapest row that meets the target, the fastest one where none does; arguments are broadcast.
        """
        return self._index.cheapest(tables, prices, targets)

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
