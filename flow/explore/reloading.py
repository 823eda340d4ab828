"""Which reloaded layers a partition can hold: the last weighted one, with the channel-wise chain behind it, alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

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
