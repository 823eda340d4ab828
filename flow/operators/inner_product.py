"""Inner product (fully connected layer) over the flattened frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.ir import Operator, Shape, elements, operator


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

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (self.features,)

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Shape]:
        weight = {"weight": (self.features, elements(inputs[0]))}
        return weight | ({"bias": (self.features,)} if self.bias else {})

    def macs(self, inputs: Sequence[Shape]) -> int:
        return self.features * elements(inputs[0])
