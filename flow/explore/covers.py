"""The cuts that a search starts from: the best for the whole device, and for smaller and smaller parts of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.explore.cuts import cut
from flow.explore.frontier import Frontiers
from flow.explore.segments import Found, Segment, Segments
from flow.explore.space import Space

ROOMS = (1.0, 0.97, 0.92, 0.85, 0.7)
"""Parts of the limits that estimates may use, so that what they leave out still fits."""
SMALLER = tuple(round(0.75**step, 6) for step in range(1, 20))
"""Rooms of the front's smaller designs."""
COVERED = 240
"""Positions that are polished for each of `ROOMS`, whole sets of cuts, at least two and at most eight."""


@dataclass(frozen=True, slots=True)
class Cover:
    """Segments that cover all positions.

    Attributes:
        latency: whether they are for the time of one frame.
        room: that its partitions may take (`flow.explore.room`).
    """

    latency: bool
    room: float
    segments: tuple[Segment, ...]


def covers_of(space: Space, frontiers: Frontiers, kinds: Sequence[bool]) -> tuple[list[Cover], Found]:
    """The best ways to cut, each once, and the estimated solutions of every range, of the first kind.

    For the whole device several ways, with and without streamed weights where these are open, then for each of the
    smaller rooms the fastest.

    `kinds`: for the time of one frame (True) or of a batch.
    """
    most = min(max(COVERED // len(space.positions), 2), 8)
    found = [Segments(space, frontiers, latency).all(ROOMS, SMALLER) for latency in kinds]
    streamed = [Segments(space, frontiers, latency, True).all(ROOMS) for latency in kinds] if space.streamed else []
    whole = [
        Cover(latency, 1.0, tuple(segments))
        for latency, rooms in (*zip(kinds, found, strict=True), *zip(kinds, streamed, strict=False))
        for room in rooms[: len(ROOMS)]
        for segments in cut(space, room)[:most]
    ]
    smaller = [
        Cover(latency, part, tuple(segments))
        for latency, rooms in zip(kinds, found, strict=True)
        for part, room in zip(SMALLER, rooms[len(ROOMS) :], strict=True)
        for segments in cut(space, room)[:1]
    ]
    ranges = found[0][0]
    if streamed:
        more = streamed[0][0]
        ranges = {where: [*ranges.get(where, ()), *more.get(where, ())] for where in sorted({*ranges, *more})}
    return list(dict.fromkeys([*whole, *smaller])), ranges
