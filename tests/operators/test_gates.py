"""Sigmoid, tanh, hard sigmoid, their gated forms, and products: references, stated errors, integers."""

from __future__ import annotations

import math
import re
from fractions import Fraction

import numpy as np
import onnx
import pytest

import flow.operators  # noqa: F401  (registers them)
from flow.fixed_point import LARGEST_ERROR, Format, Numbers, hard_sigmoid, logistic
from flow.fixed_point.logistic import HARD_ERROR, POSITION_BITS, UNIT_BITS, table
from flow.ir import operator_class
from tests.operators.test_reference import close, normal, runtime

Sigmoid, Multiply = operator_class("sigmoid"), operator_class("multiply")
UNIT = 1 << UNIT_BITS


@pytest.mark.parametrize(("kind", "given", "ours"), [
    ("Sigmoid", {}, ("logistic",)),
    ("Tanh", {}, ("tanh",)),
    ("HardSigmoid", {"alpha": 0.3, "beta": 0.4}, ("hard", False, 0.3, 0.4)),
    ("HardSwish", {}, ("hard", True, 1 / 6, 0.5)),
])  # fmt: skip
def test_references(kind, given, ours):
    x = 6 * normal(np.random.default_rng(0), 2, 5, 4)
    close(Sigmoid(*ours).reference([x], {}), runtime(onnx.helper.make_node(kind, ["x"], ["y"], **given), [x]))


def test_product_references():
    random = np.random.default_rng(0)
    node = onnx.helper.make_node("Mul", ["a", "b"], ["y"])
    for shape in ((3, 4, 5), (3, 1, 1)):
        a, b = normal(random, 2, 3, 4, 5), normal(random, 2, *shape)
        assert Multiply().output_shape([(3, 4, 5), shape]) == (3, 4, 5)
        close(Multiply().reference([a, b], {}), runtime(node, [a, b]))


def test_a_reference_does_not_overflow():
    with np.errstate(all="raise", under="ignore"):
        y = Sigmoid().reference([np.array([[-200.0, 0.0, 200.0]], np.float32)], {})
    assert y.tolist() == [[pytest.approx(0, abs=1e-30), 0.5, 1.0]]


def test_the_table_is_the_rounded_function():
    exact = [UNIT / (1 + math.exp(i / 16)) for i in range(257)]
    assert all(abs(v % 1 - 0.5) > 1e-4 for v in exact[1:]), "no entry is near a tie, so any libm agrees"
    assert table().tolist() == [round(v) for v in exact]


def test_the_stated_error_is_the_largest():
    """At every position of the table, on both sides."""
    at = np.arange(-(1 << 18) + 1, 1 << 18)
    error = np.abs(logistic(at, 0) / UNIT - 1 / (1 + np.exp(-at / 2**POSITION_BITS)))
    assert 0.98 * LARGEST_ERROR < error.max() <= LARGEST_ERROR


def test_the_curve_is_symmetric_and_rises():
    at = np.arange(-(1 << 19), 1 << 19, 7)
    y = logistic(at, 0)
    assert logistic(np.array([0]), 0)[0] == UNIT // 2
    assert np.all(np.diff(y) >= 0) and np.array_equal(y + logistic(-at, 0), np.full_like(y, UNIT))


@pytest.mark.parametrize("shift", [-20, -3, 0, 4, 40, 70])
def test_positions_are_rounded_and_end(shift):
    """Plain integers: half up, at most the table's last position."""
    values = [-(1 << 31), -32768, -513, -1, 0, 1, 7, 8, 511, 32767, (1 << 31) - 1]
    for v, found in zip(values, logistic(np.array(values, np.int64), shift).tolist(), strict=True):
        scaled = Fraction(abs(v)) * Fraction(2) ** -shift
        position = min(math.floor(scaled + Fraction(1, 2)), (1 << 18) - 1)
        i, within = divmod(position, 1 << 10)
        high, low = int(table()[i]), int(table()[i + 1])
        below = high - math.floor(Fraction((high - low) * within, 1 << 10) + Fraction(1, 2))
        assert found == (below if v < 0 else UNIT - below)


def test_a_hard_sigmoid_is_its_line():
    values = np.arange(-32768, 32768)
    slope, offset = round(0.2 * 2**20), UNIT // 2
    found = hard_sigmoid(values, slope, offset, 2 + 11)  # x in steps of 2**-11
    exact = np.clip(0.2 * values / 2**11 + 0.5, 0, 1)
    assert np.abs(found / UNIT - exact).max() < HARD_ERROR


@pytest.mark.parametrize("exponent", [-15, -11, -8])
@pytest.mark.parametrize(("op", "curve"), [
    (Sigmoid(), LARGEST_ERROR),
    (Sigmoid("tanh"), 2 * LARGEST_ERROR),
    (Sigmoid("hard", False, 1 / 6, 0.5), HARD_ERROR),
    (Sigmoid("logistic", True), LARGEST_ERROR),
    (Sigmoid("hard", True, 1 / 6, 0.5), HARD_ERROR),
])  # fmt: skip
def test_integers_keep_the_stated_error(op, curve, exponent):
    """Every input of 16 bits: the curve's error, a position's rounding, half a step of the output."""
    data, out = Format(16, exponent), Format(16, exponent if op.gated else -15)
    x = np.arange(data.lowest, data.highest + 1)
    found = out.real(op.emulate([x], {}, Numbers((data,), out)))
    exact = np.clip(op.reference([data.real(x)], {}), out.lowest * out.scale, out.highest * out.scale)
    assert op.approximation()["largest_error"] == curve
    allowed = curve + 2.0**-16
    assert np.all(np.abs(found - exact) <= allowed * (np.abs(data.real(x)) if op.gated else 1) + out.scale / 2 + 1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_products(seed):
    random = np.random.default_rng(seed)
    formats = [Format(int(random.choice([5, 8, 16])), int(random.integers(-9, 4))) for _ in range(3)]
    a, b, out = formats
    shape = (3, 4, 2) if seed % 2 else (3, 1, 1)
    x = random.integers(a.lowest, a.highest + 1, (2, 3, 4, 2))
    y = random.integers(b.lowest, b.highest + 1, (2, *shape))
    found = Multiply().emulate([x, y], {}, Numbers((a, b), out))
    for index in np.ndindex(*x.shape):
        at = index if seed % 2 else (*index[:2], 0, 0)
        exact = Fraction(int(x[index]) * int(y[at])) * Fraction(2) ** (a.exponent + b.exponent - out.exponent)
        assert found[index] == min(max(math.floor(exact + Fraction(1, 2)), out.lowest), out.highest)


def test_the_data_sheet_states_the_errors():
    import yaml

    from tests.ip.bench import TEMPLATES

    sheet = yaml.safe_load((TEMPLATES / "sigmoid" / "ip.yaml").read_text())["accuracy"]
    assert float(sheet["table"]["largest_error"]) == LARGEST_ERROR and sheet["table"]["entries"] == len(table())
    assert float(sheet["tanh"]["largest_error"]) >= 2 * LARGEST_ERROR
    header = (TEMPLATES / "common" / "logistic.hpp").read_text()
    assert re.search(r"e \* (\d+)\) >> 30", header).group(1) == "1008687096"
