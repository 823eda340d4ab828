"""A range of the channels: what `Split` and `Slice` along channels leave, one node an output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Numbers
from flow.ir import Array, Folding, Shape, ShapeError, operator
from flow.operators.hardware import pixels
from flow.operators.keeps_format import KeepsFormat
from flow.operators.onnx_node import Imported, OnnxNode, Same, Several, Step, Unsupported, from_onnx
from flow.operators.transpose import channels_first, channels_last


@operator("slice", ip="slice")
@dataclass(frozen=True, slots=True)
class Slice(KeepsFormat):
    """Channels `begin` to `end` - 1."""

    begin: int
    end: int

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *spatial = inputs[0]
        if not 0 <= self.begin < self.end <= channels:
            raise ShapeError(f"channels {self.begin} to {self.end} of {channels}")
        return (self.end - self.begin, *spatial)

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        return xs[0][:, self.begin : self.end]

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        return self.reference(xs, parameters).astype(np.int64)

    def keeps_channels(self) -> bool:
        return False

    def legal_folding(self, folding: Folding, inputs: Sequence[Shape]) -> bool:
        """The range begins with a word, so lanes divide `begin`."""
        lanes = folding.coarse_in
        return folding == Folding(lanes, lanes) and 1 <= lanes <= inputs[0][0] and self.begin % lanes == 0

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        return {
            "pixels": pixels(inputs[0]),
            "channels": inputs[0][0],
            "begin": self.begin,
            "end": self.end,
            "coarse": folding.coarse_in,
            "data_bits": numbers.inputs[0].bits,
        }


@from_onnx("Split")
def split_from_onnx(node: OnnxNode) -> Imported:
    """Sizes are an attribute before operator set 13, an input since, or equal shares."""
    shape = (1, *node.shape(0))
    axis = node.integer("axis") % len(shape)
    count = len(node.produced)
    sizes = [int(n) for n in node.array(1).reshape(-1)] if node.has(1) else list(node.integers("split"))
    if not sizes:
        share = -(-shape[axis] // count)
        sizes = [min(share, shape[axis] - i * share) for i in range(count)]
    if len(sizes) != count or sum(sizes) != shape[axis] or min(sizes) < 1:
        raise Unsupported(f"parts of {sizes} along an axis of {shape[axis]}")
    begins = [sum(sizes[:i]) for i in range(count)]
    return Several(tuple(_part(node, axis, b, b + n) for b, n in zip(begins, sizes, strict=True)))


@from_onnx("Slice")
def slice_from_onnx(node: OnnxNode) -> Imported:
    """Bounds are attributes before operator set 10 and inputs since."""
    shape = (1, *node.shape(0))
    starts, ends = _list(node, 1, "starts"), _list(node, 2, "ends")
    axes = _list(node, 3, "axes") or range(len(starts))
    steps = _list(node, 4, "steps") or [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps) or any(s != 1 for s in steps):
        raise Unsupported(f"starts {starts}, ends {ends}, steps {steps}; only whole ranges")
    cut = []
    for start, end, axis in zip(starts, ends, axes, strict=True):
        begin, stop, _ = slice(start, end).indices(shape[axis])
        if (begin, stop) != (0, shape[axis]):
            cut.append((axis % len(shape), begin, stop))
    if not cut:
        return Same(node.inputs[0])
    if len(cut) > 1:
        raise Unsupported(f"ranges of {len(cut)} axes; only of channels")
    return _part(node, *cut[0])


def _list(node: OnnxNode, index: int, name: str) -> list[int]:
    return [int(v) for v in node.array(index).reshape(-1)] if node.has(index) else list(node.integers(name))


def _part(node: OnnxNode, axis: int, begin: int, end: int) -> tuple[Step, ...] | Same:
    """A range along channels, or along the last axis of channels-last data, which is moved to the front and back."""
    shape, source = node.shape(0), node.inputs[:1]
    if axis not in (1, len(shape)):
        raise Unsupported(f"a range along axis {axis}, which holds no channels")
    if (begin, end) == (0, shape[axis - 1]):
        return Same(node.inputs[0])
    if end <= begin:
        raise Unsupported(f"an empty range {begin} to {end}")
    if axis == 1:
        return (Step(Slice(begin, end), source),)
    return Step(channels_first(len(shape)), source), Step(Slice(begin, end)), Step(channels_last(len(shape)))
