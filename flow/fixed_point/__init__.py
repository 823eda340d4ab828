"""Integers with scales, rounding and saturation: the numerics contract in code."""

from flow.fixed_point.format import MAXIMUM_SHIFT, Format, Integers, Numbers, saturate, shift_round
from flow.fixed_point.logistic import LARGEST_ERROR, UNIT_BITS, hard_sigmoid, logistic
from flow.fixed_point.requantise import (
    ACCUMULATOR_LIMIT,
    ACTIVATIONS,
    ALPHA_BITS,
    Nonlinearity,
    Requantisation,
    accumulator_bits,
    requantisation,
    rounded,
    sum_bits,
)

__all__ = [
    "ACCUMULATOR_LIMIT",
    "ACTIVATIONS",
    "ALPHA_BITS",
    "LARGEST_ERROR",
    "MAXIMUM_SHIFT",
    "UNIT_BITS",
    "Format",
    "Integers",
    "Nonlinearity",
    "Numbers",
    "Requantisation",
    "accumulator_bits",
    "hard_sigmoid",
    "logistic",
    "requantisation",
    "rounded",
    "saturate",
    "shift_round",
    "sum_bits",
]
