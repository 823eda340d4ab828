"""How much of a device designs use: parts of the limits, for designs smaller than the device.

What no design can do without is the smallest form of the layers between two neighbouring cuts that needs most of it. A
room of r leaves r of what is between that and the limit, of those resources that count as a design's size; others have
their whole limit.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.explore.objectives import SHARED
from flow.explore.space import Space
from flow.model.resources import RESOURCES

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def needed(space: Space) -> Integers:
    """Of each resource what some partition takes at least, connectors aside (resources,)."""
    bounds = [0, *space.cuts, len(space.positions)]
    sums = [_least(space, first, end) for first, end in pairwise(bounds)]
    largest: Integers = np.max(sums, axis=0)
    return largest


def _least(space: Space, first: int, end: int) -> Integers:
    """Of positions `first` to `end`, whose last weighted layer may be reloaded with all that is behind it."""
    last = max((p for p in range(first, end) if space.positions[p].weighted), default=end)
    total: Integers = np.zeros(len(RESOURCES), np.int64)
    for p in range(first, end):
        tables, streams = space.positions[p].tables, space.positions[p].streams.values()
        chosen = [tables[1], *streams] if p < last else [*tables.values(), *streams]
        total += np.min([space.rows.cost[t.start : t.stop].min(axis=0) for t in chosen], axis=0)
    return total


class Room:
    """Measures the room that partitions take; `needed` and `spare` are (resources,)."""

    def __init__(self, space: Space) -> None:
        limits = np.array([space.limits[name] for name in RESOURCES])
        self.counts = np.array([name in SHARED for name in RESOURCES])
        self.limits = limits
        self.needed = np.where(self.counts, np.minimum(needed(space), limits), 0)
        self.spare = np.maximum(limits - self.needed, 1e-9)

    def taken(self, resources: Any) -> Floats:
        """The least room for (…, resources) of a partition: (…)."""
        parts = (resources - self.needed) / self.spare
        whole = np.where(resources > self.limits, np.inf, 0.0)
        taken: Floats = np.where(self.counts, parts, whole).max(axis=-1)
        return taken
