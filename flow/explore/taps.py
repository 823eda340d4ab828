"""Who reads what from where, for a whole population: crossings through memory and forks, from the cuts alone.

crossing   an edge's tensor comes from memory: from another partition, or it is the network's input
owns       the first reader of such a tensor in its partition: it stands for the memory reader
direct     its only reader there: the stream comes straight from the memory port
leaves     a position's tensor is written to memory
forks      modules that an edge's words pass before they are its own
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flow.explore.space import Space

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Taps:
    """Masks of P designs over E edges and L positions.

    Attributes:
        home: (P, E) partition of an edge's reader.
        crossing, owns, direct, forks: (P, E).
        fork_modules: (P, E) whether the edge is the reason for one more fork.
        leaves: (P, L).
        written_forks: (P, L) forks in front of a position's memory port.
        first_edge: (L,) the first reader of a position's tensor, whose fork also feeds the memory port.
    """

    home: Integers
    crossing: Booleans
    owns: Booleans
    direct: Booleans
    forks: Integers
    fork_modules: Booleans
    leaves: Booleans
    written_forks: Integers
    first_edge: Integers


def taps_of(space: Space, part: Integers) -> Taps:
    """The masks of a population whose positions lie in partitions `part` (P, L)."""
    count, edges = len(part), len(space.edges)
    taps = Taps(
        part[:, [e.reader for e in space.edges]],
        np.ones((count, edges), bool),
        np.zeros((count, edges), bool),
        np.zeros((count, edges), bool),
        np.zeros((count, edges), np.int64),
        np.zeros((count, edges), bool),
        np.zeros(part.shape, bool),
        np.zeros(part.shape, np.int64),
        np.zeros(len(space.positions), np.int64),
    )
    for tensor in space.tensors:
        readers = list(tensor.readers)
        homes = taps.home[:, readers]
        inside, leaving = np.zeros_like(homes, bool), np.zeros(count, bool)
        if tensor.producer >= 0:
            inside = homes == part[:, tensor.producer][:, None]
            leaving = ~inside.all(axis=1) | tensor.is_output
            taps.leaves[:, tensor.producer] = leaving
            taps.written_forks[:, tensor.producer] = leaving & inside.any(axis=1)
            taps.first_edge[tensor.producer] = readers[0] if readers else 0
        _share(taps, readers, homes, inside, leaving)
    return taps


def _share(taps: Taps, readers: list[int], homes: Integers, inside: Booleans, leaving: Booleans) -> None:
    """Readers in one partition share a stream, memory first: the i-th of K taps lies behind min(i + 1, K - 1) forks."""
    for k, e in enumerate(readers):
        mates = homes == homes[:, k][:, None]
        written = leaving & inside[:, k]
        order = mates[:, :k].sum(axis=1) + written
        count = mates.sum(axis=1) + written
        taps.crossing[:, e] = ~inside[:, k]
        taps.owns[:, e] = taps.crossing[:, e] & (order == 0)
        taps.direct[:, e] = taps.crossing[:, e] & (count == 1)
        taps.forks[:, e] = np.minimum(order + 1, count - 1)
        taps.fork_modules[:, e] = order > 0
