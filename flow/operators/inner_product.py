"""Inner product (fully connected layer) over the flattened frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flow.fixed_point import Format, Nonlinearity, Numbers, requantisation
from flow.ir import Array, Folding, Operator, Shape, Weight, elements, operator
from flow.operators.correlate import exactly, multiply, per_channel, widths
from flow.operators.hardware import pixels, requantisation_parameters
from flow.operators.onnx_node import (
    Imported,
    OnnxNode,
    Step,
    Unsupported,
    filled,
    from_onnx,
    reshaped,
    scaled,
    transposed,
)


@operator("gemm", ip="inner_product")
@dataclass(frozen=True, slots=True)
class Gemm(Operator):
    """Y = act(W x + bias); an input of any rank is flattened channels first, as ONNX's Flatten does.

    Weight: (features, values of a frame); bias: (features,). Activation as in `conv`.
    """

    features: int
    bias: bool = True
    activation: str = "none"
    low: float = 0.0
    high: float = 0.0
    alpha: float = 0.0

    @property
    def nonlinearity(self) -> Nonlinearity:
        return Nonlinearity(self.activation, self.low, self.high, self.alpha)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (self.features,)

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Shape]:
        weight = {"weight": (self.features, elements(inputs[0]))}
        return weight | ({"bias": (self.features,)} if self.bias else {})

    def macs(self, inputs: Sequence[Shape]) -> int:
        return self.features * elements(inputs[0])

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        sums = multiply(xs[0].reshape(len(xs[0]), -1), parameters["weight"])
        if self.bias:
            sums += per_channel(parameters["bias"], sums)
        return self.nonlinearity.apply(sums)

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        weight = parameters["weight"]
        sums = exactly(multiply, xs[0].reshape(len(xs[0]), -1), weight, widths(numbers), weight.shape[1])
        if self.bias:
            sums += per_channel(parameters["bias"], sums)
        return requantisation(self.nonlinearity, numbers.shift, numbers.output).apply(sums)

    def parallelism(self, inputs: Sequence[Shape]) -> Folding:
        return Folding(inputs[0][0], self.features)

    def legal_folding(self, folding: Folding, inputs: Sequence[Shape]) -> bool:
        most = self.parallelism(inputs)
        inside = 1 <= folding.coarse_in <= most.coarse_in and 1 <= folding.coarse_out <= most.coarse_out
        return inside and folding.coarse_group == folding.fine == 1

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        weight = numbers.weight or Format()
        return {
            "pixels": pixels(inputs[0]),
            "channels": inputs[0][0],
            "filters": self.features,
            "coarse_in": folding.coarse_in,
            "coarse_out": folding.coarse_out,
            "data_bits": numbers.inputs[0].bits,
            "weight_bits": weight.bits,
            "acc_bits": numbers.accumulator_bits,
            **requantisation_parameters(numbers, self.nonlinearity),
        }


@from_onnx("Gemm")
def gemm_from_onnx(node: OnnxNode) -> Imported:
    """alpha * x B + beta * C with constant B and C."""
    if len(node.shape(0)) != 1 or node.integer("transA"):
        raise Unsupported("the first matrix is transposed or not a batch of vectors")
    matrix = node.weight(1) if node.integer("transB") else transposed(node.weight(1), (1, 0))
    weights = {"weight": scaled(matrix, node.number("alpha", 1.0))}
    if node.has(2):
        weights["bias"] = scaled(_bias(node.weight(2), matrix.shape[0]), node.number("beta", 1.0))
    return (Step(Gemm(matrix.shape[0], node.has(2)), node.inputs[:1], weights),)


def _bias(weight: Weight, features: int) -> Weight:
    if elements(weight.shape) == features:
        return reshaped(weight, (features,))
    if elements(weight.shape) != 1:
        raise Unsupported(f"a bias of shape {weight.shape} for {features} features")
    return filled((features,), float(weight.array().reshape(())))


@from_onnx("MatMul")
def matmul_from_onnx(node: OnnxNode) -> Imported:
    """x W with a constant matrix; an addition behind it is folded into the bias by a rule."""
    if not node.is_constant(1) or len(node.shape(0)) != 1 or len(node.weight(1).shape) != 2:
        raise Unsupported("only a batch of vectors times a constant matrix")
    matrix = transposed(node.weight(1), (1, 0))
    return (Step(Gemm(matrix.shape[0], bias=False), node.inputs[:1], {"weight": matrix}),)
