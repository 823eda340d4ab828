"""Element-wise addition of two tensors of one shape (a skip connection's join)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.fixed_point import Numbers
from flow.ir import Folding, Operator, Shape, ShapeError, operator
from flow.operators.hardware import pixels, requantisation


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

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        left, right = numbers.inputs
        return {
            "pixels": pixels(inputs[0]),
            "channels": inputs[0][0],
            "coarse": folding.coarse_in,
            "bits_a": left.bits,
            "bits_b": right.bits,
            "left_a": left.exponent - numbers.accumulator_exponent,
            "left_b": right.exponent - numbers.accumulator_exponent,
            **requantisation(numbers, self.activation, self.low, self.high, self.alpha),
        }
