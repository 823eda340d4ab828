"""Every operator's integers equal an independent plain-loop version, ties and saturation included."""

from __future__ import annotations

import math

import numpy as np
import pytest

import flow.operators  # noqa: F401  (registers them)
from flow.fixed_point import Format, Numbers
from flow.ir import operator_class
from tests.operators import plain_loops as plain

Conv, Gemm, Pool, GlobalPool = (operator_class(n) for n in ("conv", "gemm", "pool", "global_pool"))
Activation, Add, Concat = (operator_class(n) for n in ("activation", "add", "concat"))
Flatten, Transpose = operator_class("flatten"), operator_class("transpose")

SEEDS = range(40)


def draw(random, fmt, shape):
    """Integers of a format: anything, extremes, or small ones (so that ties and saturation all happen)."""
    kind = random.integers(3)
    if kind == 0:
        return random.choice([fmt.lowest, fmt.highest], shape)
    limit = 4 if kind == 1 else fmt.highest
    return random.integers(-limit, limit + 1, shape)


def draw_format(random):
    return Format(int(random.choice([3, 8, 12, 16])), int(random.integers(-9, 4)))


def draw_activation(random, out):
    """Attributes of an activation and the same for `plain.requantise`."""
    kind = str(random.choice(["none", "relu", "clip", "leaky_relu"]))
    low, high = sorted(int(v) for v in random.integers(out.lowest, out.highest + 1, 2))
    alpha = float(random.integers(0, 2**20)) / 2**20
    op = {"activation": kind, "low": low * out.scale, "high": high * out.scale, "alpha": alpha}
    return op, {"activation": kind, "low": low, "high": high, "alpha": alpha}


def draw_window(random, rank, spatial):
    kernel = tuple(int(random.integers(1, min(4, n) + 1)) for n in spatial)
    begins = tuple(int(random.integers(0, k)) for k in kernel)
    ends = tuple(int(random.integers(0, k)) for k in kernel)
    return kernel, tuple(int(n) for n in random.integers(1, 4, rank)), begins, ends


def gathered(results, shape):
    """Plain-loop results (a dict a frame) as an array."""
    array = np.empty((len(results), *shape), np.int64)
    for n, result in enumerate(results):
        assert len(result) == math.prod(shape)
        for index, value in result.items():
            array[(n, *index)] = value
    return array


@pytest.mark.parametrize("seed", SEEDS)
def test_convolution(seed):
    random = np.random.default_rng(seed)
    rank, groups = int(random.integers(1, 4)), int(random.integers(1, 4))
    per_group, filters = int(random.integers(1, 4)), groups * int(random.integers(1, 4))
    spatial = tuple(int(n) for n in random.integers(1, {1: 12, 2: 6, 3: 4}[rank] + 1, rank))
    kernel, strides, begins, ends = draw_window(random, rank, spatial)
    room = [n + b + e for n, b, e in zip(spatial, begins, ends, strict=True)]
    dilations = tuple(2 if (k - 1) * 2 < r and random.integers(2) else 1 for k, r in zip(kernel, room, strict=True))
    data, weights, out = draw_format(random), draw_format(random), draw_format(random)
    with_bias = bool(random.integers(2))
    attributes, expected = draw_activation(random, out)
    op = Conv(filters, kernel, strides, begins, ends, dilations, groups, with_bias, **attributes)
    x = draw(random, data, (2, per_group * groups, *spatial))
    weight = draw(random, weights, (filters, per_group, *kernel))
    bias = random.integers(-(2 ** (data.bits + weights.bits - 2)), 2 ** (data.bits + weights.bits - 2), filters)
    numbers = Numbers((data,), out, weights)
    parameters = {"weight": weight} | ({"bias": bias} if with_bias else {})
    shape = op.output_shape([x.shape[1:]])

    def stage(acc):
        return plain.requantise(acc, out.exponent - data.exponent - weights.exponent, out.bits, **expected)

    frames = [plain.convolution(f, parameters, op, shape[1:], stage) for f in x]
    result = op.emulate([x], parameters, numbers)
    assert result.dtype == np.int64
    np.testing.assert_array_equal(result, gathered(frames, shape))


@pytest.mark.parametrize("seed", SEEDS)
def test_inner_product(seed):
    random = np.random.default_rng(seed)
    shape = tuple(int(n) for n in random.integers(1, 5, random.integers(1, 4)))
    features, values = int(random.integers(1, 6)), math.prod(shape)
    data, weights, out = draw_format(random), draw_format(random), draw_format(random)
    attributes, expected = draw_activation(random, out)
    x, weight = draw(random, data, (3, *shape)), draw(random, weights, (features, values))
    bias = random.integers(-1000, 1000, features)
    shift = out.exponent - data.exponent - weights.exponent
    result = Gemm(features, **attributes).emulate([x], {"weight": weight, "bias": bias}, Numbers((data,), out, weights))
    for n in range(3):
        flat = [int(v) for v in x[n].ravel()]
        for f in range(features):
            acc = int(bias[f]) + sum(int(w) * v for w, v in zip(weight[f], flat, strict=True))
            assert result[n, f] == plain.requantise(acc, shift, out.bits, **expected)


@pytest.mark.parametrize("bits", [(16, 16), (24, 24), (32, 16), (8, 32), (30, 28)])
def test_wide_products_are_exact(bits):
    """Sums beyond 2**53 are split, not rounded by float64."""
    random = np.random.default_rng(1)
    data, weights = Format(bits[0]), Format(bits[1])
    x = random.integers(data.lowest, data.highest + 1, (1, 17))
    weight = random.integers(weights.lowest, weights.highest + 1, (5, 17))
    exact = [sum(int(a) * int(b) for a, b in zip(x[0], row, strict=True)) for row in weight]
    out = Format(32, 32)
    result = Gemm(5, bias=False).emulate([x], {"weight": weight}, Numbers((data,), out, weights))
    assert list(result[0]) == [plain.requantise(v, 32, 32) for v in exact]


def test_largest_sums_are_exact():
    """VGG16's first inner product at its extremes: 25,088 products of -2**15 by -2**15."""
    data = Format(16)
    x, weight = np.full((1, 25088), -(2**15)), np.full((2, 25088), -(2**15))
    weight[1, 0] += 1
    result = Gemm(2, bias=False).emulate([x], {"weight": weight}, Numbers((data,), Format(32, 15), data))
    assert list(result[0]) == [25088 * 2**15, 25088 * 2**15 - 1]


@pytest.mark.parametrize("seed", SEEDS)
def test_pool(seed):
    random = np.random.default_rng(seed)
    rank = int(random.integers(1, 4))
    spatial = tuple(int(n) for n in random.integers(1, {1: 12, 2: 7, 3: 5}[rank] + 1, rank))
    kernel, strides, begins, ends = draw_window(random, rank, spatial)
    kind, flags = ["max", "average"][seed % 2], [bool(v) for v in random.integers(0, 2, 2)]
    op = Pool(kind, kernel, strides, begins, ends, *flags)
    fmt = draw_format(random)
    x = draw(random, fmt, (2, 3, *spatial))
    shape = op.output_shape([x.shape[1:]])
    frames = [plain.pooling(f, op, shape[1:], fmt.lowest) for f in x]
    np.testing.assert_array_equal(op.emulate([x], {}, Numbers((fmt,), fmt)), gathered(frames, shape))


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("seed", range(6))
def test_global_pool(kind, seed):
    random = np.random.default_rng(seed)
    fmt = draw_format(random)
    x = draw(random, fmt, (2, 3, *(int(n) for n in random.integers(1, 5, random.integers(1, 4)))))
    result = GlobalPool(kind).emulate([x], {}, Numbers((fmt,), fmt))
    for n in range(2):
        for c in range(3):
            values = [int(v) for v in x[n, c].ravel()]
            count = len(values)
            expected = max(values) if kind == "max" else (2 * sum(values) + count) // (2 * count)
            assert result[n, c].ravel().tolist() == [expected]


@pytest.mark.parametrize("seed", SEEDS)
def test_activation(seed):
    random = np.random.default_rng(seed)
    data, out = draw_format(random), draw_format(random)
    attributes, expected = draw_activation(random, out)
    x = draw(random, data, (2, 50))
    result = Activation(**attributes).emulate([x], {}, Numbers((data,), out))
    shift = out.exponent - data.exponent
    assert result.ravel().tolist() == [plain.requantise(int(v), shift, out.bits, **expected) for v in x.ravel()]


@pytest.mark.parametrize("seed", SEEDS)
def test_add(seed):
    random = np.random.default_rng(seed)
    left, right, out = draw_format(random), draw_format(random), draw_format(random)
    attributes, expected = draw_activation(random, out)
    a, b = draw(random, left, (2, 3, 5)), draw(random, right, (2, 3, 5))
    result = Add(**attributes).emulate([a, b], {}, Numbers((left, right), out))
    finest = min(left.exponent, right.exponent)
    for value, p, q in zip(result.ravel(), a.ravel(), b.ravel(), strict=True):
        acc = int(p) * 2 ** (left.exponent - finest) + int(q) * 2 ** (right.exponent - finest)
        assert value == plain.requantise(acc, out.exponent - finest, out.bits, **expected)


@pytest.mark.parametrize("seed", range(10))
def test_concat(seed):
    random = np.random.default_rng(seed)
    out, formats = draw_format(random), [draw_format(random) for _ in range(int(random.integers(1, 5)))]
    xs = [draw(random, f, (2, int(random.integers(1, 4)), 3)) for f in formats]
    result = Concat().emulate(xs, {}, Numbers(tuple(formats), out))
    first = 0
    for fmt, x in zip(formats, xs, strict=True):
        part = result[:, first : first + x.shape[1]]
        shift = out.exponent - fmt.exponent
        assert part.ravel().tolist() == [plain.requantise(int(v), shift, out.bits) for v in x.ravel()]
        first += x.shape[1]
    assert first == result.shape[1]


def test_flatten_and_transpose_only_move_values():
    x = np.arange(2 * 2 * 3 * 4).reshape(2, 2, 3, 4).astype(np.int16)
    numbers = Numbers((Format(),), Format())
    assert Flatten().emulate([x], {}, numbers)[1].tolist() == list(range(24, 48))
    moved = Transpose((1, 2, 0)).emulate([x], {}, numbers)
    assert moved.shape == (2, 3, 4, 2) == (2, *Transpose((1, 2, 0)).output_shape([(2, 3, 4)]))
    assert all(
        moved[n, h, w, c] == x[n, c, h, w] for n in range(2) for c in range(2) for h in range(3) for w in range(4)
    )


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_pieces_change_nothing(monkeypatch, groups):
    """Columns and weights are worked off in pieces; their size must not show."""
    random, data, out = np.random.default_rng(0), Format(16), Format(16, 20)
    x = random.integers(data.lowest, data.highest + 1, (5, 4, 9, 7))
    weight = random.integers(data.lowest, data.highest + 1, (8, 4 // groups, 3, 2))
    conv = Conv(8, (3, 2), (2, 1), (1, 0), (1, 1), (1, 2), groups, False)
    matrix = random.integers(data.lowest, data.highest + 1, (6, 4 * 9 * 7))
    numbers = Numbers((data,), out, data)

    def results():
        gemm = Gemm(6, bias=False)
        return conv.emulate([x], {"weight": weight}, numbers), gemm.emulate([x], {"weight": matrix}, numbers)

    whole = results()
    for size in (1, 5000, 20000, 60000):
        monkeypatch.setattr("flow.operators.correlate.PIECE_BYTES", size)
        for ours, expected in zip(results(), whole, strict=True):
            np.testing.assert_array_equal(ours, expected)
