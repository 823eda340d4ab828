"""Weights streaming: a layer's weights come from memory slice by slice while frames pass.

Opens one gene per ungrouped convolution and inner product: slices of its filters, and the frames that a slice's weights
serve before the next ones take their place. A partition whose weights do not fit needs no further bitstream then, and
nothing is read again. In a convolution every position of a frame uses the weights, so a few frames a tile are enough.
"""

from __future__ import annotations

from collections.abc import Sequence

from flow.explore.transform import Gene, transform
from flow.ir import Shape
from flow.operators.convolution import Conv
from flow.operators.inner_product import Gemm


@transform(applies_to=(Conv, Gemm))
def weights_streaming(
    op: Conv | Gemm, inputs: Sequence[Shape], *, slices: int = 1024, frames: int = 2, frames_of_vectors: int = 40
) -> Gene | None:
    """`slices`: at most so many; `frames`: the largest tile, `frames_of_vectors` where an output has one pixel.

    Tiles are powers of two up to 8, and its multiples.
    """
    if isinstance(op, Conv) and op.groups != 1:
        return None
    filters, *spatial = op.output_shape(inputs)
    most = frames_of_vectors if all(size == 1 for size in spatial) else frames
    tiles = [n for n in (1, 2, 4, *range(8, most + 1, 8)) if n <= most]
    shares = [n for n in range(2, min(filters, slices) + 1) if filters % n == 0]
    return Gene("weights_streaming", ((1, 1), *((n, tile) for n in shares for tile in tiles)))
