"""Signed two's complement numbers with a power-of-two scale, and the one rounding that the project uses.

The numerics contract: real = integer * 2**exponent; bits are dropped with round half up (add half, floor); results
saturate, never wrap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.signedinteger[Any]]

MAXIMUM_SHIFT = 62
"""Largest right shift whose rounding term fits int64 beside a 63-bit value."""


@dataclass(frozen=True, slots=True)
class Format:
    """Number format of a tensor: `bits` wide, one step is 2**exponent."""

    bits: int = 16
    exponent: int = 0

    @property
    def lowest(self) -> int:
        return -(1 << (self.bits - 1))

    @property
    def highest(self) -> int:
        return (1 << (self.bits - 1)) - 1

    @property
    def scale(self) -> float:
        return float(2.0**self.exponent)

    def quantise(self, values: npt.NDArray[Any]) -> Integers:
        """Nearest integers of real values, ties up, saturated; int64."""
        scaled = np.asarray(values, np.float64) * 2.0**-self.exponent
        return np.clip(np.floor(scaled + 0.5), self.lowest, self.highest).astype(np.int64)

    def real(self, integers: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        return np.asarray(integers, np.float64) * 2.0**self.exponent


@dataclass(frozen=True, slots=True)
class Numbers:
    """Formats around one node.

    Attributes:
        inputs: format of each input tensor.
        output: format of the output tensor.
        weight: format of the weights (None where there are none).
        accumulator_bits: width that holds every partial sum exactly.
    """

    inputs: tuple[Format, ...]
    output: Format
    weight: Format | None = None
    accumulator_bits: int = 0

    @property
    def accumulator_exponent(self) -> int:
        """Exponent of one step of the accumulator: product scale, or the finest input scale without weights."""
        if self.weight is not None:
            return self.inputs[0].exponent + self.weight.exponent
        return min(f.exponent for f in self.inputs)

    @property
    def shift(self) -> int:
        """Bits dropped between accumulator and output; negative means a left shift."""
        return self.output.exponent - self.accumulator_exponent


def shift_round(values: Integers, shift: int) -> Integers:
    """values * 2**-shift, rounded half up; exact for a negative shift. int64 (63 bits used) in, int64 out."""
    if shift > MAXIMUM_SHIFT:
        return np.zeros_like(values)  # half a step is out of reach of 63-bit values
    if shift > 0:
        return (values + (np.int64(1) << np.int64(shift - 1))) >> np.int64(shift)
    return values << np.int64(-shift)


def saturate(values: Integers, bits: int) -> Integers:
    """Clamp to what `bits` bits hold in two's complement."""
    return np.clip(values, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)
