"""Parameters that the data sheets of several modules share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from flow.fixed_point import Format, Numbers
from flow.ir import Shape

ALPHA_BITS = 15
"""Fraction bits of a leaky ReLU's slope."""

_KINDS = {"none": 0, "relu": 1, "clip": 2, "leaky_relu": 3}
_AXES = ("d", "h", "w")


def triple(values: Sequence[int], fill: int) -> tuple[int, ...]:
    """Per-axis values of any rank up to 3 as (depth, height, width)."""
    return (fill,) * (3 - len(values)) + tuple(values)


def per_axis(name: str, values: Sequence[int], fill: int, suffix: str = "") -> dict[str, int]:
    """`{name}_d{suffix}`, `_h`, `_w` of a tuple with one entry a spatial axis."""
    return {f"{name}_{axis}{suffix}": v for axis, v in zip(_AXES, triple(values, fill), strict=True)}


def pixels(shape: Shape) -> int:
    """Positions in space; 1 for a vector."""
    return math.prod(shape[1:])


def requantisation(numbers: Numbers, activation: str, low: float, high: float, alpha: float) -> dict[str, int]:
    """What stands behind an accumulator: activation, shift, saturation."""
    out: Format = numbers.output
    bounds = [int(out.quantise(np.array([value]))[0]) if activation == "clip" else 0 for value in (low, high)]
    return {
        "out_bits": out.bits,
        "shift": numbers.shift,
        "activation": _KINDS[activation],
        "clip_min": bounds[0],
        "clip_max": bounds[1],
        "alpha": math.floor(alpha * 2**ALPHA_BITS + 0.5) if activation == "leaky_relu" else 0,
    }
