"""When a frame passes through a pipeline from cold, never waiting downstream.

A module runs through its trips one a cycle, but none before the word that it takes has come; what it gives comes out
behind its pipeline's stages. At the points of a frame (`flow.model.curves`), with A the cycles from which the input's
words can be read:

    ahead[j] = max( header + 1, max over j' <= j of A[j'] - read[j'] )
    held[i]  = max over i' <= i of max( ahead[low[i']], A(word that i' needs) - need[i'] )
    out[i]   = held[i] + write[i] + depth + 1

The maximum over all points in front of an output is what a two-point description misses: a burst that came late is
still being worked off when the frame ends. Between points A is even. Headers run ahead of the frames through the same
modules. Cycles are floats in arrays (POINTS, …).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.model.curves import POINTS, Grid, Trips

Floats = npt.NDArray[np.float64]

HEADER_BITS = 32


def header_words(bits: int) -> int:
    """Words in front of the frames of a stream of values of so many bits."""
    return max(1, -(-HEADER_BITS // bits))


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """Cycles from which the words at a stream's points can be read (POINTS, …), and the header's last word (…)."""

    words: Any
    header: Any


def joined(arrivals: list[Arrival], header: int) -> Arrival:
    """A module that reads several streams waits for the latest; it takes headers of `header` words one by one."""
    words, ready = arrivals[0].words, arrivals[0].header
    for other in arrivals[1:]:
        words, ready = np.maximum(words, other.words), np.maximum(ready + header, other.header)
    return Arrival(words, ready)


def passed(came: Arrival, own: Trips, at: Grid, delay: Any, header: Any, start: Any = 0) -> Arrival:
    """What comes out of a module.

    Args:
        came: its joined input.
        delay: cycles from a trip to the word that it gives.
        header: words of headers that it gives.
        start: cycle before which it takes no frame.
    """
    ready = came.header + header
    ahead = np.maximum.accumulate(came.words - own.read, axis=0)
    ahead = np.maximum(ahead, np.maximum(ready, start) + 1)
    if at.even:
        return Arrival(ahead + own.write + delay, ready + delay)
    needed = _needed(came.words, at)
    held = np.maximum.accumulate(np.maximum(ahead[at.low], needed - own.need), axis=0)
    return Arrival(held + own.write + delay, ready + delay)


def _needed(words: Any, at: Grid) -> Any:
    """Cycles from which the words can be read that a module's outputs need."""
    column = (POINTS, *(1,) * (words.ndim - 1))
    nearest = words[at.low]
    rows = (words[np.minimum(at.low + 1, POINTS - 1)] - nearest) * at.between.reshape(column)
    return nearest + rows + (words[-1] - words[-2]) * at.inside.reshape(column)


def delayed(came: Arrival, delay: Any, header: Any) -> Arrival:
    """What comes out of a module that passes every word on in the cycle in which it comes, such as a fork."""
    return Arrival(came.words + delay, came.header + delay + header)


def even(
    came: Arrival, inputs: Floats, interval: Any, fill: Any, drain: Any, delay: Any, header: int
) -> Arrival:  # fmt: skip
    """What comes out of a module that takes a frame's words evenly over `interval` trips, and gives them evenly.

    The same as `passed` with `read = write - fill = inputs * interval`, but for the last word.
    """
    ready = came.header + header
    trips = inputs.reshape(POINTS, *(1,) * np.ndim(interval)) * interval
    ahead = came.words - trips
    ahead[-1] += drain + 1
    np.maximum.accumulate(ahead, axis=0, out=ahead)
    np.maximum(ahead, ready + 1, out=ahead)
    ahead += trips
    ahead += fill + delay
    ahead[-1] -= fill + 1
    return Arrival(ahead, ready + delay)


def source(first: Any, last: Any, inputs: Floats, delay: Any, header: int) -> Arrival:
    """The output of a memory reader whose first and last words come in these cycles, evenly; its header comes first."""
    first = np.asarray(first, np.float64)
    column = inputs.reshape(POINTS, *(1,) * first.ndim)
    return Arrival(column * (last - first) + (first + delay), header + delay)
