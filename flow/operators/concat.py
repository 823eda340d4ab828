"""Concatenation along channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Nonlinearity, Numbers, requantisation
from flow.ir import Array, Folding, Operator, Shape, ShapeError, operator
from flow.operators.hardware import pixels
from flow.operators.onnx_node import Imported, OnnxNode, Same, Step, Unsupported, from_onnx
from flow.operators.transpose import channels_first, channels_last


@operator("concat", arity=None, ip="concat")
@dataclass(frozen=True, slots=True)
class Concat(Operator):
    """Y = inputs stacked along the channel axis."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if any(shape[1:] != inputs[0][1:] for shape in inputs):
            raise ShapeError(f"cannot concatenate {', '.join(map(str, inputs))} along channels")
        return (sum(shape[0] for shape in inputs), *inputs[0][1:])

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        return np.concatenate(xs, axis=1)

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        """Each input is rounded to the output's format by its own shift."""
        out = numbers.output
        stages = [requantisation(Nonlinearity(), out.exponent - f.exponent, out) for f in numbers.inputs]
        return np.concatenate([s.apply(x.astype(np.int64)) for s, x in zip(stages, xs, strict=True)], axis=1)

    def legal_folding(self, folding: Folding, inputs: Sequence[Shape]) -> bool:
        """Words must not straddle two inputs, so lanes divide the channels of each."""
        lanes = folding.coarse_in
        tied = folding == Folding(lanes, lanes)
        return tied and lanes >= 1 and all(shape[0] % lanes == 0 for shape in inputs)

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        """Of the two-input module; longer concatenations are chains of it."""
        left, right = numbers.inputs
        return {
            "pixels": pixels(inputs[0]),
            "channels_a": inputs[0][0],
            "channels_b": inputs[1][0],
            "coarse": folding.coarse_in,
            "bits_a": left.bits,
            "bits_b": right.bits,
            "out_bits": numbers.output.bits,
            "shift_a": numbers.output.exponent - left.exponent,
            "shift_b": numbers.output.exponent - right.exponent,
        }


@from_onnx("Concat")
def concat_from_onnx(node: OnnxNode) -> Imported:
    """Along channels, or along another axis of channels-last data, which is moved to the front and back."""
    shapes = [node.shape(i) for i in range(len(node.inputs))]
    rank = len(shapes[0]) + 1
    axis = node.integer("axis", 1) % rank
    if len(shapes) == 1:
        return Same(node.inputs[0])
    if axis == 0 or any(len(shape) != rank - 1 for shape in shapes):
        raise Unsupported(f"axis {axis}: the frames of a batch")
    if axis == 1:
        return (Step(Concat(), node.inputs),)
    if axis != rank - 1:
        raise Unsupported(f"axis {axis}: neither channels first nor channels last")
    moved = [Step(channels_first(rank - 1), (name,)) for name in node.inputs]
    return (*moved, Step(Concat(), tuple(range(len(moved)))), Step(channels_last(rank - 1)))
