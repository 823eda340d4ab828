"""How many of an FPGA's primitives a memory or a product takes; functions of integers or of integer arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

BRAM18_SHAPES = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
"""Depth and width of one 18-Kb block RAM (UG473, UG573); 512 x 36 needs one read and one write port."""

DSP_PORTS = {"DSP48E1": (25, 18), "DSP48E2": (27, 18), "DSP58": (27, 24)}
"""Signed widths of a multiplier's two ports (UG479, UG579, AM004)."""


def ceil_div(a: Any, b: Any) -> Any:
    """Quotient rounded up."""
    return -(-a // b)


def log2ceil(a: Any) -> Any:
    """Bits that count to `a`: the smallest n with 2**n >= a; 0 for a <= 1."""
    # frexp gives the bit length of an integer below 2**53 exactly, where a logarithm may be off by one.
    return np.frexp(np.maximum(np.asarray(a) - 1, 0).astype(np.float64))[1].astype(np.int64)[()]


def bram18(depth: Any, width: Any) -> Any:
    """18-Kb block RAMs of a memory in the aspect ratio that needs the fewest."""
    counts = [ceil_div(depth, d) * ceil_div(width, w) for d, w in BRAM18_SHAPES]
    smallest = counts[0]
    for count in counts[1:]:
        smallest = np.minimum(smallest, count)
    return smallest


def dsp_slices(bits_a: Any, bits_b: Any, dsp_type: str) -> Any:
    """DSP slices of one signed product, operands assigned to the ports the better way round.

    A wider operand is cut into a signed upper part and unsigned lower parts, which use one bit less of a signed port.
    """
    wide, narrow = DSP_PORTS[dsp_type]
    return np.minimum(_tiles(bits_a, wide) * _tiles(bits_b, narrow), _tiles(bits_a, narrow) * _tiles(bits_b, wide))


def _tiles(bits: Any, port: int) -> Any:
    return np.where(np.asarray(bits) <= port, 1, ceil_div(np.asarray(bits) - 1, port - 1))[()]
