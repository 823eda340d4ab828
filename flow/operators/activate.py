"""A stand-alone activation: where it could not be fused into the operator before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Nonlinearity, Numbers, requantisation
from flow.ir import Array, Folding, Operator, Shape, operator
from flow.operators.hardware import pixels, requantisation_parameters
from flow.operators.onnx_node import Imported, OnnxNode, Same, Step, Unsupported, from_onnx


@operator("activation", ip="activation")
@dataclass(frozen=True, slots=True)
class Activation(Operator):
    """`activation` is relu | clip | leaky_relu, with the attributes of `conv`'s fused one."""

    activation: str
    low: float = 0.0
    high: float = 0.0
    alpha: float = 0.0

    @property
    def nonlinearity(self) -> Nonlinearity:
        return Nonlinearity(self.activation, self.low, self.high, self.alpha)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        return self.nonlinearity.apply(xs[0])

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        return requantisation(self.nonlinearity, numbers.shift, numbers.output).apply(xs[0].astype(np.int64))

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        return {
            "pixels": pixels(inputs[0]),
            "channels": inputs[0][0],
            "coarse": folding.coarse_in,
            "data_bits": numbers.inputs[0].bits,
            **requantisation_parameters(numbers, self.nonlinearity),
        }


_FLOAT32 = np.finfo(np.float32)


@from_onnx("Relu", "Clip", "LeakyRelu", "PRelu")
def activation_from_onnx(node: OnnxNode) -> Imported:
    """Piecewise linear activations."""
    node.shape(0)
    if node.kind == "Relu":
        return (Step(Activation("relu"), node.inputs[:1]),)
    if node.kind == "Clip":
        return _clip(node)
    if node.kind == "PRelu":
        slopes = node.array(1)
        alike = slopes.size > 0 and bool(np.all(slopes == slopes.reshape(-1)[0]))
        slope = float(slopes.reshape(-1)[0]) if alike else -1.0
        return (Step(Activation("leaky_relu", alpha=slope), node.inputs[:1]),) if 0.0 <= slope <= 1.0 else None
    slope = node.number("alpha", 0.01)
    if not 0.0 <= slope <= 1.0:
        raise Unsupported(f"a slope of {slope}; 0 to 1 are supported")
    return (Step(Activation("leaky_relu", alpha=slope), node.inputs[:1]),)


def _clip(node: OnnxNode) -> Imported:
    """Bounds are attributes before operator set 11 and optional inputs since."""
    low = _bound(node, 1, "min", float(_FLOAT32.min))
    high = _bound(node, 2, "max", float(_FLOAT32.max))
    if low > high:
        raise Unsupported(f"the lower bound {low} is above the upper bound {high}")
    if high == _FLOAT32.max:
        unbounded = low == _FLOAT32.min
        if unbounded or low == 0.0:
            return Same(node.inputs[0]) if unbounded else (Step(Activation("relu"), node.inputs[:1]),)
    return (Step(Activation("clip", low, high), node.inputs[:1]),)


def _bound(node: OnnxNode, index: int, name: str, default: float) -> float:
    value = _uniform(node.array(index)) if node.has(index) else node.number(name, default)
    return min(max(value, float(_FLOAT32.min)), float(_FLOAT32.max))


def _uniform(values: Array) -> float:
    """The one value that all elements have."""
    if values.size == 0 or np.any(values != values.reshape(-1)[0]):
        raise Unsupported("different values for different channels")
    return float(values.reshape(-1)[0])
