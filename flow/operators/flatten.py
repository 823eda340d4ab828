"""Flattening of a frame, channels first; a rule absorbs it into the inner product behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.ir import Operator, Shape, elements, operator


@operator("flatten")
@dataclass(frozen=True, slots=True)
class Flatten(Operator):
    """(C, *spatial) to (C * product of spatial,)."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (elements(inputs[0]),)
