"""What a design may use of a device, and what the FIFOs between its modules cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from flow.model.primitives import bram18, ceil_div
from flow.spec import Resources, Utilisation

RESOURCES = ("dsp", "bram18", "uram", "lut", "ff")
"""Order of resource vectors everywhere."""

STREAM_DEPTH = 32
"""Words that every stream of a tensor holds at least: a pixel's words leave a layer in one burst, and a shift register
of 32 words costs as many LUTs as one of two."""
REGISTER_DEPTH = 2
"""Words of a FIFO that is built from registers."""
SHIFT_REGISTER_DEPTH = 64
"""Words of a FIFO that is built from shift-register LUTs (32 bits each); deeper ones are block RAMs."""
BLOCK_DEPTH = 512
"""A FIFO in block RAM costs the same up to the next multiple of this depth."""


def limits(resources: Resources, utilisation: Utilisation) -> dict[str, int]:
    """Usable amount of each resource: the stated part of the device, rounded down."""
    return {name: int(np.floor(round(getattr(resources, name) * getattr(utilisation, name), 6))) for name in RESOURCES}


def fifo_depth(words: Any) -> Any:
    """Depth that is built for a FIFO that must hold `words`: rounded up to what its primitive holds anyway."""
    words = np.asarray(words)
    shift_register = np.where(words <= REGISTER_DEPTH, REGISTER_DEPTH, ceil_div(words, 32) * 32)
    return np.where(words <= SHIFT_REGISTER_DEPTH, shift_register, ceil_div(words, BLOCK_DEPTH) * BLOCK_DEPTH)[()]


FIFO = "fifo"
"""Name of the FIFOs among the IPs of a calibration."""
FIFO_TERMS = {
    "lut": ("registers", "register_bit", "shift_register", "shift_register_bit", "block"),
    "ff": ("registers", "register_bit", "shift_register", "shift_register_bit", "block", "block_bit"),
}
"""Structures of a FIFO by resource: one of its kind, and its bits (those of a shift register for each 32 words)."""


@dataclass(frozen=True, slots=True)
class FifoCosts:
    """Coefficients of `FIFO_TERMS`."""

    lut: Mapping[str, float]
    ff: Mapping[str, float]


def fifo_cost(depth: Any, width: Any, costs: FifoCosts) -> dict[str, Any]:
    """Resources of a FIFO of `depth` words of `width` bits.

    Two words stand in registers behind a multiplexer; up to 64 words in 32-bit shift registers, one LUT a bit; beyond,
    in block RAM with counters and an output register.
    """
    depth, width = np.asarray(depth), np.asarray(width)
    registers, shifts = depth <= REGISTER_DEPTH, depth <= SHIFT_REGISTER_DEPTH
    f, l = costs.ff, costs.lut
    lut = np.where(
        registers,
        l["registers"] + l["register_bit"] * width,
        np.where(shifts, l["shift_register"] + l["shift_register_bit"] * (width * ceil_div(depth, 32)), l["block"]),
    )
    ff = np.where(
        registers,
        f["registers"] + f["register_bit"] * width,
        np.where(shifts, f["shift_register"] + f["shift_register_bit"] * width, f["block"] + f["block_bit"] * width),
    )
    zero = np.zeros(lut.shape, np.int64)
    blocks = np.where(shifts, 0, bram18(depth, width))
    return {"dsp": zero[()], "bram18": blocks[()], "uram": zero[()], "lut": whole(lut), "ff": whole(ff)}


def fifo_counts(depth: int, width: int) -> dict[str, dict[str, float]]:
    """Units of each of `FIFO_TERMS` in one FIFO, by resource."""
    kind = "registers" if depth <= REGISTER_DEPTH else "shift_register" if depth <= SHIFT_REGISTER_DEPTH else "block"
    bits = {"registers": "register_bit", "shift_register": "shift_register_bit", "block": "block_bit"}[kind]
    slices = width * -(-depth // 32) if kind == "shift_register" else width
    units = {"lut": {kind: 1.0, bits: float(slices)}, "ff": {kind: 1.0, bits: float(width)}}
    return {r: {term: units[r].get(term, 0.0) for term in FIFO_TERMS[r]} for r in FIFO_TERMS}


def whole(value: Any) -> Any:
    """Resources are whole numbers: coefficients are decimals, so what is above a whole number is rounded up."""
    return np.ceil(np.round(value, 6)).astype(np.int64)[()]
