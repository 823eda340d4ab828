"""Merge a padding into the convolution or pooling behind it.

Frameworks that know only symmetric padding write the rest as an operation of its own. Zeros merge into a convolution
and into an average that counts them; around a maximum they do nothing when no value is negative.

    before: x = Input() shape=3x8x8
            p = pad(x) pads_begin=0x0x0 pads_end=0x1x1
            c = conv(p) filters=4 kernel=3x3 strides=2x2
    after:  x = Input() shape=3x8x8
            c = conv(x) filters=4 kernel=3x3 strides=2x2 pads_end=1x1
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flow.ir import Graph, Node
from flow.operators.convolution import Conv
from flow.operators.pad import Pad
from flow.operators.pool import Pool
from flow.rewrite import rewrite

_LOWEST = float(np.finfo(np.float32).min)


@rewrite(match="pad > conv | pool")
def merge_pad(graph: Graph, pad: Node, window: Node) -> Graph | None:
    op, padding = window.op, pad.op
    if not isinstance(padding, Pad) or not isinstance(op, Conv | Pool) or padding.pads_begin[0] or padding.pads_end[0]:
        return None
    if min(padding.pads_begin + padding.pads_end) < 0 or not _same_value(graph, padding, pad.inputs[0], op):
        return None
    begin = tuple(a + b for a, b in zip(op.pads_begin, padding.pads_begin[1:], strict=True))
    end = tuple(a + b for a, b in zip(op.pads_end, padding.pads_end[1:], strict=True))
    if isinstance(op, Pool) and any(p >= k for p, k in zip(begin + end, op.kernel * 2, strict=True)):
        return None
    merged = replace(op, pads_begin=begin, pads_end=end)
    if isinstance(merged, Pool) and merged.kind == "average":
        merged = replace(merged, count_include_pad=True)
    return graph.with_node(replace(window, op=merged)).spliced_out(pad.name)


def _same_value(graph: Graph, padding: Pad, source: str, op: Conv | Pool) -> bool:
    """Whether the padding's value is what the window's own padding stands for."""
    if isinstance(op, Conv):
        return padding.value == 0
    if op.kind == "max":
        return padding.value <= _LOWEST or (padding.value == 0 and _not_negative(graph, source))
    return padding.value == 0 and not op.ceil_mode and (op.count_include_pad or not any(op.pads_begin + op.pads_end))


def _not_negative(graph: Graph, name: str) -> bool:
    """Whether a tensor is an activation's that clamps at zero or above, perhaps moved or pooled since."""
    node = graph.by_name().get(name)
    if node is None:
        return False
    attributes = node.op.attributes()
    kind = attributes.get("activation")
    if kind == "relu" or (kind == "clip" and attributes["low"] >= 0):
        return True
    return node.op.name in ("pool", "transpose") and _not_negative(graph, node.inputs[0])
