"""A stand-alone activation: where it could not be fused into the operator before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Nonlinearity, Numbers, requantisation
from flow.ir import Array, Folding, Operator, Shape, operator
from flow.operators.hardware import pixels, requantisation_parameters


@operator("activation", ip="activation")
@dataclass(frozen=True, slots=True)
class Activation(Operator):
    """`activation` is relu | clip | leaky_relu, with the attributes of `conv`'s fused one."""

    activation: str
    low: float = 0.0
    high: float = 0.0
    alpha: float = 0.0

    @property
    def nonlinearity(self) -> Nonlinearity:
        return Nonlinearity(self.activation, self.low, self.high, self.alpha)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        return self.nonlinearity.apply(xs[0])

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        return requantisation(self.nonlinearity, numbers.shift, numbers.output).apply(xs[0].astype(np.int64))

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        return {
            "pixels": pixels(inputs[0]),
            "channels": inputs[0][0],
            "coarse": folding.coarse_in,
            "data_bits": numbers.inputs[0].bits,
            **requantisation_parameters(numbers, self.nonlinearity),
        }
