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

from collections.abc import Sequence
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
    """Of a stream: how much later than that of a frame alone the first and the last frame's last word can be read.

    Attributes:
        burst, gap: so many last frames follow each other in so many cycles, closer than others.
    """

    first: Any
    last: Any
    burst: Any
    gap: Any


def together(words: Sequence[Any], came: Sequence[Batch]) -> Batch:
    """Of a module that reads several streams; `words`: cycles in which each one's last word of a frame alone comes."""
    first, last, burst, gap = words[0] + came[0].first, words[0] + came[0].last, came[0].burst, came[0].gap
    alone = words[0]
    for own, other in zip(words[1:], came[1:], strict=True):
        later = own + other.last > last
        burst, gap = np.where(later, other.burst, burst), np.where(later, other.gap, gap)
        first, last = np.maximum(first, own + other.first), np.maximum(last, own + other.last)
        alone = np.maximum(alone, own)
    return Batch(first - alone, last - alone, burst, gap)


def from_memory(interval: Any, batch: int) -> Batch:
    """Of frames that come from memory in so many cycles each."""
    return Batch(interval * 0.0, (batch - 1) * interval * 1.0, interval * 0.0 + 1.0, interval * 1.0)


def through(came: Batch, interval: Any, burst_interval: Any, batch: int) -> Batch:
    """Behind a module.

    Args:
        interval: cycles of a frame; `burst_interval` of one in a burst, of one share where it sees slices.
    """
    last = came.last + (came.burst - 1.0) * np.maximum(burst_interval - came.gap, 0.0)
    last = np.maximum(last, came.first + (batch - 1) * interval)
    return Batch(came.first, last, came.burst, np.maximum(came.gap, burst_interval))


def streamed(came: Batch, slices: Any, tile: Any, steps: Any, words: Any, batch: int) -> Batch:
    """Behind a streamed layer, in the last of its slices."""
    begin, rest = np.minimum(tile, batch), last_tile(batch, tile)
    pace = (came.last - came.first) / max(batch - 1, 1)
    one, first_trips, rest_trips, trips = (slice_trips(n, tile, steps, words) for n in (1, begin, rest, tile))
    # A frame alone waits for all slices but one; those of a tile wait for each other, then for the others' slices.
    alone = (slices - 1) * one
    first = came.first + (begin - 1) * np.maximum(pace, steps)
    first = first + ((slices - 1) * first_trips - (begin - 1) * steps - alone)
    gap = np.where(came.burst >= rest, came.gap, pace)
    last = came.last + (rest - 1) * np.maximum(steps - gap, 0.0)
    last = last + ((slices - 1) * rest_trips - alone)
    tiles = -(-batch // tile) - 1
    work = came.first + (slices * tiles * trips + (slices - 1) * rest_trips + (rest - 1) * steps - alone)
    # A burst of several tiles is worked off from its first frame on.
    burst = came.last - (came.burst - 1.0) * came.gap + (came.burst * (slices * trips) / tile - (steps + alone))
    return Batch(first, np.maximum(np.maximum(last, work), burst), rest * 1.0, steps * 1.0)
