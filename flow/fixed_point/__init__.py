"""Integers with scales, rounding and saturation: the numerics contract in code."""

from flow.fixed_point.format import MAXIMUM_SHIFT, Format, Integers, Numbers, saturate, shift_round
from flow.fixed_point.requantise import (
    ACCUMULATOR_LIMIT,
    ACTIVATIONS,
    ALPHA_BITS,
    Nonlinearity,
    Requantisation,
    accumulator_bits,
    requantisation,
    sum_bits,
)

__all__ = [
    "ACCUMULATOR_LIMIT",
    "ACTIVATIONS",
    "ALPHA_BITS",
    "MAXIMUM_SHIFT",
    "Format",
    "Integers",
    "Nonlinearity",
    "Numbers",
    "Requantisation",
    "accumulator_bits",
    "requantisation",
    "saturate",
    "shift_round",
    "sum_bits",
]
