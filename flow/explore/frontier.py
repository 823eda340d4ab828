"""The cheapest folding of a layer that meets a target interval, for every target: a running minimum over its table.

What "cheapest" means is a price of each resource, as shares of the device. A handful of price vectors stands for
designs that are short of DSPs, of block RAM, of LUTs, or of several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from flow.explore.sliced import PRICES
from flow.explore.space import Space
from flow.explore.tables import Table
from flow.model.resources import RESOURCES, STREAM_DEPTH, fifo_depth

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

__all__ = ["PRICES", "Frontiers"]

BANDWIDTH = 0.3
"""Price of all of the memory's time, which streamed weights take a part of."""


_Key = tuple[tuple[int, ...], bool, bool]


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Rows of a layer that may be streamed, whole or in slices, by interval, and what they cost."""

    rows: Integers
    interval: Integers
    cost: Floats


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
        found = {t.start: t for p in space.positions for t in (*p.tables.values(), *p.streams.values())}
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
    _groups: dict[_Key, _Group] = field(default_factory=dict)
    _cheapest: dict[tuple[_Key, tuple[float, ...]], Integers] = field(default_factory=dict)
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

    def together(
        self, members: Sequence[int], price: tuple[float, ...], targets: Integers, comes: bool, goes: bool
    ) -> Integers:
        """Cheapest rows of a layer and the chain behind it (members, targets), all whole or all of the same slices.

        Where no row meets a target, -1. A layer with a chain takes the nearest of `PRICES`.

        Args:
            comes, goes: whether frames come straight from memory and go there: then no tile waits.
        """
        if len(members) > 1:
            price = min(PRICES, key=lambda known: sum(abs(a - b) for a, b in zip(known, price, strict=True)))
        key = (tuple(members), comes, goes)
        if key not in self._groups:
            self._groups[key] = _Group(*self._candidates(members, comes, goes))
        group = self._groups[key]
        if (key, price) not in self._cheapest:
            found = (
                self._first(group, price) if len(members) == 1 else self._chained(members, group, price, comes, goes)
            )
            if price not in PRICES:
                return _looked_up(group.interval, found, targets)
            self._cheapest[key, price] = found
        return _looked_up(group.interval, self._cheapest[key, price], targets)

    def _candidates(self, members: Sequence[int], comes: bool, goes: bool) -> tuple[Integers, Integers, Floats]:
        """Rows of the first member with their intervals, in rising order, and what they cost with what is around."""
        position = self.space.positions[members[0]]
        tables = [position.tables[1], *(table for _, table in sorted(position.streams.items()))]
        rows = np.concatenate([np.arange(t.start, t.stop) for t in tables])
        rows = rows[np.argsort(self.space.rows.interval[rows], kind="stable")]
        cost = self.space.rows.cost[rows] * 1.0
        if len(members) == 1:
            cost = cost + self.around(members, rows[None, :], comes, goes)
        return rows, self.space.rows.interval[rows], cost

    def _first(self, group: _Group, price: tuple[float, ...]) -> Integers:
        """For every place in the group the cheapest row up to there (1, rows)."""
        score = np.round(group.cost @ self._shares(price) + BANDWIDTH * self._busy(group.rows), 12)
        return group.rows[_running(score)][None, :]

    def _chained(
        self, members: Sequence[int], group: _Group, price: tuple[float, ...], comes: bool, goes: bool
    ) -> Integers:
        """The same with the chain's rows, which must see the same slices (members, rows)."""
        positions = [self.space.positions[p] for p in members]
        best = np.stack([self.rows(p.tables[1], price, group.interval) for p in positions])
        least = self._score(best, price)
        for slices in sorted(positions[0].streams):
            rows = np.stack([self.rows(p.streams[slices], price, group.interval) for p in positions])
            score = self._score(rows, price) + self.around(members, rows, comes, goes) @ self._shares(price)
            best, least = np.where(score < least, rows, best), np.minimum(score, least)
        return best

    def around(self, members: Sequence[int], rows: Integers, comes: bool, goes: bool) -> Floats:
        """What stands around streamed rows (members, …): tiles that wait, what puts slices together (…, resources)."""
        space, streams, catalogue = self.space, self.space.rows.streams, self.space.catalogue
        head, end = space.rows.sliced[rows[0]], space.rows.sliced[rows[-1]]
        place = np.searchsorted(streams.tiles, streams.tile[head])
        cost: Floats = streams.gather_cost[end, np.minimum(place, len(streams.tiles) - 1)] * 1.0
        tensor = space.tensors[space.tensor_of(members[-1])]
        lanes = space.rows.lanes_out[rows[-1]]
        after = streams.tile[head] * tensor.pixels * -(-tensor.channels // lanes), lanes * tensor.bits
        bits = space.positions[members[0]].numbers.inputs[0].bits
        before = streams.tile[head] * streams.front[head], space.rows.lanes_in[rows[0]] * bits
        for (words, width), waits in ((before, not comes), (after, not goes)):
            if waits:
                found = catalogue.fifo_cost(fifo_depth(np.maximum(words, STREAM_DEPTH)), width)
                cost = cost + np.stack([found[name] for name in RESOURCES], axis=-1)
        found_cost: Floats = cost * (head > 0)[..., None]
        return found_cost

    def moved(self, rows: Integers) -> Floats:
        """Port words of streamed weights that a frame takes."""
        streams, record = self.space.rows.streams, self.space.rows.sliced[rows]
        words: Floats = streams.slices[record] * streams.words[record] / streams.tile[record]
        return words

    def _score(self, rows: Integers, price: tuple[float, ...]) -> Floats:
        """Of rows (members, targets) together, infinite where one is missing."""
        found = self.space.rows.cost[rows] @ self._shares(price) + BANDWIDTH * self._busy(rows)
        score: Floats = np.where(rows >= 0, np.round(found, 12), np.inf).sum(axis=0)
        return score

    def _busy(self, rows: Integers) -> Floats:
        """Part of the memory's time that streamed weights take where the row sets the pace."""
        cycles = self.moved(rows) * self.space.memory.word_cycles(self.space.clock_mhz)
        busy: Floats = cycles / np.maximum(self.space.rows.interval[rows], 1)
        return busy

    def _shares(self, price: tuple[float, ...]) -> Floats:
        limits = np.array([max(self.space.limits[name], 1) for name in RESOURCES])
        shares: Floats = np.array(price) / limits
        return shares

    def _running_minimum(self, table: Table, price: tuple[float, ...]) -> Integers:
        cost = self.space.rows.cost[table.start : table.stop]
        busy = BANDWIDTH * self._busy(np.arange(table.start, table.stop))
        return _running(np.round(cost @ self._shares(price) + busy, 12))


def _running(score: Floats) -> Integers:
    """For every place the place of the least score up to there; of equal ones the first."""
    best = np.minimum.accumulate(score)
    place = np.where(score <= best, np.arange(len(score)), 0)
    # Of equal scores the first, fastest row stays.
    place[1:] = np.where(score[1:] < best[:-1], place[1:], 0)
    found: Integers = np.maximum.accumulate(place)
    return found


def _looked_up(interval: Integers, rows: Integers, targets: Integers) -> Integers:
    """Rows (members, …) for targets, -1 where none meets one."""
    place = np.searchsorted(interval, targets, "right") - 1
    return np.where(place >= 0, rows[:, np.maximum(place, 0)], -1)
