"""Batch normalisation in inference form; folded into a neighbouring convolution by a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.ir import Array, Operator, Shape, Stored, Weight, operator
from flow.operators.correlate import per_channel
from flow.operators.onnx_node import Imported, OnnxNode, Same, Step, Unsupported, filled, from_onnx, reshaped
from flow.operators.transpose import channels_first, channels_last


@operator("batch_norm")
@dataclass(frozen=True, slots=True)
class BatchNorm(Operator):
    """Y = scale * (X - mean) / sqrt(variance + epsilon) + bias, per channel; four parameters of shape (channels,)."""

    epsilon: float = 1e-5

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Shape]:
        return dict.fromkeys(("scale", "bias", "mean", "variance"), inputs[0][:1])

    def affine(self, parameters: Mapping[str, Array]) -> tuple[Array, Array]:
        """(factor, offset) per channel in float64, so that Y = factor * X + offset; ValueError if it is undefined."""
        p = {name: values.astype(np.float64) for name, values in parameters.items()}
        spread = p["variance"] + self.epsilon
        if not np.all(spread > 0):
            raise ValueError("a variance is not positive")
        factor = p["scale"] / np.sqrt(spread)
        return factor, p["bias"] - p["mean"] * factor

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        x = xs[0]
        slope = parameters["scale"].astype(np.float64) / np.sqrt(parameters["variance"] + np.float64(self.epsilon))
        offset = parameters["bias"] - parameters["mean"] * slope
        return x * per_channel(slope.astype(x.dtype), x) + per_channel(offset.astype(x.dtype), x)


@from_onnx("BatchNormalization")
def batch_norm_from_onnx(node: OnnxNode) -> Imported:
    """Batch normalisation with stored statistics."""
    if node.integer("training_mode") or len(node.outputs) > 1:
        raise Unsupported("it is in training mode; export the network for inference")
    if node.integer("spatial", 1) != 1:
        raise Unsupported("spatial=0: statistics per value, not per channel")
    names = ("scale", "bias", "mean", "variance")
    weights = {name: reshaped(node.weight(i + 1), node.shape(0)[:1]) for i, name in enumerate(names)}
    return (Step(BatchNorm(node.number("epsilon", 1e-5)), node.inputs[:1], weights),)


@from_onnx("Add", "Sum", "Sub", "Mul", "Div")
def affine_from_onnx(node: OnnxNode) -> Imported:
    """Arithmetic with a constant per channel, as exporters write scales, biases and the normalisation of images."""
    constants = [i for i in range(len(node.inputs)) if node.is_constant(i)]
    if len(node.inputs) != 2 or len(constants) != 1:
        if node.kind in ("Add", "Sum", "Mul") and not constants:
            return None
        raise Unsupported("only with one constant for each channel")
    data = 1 - constants[0]
    shape = node.shape(data)
    axis, values = constant_per_channel(node.array(constants[0]), shape)
    scale, bias = _affine(node.kind, values, reverse=data == 1)
    if not np.all(np.isfinite((scale, bias))):
        raise Unsupported("a constant that is not finite")
    if np.all(scale == 1) and np.all(bias == 0):
        return Same(node.inputs[data])
    channels = (shape[axis],)
    weights: dict[str, Weight] = {"mean": filled(channels, 0.0), "variance": filled(channels, 1.0)}
    for name, parameter in (("scale", scale), ("bias", bias)):
        weights[name] = Stored(np.broadcast_to(parameter, channels).astype(np.float32))
    source = (node.inputs[data],)
    if axis == 0:
        return (Step(BatchNorm(0.0), source, weights),)
    rank = len(shape)
    return Step(channels_first(rank), source), Step(BatchNorm(0.0), weights=weights), Step(channels_last(rank))


def _affine(kind: str, c: Array, reverse: bool) -> tuple[Array, Array]:
    """(scale, bias) of x -> x + c, x - c, c - x, x * c, x / c."""
    one, zero = np.ones_like(c), np.zeros_like(c)
    if kind == "Sub":
        return (-one, c) if reverse else (one, -c)
    if kind == "Mul":
        return c, zero
    if kind == "Div":
        if reverse or np.any(c == 0):
            raise Unsupported("a division by the data, or by zero")
        return 1.0 / c, zero
    return one, c


def constant_per_channel(values: Array, shape: Shape) -> tuple[int, Array]:
    """The frame's channel axis (first or last) along which the broadcast constant varies, and its values."""
    values = values.astype(np.float64)
    if values.size == 1:
        return 0, values.reshape(1)
    if values.ndim > len(shape) + 1:
        raise Unsupported(f"a constant of shape {values.shape} with frames of shape {shape}")
    sizes = (1,) * (len(shape) + 1 - values.ndim) + values.shape
    varying = [axis for axis, size in enumerate(sizes) if size > 1]
    if len(varying) != 1 or varying[0] not in (1, len(shape)) or sizes[varying[0]] != shape[varying[0] - 1]:
        raise Unsupported(f"a constant of shape {values.shape} with frames of shape {shape}: not one value a channel")
    return varying[0] - 1, values.reshape(-1)
