"""Merge a transpose with the one before it; together they often move nothing.

Exporters of channels-last networks put a pair around every layer.

    before: x = Input() shape=3x4x5
            a = transpose(x) order=1x2x0
            b = transpose(a) order=2x0x1
            c = conv(b) filters=4 kernel=1x1
    after:  x = Input() shape=3x4x5
            c = conv(x) filters=4 kernel=1x1
"""

from __future__ import annotations

from dataclasses import replace

from flow.ir import Graph, Node
from flow.operators.transpose import Transpose
from flow.rewrite import rewrite


@rewrite(match="transpose")
def cancel_transposes(graph: Graph, transpose: Node) -> Graph | None:
    op, before = transpose.op, graph.by_name().get(transpose.inputs[0])
    identity = tuple(range(len(transpose.shape)))
    if isinstance(op, Transpose) and op.order == identity:
        return graph.spliced_out(transpose.name)
    if before is None or not isinstance(op, Transpose) or not isinstance(before.op, Transpose):
        return None
    order = tuple(before.op.order[axis] for axis in op.order)
    merged = graph.with_node(replace(transpose, op=Transpose(order), inputs=before.inputs))
    return merged.spliced_out(transpose.name) if order == identity else merged
