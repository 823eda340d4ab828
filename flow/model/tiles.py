"""Cycles of layers whose weights are streamed: how often a frame passes, and when a batch of tiles ends.

With `slices` shares of the filters, and L cycles of the slowest module that sees them for a frame of one share:

    frame  = (slices - 2) * L + max(L, cycles in which a frame comes) + max(L, cycles in which one goes)

since a tile comes while the first share multiplies and goes while the last one does. A share of f frames takes
`slice_trips`: a full tile hides the load of the next share unless that is longer; a short one does not wait for it.

Frames of a tile wait for each other, so a batch takes longer than its intervals and one frame. A `Batch` follows the
first and the last frame through the modules: a module ends when its input has ended and it has worked off what came
in a burst, or when it has worked on all frames since the first, whichever is later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

SETTLE = 4
"""Trips behind a late load until its last word can be read (`ip_templates/common/memory.hpp`)."""


def slice_trips(frames: Any, tile: Any, steps: Any, words: Any) -> Any:
    """Trips of one share for `frames` frames of a tile, `steps` each, while `words` words of the next are loaded."""
    work = frames * steps
    late = np.maximum(words - work, 0) + SETTLE
    return work + np.where((frames < tile) | (work < words + SETTLE), late, 0)


def frame_cycles(slices: Any, inside: Any, comes: Any, goes: Any) -> Any:
    """Cycles from frame to frame of a streamed layer."""
    return (slices - 2) * inside + np.maximum(inside, comes) + np.maximum(inside, goes)


def last_tile(batch: int, tile: Any) -> Any:
    """Frames of the last tile of a batch."""
    return batch - (-(-batch // tile) - 1) * tile


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Of a stream: cycles in which the first and the last frame's last word can be read.

    Attributes:
        burst, gap: so many last frames follow each other in so many cycles, closer than others.
    """

    first: Any
    last: Any
    burst: Any
    gap: Any


def together(one: Batch, other: Batch) -> Batch:
    """Of a module that reads both streams."""
    later = other.last > one.last
    burst, gap = np.where(later, other.burst, one.burst), np.where(later, other.gap, one.gap)
    return Batch(np.maximum(one.first, other.first), np.maximum(one.last, other.last), burst, gap)


def through(came: Batch, delay: Any, interval: Any, burst_interval: Any, batch: int) -> Batch:
    """Behind a module.

    Args:
        delay: cycles from a frame's last word in to its last word out.
        interval: cycles of a frame; `burst_interval` of one in a burst, of one share where it sees slices.
    """
    first = came.first + delay
    last = came.last + delay + (came.burst - 1) * np.maximum(burst_interval - came.gap, 0)
    return Batch(
        first, np.maximum(last, first + (batch - 1) * interval), came.burst, np.maximum(came.gap, burst_interval)
    )


def streamed(came: Batch, delay: Any, slices: Any, tile: Any, steps: Any, words: Any, batch: int) -> Batch:
    """Behind a streamed layer, in the last of its slices; `delay`: of a frame in the first one."""
    begin, rest = np.minimum(tile, batch), last_tile(batch, tile)
    pace = (came.last - came.first) / max(batch - 1, 1)
    first_trips, rest_trips, trips = (slice_trips(n, tile, steps, words) for n in (begin, rest, tile))
    first = came.first + delay + (begin - 1) * np.maximum(pace, steps)
    first = first + first_trips - begin * steps + (slices - 2) * first_trips + steps
    gap = np.where(came.burst >= rest, came.gap, pace)
    last = came.last + delay + (rest - 1) * np.maximum(steps - gap, 0)
    last = last + rest_trips - rest * steps + (slices - 2) * rest_trips + rest * steps
    tiles = -(-batch // tile) - 1
    work = came.first + delay + slices * (tiles * trips + rest_trips) - (rest_trips - rest * steps) - steps
    return Batch(first, np.maximum(last, work), rest + np.zeros_like(first), steps + np.zeros_like(first))
