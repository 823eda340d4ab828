"""Weights of a layer as the words that its module loads (the layout of `ip_templates/common/weights.hpp`).

Rows of `row_words` port words in address order, then one sign-extended bias a word. Address and bank of a weight follow
the loops of the module: groups, input channels, filters and window are each folded by their factor, and a fold that
does not divide is filled with zeros. An inner product is a convolution whose "groups" are the pixels of its input:
every pixel has weights of its own. Values are made block by block, so that memory stays bounded for any layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from flow.ir import Array
from flow.model.hardware import Module
from flow.model.weight_memory import slot_bits

BLOCK_BYTES = 32 << 20
"""Size of the blocks in which rows are made."""


@dataclass(frozen=True, slots=True)
class WeightsLayout:
    """Sizes and folding of one weighted module.

    Attributes:
        groups, filters, channels, window: of the layer; filters and channels of one group.
        coarse_group, coarse_out, coarse_in, fine: factors by which these four are folded.
        inner_product: weights come as (filters, channels * pixels), channel-major; `groups` counts the pixels.
    """

    groups: int
    filters: int
    channels: int
    window: int
    coarse_group: int
    coarse_out: int
    coarse_in: int
    fine: int
    weight_bits: int
    port_bits: int
    inner_product: bool = False

    @property
    def folds(self) -> tuple[int, int, int, int]:
        """Steps over groups, input channels, filters and window."""
        sizes = (self.groups, self.channels, self.filters, self.window)
        factors = (self.coarse_group, self.coarse_in, self.coarse_out, self.fine)
        gf, n, m, q = (math.ceil(size / factor) for size, factor in zip(sizes, factors, strict=True))
        return gf, n, m, q

    @property
    def slot(self) -> np.dtype[Any]:
        """Container of one weight in memory."""
        return np.dtype(f"<i{slot_bits(self.weight_bits) // 8}")

    @property
    def banks(self) -> int:
        """Weights of one row."""
        return self.coarse_group * self.coarse_out * self.coarse_in * self.fine

    @property
    def row_bytes(self) -> int:
        word = self.port_bits // 8
        return math.ceil(self.banks * self.slot.itemsize / word) * word

    @property
    def rows(self) -> int:
        return math.prod(self.folds)

    @property
    def bias_shape(self) -> tuple[int, int, int, int]:
        """Group folds, filter folds, groups and filters in parallel."""
        gf, _, m, _ = self.folds
        return (1 if self.inner_product else gf), m, self.coarse_group, self.coarse_out

    @property
    def payload_words(self) -> int:
        return self.rows * self.row_bytes * 8 // self.port_bits + math.prod(self.bias_shape)


def layout_of(module: Module) -> WeightsLayout:
    """The layout that a weighted module's parameters stand for."""
    p = module.parameters
    widths = (p["weight_bits"], p["port_bits"])
    if "kernel_w" not in p:
        sizes, folding = (p["pixels"], p["filters"], p["channels"], 1), (1, p["coarse_out"], p["coarse_in"], 1)
        return WeightsLayout(*sizes, *folding, *widths, inner_product=True)
    window = p["kernel_d"] * p["kernel_h"] * p["kernel_w"]
    sizes = (p["groups"], p["filters"] // p["groups"], p["channels"] // p["groups"], window)
    return WeightsLayout(*sizes, p["coarse_group"], p["coarse_out"], p["coarse_in"], p["fine"], *widths)


def payload(layout: WeightsLayout, weight: Array, bias: Array | None) -> Iterator[bytes]:
    """Payload of integer weights (filters, ...) and biases (filters,).

    Fewer filters than the layout has are filled with zeros (the last pass of a reloaded layer).
    """
    arranged = _arranged(layout, weight)
    for groups, folds in _blocks(layout):
        yield _rows(layout, arranged, groups, folds).tobytes()
    yield _biases(layout, bias).tobytes()


def _arranged(layout: WeightsLayout, weight: Array) -> Array:
    """A view (groups, filters, channels, window) of the weights."""
    if layout.inner_product:
        by_pixel = weight.reshape(weight.shape[0], layout.channels, layout.groups)
        return by_pixel.transpose(2, 0, 1)[..., None]
    return weight.reshape(layout.groups, weight.shape[0] // layout.groups, layout.channels, layout.window)


def _blocks(layout: WeightsLayout) -> Iterator[tuple[range, range]]:
    """Group folds and input folds of each block, in address order."""
    gf, n, m, q = layout.folds
    fold_bytes = m * q * layout.row_bytes
    folds = min(n, max(1, BLOCK_BYTES // fold_bytes))
    groups = max(1, BLOCK_BYTES // (fold_bytes * n)) if folds == n else 1
    for g in range(0, gf, groups):
        for i in range(0, n, folds):
            yield range(g, min(gf, g + groups)), range(i, min(n, i + folds))


def _rows(layout: WeightsLayout, arranged: Array, groups: range, folds: range) -> Array:
    """Rows (rows, slots) of a block."""
    _, _, m, q = layout.folds
    cg, co, ci, fine = layout.coarse_group, layout.coarse_out, layout.coarse_in, layout.fine
    values = arranged[groups.start * cg : groups.stop * cg, :, folds.start * ci : folds.stop * ci]
    filled = np.zeros((len(groups) * cg, m * co, len(folds) * ci, q * fine), layout.slot)
    filled[tuple(slice(0, size) for size in values.shape)] = values
    folded = filled.reshape(len(groups), cg, m, co, len(folds), ci, q, fine).transpose(0, 4, 2, 6, 1, 3, 5, 7)
    rows = np.zeros((len(groups) * len(folds) * m * q, layout.row_bytes // filled.itemsize), layout.slot)
    rows[:, : layout.banks].reshape(folded.shape)[...] = folded
    return rows


def _biases(layout: WeightsLayout, bias: Array | None) -> Array:
    """One word a bias (words, port_bits / 64), the value in the low 64 bits."""
    gf, m, cg, co = layout.bias_shape
    filled = np.zeros((gf * cg, m * co), np.int64)
    if bias is not None:
        per_group = bias.reshape(1 if layout.inner_product else layout.groups, -1)
        filled[: per_group.shape[0], : per_group.shape[1]] = per_group
    words = np.zeros((filled.size, layout.port_bits // 64), "<i8")
    words[:, 0] = filled.reshape(gf, cg, m, co).transpose(0, 2, 1, 3).reshape(-1)
    return words
