"""FIFOs of a partition for which there is no room as they were sized: other primitives, or a little less pace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from flow.model.datasheet import Catalogue
from flow.model.hardware import Partition, Stream
from flow.model.resources import BLOCK_DEPTH, RESOURCES, SHIFT_REGISTER_DEPTH
from flow.model.simulation import Schedules, Timing
from flow.model.sizing import Expected, SizedPartition, Sizes, simulated_with, size_partitions

Amounts = dict[str, int]
SLACKS = (0.0, 0.01, 0.02, 0.04, 0.08)
"""Shares of the pace that a partition gives up, one after the other, until its FIFOs fit."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """What FIFOs may take.

    Attributes:
        catalogue: what they cost.
        left: of each resource, what the partition's modules leave for the FIFOs of its tensors.
    """

    catalogue: Catalogue
    left: Mapping[str, int]

    def over(self, used: Mapping[str, int]) -> tuple[str, ...]:
        """Resources that do not suffice."""
        return tuple(name for name in RESOURCES if used[name] > self.left[name])

    def cost(self, stream: Stream, depth: int) -> Amounts:
        """Of one FIFO."""
        cost = self.catalogue.fifo_cost(depth, stream.lanes * stream.bits)
        return {name: int(cost[name]) for name in RESOURCES}

    def total(self, streams: Sequence[Stream], depths: Mapping[str, int]) -> Amounts:
        """Of all FIFOs."""
        costs = [self.cost(s, depths[s.name]) for s in streams]
        return {name: sum(cost[name] for cost in costs) for name in RESOURCES}


def fitted(
    partition: Partition, schedules: Schedules, timing: Timing, expected: Expected, rooms: Rooms, sizes: Sizes
) -> SizedPartition | None:
    """FIFOs that fit and hold the pace, or the nearest slower one of `SLACKS`; None where even those do not fit."""
    if any(m.streamed for m in partition.modules):
        return None  # its tiles stay as deep as the rules have them
    streams = [s for s in partition.streams if s.tensor]
    (right,) = size_partitions([partition], schedules, [timing], [expected], known=sizes)
    for slack in SLACKS:
        slower = Expected(int(expected.interval * (1 + slack)), expected.latency)
        (sized,) = size_partitions([partition], schedules, [timing], [slower], known=sizes)
        depths = with_room(streams, sized.depths(), rooms)
        if depths is not None:
            known = replace(sized, expected=expected, unbounded=right.unbounded)
            return replace(simulated_with(partition, schedules, timing, known, depths), slack=slack)
    return None


def with_room(streams: Sequence[Stream], depths: Mapping[str, int], rooms: Rooms) -> dict[str, int] | None:
    """Depths no less than these that fit: FIFOs in LUTs move to block RAM where LUTs are short; None: they cannot.

    More room never slows a pipeline. The FIFO that saves most LUTs for a block RAM moves first.
    """
    chosen = dict(depths)
    moves = sorted(_moves(streams, chosen, rooms), key=lambda move: (-move[0], move[1]))
    while over := rooms.over(rooms.total(streams, chosen)):
        if "lut" not in over or "bram18" in over or not moves:
            return None
        chosen[moves.pop(0)[1]] = BLOCK_DEPTH
    return chosen


def _moves(streams: Sequence[Stream], depths: Mapping[str, int], rooms: Rooms) -> Iterator[tuple[float, str]]:
    """LUTs saved for a block RAM, and the stream."""
    for stream in streams:
        if depths[stream.name] <= SHIFT_REGISTER_DEPTH:
            now, then = rooms.cost(stream, depths[stream.name]), rooms.cost(stream, BLOCK_DEPTH)
            if now["lut"] > then["lut"]:
                yield (now["lut"] - then["lut"]) / then["bram18"], stream.name
