"""Packed weights against the layout written as plain loops."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from flow.generate import payload as packing
from flow.generate.payload import WeightsLayout, payload

CONVOLUTIONS = {
    # groups, filters and channels a group, window, then coarse_group, coarse_out, coarse_in, fine, weight and port bits
    "divides": (1, 4, 4, 9, 1, 2, 2, 3, 16, 64),
    "pads everything": (1, 5, 3, 9, 1, 2, 2, 4, 16, 64),
    "depthwise": (6, 1, 1, 9, 3, 1, 1, 2, 8, 64),
    "part of a group": (2, 4, 6, 4, 1, 2, 3, 1, 12, 128),
    "wide row": (1, 8, 8, 9, 1, 4, 4, 9, 6, 64),
    "wide values": (1, 3, 2, 1, 1, 2, 1, 1, 20, 64),
}


def rows(layout: WeightsLayout, at: object) -> list[list[int]]:
    """Rows by the formulas of the contract; `at(g, f, c, k)` is a weight or 0."""
    gf, n, m, q = layout.folds
    cg, co, ci, fine = layout.coarse_group, layout.coarse_out, layout.coarse_in, layout.fine
    table = [[0] * (cg * co * ci * fine) for _ in range(gf * n * m * q)]
    for g, i, j, s in itertools.product(range(gf), range(n), range(m), range(q)):
        for gl, o, c, t in itertools.product(range(cg), range(co), range(ci), range(fine)):
            address, bank = ((g * n + i) * m + j) * q + s, ((gl * co + o) * ci + c) * fine + t
            table[address][bank] = at(g * cg + gl, j * co + o, i * ci + c, s * fine + t)  # type: ignore[operator]
    return table


def words(layout: WeightsLayout, table: list[list[int]], biases: list[int]) -> list[int]:
    """Port words, unsigned."""
    slot = next(size for size in (8, 16, 32) if layout.weight_bits <= size)
    per_word = layout.port_bits // slot
    found = []
    for row in table:
        for first in range(0, math.ceil(len(row) / per_word) * per_word, per_word):
            values = row[first : first + per_word]
            found.append(sum((value % (1 << slot)) << (slot * k) for k, value in enumerate(values)))
    return found + [b % (1 << 64) for b in biases]


def packed(layout: WeightsLayout, weight: np.ndarray, bias: np.ndarray | None) -> list[int]:
    data, size = b"".join(payload(layout, weight, bias)), layout.port_bits // 8
    return [int.from_bytes(data[k : k + size], "little") for k in range(0, len(data), size)]


def integers(shape: tuple[int, ...], bits: int) -> np.ndarray:
    limit = 1 << (bits - 1)
    return np.random.default_rng(5).integers(-limit, limit, shape)


@pytest.mark.parametrize("block", [1, 64, 1 << 20])
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_convolution(case: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "BLOCK_BYTES", block)
    layout = WeightsLayout(*CONVOLUTIONS[case])
    sizes = (layout.groups, layout.filters, layout.channels, layout.window)
    weight, bias = integers(sizes, layout.weight_bits), integers((sizes[0], sizes[1]), 40)

    def at(*index: int) -> int:
        return int(weight[index]) if all(k < size for k, size in zip(index, sizes, strict=True)) else 0

    gf, m, cg, co = layout.bias_shape
    order = [(g * cg + gl, j * co + o) for g in range(gf) for j in range(m) for gl in range(cg) for o in range(co)]
    biases = [int(bias[g, f]) if g < sizes[0] and f < sizes[1] else 0 for g, f in order]
    flat = weight.reshape(sizes[0] * sizes[1], sizes[2], 1, sizes[3])
    found = packed(layout, flat, bias.reshape(-1))
    assert found == words(layout, rows(layout, at), biases)
    assert len(found) == layout.payload_words


@pytest.mark.parametrize("block", [1, 1 << 20])
@pytest.mark.parametrize("channels, pixels, filters, ci, co", [(5, 6, 7, 2, 3), (8, 1, 4, 8, 2), (3, 4, 5, 1, 5)])
def test_inner_product(
    channels: int, pixels: int, filters: int, ci: int, co: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Channel-major weights come in stream order, pixel by pixel."""
    monkeypatch.setattr(packing, "BLOCK_BYTES", block)
    layout = WeightsLayout(pixels, filters, channels, 1, 1, co, ci, 1, 16, 64, inner_product=True)
    weight, bias = integers((filters, channels * pixels), 16), integers((filters,), 40)
    n, m = math.ceil(channels / ci), math.ceil(filters / co)
    table = [[0] * (ci * co) for _ in range(pixels * n * m)]
    for p, c, f in itertools.product(range(pixels), range(channels), range(filters)):
        address, bank = (p * n + c // ci) * m + f // co, f % co * ci + c % ci
        table[address][bank] = int(weight[f, c * pixels + p])
    biases = [int(bias[f]) if f < filters else 0 for f in range(m * co)]
    assert packed(layout, weight, bias) == words(layout, table, biases)


def test_missing_filters_and_bias_are_zero() -> None:
    layout = WeightsLayout(1, 4, 3, 1, 1, 2, 3, 1, 16, 64)
    weight = integers((3, 3, 1, 1), 16)
    full = np.concatenate([weight, np.zeros((1, 3, 1, 1), weight.dtype)])
    assert packed(layout, weight, None) == packed(layout, full, np.zeros(4, np.int64))
