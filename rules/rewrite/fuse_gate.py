"""Multiply a sigmoid by its own input in one module: SiLU, or HardSwish where the sigmoid is a hard one.

Exporters write the two as a Sigmoid and a Mul. Fused, there is no fork and no join, and one rounding less.

    before: x = Input() shape=3x8x8
            g = sigmoid(x) kind=logistic
            y = multiply(x, g)
    after:  x = Input() shape=3x8x8
            y = sigmoid(x) kind=logistic gated=true
"""

from __future__ import annotations

from dataclasses import replace

from flow.ir import Graph, Node
from flow.operators.sigmoid import Sigmoid
from flow.rewrite import rewrite


@rewrite(match="sigmoid > multiply", before=("sink_transpose",))
def fuse_gate(graph: Graph, gate: Node, product: Node) -> Graph | None:
    (source,) = gate.inputs
    if not isinstance(gate.op, Sigmoid) or gate.op.gated or set(product.inputs) != {source, gate.name}:
        return None
    return graph.with_node(replace(product, op=replace(gate.op, gated=True), inputs=(source,)))
