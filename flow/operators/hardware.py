"""Parameters that the data sheets of several modules share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

from flow.fixed_point import Nonlinearity, Numbers, requantisation
from flow.ir import Shape

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


def requantisation_parameters(numbers: Numbers, nonlinearity: Nonlinearity) -> dict[str, int]:
    """What stands behind an accumulator (activation, shift, saturation), named as the data sheets name it."""
    return asdict(requantisation(nonlinearity, numbers.shift, numbers.output))
