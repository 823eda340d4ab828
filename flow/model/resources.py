"""What a design may use of a device, and what the FIFOs between its modules cost."""

from __future__ import annotations

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


def fifo_cost(depth: Any, width: Any) -> dict[str, Any]:
    """Resources of a FIFO of `depth` words of `width` bits.

    Estimates from the structure of the vendor's FIFOs: two words in registers behind a multiplexer; up to 64 words in
    32-bit shift registers, one LUT a bit; beyond, block RAM with counters and an output register.
    """
    depth, width = np.asarray(depth), np.asarray(width)
    registers, shifts = depth <= REGISTER_DEPTH, depth <= SHIFT_REGISTER_DEPTH
    lut = np.where(registers, width + 8, np.where(shifts, width * ceil_div(depth, 32) + 16, 48))
    ff = np.where(registers, 2 * width + 6, np.where(shifts, width + 12, width + 40))
    zero = np.zeros_like(lut)
    blocks = np.where(shifts, 0, bram18(depth, width))
    return {"dsp": zero[()], "bram18": blocks[()], "uram": zero[()], "lut": lut[()], "ff": ff[()]}
