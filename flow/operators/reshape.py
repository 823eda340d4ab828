"""Axes taken apart and joined around a transpose that shuffles channels or pixels; rules make one operation of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Numbers
from flow.ir import Array, Shape, ShapeError, elements, operator
from flow.operators.keeps_format import KeepsFormat


@operator("reshape")
@dataclass(frozen=True, slots=True)
class Reshape(KeepsFormat):
    """The frame's values, row-major, in another shape."""

    shape: tuple[int, ...]

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if elements(inputs[0]) != elements(self.shape):
            raise ShapeError(f"a frame of shape {inputs[0]} cannot take the shape {self.shape}")
        return self.shape

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        return xs[0].reshape(len(xs[0]), *self.shape)

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        return self.reference(xs, parameters).astype(np.int64)


def splits_channels(before: Shape, after: Shape) -> bool:
    """Whether the channels alone become a matrix: (C, *spatial) to (rows, C / rows, *spatial)."""
    return len(before) > 1 and before[1:] == after[2:] and after[0] * after[1] == before[0]


def opens_block(before: Shape, after: Shape) -> bool:
    """Whether channels become a block and channels, a factor a spatial axis: (C, *spatial) to (a, b, ..., *spatial)."""
    rank = len(before) - 1
    return rank > 0 and len(after) == 2 * rank + 1 and before[1:] == after[-rank:]


def closes_block(before: Shape, after: Shape) -> bool:
    """Whether every spatial axis takes a factor behind it: (C, H, r, W, s) to (C, H r, W s)."""
    pairs = tuple(before[k] * before[k + 1] for k in range(1, len(before) - 1, 2))
    return len(before) > 2 and after == (before[0], *pairs)


def rearranged(x: Array, middle: Shape, order: Sequence[int]) -> Array:
    """Frames (N, …) as (N, *middle), the axes of `middle` in another order."""
    return x.reshape(len(x), *middle).transpose(0, *(axis + 1 for axis in order))
