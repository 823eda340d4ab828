"""Flattening of a frame, channels first; a rule absorbs it into the inner product behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Numbers
from flow.ir import Array, Shape, elements, operator
from flow.operators.keeps_format import KeepsFormat
from flow.operators.onnx_node import Imported, OnnxNode, Same, Step, Unsupported, from_onnx
from flow.operators.reshape import Reshape, closes_block, opens_block, splits_channels
from flow.operators.unflatten import unflattened


@operator("flatten")
@dataclass(frozen=True, slots=True)
class Flatten(KeepsFormat):
    """(C, *spatial) to (C * product of spatial,)."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (elements(inputs[0]),)

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        return xs[0].reshape(len(xs[0]), -1)

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        return self.reference(xs, parameters).astype(np.int64)


@from_onnx("Flatten", "Reshape", "Squeeze")
def flatten_from_onnx(node: OnnxNode) -> Imported:
    """Whatever leaves one axis beside the batch axis, belongs to a shuffle of channels or pixels, or does nothing."""
    before = node.shape(0)
    after = {"Flatten": _flattened, "Reshape": _target, "Squeeze": _squeezed}[node.kind](node)
    if after == before:
        return Same(node.inputs[0])
    if (frame := unflattened(before, after)) is not None:
        return (Step(frame, node.inputs[:1]),)
    matrix = splits_channels(before, after) or splits_channels(after, before)
    if matrix or opens_block(before, after) or closes_block(before, after):
        return (Step(Reshape(after), node.inputs[:1]),)
    if after != (elements(before),):
        raise Unsupported(f"a frame of shape {before} becomes {after}")
    return (Step(Flatten(), node.inputs[:1]),)


def _flattened(node: OnnxNode) -> Shape:
    rank = len(node.shape(0)) + 1
    axis = node.integer("axis", 1)
    if axis not in (1, 1 - rank):
        raise Unsupported(f"axis {axis}; only 1, behind the batch axis")
    return (elements(node.shape(0)),)


def _target(node: OnnxNode) -> Shape:
    """Shape of a frame after `Reshape`: 0 copies the size, -1 takes the rest, the batch axis is 1 or open."""
    before = (1, *node.shape(0))
    wanted = [int(v) for v in node.array(1).reshape(-1)] if node.has(1) else list(node.integers("shape"))
    if not node.integer("allowzero"):
        wanted = [before[i] if size == 0 and i < len(before) else size for i, size in enumerate(wanted)]
    known = math.prod(size for size in wanted if size != -1)
    if (
        wanted.count(-1) > 1
        or known < 1
        or elements(before) % known
        or (-1 not in wanted and known != elements(before))
    ):
        raise Unsupported(f"a frame of shape {before[1:]} cannot take the shape {tuple(wanted)}")
    sizes = [elements(before) // known if size == -1 else size for size in wanted]
    if len(sizes) < 2 or sizes[0] != 1:
        raise Unsupported(f"the shape {tuple(wanted)} mixes the batch axis with others")
    return tuple(sizes[1:])


def _squeezed(node: OnnxNode) -> Shape:
    before = (1, *node.shape(0))
    axes = node.axes()
    if axes is None or 0 in axes or any(before[a] != 1 for a in axes):
        raise Unsupported(f"axes {axes} of a frame of shape {before[1:]}")
    return tuple(size for axis, size in enumerate(before) if axis not in axes)[1:]
