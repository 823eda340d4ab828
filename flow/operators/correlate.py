"""The arithmetic of convolution for floats and for integers: sliding windows as matrix products.

Integers are multiplied as float64, whose sums are exact below 2**53; wider ones are split into halves first. Columns
are built a piece at a time, so that memory stays bounded whatever the image.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from flow.fixed_point import Format, Numbers
from flow.ir import Array, Shape
from flow.operators.window import Window

EXACT_BITS = 53
"""Integers up to 2**53 are exact in float64."""

PIECE_BYTES = 64 << 20
"""Largest piece of columns, weights or products that is held at a time."""


def padded(x: Array, window: Window, fill: float = 0) -> Array:
    """Frames (N, C, *spatial) with the window's padding and its last window's overhang filled with `fill`."""
    overhang = window.overhang(x.shape[2:])
    ends = [e + o for e, o in zip(window.pads_end, overhang, strict=True)]
    if not any(window.pads_begin) and not any(ends):
        return x
    return np.pad(x, [(0, 0), (0, 0), *zip(window.pads_begin, ends, strict=True)], constant_values=fill)


def taps(x: Array, window: Window, sizes: Sequence[int]) -> Iterator[Array]:
    """For every window position, row-major, the padded frames' values under it: views of shape (N, C, *sizes)."""
    for tap in itertools.product(*(range(k) for k in window.kernel)):
        starts = [t * d for t, d in zip(tap, window.dilations, strict=True)]
        yield x[(slice(None), slice(None), *_steps(starts, sizes, window.strides))]


def _steps(starts: Sequence[int], sizes: Sequence[int], strides: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(a, a + (n - 1) * s + 1, s) for a, n, s in zip(starts, sizes, strides, strict=True))


def correlate(x: Array, weight: Array, window: Window, groups: int) -> Array:
    """Frames (N, C, *spatial) with filters (F, C/groups, *kernel), in the floating type of `x`: (N, F, *out)."""
    sizes = window.output(x.shape[2:])
    x = padded(x, window)
    if weight.shape[1] == 1 and groups > 1:
        return _depthwise(x, weight, window, sizes)
    result = np.empty((x.shape[0], weight.shape[0], *sizes), x.dtype)
    filters = weight.reshape(groups, weight.shape[0] // groups, -1).astype(x.dtype, copy=False)
    rows = _rows_at_a_time(x, sizes, window)
    frames = max(1, rows // sizes[0])
    for n in range(0, x.shape[0], frames):
        for row in range(0, sizes[0], rows):
            piece = (min(rows, sizes[0] - row), *sizes[1:])
            columns = _columns(x[n : n + frames], window, piece, row, groups)
            product = filters @ columns
            result[n : n + frames, :, row : row + piece[0]] = product.reshape(-1, weight.shape[0], *piece)
    return result


def _rows_at_a_time(x: Array, sizes: Shape, window: Window) -> int:
    """Output rows (of the first spatial axis) whose columns fit a piece; more than one frame's for small frames."""
    row_bytes = x.shape[1] * math.prod(window.kernel) * math.prod(sizes[1:]) * x.itemsize
    return max(1, PIECE_BYTES // int(row_bytes))


def _columns(x: Array, window: Window, sizes: Shape, row: int, groups: int) -> Array:
    """Columns (N, groups, C/groups * K, positions) of the padded frames for `sizes[0]` output rows from `row`."""
    x = x[:, :, row * window.strides[0] :]
    channels, positions = x.shape[1] // groups, math.prod(sizes)
    if math.prod(window.kernel) == 1:
        return next(taps(x, window, sizes)).reshape(x.shape[0], groups, channels, positions)
    columns = np.empty((*x.shape[:2], math.prod(window.kernel), *sizes), x.dtype)
    for k, values in enumerate(taps(x, window, sizes)):
        columns[:, :, k] = values
    return columns.reshape(x.shape[0], groups, -1, positions)


def _depthwise(x: Array, weight: Array, window: Window, sizes: Shape) -> Array:
    """One channel a group: a sum over taps of whole planes, without columns."""
    channels, multiplier = x.shape[1], weight.shape[0] // x.shape[1]
    result = np.zeros((x.shape[0], channels, multiplier, *sizes), x.dtype)
    factors = weight.reshape(channels, multiplier, -1).astype(x.dtype, copy=False)
    for k, values in enumerate(taps(x, window, sizes)):
        result += values[:, :, None] * factors[:, :, k].reshape(channels, multiplier, *(1 for _ in sizes))
    return result.reshape(x.shape[0], -1, *sizes)


def multiply(x: Array, weight: Array) -> Array:
    """Frames (N, K) with a matrix (F, K), in the floating type of `x`: (N, F)."""
    result = np.empty((x.shape[0], weight.shape[0]), x.dtype)
    rows = max(1, PIECE_BYTES // (weight.shape[1] * x.itemsize))
    for row in range(0, weight.shape[0], rows):
        result[:, row : row + rows] = x @ weight[row : row + rows].astype(x.dtype, copy=False).T
    return result


def exactly(
    product: Callable[[Array, Array], Array], x: Array, weight: Array, bits: tuple[int, int], terms: int
) -> Array:
    """`product` of integers, exact in int64: `bits` are the signed widths of x and weight, `terms` the products a sum.

    Sums that may pass 2**53 are put together from those of the wider operand's halves.
    """
    if sum(bits) - 2 + (terms - 1).bit_length() <= EXACT_BITS:
        return product(x.astype(np.float64), weight).astype(np.int64)
    half = max(bits) // 2
    if bits[0] >= bits[1]:
        x = x.astype(np.int64)
        high = exactly(product, x >> half, weight, (bits[0] - half, bits[1]), terms)
        low = exactly(product, x & ((1 << half) - 1), weight, (half + 1, bits[1]), terms)
    else:
        weight = weight.astype(np.int64)
        high = exactly(product, x, weight >> half, (bits[0], bits[1] - half), terms)
        low = exactly(product, x, weight & ((1 << half) - 1), (bits[0], half + 1), terms)
    return (high << half) + low


def widths(numbers: Numbers) -> tuple[int, int]:
    """Signed widths of a weighted node's data and weights."""
    return numbers.inputs[0].bits, (numbers.weight or Format()).bits


def per_channel(values: Array, frames: Array) -> Array:
    """One value a channel, shaped to broadcast over frames (N, C, *spatial)."""
    return values.reshape(-1, *(1 for _ in frames.shape[2:]))


def divide_half_up(sums: Array, divisors: Array | int) -> Array:
    """sums / divisors to the nearest integer, ties up, in int64."""
    quotients: Array = (2 * sums + divisors) // (2 * divisors)
    return quotients
