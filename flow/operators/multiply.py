"""Element-wise product of two tensors of one shape, or with one value a channel (squeeze and excitation)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Numbers, rounded
from flow.ir import Array, Folding, Operator, Shape, ShapeError, operator
from flow.operators.hardware import pixels
from flow.operators.onnx_node import Imported, OnnxNode, Step, Unsupported, from_onnx
from flow.operators.transpose import channels_first, channels_last


@operator("multiply", arity=2, ip="multiply")
@dataclass(frozen=True, slots=True)
class Multiply(Operator):
    """Y = A * B; B is shaped as A, or (channels of A, 1, ...)."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if inputs[1] != inputs[0] and inputs[1] != one_pixel(inputs[0]):
            raise ShapeError(f"cannot multiply {inputs[0]} by {inputs[1]}")
        return inputs[0]

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        return np.asarray(xs[0] * xs[1])

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        products = xs[0].astype(np.int64) * xs[1].astype(np.int64)
        return rounded(products, product_shift(numbers), numbers.output.bits)

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        return {
            "pixels": pixels(inputs[0]),
            "channels": inputs[0][0],
            "coarse": folding.coarse_in,
            "bits_a": numbers.inputs[0].bits,
            "bits_b": numbers.inputs[1].bits,
            "out_bits": numbers.output.bits,
            "shift": product_shift(numbers),
            "broadcast": int(inputs[1] != inputs[0]),
        }


def one_pixel(shape: Shape) -> Shape:
    """(C, *spatial) to (C, 1, ...)."""
    return (shape[0], *(1 for _ in shape[1:]))


def product_shift(numbers: Numbers) -> int:
    """Bits between the product of both inputs and the output."""
    return numbers.output.exponent - numbers.inputs[0].exponent - numbers.inputs[1].exponent


@from_onnx("Mul")
def multiply_from_onnx(node: OnnxNode) -> Imported:
    """Two tensors; a product with constants belongs to `batch_norm`."""
    if node.is_constant(0) or node.is_constant(1):
        return None
    names, shapes = node.inputs[:2], (node.shape(0), node.shape(1))
    if shapes[0] == shapes[1]:
        return (Step(Multiply(), names),)
    for frame, factor in ((0, 1), (1, 0)):
        if shapes[factor] == one_pixel(shapes[frame]):
            return (Step(Multiply(), (names[frame], names[factor])),)
        last = (*(1 for _ in shapes[frame][1:]), shapes[frame][-1])
        if len(last) > 1 and shapes[factor] == last:
            return _channels_last((names[frame], names[factor]), len(last))
    raise Unsupported(f"shapes {shapes[0]} and {shapes[1]}: neither alike nor one value a channel")


def _channels_last(names: Sequence[str], rank: int) -> Imported:
    moved = [Step(channels_first(rank), (name,)) for name in names]
    return (*moved, Step(Multiply(), (0, 1)), Step(channels_last(rank)))
