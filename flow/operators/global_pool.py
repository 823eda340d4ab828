"""Pooling over all of space."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Numbers
from flow.ir import Array, Folding, Shape, operator
from flow.operators.correlate import divide_half_up
from flow.operators.flatten import Flatten
from flow.operators.hardware import pixels
from flow.operators.keeps_format import KeepsFormat
from flow.operators.onnx_node import Imported, OnnxNode, Step, Unsupported, from_onnx
from flow.operators.transpose import channels_first, channels_last


@operator("global_pool", ip="global_pool")
@dataclass(frozen=True, slots=True)
class GlobalPool(KeepsFormat):
    """`kind` is max | average; every spatial axis shrinks to 1."""

    kind: str

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *spatial = inputs[0]
        return (channels, *(1 for _ in spatial))

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        space = tuple(range(2, xs[0].ndim))
        reduced: Array = (np.max if self.kind == "max" else np.mean)(xs[0], axis=space, keepdims=True)
        return reduced

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        x, space = xs[0].astype(np.int64), tuple(range(2, xs[0].ndim))
        if self.kind == "max":
            largest: Array = np.max(x, axis=space, keepdims=True)
            return largest
        return divide_half_up(np.sum(x, axis=space, keepdims=True), math.prod(x.shape[2:]))

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        return {
            "kind": int(self.kind == "average"),
            "pixels": pixels(inputs[0]),
            "channels": inputs[0][0],
            "coarse": folding.coarse_in,
            "data_bits": numbers.inputs[0].bits,
        }


@from_onnx("GlobalAveragePool", "GlobalMaxPool")
def global_pool_from_onnx(node: OnnxNode) -> Imported:
    """Pooling over every spatial axis."""
    if len(node.shape(0)) < 2:
        raise Unsupported("the input has no spatial axes")
    return (Step(GlobalPool("max" if node.kind == "GlobalMaxPool" else "average"), node.inputs[:1]),)


@from_onnx("ReduceMean", "ReduceMax")
def reduce_from_onnx(node: OnnxNode) -> Imported:
    """A reduction over every spatial axis, channels first or last."""
    rank = len(node.shape(0)) + 1
    pool, source = GlobalPool("max" if node.kind == "ReduceMax" else "average"), node.inputs[:1]
    axes, keep = node.axes(), bool(node.integer("keepdims", 1))
    if rank > 2 and axes == tuple(range(2, rank)):
        return (Step(pool, source), *(() if keep else (Step(Flatten()),)))
    if rank > 2 and axes == tuple(range(1, rank - 1)):
        last = Step(channels_last(rank - 1)) if keep else Step(Flatten())
        return (Step(channels_first(rank - 1), source), Step(pool), last)
    raise Unsupported(f"axes {axes}; only all spatial axes together")
