"""Concatenation along channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.ir import Operator, Shape, ShapeError, operator


@operator("concat", arity=None, ip="concat")
@dataclass(frozen=True, slots=True)
class Concat(Operator):
    """Y = inputs stacked along the channel axis."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if any(shape[1:] != inputs[0][1:] for shape in inputs):
            raise ShapeError(f"cannot concatenate {', '.join(map(str, inputs))} along channels")
        return (sum(shape[0] for shape in inputs), *inputs[0][1:])
