"""Transposed convolution of any rank; a rule writes it as a convolution for every phase of the stride."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.ir import Array, Operator, Shape, ShapeError, Weight, elements, operator
from flow.operators.correlate import per_channel
from flow.operators.onnx_node import Imported, OnnxNode, Step, Unsupported, from_onnx, reshaped, transposed


@operator("conv_transpose")
@dataclass(frozen=True, slots=True)
class ConvTranspose(Operator):
    """Y = X spread by `strides`, every value times the whole kernel, plus bias; `pads` positions are cut off.

    Spatial tuples have one entry an axis. Weight: (filters, channels/groups, *kernel), like a convolution's.
    """

    filters: int
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    pads_begin: tuple[int, ...]
    pads_end: tuple[int, ...]
    dilations: tuple[int, ...]
    output_padding: tuple[int, ...]
    groups: int = 1
    bias: bool = True

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *spatial = inputs[0]
        if len(spatial) != len(self.kernel):
            raise ShapeError(f"a kernel of rank {len(self.kernel)} over {len(spatial)} spatial axes")
        if channels % self.groups or self.filters % self.groups:
            raise ShapeError(f"{channels} channels and {self.filters} filters do not divide into {self.groups} groups")
        sizes = zip(self._spread(spatial), self.pads_begin, self.pads_end, strict=True)
        shape = (self.filters, *(n - b - e for n, b, e in sizes))
        if min(shape) < 1:
            raise ShapeError(f"pads {self.pads_begin}, {self.pads_end} cut everything off")
        return shape

    def _spread(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """Sizes before anything is cut off."""
        axes = zip(spatial, self.strides, self.kernel, self.dilations, self.output_padding, strict=True)
        return tuple((n - 1) * s + (k - 1) * d + 1 + p for n, s, k, d, p in axes)

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Shape]:
        weight = {"weight": (self.filters, inputs[0][0] // self.groups, *self.kernel)}
        return weight | ({"bias": (self.filters,)} if self.bias else {})

    def macs(self, inputs: Sequence[Shape]) -> int:
        return elements(inputs[0]) * self.filters // self.groups * math.prod(self.kernel)

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        x, weight = xs[0], parameters["weight"].astype(xs[0].dtype, copy=False)
        spatial, shape = x.shape[2:], self.output_shape([x.shape[1:]])
        sums = np.zeros((len(x), self.filters, *self._spread(spatial)), x.dtype)
        grouped = x.reshape(len(x), self.groups, -1, math.prod(spatial))
        for tap in np.ndindex(*self.kernel):
            filters = weight[(slice(None), slice(None), *tap)].reshape(self.groups, self.filters // self.groups, -1)
            product = (filters @ grouped).reshape(len(x), self.filters, *spatial)
            starts = (t * d for t, d in zip(tap, self.dilations, strict=True))
            places = (slice(a, a + (n - 1) * s + 1, s) for a, n, s in zip(starts, spatial, self.strides, strict=True))
            sums[(slice(None), slice(None), *places)] += product
        kept = (slice(b, b + n) for b, n in zip(self.pads_begin, shape[1:], strict=True))
        result: Array = sums[(slice(None), slice(None), *kept)]
        return result + per_channel(parameters["bias"], result) if self.bias else result


@from_onnx("ConvTranspose")
def conv_transpose_from_onnx(node: OnnxNode) -> Imported:
    """Transposed convolution of one to three spatial axes with constant weights."""
    weight, (channels, *spatial), groups = node.weight(1), node.shape(0), node.integer("group", 1)
    rank = len(spatial)
    inputs, per_group, *kernel = weight.shape if len(weight.shape) > 2 else (0, 0)
    if groups < 1 or inputs != channels or channels % groups:
        raise ShapeError(f"weights of shape {weight.shape} in {groups} groups do not fit {channels} channels")
    if not 1 <= rank <= 3 or len(kernel) != rank or node.integers("kernel_shape", kernel) != tuple(kernel):
        raise Unsupported(f"a kernel of {tuple(kernel)} over {rank} spatial axes")
    ones = (1,) * rank
    strides, dilations = node.integers("strides", ones), node.integers("dilations", ones)
    extra = node.integers("output_padding", (0,) * rank)
    if not len(strides) == len(dilations) == len(extra) == rank or min(strides + dilations) < 1 or min(extra) < 0:
        raise Unsupported(f"strides {strides}, dilations {dilations}, output_padding {extra} over {rank} spatial axes")
    axes = zip(spatial, strides, kernel, dilations, extra, strict=True)
    begin, end = _pads(node, spatial, strides, tuple((n - 1) * s + (k - 1) * d + 1 + p for n, s, k, d, p in axes))
    filters = per_group * groups
    op = ConvTranspose(filters, tuple(kernel), strides, begin, end, dilations, extra, groups, node.has(2))
    bias = {"bias": reshaped(node.weight(2), (filters,))} if node.has(2) else {}
    return (Step(op, node.inputs[:1], {"weight": _swapped(weight, groups)} | bias),)


def _pads(
    node: OnnxNode, spatial: Sequence[int], strides: tuple[int, ...], full: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Positions cut off; `output_shape` and `auto_pad` say how many of the `full` sizes are left."""
    rank, mode = len(spatial), node.text("auto_pad", "NOTSET")
    sizes = node.integers("output_shape")[-rank:]
    if not sizes and mode in ("SAME_UPPER", "SAME_LOWER"):
        sizes = tuple(n * s for n, s in zip(spatial, strides, strict=True))
    if sizes:
        total = [n - size for n, size in zip(full, sizes, strict=True)]
        if min(total) < 0:
            raise Unsupported(f"an output_shape of {sizes}, beyond the {full} that the kernel reaches")
        small, large = tuple(t // 2 for t in total), tuple(t - t // 2 for t in total)
        return (small, large) if mode == "SAME_UPPER" else (large, small)
    pads = node.integers("pads", (0,) * 2 * rank) if mode == "NOTSET" else (0,) * 2 * rank
    if len(pads) != 2 * rank or min(pads) < 0 or mode not in ("NOTSET", "VALID"):
        raise Unsupported(f"pads {pads}, auto_pad {mode}")
    return pads[:rank], pads[rank:]


def _swapped(weight: Weight, groups: int) -> Weight:
    """ONNX's (channels, filters/groups, *kernel) as (filters, channels/groups, *kernel)."""
    channels, per_group, *kernel = weight.shape
    rank = len(kernel)
    grouped = reshaped(weight, (groups, channels // groups, per_group, *kernel))
    order = (0, 2, 1, *range(3, 3 + rank))
    return reshaped(transposed(grouped, order), (groups * per_group, channels // groups, *kernel))
