"""From accumulator to output in one rounding: activation, shift, saturation, as the hardware's last stage does it.

    none, relu, clip: v = round_half_up(acc * 2**-shift), then clamped and saturated
    leaky relu:       t = acc * (alpha * 2**15 rounded) below zero, acc * 2**15 otherwise;
                      v = round_half_up(t * 2**-(shift + 15)), then saturated

The integers of a `Requantisation` are the parameters of the hardware modules: nothing is worked out a second time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flow.fixed_point.format import Format, Integers, saturate, shift_round

ACTIVATIONS = ("none", "relu", "clip", "leaky_relu")
"""Names of the activations; the position is the code that the hardware modules use."""

ALPHA_BITS = 15
"""Fraction bits of the leaky slope."""

ACCUMULATOR_LIMIT = 63
"""Widest accumulator that int64 emulates with its rounding term added."""


@dataclass(frozen=True, slots=True)
class Nonlinearity:
    """An activation with real attributes: `low` and `high` bound a clip, `alpha` is the leaky slope."""

    kind: str = "none"
    low: float = 0.0
    high: float = 0.0
    alpha: float = 0.0

    def apply(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Floating-point result in the type of `values`."""
        if self.kind == "none":
            return values
        if self.kind == "relu":
            return values.clip(0)
        if self.kind == "clip":
            return values.clip(self.low, self.high)
        return np.where(values < 0, values * values.dtype.type(self.alpha), values)


@dataclass(frozen=True, slots=True)
class Requantisation:
    """Integers that take an accumulator to its output.

    Attributes:
        shift: bits to drop, negative for a left shift.
        out_bits: width of the output.
        activation: position in `ACTIVATIONS`.
        clip_min, clip_max: bounds of a clip at output scale (0 for other activations).
        alpha: leaky slope times 2**15 (0 for other activations).
    """

    shift: int
    out_bits: int
    activation: int = 0
    clip_min: int = 0
    clip_max: int = 0
    alpha: int = 0

    def apply(self, accumulators: Integers) -> Integers:
        """Accumulators (int64, at most `ACCUMULATOR_LIMIT` bits) to outputs (int64, `out_bits` wide)."""
        kind = ACTIVATIONS[self.activation]
        if kind == "leaky_relu":
            # Above zero the slope's factor 2**15 cancels exactly, so only negative values are multiplied.
            below = rounded(np.minimum(accumulators, 0) * np.int64(self.alpha), self.shift + ALPHA_BITS, self.out_bits)
            return np.where(accumulators < 0, below, rounded(accumulators, self.shift, self.out_bits))
        values = rounded(accumulators, self.shift, self.out_bits)
        if kind == "relu":
            return np.maximum(values, 0)
        if kind == "clip":
            return np.minimum(np.maximum(values, self.clip_min), self.clip_max)
        return values


def rounded(values: Integers, shift: int, bits: int) -> Integers:
    """values * 2**-shift, rounded half up, saturated to `bits` bits."""
    if shift >= 0:
        return saturate(shift_round(values, shift), bits)
    # Saturating before the left shift as well keeps int64 from wrapping and changes no result: a value outside the
    # output's range only moves further out. Beyond bits - 1 places every value but 0 saturates.
    return saturate(shift_round(saturate(values, bits), -min(-shift, bits - 1)), bits)


def requantisation(nonlinearity: Nonlinearity, shift: int, output: Format) -> Requantisation:
    """The integers for an activation whose accumulator is `shift` bits finer than `output`."""
    code = ACTIVATIONS.index(nonlinearity.kind)
    if nonlinearity.kind == "clip":
        low, high = (int(v) for v in output.quantise(np.array([nonlinearity.low, nonlinearity.high])))
        return Requantisation(shift, output.bits, code, clip_min=low, clip_max=high)
    if nonlinearity.kind == "leaky_relu":
        alpha = int(np.floor(nonlinearity.alpha * 2.0**ALPHA_BITS + 0.5))
        return Requantisation(shift, output.bits, code, alpha=alpha)
    return Requantisation(shift, output.bits, code)


def accumulator_bits(data_bits: int, weight_bits: int, terms: int) -> int:
    """Width that holds every partial sum of `terms` products (a bias counts as one term)."""
    return data_bits + weight_bits + (terms - 1).bit_length() + 1


def sum_bits(bits: int, terms: int) -> int:
    """Width that holds every partial sum of `terms` values of `bits` bits."""
    return bits + (terms - 1).bit_length()
