"""Permutation of a frame's axes, as channels-last exports contain; rules remove it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.ir import Operator, Shape, ShapeError, operator


@operator("transpose")
@dataclass(frozen=True, slots=True)
class Transpose(Operator):
    """Output axis i is input axis `order[i]`; axes are counted without the batch axis, from 0."""

    order: tuple[int, ...]

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if sorted(self.order) != list(range(len(inputs[0]))):
            raise ShapeError(f"order {self.order} does not permute the axes of {inputs[0]}")
        return tuple(inputs[0][axis] for axis in self.order)
