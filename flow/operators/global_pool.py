"""Pooling over all of space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.ir import Operator, Shape, operator


@operator("global_pool", ip="global_pool")
@dataclass(frozen=True, slots=True)
class GlobalPool(Operator):
    """`kind` is max | average; every spatial axis shrinks to 1."""

    kind: str

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *spatial = inputs[0]
        return (channels, *(1 for _ in spatial))
