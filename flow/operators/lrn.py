"""Local response normalisation across channels (Krizhevsky et al., NIPS 2012, section 3.3; ONNX LRN).

    s = bias + alpha / size * sum of the squares of `size` neighbouring channels,   Y = X * s**-beta

In integers the sum of squares is exact. s = m * 2**q with 1 <= m < 2; m**-beta is linear between 17 tabled values, off
by at most (1/16)**2 / 8 * beta * (beta + 1): 0.1 % for a beta of 1. 2**-(beta * q) comes from a table of floating-point
numbers; one rounding ends it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import MAXIMUM_SHIFT, Format, Numbers, saturate, shift_round
from flow.ir import Array, Folding, Operator, Shape, operator
from flow.operators.hardware import pixels
from flow.operators.onnx_node import Imported, OnnxNode, Step, Unsupported, from_onnx

SEGMENTS = 16
"""Of the mantissa's table."""
MANTISSA_BITS, POWER_BITS, FALL_BITS = 16, 24, 30
"""Fraction bits: of s below its leading one and of m**-beta; of s**-beta; of 2**-beta."""
_MOST_SHARE, _MOST_BIAS = 15, 29
"""Bits of `scale` and of `bias` below their leading ones."""


@dataclass(frozen=True, slots=True)
class Constants:
    """Integers of the hardware for one format of the data.

    Attributes:
        bias, scale, drop: s = (bias + (squares * scale >> drop)) * 2**-fraction.
        sum_bits: width that holds s.
        lowest, first, fall: 2**-(beta * q) is `first` at the leading bit `lowest` and falls by the factor `fall` a bit.
        raised: power of two that `first` leaves out: it has `POWER_BITS` bits.
        mantissas: m**-beta at 1, 17/16, …, 2.
    """

    bias: int
    scale: int
    drop: int
    sum_bits: int
    lowest: int
    first: int
    fall: int
    raised: int
    mantissas: tuple[int, ...]

    def powers(self) -> tuple[Array, Array]:
        """2**-(beta * q) of every leading bit: numbers of `POWER_BITS` bits, and bits to drop behind them; int64."""
        found, drops = [self.first] * (self.lowest + 1), [0] * (self.lowest + 1)
        while len(found) < self.sum_bits:
            product = found[-1] * self.fall
            halved = int(product < 1 << (FALL_BITS + POWER_BITS - 1))
            found.append((product + (1 << (FALL_BITS - 1 - halved))) >> (FALL_BITS - halved))
            drops.append(drops[-1] + halved)
        return np.array(found, np.int64), np.array(drops, np.int64)


@operator("lrn", ip="lrn")
@dataclass(frozen=True, slots=True)
class Lrn(Operator):
    """See the module; the window reaches (size - 1) / 2 channels to each side."""

    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    bias: float = 1.0

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def keeps_channels(self) -> bool:
        return False

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        squares = self._sums(np.square(xs[0]))
        result: Array = xs[0] / (self.bias + self.alpha / self.size * squares) ** self.beta
        return result.astype(xs[0].dtype)

    def _sums(self, squares: Array) -> Array:
        before, behind = (self.size - 1) // 2, self.size // 2
        wide = np.pad(squares, [(0, 0), (before, behind), *((0, 0) for _ in squares.shape[2:])])
        channels = squares.shape[1]
        result: Array = np.zeros_like(squares)
        for offset in range(self.size):
            result += wide[:, offset : offset + channels]
        return result

    def _squared_bits(self, data: Format) -> int:
        """Bits of the data that are squared, the highest: all of them up to 20, so that 64 bits hold what follows.

        Wider data lose accuracy where their squares outweigh the bias and only lower bits are set.
        """
        return min(data.bits, (48 - (self.size - 1).bit_length()) // 2)

    def constants(self, data: Format) -> Constants:
        """For data of a format."""
        squared = self._squared_bits(data)
        share = self.alpha / self.size * 4.0 ** (data.exponent + data.bits - squared)
        square_bits = 2 * squared - 1 + (self.size - 1).bit_length()
        fraction = _MOST_BIAS - math.frexp(self.bias)[1]
        if share:
            fraction = min(fraction, square_bits, _MOST_SHARE - math.frexp(share)[1] + 1)
        scaled, drop = share * 2.0**fraction, 0
        if scaled:
            drop = max(0, _MOST_SHARE + 1 - math.frexp(scaled)[1])
        bias, scale = max(1, round(self.bias * 2.0**fraction)), round(scaled * 2.0**drop)
        drop = min(drop, square_bits + _MOST_SHARE + 2)
        most = bias + ((self.size << (2 * squared - 2)) * scale >> drop)
        lowest = bias.bit_length() - 1
        power = 2.0 ** (-self.beta * (lowest - fraction))
        raised = math.frexp(power)[1]
        mantissas = tuple(round((1 + j / SEGMENTS) ** -self.beta * 2**MANTISSA_BITS) for j in range(SEGMENTS + 1))
        first, fall = round(power * 2.0 ** (POWER_BITS - raised)), round(2.0**-self.beta * 2**FALL_BITS)
        return Constants(bias, scale, drop, most.bit_length(), lowest, first, fall, raised, mantissas)

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        x, k = xs[0].astype(np.int64), self.constants(numbers.inputs[0])
        high = x >> np.int64(numbers.inputs[0].bits - self._squared_bits(numbers.inputs[0]))
        s = k.bias + (self._sums(high * high) * k.scale >> np.int64(k.drop))
        q = sum((s >> np.int64(bit) > 0).astype(np.int64) for bit in range(1, k.sum_bits))
        m = np.where(q >= MANTISSA_BITS, s >> np.maximum(q - MANTISSA_BITS, 0), s << np.maximum(MANTISSA_BITS - q, 0))
        low = MANTISSA_BITS - SEGMENTS.bit_length() + 1
        segment, rest = (m >> low) & (SEGMENTS - 1), m & ((1 << low) - 1)
        table = np.array(k.mantissas, np.int64)
        mantissa = table[segment] + shift_round((table[segment + 1] - table[segment]) * rest, low)
        powers, drops = k.powers()
        factor = shift_round(mantissa * powers[q], MANTISSA_BITS)
        return _rounded(x * factor, self._shift(numbers, k) + drops[q], numbers.output.bits)

    def _shift(self, numbers: Numbers, k: Constants) -> int:
        return numbers.output.exponent - (numbers.inputs[0].exponent - POWER_BITS + k.raised)

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        k = self.constants(numbers.inputs[0])
        sizes = {"pixels": pixels(inputs[0]), "channels": inputs[0][0], "size": self.size, "coarse": folding.coarse_in}
        sizes |= {"data_bits": numbers.inputs[0].bits, "out_bits": numbers.output.bits}
        sizes |= {"shift": self._shift(numbers, k), "bias": k.bias, "scale": k.scale, "drop": k.drop}
        sizes |= {"sum_bits": k.sum_bits, "lowest": k.lowest, "first": k.first, "fall": k.fall}
        return sizes | {f"mantissa_{j}": value for j, value in enumerate(k.mantissas)}


def _rounded(values: Array, shifts: Array, bits: int) -> Array:
    """values * 2**-shifts, each by its own shift, rounded half up and saturated."""
    right = np.clip(shifts, 0, MAXIMUM_SHIFT)
    half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 0)
    dropped = saturate((values + half) >> right, bits)
    raised = saturate(saturate(values, bits) << np.clip(-shifts, 0, bits - 1), bits)
    return np.where(shifts < 0, raised, dropped)


@from_onnx("LRN")
def lrn_from_onnx(node: OnnxNode) -> Imported:
    """Normalisation with a positive bias, an exponent of up to 1 and a window that is symmetric."""
    node.shape(0)
    op = Lrn(node.integer("size"), node.number("alpha", 1e-4), node.number("beta", 0.75), node.number("bias", 1.0))
    if (
        op.size < 1
        or op.size % 2 == 0
        or op.alpha < 0
        or not 0 < op.beta <= 1
        or op.size > 256
        or not 2**-16 < op.bias < 2**16
    ):
        raise Unsupported(f"size {op.size}, alpha {op.alpha}, beta {op.beta}, bias {op.bias}")
    return (Step(op, node.inputs[:1]),)
