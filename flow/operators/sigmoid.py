"""S-shaped activations, and their products with their own input: Sigmoid, Tanh, HardSigmoid; SiLU and HardSwish.

The gate g is worked out in steps of 2**-18 (`flow.fixed_point.logistic`); one rounding takes it, or its product with
the input, to the output's format. tanh(x) = 2 logistic(2 x) - 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import LARGEST_ERROR, UNIT_BITS, Numbers, hard_sigmoid, logistic, rounded
from flow.fixed_point.logistic import HARD_ERROR, POSITION_BITS, SEGMENTS, SLOPE_BITS
from flow.ir import Array, Folding, Graph, Node, Operator, Shape, operator
from flow.operators.activate import Activation
from flow.operators.batch_norm import BatchNorm
from flow.operators.hardware import pixels
from flow.operators.onnx_node import Imported, OnnxNode, Step, Unsupported, from_onnx

KINDS = ("logistic", "tanh", "hard")
"""Names of the curves; the position is the code that the module uses."""

_CLOSE = 1e-5
"""How far from 1 the end of a hard sigmoid may be that was put together from float32 constants."""

_STEEPEST = 4.0
"""Largest slope and offset of a hard sigmoid that the module's integers hold."""


@operator("sigmoid", ip="sigmoid")
@dataclass(frozen=True, slots=True)
class Sigmoid(Operator):
    """`kind` is logistic | tanh | hard (min(max(slope x + offset, 0), 1)); `gated` multiplies the input by it."""

    kind: str = "logistic"
    gated: bool = False
    slope: float = 0.0
    offset: float = 0.0

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        curve = self._curve(xs[0])
        return xs[0] * curve if self.gated else curve

    def _curve(self, x: Array) -> Array:
        if self.kind == "tanh":
            return np.asarray(np.tanh(x))
        if self.kind == "hard":
            return np.asarray(np.clip(x * x.dtype.type(self.slope) + x.dtype.type(self.offset), 0, 1))
        return np.asarray(np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x))))  # never overflows

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        x, p = xs[0].astype(np.int64), self._integers(numbers)
        if self.kind == "hard":
            gate = hard_sigmoid(x, p["slope"], p["offset"], p["gate_shift"])
        else:
            gate = logistic(x, p["gate_shift"])
        if self.kind == "tanh":
            gate = 2 * gate - (1 << UNIT_BITS)
        return rounded(x * gate if self.gated else gate, p["shift"], numbers.output.bits)

    def _integers(self, numbers: Numbers) -> dict[str, int]:
        """What calibration sets: the input's place on the curve, and the output's scale."""
        exponent = numbers.inputs[0].exponent
        shifts = {"logistic": -POSITION_BITS - exponent, "tanh": -POSITION_BITS - exponent - 1}
        return {
            "gate_shift": shifts.get(self.kind, SLOPE_BITS - UNIT_BITS - exponent),
            "slope": int(np.floor(self.slope * 2.0**SLOPE_BITS + 0.5)),
            "offset": int(np.floor(self.offset * 2.0**UNIT_BITS + 0.5)),
            "shift": numbers.output.exponent + UNIT_BITS - (exponent if self.gated else 0),
        }

    def approximation(self) -> dict[str, float]:
        """Of the curve; gated, the error is in proportion to the input."""
        if self.kind == "hard":
            return {"entries": 0, "range": 0.0, "largest_error": HARD_ERROR}
        doubled = 2 if self.kind == "tanh" else 1
        return {"entries": SEGMENTS + 1, "range": 16.0 / doubled, "largest_error": doubled * LARGEST_ERROR}

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        return {
            "pixels": pixels(inputs[0]),
            "channels": inputs[0][0],
            "coarse": folding.coarse_in,
            "data_bits": numbers.inputs[0].bits,
            "out_bits": numbers.output.bits,
            "kind": KINDS.index(self.kind),
            "gated": int(self.gated),
            **self._integers(numbers),
        }


def clipped_line(graph: Graph, line: Node, clip: Node, scale: Node) -> Sigmoid | None:
    """The hard sigmoid that a line, a clip and a scale make together, each the same for all channels; or None."""
    lines = [_uniform(graph, node) for node in (line, scale)]
    if not isinstance(clip.op, Activation) or None in lines:
        return None
    (slope, offset), (factor, added) = (pair or (0.0, 0.0) for pair in lines)
    high = clip.op.high
    ends = clip.op.low == added == 0 and high > 0 and abs(factor * high - 1) < _CLOSE
    if not ends or abs(slope) > _STEEPEST * high or abs(offset) > _STEEPEST * high:
        return None
    return Sigmoid("hard", False, slope / high, offset / high)


def _uniform(graph: Graph, node: Node) -> tuple[float, float] | None:
    """(factor, offset) of a normalisation that treats all channels alike."""
    if not isinstance(node.op, BatchNorm):
        return None
    try:
        factor, offset = node.op.affine(graph.parameters(node))
    except ValueError:
        return None
    alike = bool(np.all(factor == factor[0]) and np.all(offset == offset[0]))
    return (float(factor[0]), float(offset[0])) if alike else None


@from_onnx("Sigmoid", "Tanh", "HardSigmoid", "HardSwish")
def sigmoid_from_onnx(node: OnnxNode) -> Imported:
    """A product with the input is fused by a rule, but for HardSwish, which is one operator."""
    node.shape(0)
    if node.kind in ("Sigmoid", "Tanh"):
        return (Step(Sigmoid("logistic" if node.kind == "Sigmoid" else "tanh"), node.inputs[:1]),)
    gated = node.kind == "HardSwish"
    slope = 1 / 6 if gated else node.number("alpha", 0.2)
    offset = 0.5 if gated else node.number("beta", 0.5)
    if not (abs(slope) <= _STEEPEST and abs(offset) <= _STEEPEST):
        raise Unsupported(f"a slope of {slope} and an offset of {offset}; up to {_STEEPEST:g} are supported")
    return (Step(Sigmoid("hard", gated, slope, offset), node.inputs[:1]),)
