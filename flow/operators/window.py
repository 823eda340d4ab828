"""Windows over space, of any rank: how kernel, stride, padding and dilation give output sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flow.ir import Shape, ShapeError


@dataclass(frozen=True, slots=True)
class Window:
    """A sliding window; every tuple has one entry a spatial axis.

    Attributes:
        kernel: size.
        strides: step.
        pads_begin, pads_end: padding before and after each axis.
        dilations: distance between taps.
        ceil_mode: keep a last window that overhangs the padded input (pooling only).
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    pads_begin: tuple[int, ...]
    pads_end: tuple[int, ...]
    dilations: tuple[int, ...]
    ceil_mode: bool = False

    def output(self, spatial: Sequence[int]) -> Shape:
        """Output size per axis; ShapeError if the window does not fit the input."""
        if len(spatial) != len(self.kernel):
            raise ShapeError(f"a window of rank {len(self.kernel)} cannot slide over {len(spatial)} spatial axes")
        return tuple(self._axis(axis, size) for axis, size in enumerate(spatial))

    def _axis(self, axis: int, size: int) -> int:
        begin, end, stride = self.pads_begin[axis], self.pads_end[axis], self.strides[axis]
        room = size + begin + end - self.extent(axis)
        if room < 0:
            raise ShapeError(f"a window of {self.extent(axis)} does not fit {size} values with padding {begin}, {end}")
        steps = -(-room // stride) if self.ceil_mode else room // stride
        if self.ceil_mode and steps * stride >= size + begin:
            steps -= 1  # a window that would start in the end padding is not computed (ONNX, PyTorch)
        return steps + 1

    def extent(self, axis: int) -> int:
        """Input positions that the window spans on an axis."""
        return (self.kernel[axis] - 1) * self.dilations[axis] + 1

    def overhang(self, spatial: Sequence[int]) -> tuple[int, ...]:
        """Positions beyond the padded input that `ceil_mode`'s last window reaches, per axis."""
        sizes = self.output(spatial)
        padded = tuple(n + b + e for n, b, e in zip(spatial, self.pads_begin, self.pads_end, strict=True))
        reach = tuple((n - 1) * s + self.extent(a) for a, (n, s) in enumerate(zip(sizes, self.strides, strict=True)))
        return tuple(max(0, r - p) for r, p in zip(reach, padded, strict=True))
