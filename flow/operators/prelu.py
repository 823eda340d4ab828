"""Leaky ReLU with a slope a channel; a rule takes it apart, one slope for all is `activation`'s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.ir import Array, Operator, Shape, Stored, operator
from flow.operators.batch_norm import constant_per_channel
from flow.operators.correlate import per_channel
from flow.operators.onnx_node import Imported, OnnxNode, Step, from_onnx
from flow.operators.transpose import channels_first, channels_last


@operator("prelu")
@dataclass(frozen=True, slots=True)
class PRelu(Operator):
    """Y = X above zero, slope * X below; parameter: slope (channels,)."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Shape]:
        return {"slope": inputs[0][:1]}

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        x = xs[0]
        return np.asarray(np.maximum(x, 0) + per_channel(parameters["slope"].astype(x.dtype), x) * np.minimum(x, 0))


@from_onnx("PRelu")
def prelu_from_onnx(node: OnnxNode) -> Imported:
    """Slopes along the channels, first or last."""
    shape = node.shape(0)
    axis, values = constant_per_channel(node.array(1), shape)
    slope = {"slope": Stored(np.broadcast_to(values, shape[axis : axis + 1]).astype(np.float32))}
    if axis == 0:
        return (Step(PRelu(), node.inputs[:1], slope),)
    rank = len(shape)
    return Step(channels_first(rank), node.inputs[:1]), Step(PRelu(), weights=slope), Step(channels_last(rank))
