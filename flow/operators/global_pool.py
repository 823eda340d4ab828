"""Pooling over all of space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.fixed_point import Numbers
from flow.ir import Folding, Operator, Shape, operator
from flow.operators.hardware import pixels


@operator("global_pool", ip="global_pool")
@dataclass(frozen=True, slots=True)
class GlobalPool(Operator):
    """`kind` is max | average; every spatial axis shrinks to 1."""

    kind: str

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *spatial = inputs[0]
        return (channels, *(1 for _ in spatial))

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        return {
            "kind": int(self.kind == "average"),
            "pixels": pixels(inputs[0]),
            "channels": inputs[0][0],
            "coarse": folding.coarse_in,
            "data_bits": numbers.inputs[0].bits,
        }
