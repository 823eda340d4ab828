"""A vector as a frame of one pixel: it moves nothing, and joins inner products to what reads channels of a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Numbers
from flow.ir import Array, Shape, ShapeError, operator
from flow.operators.keeps_format import KeepsFormat
from flow.operators.onnx_node import Imported, OnnxNode, Step, Unsupported, from_onnx


@operator("unflatten")
@dataclass(frozen=True, slots=True)
class Unflatten(KeepsFormat):
    """(C,) to (C, 1, ...) with `rank` spatial axes."""

    rank: int

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if len(inputs[0]) != 1:
            raise ShapeError(f"{inputs[0]} is not a vector")
        return (*inputs[0], *(1 for _ in range(self.rank)))

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        return xs[0].reshape(*xs[0].shape, *(1 for _ in range(self.rank)))

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        return self.reference(xs, parameters).astype(np.int64)


def unflattened(before: Shape, after: Shape) -> Unflatten | None:
    """The operator that makes `after` of `before`, if one does."""
    return Unflatten(len(after) - 1) if len(before) == 1 and after == (*before, *(1 for _ in after[1:])) else None


@from_onnx("Unsqueeze")
def unsqueeze_from_onnx(node: OnnxNode) -> Imported:
    """Axes behind the channels of a vector; constants are unsqueezed before anything is imported."""
    axes = node.integers("axes") or tuple(int(a) for a in node.array(1).reshape(-1))
    rank = len(node.shape(0)) + 1 + len(axes)
    behind = tuple(sorted(a % rank for a in axes))
    if len(node.shape(0)) != 1 or behind != tuple(range(2, rank)):
        raise Unsupported(f"axes {axes} of a frame of shape {node.shape(0)}; only behind the channels of a vector")
    return (Step(Unflatten(len(axes)), node.inputs[:1]),)
