"""A design's figures with the cycles that the simulation of its built FIFOs found in place of the closed form's.

The search goes by the closed form, which is within a few percent of the simulation; what is reported of the chosen
design is simulated, and says so. Loads of weights, reconfigurations and the sum over a batch stay equations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flow.model.performance import PartitionFigures, Performance
from flow.model.sizing import SizedPartition


def with_simulated_cycles(given: Performance, sized: Sequence[SizedPartition]) -> Performance:
    """Latencies as simulated, and intervals where the simulation is slower.

    `kind` says `simulated` where that holds for all partitions. An interval below the closed form's is the end of a
    run whose memory has nothing more to read, so it does not count. With streamed weights a whole batch is simulated.
    """
    found = {s.index: s for s in sized}
    clock = given.clock_mhz * 1e6
    parts = tuple(_simulated(p, found.get(p.index), given.batch, clock) for p in given.partitions)
    total_s = given.batch / given.throughput_fps + sum(
        n.time_s - p.time_s for n, p in zip(parts, given.partitions, strict=True)
    )
    latency_s = given.latency_s + sum(n.latency_s - p.latency_s for n, p in zip(parts, given.partitions, strict=True))
    kind = dict(given.kind)
    if all(p.index in found for p in given.partitions):
        kind |= {"latency": "simulated", "interval": "simulated"}
    return replace(
        given, partitions=parts, throughput_fps=given.batch / total_s, latency_s=latency_s, kind=kind
    )  # fmt: skip


def _simulated(part: PartitionFigures, found: SizedPartition | None, batch: int, clock: float) -> PartitionFigures:
    if found is None:
        return part
    interval, latency = max(part.interval_cycles, found.interval), found.latency
    later = latency - part.latency_cycles
    last = max(latency, part.moving_cycles) - max(part.latency_cycles, part.moving_cycles)
    longer = (batch - 1) * (interval - part.interval_cycles) + last
    tiles = part.tile_cycles
    if found.batch_cycles:
        before = (batch - 1) * part.interval_cycles + max(part.latency_cycles, part.moving_cycles) + tiles
        longer = found.batch_cycles - before
        tiles = found.batch_cycles - (batch - 1) * interval - max(latency, part.moving_cycles)
    return replace(
        part,
        interval_cycles=interval,
        latency_cycles=latency,
        tile_cycles=tiles,
        time_s=part.time_s + part.passes * longer / clock,
        latency_s=part.latency_s + part.passes * later / clock,
    )
