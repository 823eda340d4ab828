"""Element-wise addition of two tensors of one shape (a skip connection's join)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Nonlinearity, Numbers, requantisation
from flow.ir import Array, Folding, Operator, Shape, ShapeError, operator
from flow.operators.hardware import pixels, requantisation_parameters
from flow.operators.onnx_node import Imported, OnnxNode, Same, Step, Unsupported, from_onnx


@operator("add", arity=2, ip="add")
@dataclass(frozen=True, slots=True)
class Add(Operator):
    """Y = act(A + B); activation as in `conv`."""

    activation: str = "none"
    low: float = 0.0
    high: float = 0.0
    alpha: float = 0.0

    @property
    def nonlinearity(self) -> Nonlinearity:
        return Nonlinearity(self.activation, self.low, self.high, self.alpha)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if inputs[0] != inputs[1]:
            raise ShapeError(f"cannot add {inputs[0]} and {inputs[1]}")
        return inputs[0]

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        return self.nonlinearity.apply(xs[0] + xs[1])

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        finest = numbers.accumulator_exponent
        aligned = [x.astype(np.int64) << (f.exponent - finest) for x, f in zip(xs, numbers.inputs, strict=True)]
        return requantisation(self.nonlinearity, numbers.shift, numbers.output).apply(aligned[0] + aligned[1])

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
            **requantisation_parameters(numbers, self.nonlinearity),
        }


@from_onnx("Add", "Sum")
def add_from_onnx(node: OnnxNode) -> Imported:
    """Two or more tensors of one shape; an addition of constants belongs to `batch_norm`."""
    if any(node.is_constant(i) for i in range(len(node.inputs))):
        return None
    shapes = {node.shape(i) for i in range(len(node.inputs))}
    if len(shapes) > 1:
        raise Unsupported(f"shapes {', '.join(map(str, sorted(shapes)))} are broadcast")
    if len(node.inputs) == 1:
        return Same(node.inputs[0])
    first = Step(Add(), node.inputs[:2])
    return (first, *(Step(Add(), (-1, name)) for name in node.inputs[2:]))
