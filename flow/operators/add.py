"""Element-wise addition of two tensors of one shape (a skip connection's join)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.ir import Operator, Shape, ShapeError, operator


@operator("add", arity=2, ip="add")
@dataclass(frozen=True, slots=True)
class Add(Operator):
    """Y = act(A + B); activation as in `conv`."""

    activation: str = "none"
    low: float = 0.0
    high: float = 0.0
    alpha: float = 0.0

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if inputs[0] != inputs[1]:
            raise ShapeError(f"cannot add {inputs[0]} and {inputs[1]}")
        return inputs[0]
