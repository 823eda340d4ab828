"""Operators that move values: references against ONNX Runtime, integers against the definitions in plain loops."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import onnx
import pytest

import flow.operators  # noqa: F401  (registers them)
from flow.fixed_point import Format, Numbers
from flow.ir import operator_class
from tests.operators.test_emulate import draw, draw_format
from tests.operators.test_reference import close, normal, runtime

SEEDS = range(12)
Resize = operator_class("resize")


def kept(x, op):
    fmt = Format(16, -3)
    return op.emulate([x], {}, Numbers((fmt,), fmt))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_resize_reference(seed, mode):
    random = np.random.default_rng(seed)
    rank, coordinates = int(random.integers(1, 4)), ("asymmetric", "half_pixel", "align_corners")[seed % 3]
    spatial = tuple(int(n) for n in random.integers(1, 6, rank))
    factors = tuple(int(n) for n in random.integers(1, 5, rank))
    x = normal(random, 2, 3, *spatial)
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates, "nearest_mode": "floor"}
    if mode == "nearest":
        attributes["coordinate_transformation_mode"] = "asymmetric"
    node = onnx.helper.make_node("Resize", ["x", "", "s"], ["y"], **attributes)
    op = Resize(mode, factors, coordinates)
    theirs = runtime(node, [x], [("s", np.array((1, 1, *factors), np.float32))])
    assert theirs.shape[1:] == op.output_shape([x.shape[1:]])
    close(op.reference([x], {}), theirs)


def exact_weights(coordinates, y, size, factor):
    """ONNX Resize's linear interpolation of one axis."""
    position = {
        "asymmetric": Fraction(y, factor),
        "half_pixel": Fraction(2 * y + 1, 2 * factor) - Fraction(1, 2),
        "align_corners": Fraction(y * (size - 1), max(1, size * factor - 1)),
    }[coordinates]
    position = min(max(position, Fraction(0)), Fraction(size - 1))
    low = int(position)
    return [(low, 1 - (position - low)), (min(low + 1, size - 1), position - low)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("coordinates", ["asymmetric", "half_pixel"])
def test_resize_by_powers_of_two_is_exact(seed, coordinates):
    """One rounding of the exact value, half up."""
    random = np.random.default_rng(seed)
    spatial = tuple(int(n) for n in random.integers(1, 5, random.integers(1, 4)))
    factors = tuple(int(n) for n in random.choice([1, 2, 4], len(spatial)))
    fmt = draw_format(random)
    x = draw(random, fmt, (1, 2, *spatial))
    y = Resize("linear", factors, coordinates).emulate([x], {}, Numbers((fmt,), fmt))
    for where in itertools.product(*(range(n) for n in y.shape[2:])):
        axes = [exact_weights(coordinates, *a) for a in zip(where, spatial, factors, strict=True)]
        for c in range(2):
            value = sum(
                np.prod([w for _, w in taps]) * int(x[(0, c, *(at for at, _ in taps))])
                for taps in itertools.product(*axes)
            )
            assert y[(0, c, *where)] == (2 * value + 1) // 2


def test_resize_with_aligned_corners_is_within_its_error():
    """Weights of 12 bits: off by 2**-13 of two neighbours' distance on each axis, and half a step for the rounding."""
    random = np.random.default_rng(0)
    x = random.integers(-(2**15), 2**15, (2, 3, 9, 7))
    exact = Resize("linear", (2, 3), "align_corners").reference([x.astype(np.float64)], {})
    error = np.abs(kept(x, Resize("linear", (2, 3), "align_corners")) - exact).max()
    assert 0.5 < error <= 0.5 + 2 * 2**16 * 2**-13


def test_resize_nearest_repeats():
    x = np.arange(6).reshape(1, 1, 2, 3)
    np.testing.assert_array_equal(kept(x, Resize("nearest", (2, 3))), x.repeat(2, 2).repeat(3, 3))


def test_slice():
    x = np.arange(2 * 5 * 3).reshape(2, 5, 3)
    np.testing.assert_array_equal(kept(x, operator_class("slice")(1, 4)), x[:, [1, 2, 3]])


def test_pad_rounds_its_value_into_the_format():
    fmt = Format(8, -3)
    x = np.array([[[5, -6]]])
    for value, integer in ((0.5, 4), (0.07, 1), (1e30, 127)):
        y = operator_class("pad")((1, 0), (0, 1), value).emulate([x], {}, Numbers((fmt,), fmt))
        assert y.tolist() == [[[integer, integer, integer], [5, -6, integer]]]


def test_shuffle_and_depth_to_space_in_plain_loops():
    x = np.arange(24 * 2 * 3).reshape(1, 24, 2, 3)
    shuffled = kept(x, operator_class("shuffle")(3, 2))
    for i, j, k in itertools.product(range(3), range(4), range(2)):
        np.testing.assert_array_equal(shuffled[0, (j * 3 + i) * 2 + k], x[0, (i * 4 + j) * 2 + k])
    spread = kept(x, operator_class("depth_to_space")((2, 3)))
    assert spread.shape == (1, 4, 4, 9)
    for c, h, w in itertools.product(range(4), range(4), range(9)):
        assert spread[0, c, h, w] == x[0, (h % 2 * 3 + w % 3) * 4 + c, h // 2, w // 3]


LRNS = [(5, 1e-4, 0.75, 1.0), (3, 0.5, 0.5, 2.0), (1, 1e-2, 1.0, 0.5)]


@pytest.mark.parametrize(("size", "alpha", "beta", "bias"), LRNS)
def test_lrn_reference(size, alpha, beta, bias):
    x = 20 * normal(np.random.default_rng(0), 2, 7, 3, 4)
    node = onnx.helper.make_node("LRN", ["x"], ["y"], size=size, alpha=alpha, beta=beta, bias=bias)
    close(operator_class("lrn")(size, alpha, beta, bias).reference([x], {}), runtime(node, [x]))


LRN_ERRORS = [(16, 1e-4, 1.0), (16, 0.1, 2.0), (16, 5.0, 0.01), (16, 0.0, 1.0), (32, 1e-4, 1.0), (32, 0.1, 2.0)]


@pytest.mark.parametrize("exponent", [-14, -10, -5, 0])
@pytest.mark.parametrize("beta", [0.5, 0.75, 1.0])
@pytest.mark.parametrize(("bits", "alpha", "bias"), LRN_ERRORS)
def test_lrn_is_within_its_error(bits, exponent, beta, alpha, bias):
    """The chord of m**-beta over a sixteenth, what the constants are rounded by, and half a step of the output."""
    random = np.random.default_rng(exponent + 20)
    data, op = Format(bits, exponent + 16 - bits), operator_class("lrn")(5, alpha, beta, bias)
    x = random.integers(data.lowest, data.highest, (2, 9, 40)) // 2 ** random.integers(0, 14, (2, 9, 40))
    exact = op.reference([data.real(x)], {})
    out = Format(32, int(np.floor(np.log2(np.abs(exact).max()))) - 29)
    ours = out.real(op.emulate([x], {}, Numbers((data,), out)))
    assert np.all(np.abs(ours - exact) <= (beta * (beta + 1) / 2048 + 2**-13) * np.abs(exact) + out.scale / 2)
