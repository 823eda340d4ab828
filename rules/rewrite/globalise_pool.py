"""Pool over the whole frame at once where a window covers it.

The module needs no line buffer then.

    before: x = Input() shape=8x7x7
            p = pool(x) kind=average kernel=7x7
    after:  x = Input() shape=8x7x7
            p = global_pool(x) kind=average
"""

from __future__ import annotations

from dataclasses import replace

from flow.ir import Graph, Node
from flow.operators.global_pool import GlobalPool
from flow.operators.pool import Pool
from flow.rewrite import rewrite


@rewrite(match="pool")
def globalise_pool(graph: Graph, pool: Node) -> Graph | None:
    (source,) = graph.input_shapes(pool)
    if not isinstance(pool.op, Pool) or pool.op.kernel != source[1:] or any(pool.op.pads_begin + pool.op.pads_end):
        return None
    return graph.with_node(replace(pool, op=GlobalPool(pool.op.kind)))
