"""Geometry of the pipeline's picture: a band a partition, a box a layer, wrapped like text, the bottleneck marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.report.analysis import busy
from flow.report.records import Layer
from flow.report.text import count, folding_text, percent, shorten

WIDTH = 1120
_BOX, _HEIGHT, _GAP, _ROW, _TOP = 118, 58, 22, 86, 16
_SMALL = 12
_MARGIN = 8
_BUSY = 98
"""Width of the bar inside a box at 100 %."""


@dataclass(frozen=True, slots=True)
class Box:
    """A module; `small` ones only move data. Lengths in pixels."""

    x: float
    y: float
    width: float
    height: float
    name: str
    detail: str
    busy: float
    bottleneck: bool
    small: bool
    title: str

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    @property
    def right(self) -> float:
        return self.x + self.width


@dataclass(frozen=True, slots=True)
class Wire:
    """A path from one module to the next; `skip` ones jump over others."""

    path: str
    skip: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """One partition."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]


def picture(layers: Sequence[Layer], paces: dict[int, int], slowest: Layer | None) -> Picture:
    """Boxes in topological order, wrapped at the page's width, with the wires between them."""
    boxes: list[Box] = []
    x, y = float(_MARGIN), float(_TOP)
    for item in layers:
        width = _BOX if item.computes else _SMALL
        if x + width > WIDTH - _MARGIN and boxes:
            x, y = float(_MARGIN), y + _ROW
        boxes.append(_box(item, (x, y), busy(item, paces), item is slowest))
        x += width + _GAP
    height = int(y) + _ROW - 14
    return Picture(WIDTH, height, tuple(boxes), _wires(layers, boxes))


def _box(item: Layer, corner: tuple[float, float], load: float, bottleneck: bool) -> Box:
    name = item.label
    title = (
        f"{name} ({item.ip}): {count(item.interval_cycles)} cycles a frame, busy {percent(load)}, "
        f"{folding_text(item.folding, item.macs > 0)}, {count(item.resources.get('dsp', 0))} DSP"
    )
    detail = item.operator.replace("_", " ")
    return Box(
        x=corner[0],
        y=corner[1],
        width=_BOX if item.computes else _SMALL,
        height=_HEIGHT,
        name=shorten(name, 13),
        detail=shorten(detail, 16),
        busy=round(load * _BUSY, 1),
        bottleneck=bottleneck,
        small=not item.computes,
        title=title,
    )


def _wires(layers: Sequence[Layer], boxes: Sequence[Box]) -> tuple[Wire, ...]:
    """From every module to those that read it; a producer of another partition has no box and no wire."""
    place: dict[str, int] = {}
    wires: list[Wire] = []
    for k, item in enumerate(layers):
        sources = {place[name] for name in item.inputs if name in place}
        wires += [_wire(boxes[s], boxes[k], k - s > 1) for s in sorted(sources)]
        place[item.name] = k
    return tuple(wires)


def _wire(start: Box, end: Box, skip: bool) -> Wire:
    if start.y == end.y and not skip:
        return Wire(f"M{start.right:g} {start.middle:g}H{end.x:g}", False)
    if start.y == end.y:
        a, b, top = start.x + start.width * 0.75, end.x + end.width * 0.25, start.y - 14
        return Wire(f"M{a:g} {start.y:g}C{a:g} {top:g} {b:g} {top:g} {b:g} {end.y:g}", True)
    low, high = start.y + start.height + 14, end.x + end.width / 2
    a = start.x + start.width / 2
    return Wire(f"M{a:g} {start.y + start.height:g}V{low:g}H{high:g}V{end.y:g}", skip)
