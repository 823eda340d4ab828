"""Which rows of shares a partition can hold: of a reloaded layer, the last weighted one, and of streamed layers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from flow.explore.connectors import Connectors
from flow.explore.groups import by_partition
from flow.explore.space import Space

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


def misplaced(space: Space, part: Integers, passes: Integers, leaves: Booleans) -> Integers:
    """Of every design the rows that stand for passes where there can be none, or miss where there are (P,).

    Args:
        part, passes: partition and number of passes of every position (P, L).
        leaves: whether a position's tensor is written to memory (P, L).
    """
    wrong = np.zeros(len(part), np.int64)
    reloaded = passes > 1
    if not reloaded.any():
        return wrong
    designs = np.arange(len(part))
    last = np.ones(part.shape, bool)
    last[:, :-1] = part[:, 1:] != part[:, :-1]
    most = by_partition(np.maximum, passes, part, int(part[:, -1].max()) + 1)
    # Every written tensor is placed by its pass, so only the end of the chain may leave.
    wrong += (leaves & (most[designs[:, None], part] > 1) & ~last).sum(axis=1)
    allowed = np.zeros(part.shape, bool)
    for p, position in enumerate(space.positions):
        if not position.weighted:
            continue
        members = [p, *position.tail]
        inside = part[:, members] == part[:, p][:, None]
        for q, here in zip(members, inside.T, strict=True):
            same = passes[:, q] == passes[:, p]
            allowed[:, q] |= reloaded[:, p] & here & same
            wrong += reloaded[:, p] & here & ~same
        ends = np.where(inside, np.array(members), p).max(axis=1)
        wrong += reloaded[:, p] & ~last[designs, ends]
    wrong += (reloaded & ~allowed).sum(axis=1)
    return wrong


def broken_chains(space: Space, rows: Integers, links: Connectors) -> Integers:
    """Of every design the rows that see other slices than the layer in front of them, or should see some (P,)."""
    slices = space.rows.slices[rows]
    wrong = np.zeros(len(rows), np.int64)
    if not (slices > 1).any():
        return wrong
    fed = np.zeros(slices.shape, bool)
    for e, edge in enumerate(space.edges):
        inner, p = links.inner[:, e], edge.tensor - space.inputs
        if inner.any():
            wrong += inner & (slices[:, p] != slices[:, edge.reader])
            fed[:, edge.reader] |= inner
    weighted = np.array([p.weighted for p in space.positions])
    wrong += ((slices > 1) & ~weighted & ~fed).sum(axis=1)
    return wrong
