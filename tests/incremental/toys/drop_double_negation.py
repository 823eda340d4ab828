"""Two negations in a row do nothing: a toy rule that a test adds.

before: x = Input() shape=3x8x8
        a = negation(x)
        b = negation(a)
        c = negation(b)
after:  x = Input() shape=3x8x8
        c = negation(x)
"""

from __future__ import annotations

from flow.ir import Graph, Node
from flow.rewrite import rewrite


@rewrite(match="negation > negation")
def drop_double_negation(graph: Graph, first: Node, second: Node) -> Graph | None:
    return graph.spliced_out(second.name).spliced_out(first.name)
