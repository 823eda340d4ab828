"""A stand-alone activation: where it could not be fused into the operator before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.fixed_point import Numbers
from flow.ir import Folding, Operator, Shape, operator
from flow.operators.hardware import pixels, requantisation


@operator("activation", ip="activation")
@dataclass(frozen=True, slots=True)
class Activation(Operator):
    """`activation` is relu | clip | leaky_relu, with the attributes of `conv`'s fused one."""

    activation: str
    low: float = 0.0
    high: float = 0.0
    alpha: float = 0.0

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        return {
            "pixels": pixels(inputs[0]),
            "channels": inputs[0][0],
            "coarse": folding.coarse_in,
            "data_bits": numbers.inputs[0].bits,
            **requantisation(numbers, self.activation, self.low, self.high, self.alpha),
        }
