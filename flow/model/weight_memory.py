"""The memories and the payload of a weighted module, from its parameters; integers or arrays of them.

Notation: gf, n, m, q are the folds over groups, input channels, filters and window positions; a row of the memory holds
what the multipliers take in one cycle, a bank is one multiplier's share of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from flow.model.primitives import ceil_div

PLACEMENTS = ("bram", "lutram", "uram")
"""Memories that weights may lie in, in the order of the data sheets' parameter `weights_memory`."""
BY_DEPTH = "auto"
"""LUTRAM for shallow memories, block RAM for all others."""
LUTRAM_ROWS = 64
"""A memory of at most this depth costs less in LUTs than in a half-empty block RAM."""

SLOTS = (8, 16, 32)
"""Containers of a value in memory, bits."""


def slot_bits(bits: int) -> int:
    """Container of a value in memory: 8, 16 or 32 bits."""
    return next(size for size in SLOTS if bits <= size)


def values_per_word(port_bits: int, bits: int) -> int:
    """Values of `bits` bits that a port word carries."""
    return port_bits // slot_bits(bits)


def weights_memory(placement: str, rows: Any) -> Any:
    """Value of the parameter `weights_memory` for memories of so many rows."""
    if placement != BY_DEPTH:
        return PLACEMENTS.index(placement)
    small = np.asarray(rows) <= LUTRAM_ROWS
    return np.where(small, PLACEMENTS.index("lutram"), PLACEMENTS.index("bram"))[()]


def weight_rows(parameters: Mapping[str, Any]) -> Any:
    """Depth of a weighted module's memory: folds over groups, input channels, filters and window."""
    if "groups" not in parameters:
        folds = parameters["pixels"] * ceil_div(parameters["channels"], parameters["coarse_in"])
        return folds * ceil_div(parameters["filters"], parameters["coarse_out"])
    groups = parameters["groups"]
    window = parameters["kernel_d"] * parameters["kernel_h"] * parameters["kernel_w"]
    return (
        ceil_div(groups, parameters["coarse_group"])
        * ceil_div(parameters["channels"] // groups, parameters["coarse_in"])
        * ceil_div(parameters["filters"] // groups, parameters["coarse_out"])
        * ceil_div(window, parameters["fine"])
    )


def memory_rows(parameters: Mapping[str, Any]) -> Any:
    """Depth of the memory: two slices of streamed weights, one of which is loaded."""
    return weight_rows(parameters) * np.where(np.asarray(parameters["slices"]) > 1, 2, 1)[()]


def weight_banks(parameters: Mapping[str, Any]) -> Any:
    """Multipliers, each with its bank of weights."""
    banks = parameters["coarse_in"] * parameters["coarse_out"]
    return banks * parameters.get("coarse_group", 1) * parameters.get("fine", 1)


def row_words(parameters: Mapping[str, Any]) -> Any:
    """Port words that load one row."""
    per_word = values_per_word(parameters["port_bits"], parameters["weight_bits"])
    return ceil_div(weight_banks(parameters), per_word)


def bias_words(parameters: Mapping[str, Any]) -> Any:
    """Port words of the biases, one each, padded filters included."""
    if "groups" not in parameters:
        return ceil_div(parameters["filters"], parameters["coarse_out"]) * parameters["coarse_out"]
    groups, lanes = parameters["groups"], parameters["coarse_group"] * parameters["coarse_out"]
    folds = ceil_div(groups, parameters["coarse_group"])
    return folds * ceil_div(parameters["filters"] // groups, parameters["coarse_out"]) * lanes


def payload_words(parameters: Mapping[str, Any]) -> Any:
    """Port words of a weighted module's payload, without its header word (int64)."""
    return np.asarray(weight_rows(parameters)).astype(np.int64)[()] * row_words(parameters) + bias_words(parameters)
