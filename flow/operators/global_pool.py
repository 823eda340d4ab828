"""Pooling over all of space."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Numbers
from flow.ir import Array, Folding, Shape, operator
from flow.operators.correlate import divide_half_up
from flow.operators.hardware import pixels
from flow.operators.keeps_format import KeepsFormat


@operator("global_pool", ip="global_pool")
@dataclass(frozen=True, slots=True)
class GlobalPool(KeepsFormat):
    """`kind` is max | average; every spatial axis shrinks to 1."""

    kind: str

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *spatial = inputs[0]
        return (channels, *(1 for _ in spatial))

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        space = tuple(range(2, xs[0].ndim))
        reduced: Array = (np.max if self.kind == "max" else np.mean)(xs[0], axis=space, keepdims=True)
        return reduced

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        x, space = xs[0].astype(np.int64), tuple(range(2, xs[0].ndim))
        if self.kind == "max":
            largest: Array = np.max(x, axis=space, keepdims=True)
            return largest
        return divide_half_up(np.sum(x, axis=space, keepdims=True), math.prod(x.shape[2:]))

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        return {
            "kind": int(self.kind == "average"),
            "pixels": pixels(inputs[0]),
            "channels": inputs[0][0],
            "coarse": folding.coarse_in,
            "data_bits": numbers.inputs[0].bits,
        }
