"""Windows as ONNX writes them: explicit pads or `auto_pad`, left-out attributes, resolved to plain numbers."""

from __future__ import annotations

from collections.abc import Sequence

from flow.operators.onnx_node import OnnxNode, Unsupported
from flow.operators.window import Window


def window_of(node: OnnxNode, kernel: Sequence[int]) -> Window:
    """The window of a convolution or pooling node over its first input; pads are resolved for that input's size."""
    spatial = node.shape(0)[1:]
    rank = len(spatial)
    kernel = tuple(kernel)
    strides = node.integers("strides", (1,) * rank)
    dilations = node.integers("dilations", (1,) * rank)
    if not 1 <= rank <= 3:
        raise Unsupported(f"{rank} spatial axes; one to three are supported")
    if not len(kernel) == len(strides) == len(dilations) == rank or min(kernel + strides + dilations) < 1:
        raise Unsupported(f"kernel {kernel}, strides {strides}, dilations {dilations} over {rank} spatial axes")
    begin, end = _pads(node, spatial, kernel, strides, dilations)
    if min(begin + end) < 0:
        raise Unsupported(f"negative pads {begin + end}")
    return Window(kernel, strides, begin, end, dilations, bool(node.integer("ceil_mode")))


def _pads(
    node: OnnxNode,
    spatial: Sequence[int],
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    rank = len(spatial)
    mode = node.text("auto_pad", "NOTSET")
    if mode == "VALID":
        return (0,) * rank, (0,) * rank
    if mode == "NOTSET":
        pads = node.integers("pads", (0,) * 2 * rank)
        if len(pads) != 2 * rank:
            raise Unsupported(f"{len(pads)} pads over {rank} spatial axes")
        return pads[:rank], pads[rank:]
    if mode not in ("SAME_UPPER", "SAME_LOWER"):
        raise Unsupported(f"auto_pad {mode}")
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    totals = [max(0, (-(-n // s) - 1) * s + extent - n) for n, s, extent in zip(spatial, strides, extents, strict=True)]
    small, large = tuple(t // 2 for t in totals), tuple(t - t // 2 for t in totals)
    return (small, large) if mode == "SAME_UPPER" else (large, small)
