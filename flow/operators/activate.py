"""A stand-alone activation: where it could not be fused into the operator before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.ir import Operator, Shape, operator


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
