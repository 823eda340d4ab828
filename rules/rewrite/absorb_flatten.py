"""Let the inner product read its frame as it comes, instead of flattening it first.

An inner product sums over all values of a frame; the order of its weights is decided when they are packed.

    before: x = Input() shape=3x4x4
            f = flatten(x)
            g = gemm(f) features=5
    after:  x = Input() shape=3x4x4
            g = gemm(x) features=5
"""

from __future__ import annotations

from flow.ir import Graph, Node
from flow.rewrite import rewrite


@rewrite(match="flatten > gemm")
def absorb_flatten(graph: Graph, flatten: Node, gemm: Node) -> Graph | None:
    return graph.spliced_out(flatten.name)
