"""Geometry of the charts: a batch over time, and the Pareto front. The templates only write down what is computed here.

Drawn by hand as SVG: the page must stand alone, open without a network and stay small; a plotting library would bring
tens of megabytes of dependencies for two charts of rectangles and circles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flow.report.axis import Axis, Tick, from_zero
from flow.report.records import PartitionTime, Point
from flow.report.text import count, percent, seconds, significant, time_scale

WIDTH = 1120
_LEFT, _RIGHT, _ROW, _THIN = 118, 150, 26, 1.0
_SPLIT_PASSES = 24
"""Up to this many passes each is drawn; more are drawn as one load and one stream."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time: `kind` is reconfigure | load | stream."""

    kind: str
    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """One partition of the chart of a batch."""

    y: float
    label: str
    segments: tuple[Segment, ...]
    note_x: float
    note: str


@dataclass(frozen=True, slots=True)
class Gantt:
    """A batch over time."""

    width: int
    height: int
    left: int
    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]


def gantt(partitions: Sequence[PartitionTime]) -> Gantt:
    """Reconfiguration, weights and streaming of every partition, one row each, one after the other."""
    total = sum(p.total_s for p in partitions)
    axis = Axis(0.0, total or 1.0, _LEFT, WIDTH - _RIGHT)
    rows, start = [], 0.0
    for k, part in enumerate(partitions):
        segments = tuple(_segments(part, start, axis))
        start += part.total_s
        note = f"{seconds(part.total_s)}, {percent(part.total_s / total if total else 0.0)}"
        rows.append(Row(k * _ROW + 4, f"partition {part.index}", segments, axis.at(start) + 8, note))
    height = len(rows) * _ROW + 30
    size, unit = time_scale(total)
    return Gantt(WIDTH, height, _LEFT, tuple(rows), axis.ticks(unit, size, wanted=8))


def _segments(part: PartitionTime, start: float, axis: Axis) -> Iterator[Segment]:
    spans = [("reconfigure", part.reconfiguration_s, "reconfigure")]
    drawn = part.passes if part.passes <= _SPLIT_PASSES else 1
    for k in range(drawn):
        which = f", pass {k + 1} of {part.passes}" if drawn > 1 else f", {part.passes} passes" * (part.passes > 1)
        spans.append(("load", part.load_s / drawn, f"load weights{which}"))
        spans.append(("stream", part.compute_s / drawn, f"stream{which}"))
    for kind, span, title in spans:
        if span > 0:
            left, right = axis.at(start), axis.at(start + span)
            yield Segment(kind, left, max(_THIN, round(right - left, 1)), f"{title}: {seconds(span)}")
        start += span


@dataclass(frozen=True, slots=True)
class Dot:
    """A design of the front."""

    x: float
    y: float
    chosen: bool
    title: str


@dataclass(frozen=True, slots=True)
class Scatter:
    """Throughput over one cost."""

    title: str
    x_label: str
    width: int
    height: int
    left: int
    bottom: int
    dots: tuple[Dot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


_PLOT = (540, 300, 64, 254)


def scatters(points: Sequence[Point]) -> tuple[Scatter, ...]:
    """Throughput against latency, and against multipliers; nothing without a front."""
    if not points:
        return ()
    size, unit = time_scale(max(p.latency_s for p in points))
    latencies = [p.latency_s / size for p in points]
    plots = [_scatter("Throughput and latency", f"latency of one frame, {unit}", points, latencies)]
    if any(p.resources.get("dsp") for p in points):
        multipliers = [p.resources.get("dsp", 0) for p in points]
        plots.append(_scatter("Throughput and multipliers", "DSP", points, multipliers))
    return tuple(plots)


def _scatter(title: str, label: str, points: Sequence[Point], costs: list[float]) -> Scatter:
    width, height, left, bottom = _PLOT
    x = from_zero(costs, left, width - 16)
    y = from_zero([p.throughput_fps for p in points], bottom, 14)
    ordered = sorted(zip(points, costs, strict=True), key=lambda pair: (pair[0].chosen, pair[0].throughput_fps))
    dots = tuple(Dot(x.at(cost), y.at(p.throughput_fps), p.chosen, _tip(p)) for p, cost in ordered)
    return Scatter(title, label, width, height, left, bottom, dots, x.ticks(), y.ticks())


def _tip(p: Point) -> str:
    words = [f"{significant(p.throughput_fps)} fps", f"{seconds(p.latency_s)} latency"]
    words += [f"{count(p.resources[k])} {k}" for k in ("dsp", "bram18", "lut") if p.resources.get(k)]
    words += [f"{p.partitions} partition{'s' if p.partitions != 1 else ''}"] if p.partitions else []
    named = "" if p.number is None else f"point {p.number}: "
    return ("chosen, " if p.chosen and named else "chosen: " if p.chosen else "") + named + ", ".join(words)
