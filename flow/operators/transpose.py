"""Permutation of a frame's axes, as channels-last exports contain; rules remove it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Numbers
from flow.ir import Array, Shape, ShapeError, operator
from flow.operators.keeps_format import KeepsFormat
from flow.operators.onnx_node import Imported, OnnxNode, Same, Step, Unsupported, from_onnx

CHANNELS_FIRST = "/channels_first"
"""Ends the name of an output whose move of the channels to the end is left to its reader."""


@operator("transpose")
@dataclass(frozen=True, slots=True)
class Transpose(KeepsFormat):
    """Output axis i is input axis `order[i]`; axes are counted without the batch axis, from 0."""

    order: tuple[int, ...]

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if sorted(self.order) != list(range(len(inputs[0]))):
            raise ShapeError(f"order {self.order} does not permute the axes of {inputs[0]}")
        return tuple(inputs[0][axis] for axis in self.order)

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        return np.transpose(xs[0], (0, *(axis + 1 for axis in self.order)))

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        return self.reference(xs, parameters).astype(np.int64)


def channels_first(rank: int) -> Transpose:
    """(*spatial, C) to (C, *spatial) for frames of `rank` axes."""
    return Transpose((rank - 1, *range(rank - 1)))


def channels_last(rank: int) -> Transpose:
    """(C, *spatial) to (*spatial, C) for frames of `rank` axes."""
    return Transpose((*range(1, rank), 0))


@from_onnx("Transpose")
def transpose_from_onnx(node: OnnxNode) -> Imported:
    """A permutation that leaves the batch axis in front."""
    rank = len(node.shape(0)) + 1
    order = node.integers("perm", tuple(reversed(range(rank))))
    if order[0] != 0 or len(order) != rank:
        raise Unsupported(f"perm {order} moves the batch axis")
    if order == tuple(range(rank)):
        return Same(node.inputs[0])
    return (Step(Transpose(tuple(axis - 1 for axis in order[1:])), node.inputs[:1]),)
