"""What the numbers say: bottlenecks, shares, distance to the bounds. Pure functions over the records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flow.report.records import Document, Layer, PartitionTime


@dataclass(frozen=True, slots=True)
class Bound:
    """A rate that the design cannot pass, or the design's own. `ratio` is to the largest of them."""

    label: str
    meaning: str
    fps: float
    ratio: float
    own: bool = False


def bounds(performance: Document) -> tuple[Bound, ...]:
    """From the loosest bound down to the design (`bound_ratio*` are fps over each of the bounds)."""
    fps = performance["throughput_fps"]
    binding = performance["binding"]
    rows = [
        ("DSP bound", "every usable multiplier busy in every cycle", performance["bound_fps"], False),
        (f"{binding} binds", "the smallest of the bounds by DSP, LUT, memory and bandwidth",
         _over(fps, performance["bound_ratio_binding"]), False),
        ("own bound", "the DSP bound with this design's reconfigurations charged",
         _over(fps, performance["bound_ratio_own"]), False),
        ("this design", "", fps, True),
    ]  # fmt: skip
    top = max(rate for _, _, rate, _ in rows) or 1.0
    found = [Bound(label, meaning, rate, rate / top, own) for label, meaning, rate, own in rows]
    return tuple(sorted(found, key=lambda b: (b.own, -b.fps)))


def _over(fps: float, ratio: float) -> float:
    return fps / ratio if ratio else 0.0


def bottlenecks(layers: Iterable[Layer]) -> dict[int, Layer]:
    """The slowest module of every partition; of equals the first that computes."""
    slowest: dict[int, Layer] = {}
    for item in layers:
        known = slowest.get(item.partition)
        if known is None or _pace(item) > _pace(known):
            slowest[item.partition] = item
    return slowest


def _pace(item: Layer) -> tuple[int, bool]:
    return item.interval_cycles, item.computes


def busy(item: Layer, intervals: Mapping[int, int]) -> float:
    """Part of its partition's interval in which a module works: 1 for the bottleneck."""
    interval = intervals.get(item.partition, 0)
    return min(1.0, item.interval_cycles / interval) if interval else 0.0


def intervals(partitions: Iterable[PartitionTime]) -> dict[int, int]:
    """Interval of every partition, in cycles."""
    return {p.index: p.interval_cycles for p in partitions}


def slowest_partition(partitions: Iterable[PartitionTime]) -> PartitionTime | None:
    """The partition that takes the largest part of a batch."""
    return max(partitions, key=lambda p: (p.total_s, -p.index), default=None)


def worst(layers: Iterable[Layer], partitions: Iterable[PartitionTime], number: int) -> tuple[Layer, ...]:
    """The layers that decide, by cycles per batch (interval times passes), the longest first."""
    passes = {p.index: p.passes for p in partitions}
    ordered = sorted(
        (item for item in layers if item.computes),
        key=lambda item: (-item.interval_cycles * passes.get(item.partition, 1), item.partition, item.name),
    )
    return tuple(ordered[:number])
