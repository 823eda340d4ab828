"""Rounding, saturation and activations at their edges, against Python's unbounded integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.fixed_point import Format, Nonlinearity, accumulator_bits, requantisation, shift_round


def floor_half_up(value: int, shift: int) -> int:
    return (2 * value + 2**shift) // 2 ** (shift + 1) if shift > 0 else value * 2**-shift


@pytest.mark.parametrize(
    ("value", "shift", "expected"),
    [(3, 1, 2), (-3, 1, -1), (1, 1, 1), (-1, 1, 0), (5, 2, 1), (6, 2, 2), (-6, 2, -1), (7, -2, 28)],
)
def test_ties_round_up(value, shift, expected):
    assert shift_round(np.array([value]), shift)[0] == expected


@settings(max_examples=300, deadline=None)
@given(st.integers(-(2**62), 2**62 - 1), st.integers(-70, 80), st.integers(2, 32))
def test_any_accumulator_and_shift(value, shift, bits):
    """63-bit accumulators, shifts beyond the word's width on both sides."""
    out = Format(bits)
    result = requantisation(Nonlinearity(), shift, out).apply(np.array([value], np.int64))[0]
    assert result == min(max(floor_half_up(value, shift), out.lowest), out.highest)


@settings(max_examples=300, deadline=None)
@given(st.integers(-(2**47), 2**47 - 1), st.integers(-20, 40), st.integers(0, 2**15))
def test_leaky_relu_rounds_once(value, shift, alpha):
    result = requantisation(Nonlinearity("leaky_relu", alpha=alpha / 2**15), shift, Format(16))
    assert result.alpha == alpha
    exact = floor_half_up(value * (alpha if value < 0 else 2**15), shift + 15)
    assert result.apply(np.array([value], np.int64))[0] == min(max(exact, -(2**15)), 2**15 - 1)


def test_clip_bounds_are_integers_at_output_scale():
    stage = requantisation(Nonlinearity("clip", low=0.0, high=6.0), 3, Format(8, -4))
    assert (stage.clip_min, stage.clip_max) == (0, 96)
    assert stage.apply(np.array([-8, 8 * 95, 8 * 96, 8 * 127])).tolist() == [0, 95, 96, 96]


def test_a_clip_beyond_the_range_saturates():
    stage = requantisation(Nonlinearity("clip", low=-np.inf, high=np.inf), 0, Format(8))
    assert (stage.clip_min, stage.clip_max) == (-128, 127)


def test_quantise_rounds_ties_up_and_saturates():
    assert Format(8, -1).quantise(np.array([0.25, -0.25, 0.75, 1e9, -1e9])).tolist() == [1, 0, 2, 127, -128]


def test_accumulator_width():
    """512 channels of 3x3 and a bias at 16 bits: 32 + 13 + 1."""
    assert accumulator_bits(16, 16, 512 * 9 + 1) == 46
    assert accumulator_bits(16, 16, 1) == 33
