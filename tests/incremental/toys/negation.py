"""Negation, element by element: a toy operator that a test adds to a copy of the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Numbers, saturate
from flow.ir import Array, Folding, Operator, Shape, operator
from flow.operators.hardware import pixels
from flow.operators.keeps_format import KeepsFormat
from flow.operators.onnx_node import Imported, OnnxNode, Step, from_onnx


@operator("negation", ip="negate")
@dataclass(frozen=True, slots=True)
class Negation(KeepsFormat, Operator):
    """Y = -X; the lowest integer becomes the highest."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        return -xs[0]

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        return saturate(-xs[0].astype(np.int64), numbers.output.bits)

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        return {
            "pixels": pixels(inputs[0]),
            "channels": inputs[0][0],
            "coarse": folding.coarse_in,
            "data_bits": numbers.inputs[0].bits,
        }


@from_onnx("Neg")
def negation_from_onnx(node: OnnxNode) -> Imported:
    return (Step(Negation(), node.inputs[:1]),)
