"""Channel shuffle: the channels as a matrix of blocks, transposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flow.fixed_point import Numbers
from flow.ir import Array, Folding, Shape, ShapeError, operator
from flow.operators.hardware import pixels
from flow.operators.keeps_format import KeepsFormat
from flow.operators.reshape import rearranged


@operator("shuffle", ip="shuffle")
@dataclass(frozen=True, slots=True)
class Shuffle(KeepsFormat):
    """Channels (rows, columns, block), row-major, become (columns, rows, block).

    ShuffleNet's shuffle of g groups has `rows` = g and blocks of one channel.
    """

    rows: int
    block: int = 1

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if inputs[0][0] % (self.rows * self.block):
            raise ShapeError(f"{inputs[0][0]} channels are not {self.rows} rows of blocks of {self.block}")
        return inputs[0]

    def rearrangement(self, shape: Shape) -> tuple[Shape, tuple[int, ...]]:
        """Shape of a frame as a matrix of blocks, and the order in which its axes leave."""
        channels, *spatial = shape
        middle = (self.rows, channels // (self.rows * self.block), self.block, *spatial)
        return middle, (1, 0, *range(2, len(middle)))

    def reference(self, xs: Sequence[Array], parameters: Mapping[str, Array]) -> Array:
        return rearranged(xs[0], *self.rearrangement(xs[0].shape[1:])).reshape(xs[0].shape)

    def emulate(self, xs: Sequence[Array], parameters: Mapping[str, Array], numbers: Numbers) -> Array:
        return self.reference(xs, parameters).astype(np.int64)

    def keeps_channels(self) -> bool:
        return False

    def module_parameters(self, inputs: Sequence[Shape], numbers: Numbers, folding: Folding) -> dict[str, int]:
        return {
            "pixels": pixels(inputs[0]),
            "channels": inputs[0][0],
            "rows": self.rows,
            "block": self.block,
            "coarse": folding.coarse_in,
            "data_bits": numbers.inputs[0].bits,
        }
