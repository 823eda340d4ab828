"""Figures of merit against hand-worked values."""

from __future__ import annotations

import numpy as np
import pytest

from flow.fixed_point import Format
from flow.numerics import accuracy, liveness, sqnr_db, top1, wilson


def test_wilson_interval():
    """81 of 263: 0.2553 to 0.3662 (R. G. Newcombe, Statistics in Medicine 17, 1998, table I, method 3)."""
    result = wilson(81, 263)
    assert (round(result.low, 4), round(result.high, 4)) == (0.2553, 0.3662)


def test_an_interval_stays_inside_0_and_1():
    assert wilson(0, 20).low == 0
    assert wilson(20, 20).high == 1
    assert wilson(20, 20).low < 0.9


def test_sqnr():
    assert sqnr_db(np.array([10.0, 0.0]), np.array([9.0, 0.0])) == pytest.approx(20)
    assert sqnr_db(np.array([1.0]), np.array([1.0])) == 300


def test_accuracy_counts_right_answers():
    scores = np.array([[1, 2, 3], [5, 5, 1], [0, 1, 0]])
    assert top1(scores).tolist() == [2, 0, 1]
    assert accuracy(scores, np.array([2, 1, 1])).value == pytest.approx(2 / 3)


def test_liveness():
    fmt = Format(8)
    assert liveness(np.zeros(100, np.int64), fmt).degenerate
    assert not liveness(np.arange(-100, 100), fmt).degenerate
    ends = np.concatenate([np.arange(-100, 100), [127] * 4])
    assert liveness(ends, fmt).saturated == pytest.approx(4 / 204)
    assert liveness(ends, fmt).degenerate
