"""Where in a frame words pass: a stream's words at a few points of a frame, and the trips of a module that they meet.

A frame is not even: a window's rows of padding take no input, a strided window gives its outputs in every second row,
and what it then gives in one burst the next layer has not yet worked off when the frame ends. So a stream is known at
`POINTS` points: the first words of some rows, the first and the last two among them, and the frame's last word. A
module is known by the trips, counted from its frame's first one, in which it takes and gives these words.

    read[j]    takes the input word at point j
    write[i]   gives the output word at point i
    need[i]    takes the last input word that write[i] cannot do without
    low[i]     the last input point at or in front of that word; `between` is the share of rows from there to the next
               point, `inside` the word's share of its row: rows come in bursts as long as the last one
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.model.datasheet import Catalogue

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

POINTS = 6
WHOLE_FRAME = ("global_pool", "inner_product")
"""Modules whose first output needs the whole frame."""


def rows_of(shape: Sequence[int]) -> int:
    """Rows of pixels of a frame (channels first); pixels where there is one row of them."""
    spatial = shape[1:]
    rows = math.prod(spatial[:-1])
    return rows if rows > 1 else math.prod(spatial)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The points of a module's input and output, whatever its folding; all (POINTS,).

    Attributes:
        inputs, outputs: shares of a frame in front of each point, 1 for the last word.
        low, between, inside: the input that each output point needs.
        in_pixel, out_pixel, need_pixel: numbers of the pixels, for modules whose trips are uneven.
        needs_last: whether the frame's last pixel is needed.
        even: whether output points need the input's points: nothing lies between.
    """

    inputs: Floats
    outputs: Floats
    low: Integers
    between: Floats
    inside: Floats
    in_pixel: Integers
    out_pixel: Integers
    need_pixel: Integers
    needs_last: npt.NDArray[np.bool_]
    even: bool


@dataclass(frozen=True, slots=True, eq=False)
class Trips:
    """Of a module or of many: (POINTS, …) each."""

    read: Floats
    write: Floats
    need: Floats


@cache
def points(rows: int) -> Floats:
    """Shares of a frame of so many rows in front of its points."""
    return np.append(_rows(rows) / rows, 1.0)


def grid(ip: str, parameters: Mapping[str, Any], rows: int) -> Grid:
    """Points of a module whose input has `rows` rows."""
    if "kernel_h" in parameters:
        return _windowed(parameters)
    if ip in ("resize", "depth_to_space"):
        return _enlarged(parameters, "factor" if ip == "resize" else "block")
    if ip not in WHOLE_FRAME:
        return even_grid(rows)
    low, none, pixels = np.full(POINTS, POINTS - 1), np.zeros(POINTS), np.zeros(POINTS, np.int64)
    return Grid(points(rows), points(1), low, none, none, pixels, pixels, pixels, np.ones(POINTS, bool), False)


@cache
def even_grid(rows: int) -> Grid:
    """Of a module that passes a frame on word by word."""
    at, none, pixels = points(rows), np.zeros(POINTS), np.zeros(POINTS, np.int64)
    return Grid(at, at, np.arange(POINTS), none, none, pixels, pixels, pixels, np.zeros(POINTS, bool), True)


def trips(catalogue: Catalogue, ip: str, parameters: Mapping[str, Any], at: Grid, figures: Mapping[str, Any]) -> Trips:
    """Trips of a module at its points.

    Args:
        parameters: numbers, or arrays of one shape, which then is the shape of the points' columns.
        figures: `interval`, `fill` and `drain` from its data sheet, of that shape.
    """
    sheet = catalogue.sheets[ip]
    interval, fill, drain = (np.asarray(figures[name], np.float64) for name in ("interval", "fill", "drain"))
    if sheet.pixels is None:
        return even_trips(at, interval, fill, drain)
    shape = (POINTS, *interval.shape)

    def counted(which: str, pixel: Integers) -> Floats:
        column = pixel.reshape(POINTS, *(1,) * interval.ndim)
        found = sheet.trips(which, parameters, column, catalogue.dsp_type)
        return np.broadcast_to(np.asarray(found, np.float64), shape).copy()

    read, write, needed = (
        counted("read", at.in_pixel), counted("write", at.out_pixel), counted("read", at.need_pixel)
    )  # fmt: skip
    write[-1] = counted("last", at.out_pixel)[-1]
    read[-1] = write[-1] - drain
    needed[at.needs_last] = read[-1]
    return Trips(read, write, needed)


def even_trips(at: Grid, interval: Any, fill: Any, drain: Any) -> Trips:
    """Of a module that takes a frame's words evenly and, from its first one on, gives them evenly."""
    column = (POINTS, *(1,) * np.ndim(interval))
    read = np.floor(at.inputs.reshape(column) * interval)
    write = np.floor(at.outputs.reshape(column) * interval) + fill
    write[-1] = interval - 1
    read[-1] = interval - 1 - drain
    return Trips(read, write, read[at.low])


def _rows(rows: int) -> Integers:
    """Numbers of the rows at whose start a point lies: thirds of a frame, and its last two."""
    return np.maximum.accumulate(np.array([0, rows // 3, 2 * rows // 3, max(rows - 2, 0), rows - 1]))


def _windowed(parameters: Mapping[str, Any]) -> Grid:
    size, out = _sizes(parameters, "in"), _sizes(parameters, "out")
    return _uneven(size, out, _needed(parameters, size, np.unravel_index(_pixels(out), out)))


def _enlarged(parameters: Mapping[str, Any], name: str) -> Grid:
    """A position along an axis needs the nearest input position or the next one; what repeats, all of its rows.

    `name`: of the parameters that hold the factors.
    """
    size = _sizes(parameters, "in")
    factors = [int(parameters[f"{name}_{axis}"]) for axis in "dhw"]
    out = (size[0] * factors[0], size[1] * factors[1], size[2] * factors[2])
    repeats = np.zeros(POINTS, bool)
    corner = []
    for at, most, factor in zip(np.unravel_index(_pixels(out), out), size, factors, strict=True):
        need, before = (_neighbour(parameters, place, most, factor) for place in (at, at - 1))
        corner.append(np.where(repeats, most - 1, need))
        repeats = repeats | ((at > 0) & (need == before))
    return _uneven(size, out, np.ravel_multi_index(tuple(corner), size))


def _neighbour(parameters: Mapping[str, Any], at: Integers, most: int, factor: int) -> Integers:
    """The input position, of two the later, that an output position takes (`slope`, `offset`, `divisor`)."""
    if not parameters.get("linear"):
        return at // factor
    coordinates = parameters["coordinates"]
    slope = (1, 2, most - 1)[coordinates]
    offset = 1 - factor if coordinates == 1 else 0
    divisor = (factor, 2 * factor, max(1, most * factor - 1))[coordinates]
    return np.clip(-(-(slope * at + offset) // divisor), 0, most - 1)


def _uneven(size: tuple[int, int, int], out: tuple[int, int, int], need: Integers) -> Grid:
    """Of frames of these sizes; `need`: the last input pixels that the output's points need."""
    in_pixel, out_pixel = _pixels(size), _pixels(out)
    rows = rows_of((1, *size))
    row, column = np.divmod(need, math.prod(size) // rows)
    starts = _rows(rows)
    last = need == in_pixel[-1]
    low = np.where(last, POINTS - 1, np.searchsorted(starts, row, "right") - 1)
    between = np.append(np.diff(starts), 0)[np.minimum(low, POINTS - 2)]
    way = np.where(last, 0.0, (row - starts[np.minimum(low, POINTS - 2)]) / np.maximum(between, 1))
    inside = np.where(last, 0.0, column * rows / math.prod(size))
    inputs, outputs = points(rows), points(rows_of((1, *out)))
    return Grid(inputs, outputs, low, way, inside, in_pixel, out_pixel, need, last, False)


def _needed(parameters: Mapping[str, Any], size: tuple[int, int, int], place: tuple[Integers, ...]) -> Integers:
    """The last input pixels that the windows of output pixels need; behind the frame's edge, the edge's last."""
    over = np.zeros(POINTS, bool)
    corner = []
    for axis, at, most in zip("dhw", place, size, strict=True):
        end = at * parameters[f"stride_{axis}"] + parameters[f"kernel_{axis}"] - 1 - parameters[f"pad_{axis}0"]
        corner.append(np.where(over, most - 1, np.clip(end, 0, most - 1)))
        over = over | (end >= most)
    return np.ravel_multi_index(tuple(corner), size)


def _sizes(parameters: Mapping[str, Any], end: str) -> tuple[int, int, int]:
    depth, height, width = (int(parameters[f"{end}_{axis}"]) for axis in "dhw")
    return depth, height, width


def _pixels(size: tuple[int, int, int]) -> Integers:
    """Numbers of the pixels at the points of a frame."""
    pixels, rows = math.prod(size), rows_of((1, *size))
    return np.append(_rows(rows) * (pixels // rows), pixels - 1)
