"""Enlarging in space by whole factors: nearest neighbour, or linear between neighbours along every axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Numbers, shift_round
from flow.ir import Array, Folding, Shape, ShapeError, operator
from flow.operators.hardware import per_axis
from flow.operators.keeps_format import KeepsFormat
from flow.operators.onnx_node import Imported, OnnxNode, Same, Step, Unsupported, from_onnx

COORDINATES = ("asymmetric", "half_pixel", "align_corners")
"""How an output position maps to the input (ONNX's words); the position is the code that the hardware module uses."""

FRACTION_BITS = 12
"""Bits of an interpolation weight that is no power of two's share: at most 2**-13 of two neighbours' distance off."""


@dataclass(frozen=True, slots=True)
class Line:
    """One axis: of each output position the input position that it needs last, and that one's weight.

    The rest of the weight belongs to the position before. `weights` are shares of 1, `integers` the same with
    `fraction` bits, as the hardware has them.
    """

    needed: tuple[int, ...]
    weights: tuple[float, ...]
    integers: tuple[int, ...]
    fraction: int


def line(mode: str, coordinates: str, size: int, factor: int) -> Line:
    """The axis of `size` positions that is enlarged `factor` times; ONNX Resize's definitions of the coordinates."""
    if mode == "nearest":
        return Line(tuple(y // factor for y in range(size * factor)), (1.0,) * size * factor, (1,) * size * factor, 0)
    slope, offset, divisor = _ratio(coordinates, size, factor)
    fraction = 0 if factor == 1 else _fraction_bits(divisor)
    needed, weights, integers = [], [], []
    for y in range(size * factor):
        position = max(0, slope * y + offset)
        last = min(size - 1, -(-position // divisor))
        share = divisor if last * divisor <= position else position - (last - 1) * divisor
        needed.append(last)
        weights.append(share / divisor)
        integers.append(((share << (fraction + 1)) + divisor) // (2 * divisor))
    return Line(tuple(needed), tuple(weights), tuple(integers), fraction)


def _ratio(coordinates: str, size: int, factor: int) -> tuple[int, int, int]:
    """(slope, offset, divisor): output position y lies at (slope * y + offset) / divisor of the input."""
    if coordinates == "half_pixel":
        return 2, 1 - factor, 2 * factor
    if coordinates == "align_corners":
        return size - 1, 0, max(1, size * factor - 1)
    return 1, 0, factor


def _fraction_bits(divisor: int) -> int:
    """Exact where the weights are shares of a power of two."""
    return divisor.bit_length() - 1 if divisor & (divisor - 1) == 0 else FRACTION_BITS


@operator("resize", ip="resize")
@dataclass(frozen=True, slots=True)
class Resize(KeepsFormat):
    """`mode` is nearest | linear; `factors` has one entry a spatial axis; `coordinates` (of linear): `COORDINATES`."""

    mode: str
    factors: tuple[int, ...]
    coordinates: str = "asymmetric"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *spatial = inputs[0]
        if len(spatial) != len(self.factors):
            raise ShapeError(f"{len(self.factors)} factors for {len(spatial)} spatial axes")
        return (channels, *(n * f for n, f in zip(spatial, self.factors, strict=True)))

    def lines(self, spatial: Sequence[int]) -> tuple[Line, ...]:
        return tuple(line(self.mode, self.coordinates, n, f) for n, f in zip(spatial, self.factors, strict=True))

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        y = xs[0]
        for axis, at in enumerate(self.lines(y.shape[2:]), 2):
            before, last = _neighbours(y, at, axis)
            y = before + (last - before) * _along(np.array(at.weights, y.dtype), y.ndim, axis)
        return y

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        """Every product and sum exact; one rounding at the end."""
        y, lines = xs[0].astype(np.int64), self.lines(xs[0].shape[2:])
        for axis, at in enumerate(lines, 2):
            before, last = _neighbours(y, at, axis)
            share = _along(np.array(at.integers, np.int64), y.ndim, axis)
            y = (before << np.int64(at.fraction)) + (last - before) * share
        return shift_round(y, sum(at.fraction for at in lines))

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        channels, *spatial = inputs[0]
        fractions = [at.fraction for at in self.lines(spatial)]
        sizes = {"linear": int(self.mode == "linear"), "coordinates": COORDINATES.index(self.coordinates)}
        sizes |= {"channels": channels, "coarse": folding.coarse_in, "data_bits": numbers.inputs[0].bits}
        sizes |= per_axis("in", spatial, 1) | per_axis("factor", self.factors, 1)
        return sizes | per_axis("fraction", fractions, 0)


def _neighbours(x: Array, at: Line, axis: int) -> tuple[Array, Array]:
    needed = np.array(at.needed)
    return np.take(x, np.maximum(needed - 1, 0), axis), np.take(x, needed, axis)


def _along(values: Array, rank: int, axis: int) -> Array:
    return values.reshape([-1 if a == axis else 1 for a in range(rank)])


@from_onnx("Resize", "Upsample")
def resize_from_onnx(node: OnnxNode) -> Imported:
    """Enlarging by whole factors; old `Resize` and `Upsample` are asymmetric and round down."""
    factors = _factors(node)
    if all(f == 1 for f in factors):
        return Same(node.inputs[0])
    mode = node.text("mode", "nearest").replace("bilinear", "linear")
    old = node.kind == "Upsample" or node.opset < 11
    coordinates = "asymmetric" if old else node.text("coordinate_transformation_mode", "half_pixel")
    if node.integer("antialias") or node.integer("exclude_outside"):
        raise Unsupported("with antialias or exclude_outside")
    if mode == "nearest":
        rounding = "floor" if old else node.text("nearest_mode", "round_prefer_floor")
        _check_nearest(coordinates, rounding, node.shape(0)[1:], factors)
        return (Step(Resize("nearest", factors), node.inputs[:1]),)
    coordinates = coordinates.replace("pytorch_half_pixel", "half_pixel").replace("_symmetric", "")
    if mode != "linear" or coordinates not in COORDINATES:
        raise Unsupported(
            f"mode {mode} with coordinates {coordinates}; nearest and linear with {', '.join(COORDINATES)}"
        )
    return (Step(Resize("linear", factors, coordinates), node.inputs[:1]),)


def _factors(node: OnnxNode) -> tuple[int, ...]:
    """Whole factors of the spatial axes, from scales or sizes, given as attributes (before set 9) or inputs."""
    shape = (1, *node.shape(0))
    scales = _scales(node)
    if len(shape) < 3 or len(shape) > 5 or len(scales) != len(shape):
        raise Unsupported(
            f"{len(scales)} scales of a frame of shape {shape[1:]}; one to three spatial axes can be enlarged"
        )
    if any(not math.isfinite(s) or s < 1 or s != int(s) for s in scales) or any(s != 1 for s in scales[:2]):
        raise Unsupported(f"scales {tuple(scales)}; only whole factors of the spatial axes")
    return tuple(int(s) for s in scales[2:])


def _scales(node: OnnxNode) -> list[float]:
    shape = (1, *node.shape(0))
    if "width_scale" in node.attributes:
        return [1.0, 1.0, node.number("height_scale"), node.number("width_scale")]
    if "scales" in node.attributes:
        return [float(s) for s in node.attributes["scales"]]
    axes = [int(a) % len(shape) for a in node.integers("axes", range(len(shape)))]
    given = next((i for i in _places(node) if node.has(i) and node.weight(i).shape != (0,)), None)
    if given is None:
        raise Unsupported("neither scales nor sizes are given")
    values = [float(v) for v in node.array(given).reshape(-1)]
    if len(values) != len(axes):
        raise Unsupported(f"{len(values)} sizes for {len(axes)} axes")
    if given == 3:
        values = [v / shape[a] for v, a in zip(values, axes, strict=True)]
    by_axis = dict(zip(axes, values, strict=True))
    return [by_axis.get(a, 1.0) for a in range(len(shape))]


def _places(node: OnnxNode) -> tuple[int, ...]:
    """Inputs that may hold scales, then sizes."""
    return (1,) if node.kind == "Upsample" or node.opset < 11 else (2, 3)


def _check_nearest(coordinates: str, rounding: str, spatial: Sequence[int], factors: Sequence[int]) -> None:
    """Unsupported unless every output position takes the input position that it lies in: y // factor."""
    for size, factor in zip(spatial, factors, strict=True):
        for y in range(size * factor if factor > 1 else 0):
            if _nearest(coordinates, rounding, y, size, factor) != y // factor:
                raise Unsupported(
                    f"nearest with coordinates {coordinates} and nearest_mode {rounding}: not plain repetition"
                )


def _nearest(coordinates: str, rounding: str, y: int, size: int, factor: int) -> int:
    """ONNX Resize: coordinate, then rounding, then the frame's border; -1 for what is not known."""
    if coordinates == "tf_half_pixel_for_nn":
        position, divisor = 2 * y + 1, 2 * factor
    else:
        known = coordinates.replace("pytorch_half_pixel", "half_pixel").replace("half_pixel_symmetric", "half_pixel")
        if known not in COORDINATES:
            return -1
        slope, offset, divisor = _ratio(known, size, factor)
        position = slope * y + offset
    roundings = {
        "floor": position // divisor,
        "ceil": -(-position // divisor),
        "round_prefer_floor": -((divisor - 2 * position) // (2 * divisor)),
        "round_prefer_ceil": (2 * position + divisor) // (2 * divisor),
    }
    return min(max(roundings.get(rounding, -1), 0), size - 1) if rounding in roundings else -1
