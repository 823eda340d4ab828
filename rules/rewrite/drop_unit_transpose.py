"""Remove a transpose in front of a flattening when it only moves axes of size one.

Behind a pooling over all of space, (C, 1, 1) and (1, 1, C) are the same values in the same order.

    before: x = Input() shape=8x4x4
            p = global_pool(x) kind=average
            t = transpose(p) order=1x2x0
            f = flatten(t)
    after:  x = Input() shape=8x4x4
            p = global_pool(x) kind=average
            f = flatten(p)
"""

from __future__ import annotations

from flow.ir import Graph, Node
from flow.operators.transpose import Transpose
from flow.rewrite import rewrite


@rewrite(match="transpose > flatten | gemm")
def drop_unit_transpose(graph: Graph, transpose: Node, reader: Node) -> Graph | None:
    (source,) = graph.input_shapes(transpose)
    order = transpose.op.order if isinstance(transpose.op, Transpose) else ()
    moved = [axis for axis in order if source[axis] > 1]
    return graph.spliced_out(transpose.name) if moved == sorted(moved) else None
