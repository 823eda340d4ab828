"""Constant padding as an operation of its own, as exporters write it; a rule merges it into the window behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Numbers
from flow.ir import Array, Folding, Shape, ShapeError, operator
from flow.operators.hardware import per_axis
from flow.operators.keeps_format import KeepsFormat
from flow.operators.onnx_node import Imported, OnnxNode, Same, Step, Unsupported, from_onnx


@operator("pad", ip="pad")
@dataclass(frozen=True, slots=True)
class Pad(KeepsFormat):
    """`value` around a frame; the tuples have one entry an axis, channels first. Negative pads of space cut off.

    In integers the value is the nearest that the input's format holds.
    """

    pads_begin: tuple[int, ...]
    pads_end: tuple[int, ...]
    value: float = 0.0

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if not len(inputs[0]) == len(self.pads_begin) == len(self.pads_end):
            raise ShapeError(f"pads {self.pads_begin}, {self.pads_end} for a frame of shape {inputs[0]}")
        shape = tuple(b + n + e for b, n, e in zip(self.pads_begin, inputs[0], self.pads_end, strict=True))
        kept = (n + min(b, 0) + min(e, 0) for b, n, e in zip(self.pads_begin, inputs[0], self.pads_end, strict=True))
        if min(kept) < 1:
            raise ShapeError(f"pads {self.pads_begin}, {self.pads_end} leave nothing of a frame of shape {inputs[0]}")
        return shape

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        return self._around(xs[0], self.value)

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        return self._around(xs[0].astype(np.int64), self._integer(numbers))

    def _around(self, x: Array, value: float) -> Array:
        kept = (
            slice(max(0, -b), n - max(0, -e))
            for b, n, e in zip(self.pads_begin, x.shape[1:], self.pads_end, strict=True)
        )
        pads = [(0, 0), *((max(0, b), max(0, e)) for b, e in zip(self.pads_begin, self.pads_end, strict=True))]
        return np.pad(x[(slice(None), *kept)], pads, constant_values=value)

    def _integer(self, numbers: Numbers) -> int:
        return int(numbers.inputs[0].quantise(np.array(self.value)))

    def keeps_channels(self) -> bool:
        return self.pads_begin[0] == self.pads_end[0] == 0

    def legal_folding(self, folding: Folding, inputs: Sequence[Shape]) -> bool:
        """The input's channels begin with a word of the output, so lanes divide those in front."""
        lanes, front, behind = folding.coarse_in, self.pads_begin[0], self.pads_end[0]
        tied = folding == Folding(lanes, lanes) and 1 <= lanes <= inputs[0][0]
        return tied and min(front, behind) >= 0 and front % lanes == 0

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        channels, *spatial = inputs[0]
        sizes = {"channels": channels, "front": self.pads_begin[0], "behind": self.pads_end[0]}
        sizes |= per_axis("in", spatial, 1)
        sizes |= per_axis("pad", self.pads_begin[1:], 0, "0") | per_axis("pad", self.pads_end[1:], 0, "1")
        return sizes | {
            "value": self._integer(numbers),
            "coarse": folding.coarse_in,
            "data_bits": numbers.inputs[0].bits,
        }


@from_onnx("Pad")
def pad_from_onnx(node: OnnxNode) -> Imported:
    """Pads and value are attributes before operator set 11 and inputs since; axes may be chosen since 18."""
    rank = len(node.shape(0)) + 1
    if node.text("mode", "constant") != "constant":
        raise Unsupported(f"mode {node.text('mode')}; only a constant")
    given = tuple(int(p) for p in node.array(1).reshape(-1)) if node.has(1) else node.integers("pads")
    axes = [int(a) % rank for a in node.array(3).reshape(-1)] if node.has(3) else list(range(rank))
    value = float(node.array(2).reshape(-1)[0]) if node.has(2) else node.number("value")
    if len(given) != 2 * len(axes) or len(set(axes)) != len(axes):
        raise Unsupported(f"pads {given} of axes {axes}")
    begins, ends = dict(zip(axes, given, strict=False)), dict(zip(axes, given[len(axes) :], strict=True))
    begin, end = (tuple(pads.get(a, 0) for a in range(rank)) for pads in (begins, ends))
    if begin[0] or end[0] or min(begin[1], end[1]) < 0:
        raise Unsupported(f"pads {begin + end} of a batch of frames of shape {node.shape(0)}")
    lowest = float(np.finfo(np.float32).min)
    value = min(max(value, lowest), -lowest)
    if not any(begin + end):
        return Same(node.inputs[0])
    return (Step(Pad(begin[1:], end[1:], value), node.inputs[:1]),)
