"""Channels to space: a block of channels becomes a block of positions (sub-pixel convolution)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Numbers
from flow.ir import Array, Folding, Shape, ShapeError, operator
from flow.operators.hardware import per_axis
from flow.operators.keeps_format import KeepsFormat
from flow.operators.onnx_node import Imported, OnnxNode, Step, Unsupported, from_onnx
from flow.operators.reshape import rearranged
from flow.operators.shuffle import Shuffle


@operator("depth_to_space", ip="depth_to_space")
@dataclass(frozen=True, slots=True)
class DepthToSpace(KeepsFormat):
    """Channels (*block, C) at a position become C channels at `block` positions (ONNX's mode DCR, of any rank)."""

    block: tuple[int, ...]

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *spatial = inputs[0]
        if len(spatial) != len(self.block) or channels % math.prod(self.block):
            raise ShapeError(f"a frame of shape {inputs[0]} has no blocks of {self.block}")
        return (channels // math.prod(self.block), *(n * b for n, b in zip(spatial, self.block, strict=True)))

    def rearrangement(self, shape: Shape) -> tuple[Shape, tuple[int, ...]]:
        """Shape of a frame with the block taken apart, and the order in which its axes leave."""
        rank = len(self.block)
        middle = (*self.block, shape[0] // math.prod(self.block), *shape[1:])
        return middle, (rank, *(axis for k in range(rank) for axis in (rank + 1 + k, k)))

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        shape = xs[0].shape[1:]
        return rearranged(xs[0], *self.rearrangement(shape)).reshape(len(xs[0]), *self.output_shape([shape]))

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        return self.reference(xs, parameters).astype(np.int64)

    def keeps_channels(self) -> bool:
        return False

    def parallelism(self, inputs: Sequence[Shape]) -> Folding:
        channels = inputs[0][0] // math.prod(self.block)
        return Folding(channels, channels)

    def legal_folding(self, folding: Folding, inputs: Sequence[Shape]) -> bool:
        """No word straddles two positions, so lanes divide the output's channels."""
        lanes, most = folding.coarse_in, self.parallelism(inputs).coarse_in
        return folding == Folding(lanes, lanes) and 1 <= lanes <= most and most % lanes == 0

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        channels, *spatial = inputs[0]
        sizes = {"channels": channels // math.prod(self.block), "coarse": folding.coarse_in}
        sizes |= per_axis("in", spatial, 1) | per_axis("block", self.block, 1)
        return sizes | {"data_bits": numbers.inputs[0].bits}


@from_onnx("DepthToSpace")
def depth_to_space_from_onnx(node: OnnxNode) -> Imported:
    """Mode CRD (PyTorch's pixel shuffle) has the block behind the channels: those are shuffled first."""
    shape, size = node.shape(0), node.integer("blocksize")
    if len(shape) != 3 or size < 1 or shape[0] % size**2:
        raise Unsupported(f"blocks of {size} of a frame of shape {shape}")
    space = DepthToSpace((size, size))
    if node.text("mode", "DCR") == "DCR":
        return (Step(space, node.inputs[:1]),)
    return Step(Shuffle(shape[0] // size**2), node.inputs[:1]), Step(space)
