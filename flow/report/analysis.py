"""What the numbers say: bottlenecks, shares, distance to the bounds. Pure functions over the records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flow.report.records import Document, Layer, PartitionTime
from flow.report.text import shown


@dataclass(frozen=True, slots=True)
class Bound:
    """A rate that the design cannot pass, or the design's own.

    Attributes:
        part: length of its bar, 0 … 1; `beyond` if the bar is cut because the bound is far off.
        note: short remark; own: the design itself.
    """

    label: str
    note: str
    fps: float
    part: float
    beyond: bool
    own: bool


_FAR = 1.5
"""Bars end at this multiple of the DSP bound, so that the ones that matter can be told apart."""


def bounds(performance: Document) -> tuple[Bound, ...]:
    """From the loosest bound down to the design."""
    fps, ratio = performance["throughput_fps"], performance["bound_ratio_own"]
    rates = dict(performance.get("bounds_fps") or {"dsp": performance["bound_fps"]})
    binding = performance["binding"]
    rates.setdefault(binding, fps / performance["bound_ratio_binding"])
    notes = {binding: "binds"}
    rows = [(name, notes.get(name, ""), rate) for name, rate in rates.items()]
    if performance["reconfigurations_per_batch"]:
        rows.append(("own dsp bound", "reconfigurations charged", fps / ratio if ratio else 0.0))
    rows.sort(key=lambda row: (-row[2], row[0]))
    rows.append(("this design", "", fps))
    end = min(max(rate for _, _, rate in rows), _FAR * performance["bound_fps"]) or 1.0
    return tuple(
        Bound(name, note, rate, min(1.0, rate / end), rate > end, k == len(rows) - 1)
        for k, (name, note, rate) in enumerate(rows)
    )


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


def slowest_name(partition: PartitionTime, slow: Mapping[int, Layer]) -> str:
    """What sets a partition's interval: a layer, or the off-chip memory that stretches it."""
    item = slow.get(partition.index)
    if item is None or item.interval_cycles < partition.memory_cycles == partition.interval_cycles:
        return "off-chip memory"
    return shown(item.label)


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
