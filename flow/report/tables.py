"""The page's tables of partitions and of layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.report.analysis import bottlenecks, busy, intervals, slowest_name, slowest_partition
from flow.report.records import Document, Layer, PartitionTime
from flow.report.text import count, folding_text, percent, scaled, seconds

_PARTITION_RESOURCES = ("dsp", "bram18", "lut")
_LAYER_RESOURCES = ("dsp", "bram18", "lut", "ff")


@dataclass(frozen=True, slots=True)
class PartitionRow:
    """A line of the partitions' table; `uses` are parts of the limits, 0 … 1."""

    cells: tuple[str, ...]
    uses: tuple[float, ...]
    slowest: bool


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A line of the layers' table.

    `busy` is part of the partition's interval; `resources` are amounts with their part of the largest, 0 … 1.
    """

    partition: str
    name: str
    origin: str
    operator: str
    folding: str
    cycles: str
    busy: float
    resources: tuple[tuple[str, float], ...]
    macs: str
    bottleneck: bool


def partition_rows(
    p: Document, times: Sequence[PartitionTime], layers: Sequence[Layer], slow: dict[int, Layer]
) -> tuple[PartitionRow, ...]:
    """One line a partition, in the order in which they run."""
    total = sum(t.total_s for t in times) or 1.0
    rows = []
    for t in times:
        number = sum(item.partition == t.index and item.computes for item in layers)
        spans = tuple(seconds(s) for s in (t.reconfiguration_s, t.load_s, t.compute_s, t.total_s))
        counts = (count(t.interval_cycles), count(t.fill_cycles), percent(t.memory_busy), count(t.passes))
        cells = (str(t.index), count(number), slowest_name(t, slow), *counts, *spans, percent(t.total_s / total))
        uses = tuple(t.resources[k] / (p["resource_limits"][k] or 1) for k in _PARTITION_RESOURCES)
        rows.append(PartitionRow(cells, uses, t is slowest_partition(times) and len(times) > 1))
    return tuple(rows)


def layer_rows(layers: Sequence[Layer], times: Sequence[PartitionTime]) -> tuple[LayerRow, ...]:
    """One line a module, in the order of `layers`."""
    slow, paces = bottlenecks(layers), intervals(times)
    top = {k: max((item.resources[k] for item in layers), default=0) or 1 for k in _LAYER_RESOURCES}
    return tuple(_layer_row(item, busy(item, paces), top, slow[item.partition] is item) for item in layers)


def _layer_row(item: Layer, load: float, top: dict[str, float], bottleneck: bool) -> LayerRow:
    return LayerRow(
        partition=str(item.partition),
        name=item.label,
        origin=item.origin,
        operator=(item.operator or item.ip).replace("_", " "),
        folding=folding_text(item.folding, item.macs > 0),
        cycles=count(item.interval_cycles),
        busy=load,
        resources=tuple((count(item.resources[k]), item.resources[k] / largest) for k, largest in top.items()),
        macs=scaled(item.macs) if item.macs else "–",
        bottleneck=bottleneck,
    )
