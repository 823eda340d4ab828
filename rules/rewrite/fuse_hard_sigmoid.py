"""Put a hard sigmoid together that an exporter took apart: min(max(x + 3, 0), 6) / 6.

before: x = Input() shape=3x8x8
        a = batch_norm(x) epsilon=0.0 scale=1.0 bias=3.0 mean=0.0 variance=1.0
        c = activation(a) activation=clip low=0.0 high=6.0
        y = batch_norm(c) epsilon=0.0 scale=0.1666667 bias=0.0 mean=0.0 variance=1.0
after:  x = Input() shape=3x8x8
        y = sigmoid(x) kind=hard slope=0.16666666666666666 offset=0.5
"""

from __future__ import annotations

from dataclasses import replace

from flow.ir import Graph, Node
from flow.operators.sigmoid import clipped_line
from flow.rewrite import rewrite


@rewrite(
    match="batch_norm > activation(activation=clip) > batch_norm",
    before=("fuse_gate", "merge_batchnorms", "fold_batchnorm_forward"),
)
def fuse_hard_sigmoid(graph: Graph, line: Node, clip: Node, scale: Node) -> Graph | None:
    curve = clipped_line(graph, line, clip, scale)
    return None if curve is None else graph.with_node(replace(scale, op=curve, inputs=line.inputs), {})
