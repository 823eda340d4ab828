"""Flattening of a frame, channels first; a rule absorbs it into the inner product behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Numbers
from flow.ir import Array, Shape, elements, operator
from flow.operators.keeps_format import KeepsFormat


@operator("flatten")
@dataclass(frozen=True, slots=True)
class Flatten(KeepsFormat):
    """(C, *spatial) to (C * product of spatial,)."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (elements(inputs[0]),)

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        return xs[0].reshape(len(xs[0]), -1)

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        return self.reference(xs, parameters).astype(np.int64)
