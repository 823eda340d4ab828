"""Move a flattening behind an activation, to the inner product that absorbs it.

before: x = Input() shape=3x4x4
        f = flatten(x)
        r = activation(f) activation=relu
        g = gemm(r) features=5
after:  x = Input() shape=3x4x4
        r/moved = activation(x) activation=relu
        r = flatten(r/moved)
        g = gemm(r) features=5
"""

from __future__ import annotations

from dataclasses import replace

from flow.ir import Graph, Node
from flow.rewrite import rewrite


@rewrite(match="flatten > activation | sigmoid", before=("absorb_flatten",))
def sink_flatten(graph: Graph, flatten: Node, activation: Node) -> Graph | None:
    name = f"{activation.name}/moved"
    if name in graph.shapes():
        return None
    moved = replace(activation, name=name, inputs=flatten.inputs, shape=graph.input_shapes(flatten)[0])
    after = replace(flatten, name=activation.name, inputs=(name,))
    nodes = [node for node in graph.nodes if node.name not in (flatten.name, activation.name)]
    position = graph.nodes.index(activation) - 1
    return replace(graph, nodes=(*nodes[:position], moved, after, *nodes[position:]))
