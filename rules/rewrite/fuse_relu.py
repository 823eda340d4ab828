"""Fuse a ReLU into the operation that feeds it.

The module clamps behind its accumulator at no cost; a ReLU module of its own would add a FIFO and a rounding.

    before: x = Input() shape=3x8x8
            c = conv(x) filters=4 kernel=3x3
            r = activation(c) activation=relu
    after:  x = Input() shape=3x8x8
            r = conv(x) filters=4 kernel=3x3 activation=relu
"""

from __future__ import annotations

from dataclasses import replace

from flow.ir import Graph, Node
from flow.operators.activate import Activation
from flow.operators.add import Add
from flow.operators.convolution import Conv
from flow.operators.inner_product import Gemm
from flow.rewrite import rewrite


@rewrite(match="conv | gemm | add > activation(activation=relu)", after=("fold_batchnorm",))
def fuse_relu(graph: Graph, source: Node, activation: Node) -> Graph | None:
    op, act = source.op, activation.op
    if not isinstance(op, Conv | Gemm | Add) or not isinstance(act, Activation) or op.activation != "none":
        return None
    return graph.fused_into(source.name, activation.name, replace(op, activation="relu"))
