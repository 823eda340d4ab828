"""Maximum and average pooling of any rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from flow.fixed_point import Numbers
from flow.ir import Array, Folding, Shape, operator
from flow.operators.correlate import divide_half_up, padded, taps
from flow.operators.hardware import per_axis
from flow.operators.keeps_format import KeepsFormat
from flow.operators.onnx_node import Imported, OnnxNode, Same, Step, Unsupported, from_onnx
from flow.operators.onnx_window import window_of
from flow.operators.window import Window


@operator("pool", ip="pool")
@dataclass(frozen=True, slots=True)
class Pool(KeepsFormat):
    """`kind` is max | average; `count_include_pad` counts padding in the average's divisor, never an overhang."""

    kind: str
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    pads_begin: tuple[int, ...]
    pads_end: tuple[int, ...]
    ceil_mode: bool = False
    count_include_pad: bool = False

    @property
    def window(self) -> Window:
        ones = (1,) * len(self.kernel)
        return Window(self.kernel, self.strides, self.pads_begin, self.pads_end, ones, self.ceil_mode)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        channels, *spatial = inputs[0]
        return (channels, *self.window.output(spatial))

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        if self.kind == "max":
            return self._maximum(xs[0], -np.inf)
        mean: Array = self._sum(padded(xs[0], self.window), xs[0].shape[2:]) / self._divisors(xs[0])
        return mean.astype(xs[0].dtype)

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        if self.kind == "max":
            return self._maximum(xs[0].astype(np.int64), numbers.inputs[0].lowest)
        sums = self._sum(padded(xs[0].astype(np.int64), self.window), xs[0].shape[2:])
        return divide_half_up(sums, self._divisors(xs[0]))

    def _maximum(self, x: Array, lowest: float) -> Array:
        sizes = self.window.output(x.shape[2:])
        result: Array = np.full((*x.shape[:2], *sizes), lowest, x.dtype)
        for values in taps(padded(x, self.window, lowest), self.window, sizes):
            np.maximum(result, values, out=result)
        return result

    def _sum(self, x: Array, spatial: Sequence[int]) -> Array:
        """Sums over the windows of padded frames that have the size `spatial` without padding."""
        sizes = self.window.output(spatial)
        result: Array = np.zeros((*x.shape[:2], *sizes), x.dtype)
        for values in taps(x, self.window, sizes):
            result += values
        return result

    def _divisors(self, frames: Array) -> Array:
        """How many positions count in each average, shape of the output's space, int64: never those of an overhang."""
        spatial = frames.shape[2:]
        counted = np.ones((1, 1, *spatial), np.int64)
        if self.count_include_pad:
            counted = padded(counted, replace(self.window, ceil_mode=False), 1)
            counted = np.pad(counted, [(0, 0), (0, 0), *((0, n) for n in self.window.overhang(spatial))])
        else:
            counted = padded(counted, self.window)
        divisors: Array = self._sum(counted, spatial)[0, 0]
        return divisors

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        channels, *spatial = inputs[0]
        overhang = self.window.overhang(spatial)
        pads_end = [pad + extra for pad, extra in zip(self.pads_end, overhang, strict=True)]
        sizes = {"kind": int(self.kind == "average"), "channels": channels, "coarse": folding.coarse_in}
        sizes |= per_axis("in", spatial, 1) | per_axis("out", self.window.output(spatial), 1)
        sizes |= per_axis("kernel", self.kernel, 1) | per_axis("stride", self.strides, 1)
        sizes |= per_axis("pad", self.pads_begin, 0, "0") | per_axis("pad", pads_end, 0, "1")
        sizes |= per_axis("extra", overhang, 0, "1")
        return sizes | {"count_include_pad": int(self.count_include_pad), "data_bits": numbers.inputs[0].bits}


@from_onnx("MaxPool", "AveragePool")
def pool_from_onnx(node: OnnxNode) -> Imported:
    """Pooling without dilation; a window of one value with stride one computes nothing."""
    window = window_of(node, node.integers("kernel_shape"))
    if len(node.outputs) > 1:
        raise Unsupported("the indices of the maxima are read")
    if max(window.dilations) > 1:
        raise Unsupported(f"dilations {window.dilations}")
    if any(b >= k or e >= k for k, b, e in zip(window.kernel, window.pads_begin, window.pads_end, strict=True)):
        raise Unsupported(f"pads {window.pads_begin + window.pads_end} reach past the kernel {window.kernel}")
    if max(window.kernel + window.strides) == 1:
        return Same(node.inputs[0])
    kind = "max" if node.kind == "MaxPool" else "average"
    count_pads = kind == "average" and bool(node.integer("count_include_pad"))
    op = Pool(kind, window.kernel, window.strides, window.pads_begin, window.pads_end, window.ceil_mode, count_pads)
    return (Step(op, node.inputs[:1]),)
