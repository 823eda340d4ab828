"""The integer operators once more, one Python loop an axis, written from the numerics contract alone.

Nothing here uses the code under test: Python's own integers, floor division and explicit loops.
"""

from __future__ import annotations

import itertools


def half_up(numerator: int, shift: int) -> int:
    """numerator * 2**-shift with ties up."""
    if shift <= 0:
        return numerator * 2**-shift
    return (2 * numerator + 2**shift) // 2 ** (shift + 1)


def requantise(acc, shift, bits, *, activation="none", low=0, high=0, alpha=0.0):
    """`low` and `high` are integers at output scale."""
    if activation == "leaky_relu":
        slope = (
            2 * round(alpha * 2**20) + 2**5
        ) // 2**6  # alpha in 15 fraction bits; the tests' alphas have at most 20
        value = half_up(acc * slope if acc < 0 else acc * 2**15, shift + 15)
    else:
        value = half_up(acc, shift)
    value = min(max(value, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)
    if activation == "relu":
        value = 0 if value < 0 else value
    if activation == "clip":
        value = low if value < low else high if value > high else value
    return value


def positions(sizes):
    return itertools.product(*(range(n) for n in sizes))


def window_positions(out, kernel, strides, dilations, begins):
    """For an output position every window position with the input position under it."""
    for tap in positions(kernel):
        yield tap, tuple(o * s + t * d - b for o, s, t, d, b in zip(out, strides, tap, dilations, begins, strict=True))


def inside(position, sizes):
    return all(0 <= p < n for p, n in zip(position, sizes, strict=True))


def convolution(frame, parameters, op, sizes, stage):
    """`frame` maps (channel, *position) to an integer by indexing; `sizes` are the output's; `stage` requantises."""
    weight, bias = parameters["weight"], parameters.get("bias")
    filters, per_group = weight.shape[:2]
    space = frame.shape[1:]
    result = {}
    for f in range(filters):
        first = f // (filters // op.groups) * per_group
        for out in positions(sizes):
            acc = int(bias[f]) if bias is not None else 0
            for tap, at in window_positions(out, op.kernel, op.strides, op.dilations, op.pads_begin):
                if inside(at, space):
                    for c in range(per_group):
                        acc += int(frame[(first + c, *at)]) * int(weight[(f, c, *tap)])
            result[(f, *out)] = stage(acc)
    return result


def pooling(frame, op, sizes, lowest):
    space = frame.shape[1:]
    ones = (1,) * len(space)
    result = {}
    for c in range(frame.shape[0]):
        for out in positions(sizes):
            largest, total, divisor = lowest, 0, 0
            for _, at in window_positions(out, op.kernel, op.strides, ones, op.pads_begin):
                if inside(at, space):
                    value = int(frame[(c, *at)])
                    largest, total, divisor = max(largest, value), total + value, divisor + 1
                elif op.count_include_pad:
                    divisor += all(p < n + e for p, n, e in zip(at, space, op.pads_end, strict=True))
            result[(c, *out)] = largest if op.kind == "max" else (2 * total + divisor) // (2 * divisor)
    return result
