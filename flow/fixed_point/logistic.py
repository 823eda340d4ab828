"""The logistic function on integers: a table of 257 values with straight lines between them, no floats anywhere.

    exp(-i / 16)    e[i] in steps of 2**-30: e[0] = 2**30, e[i + 1] = floor(e[i] * DECAY / 2**30)
    value[i]        e[i] / (2**30 + e[i]) in steps of 2**-18, rounded half up: the logistic function of -i / 16
    between         value[i] - round_half_up((value[i] - value[i + 1]) * within / 2**10), `within` in steps of 2**-14

Magnitudes from 16 on take the last position's value. The table is the compiler's in `common/logistic.hpp`, by the same
integers. `hard_sigmoid` is the piecewise linear function on the same scale.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from flow.fixed_point.format import Integers, shift_round
from flow.fixed_point.requantise import rounded

SEGMENTS = 256
"""Straight lines, each 1/16 long."""

POSITION_BITS = 14
"""Fraction bits of a position in the table."""

UNIT_BITS = 18
"""Fraction bits of a result: 1 is 2**18."""

SLOPE_BITS = 20
"""Fraction bits of a hard sigmoid's slope."""

LARGEST_ERROR = 5.1e-5
"""Of the table, at any position, in absolute terms; an input finer than a position adds at most 2**-17."""

HARD_ERROR = 1e-5
"""Of a hard sigmoid: its slope's rounding at the ends of the line, and one rounding to a step."""

_WITHIN_BITS = POSITION_BITS - 4
_SIGNED_BITS = POSITION_BITS + 5
_HARD_BITS = 24
_EXP_BITS = 30
_DECAY = 1008687096
"""exp(-1/16) * 2**30, rounded."""


@cache
def table() -> Integers:
    """The logistic function of 0, -1/16, … -16, in steps of 2**-18."""
    found, one = [], 1 << _EXP_BITS
    e = one
    for _ in range(SEGMENTS + 1):
        found.append(((e << UNIT_BITS) + (one + e) // 2) // (one + e))
        e = (e * _DECAY) >> _EXP_BITS
    return np.array(found, np.int64)


def logistic(values: Integers, shift: int) -> Integers:
    """1 / (1 + exp(-x)) in steps of 2**-18 for x = values * 2**-(shift + 14); int64 in and out."""
    position = rounded(np.abs(values), shift, _SIGNED_BITS)
    segment, within = position >> _WITHIN_BITS, position & ((1 << _WITHIN_BITS) - 1)
    fall = table()[segment] - table()[segment + 1]
    below: Integers = table()[segment] - shift_round(fall * within, _WITHIN_BITS)
    return np.where(values < 0, below, (1 << UNIT_BITS) - below)


def hard_sigmoid(values: Integers, slope: int, offset: int, shift: int) -> Integers:
    """min(max(slope * x + offset, 0), 1) in steps of 2**-18; products are `shift` bits finer than the result."""
    line: Integers = np.clip(rounded(values * np.int64(slope), shift, _HARD_BITS) + offset, 0, 1 << UNIT_BITS)
    return line
