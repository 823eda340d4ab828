"""Fuse a leaky ReLU into the operation that feeds it.

The slope multiplies the accumulator before its one rounding.

    before: x = Input() shape=3x8x8
            c = conv(x) filters=4 kernel=3x3
            r = activation(c) activation=leaky_relu alpha=0.125
    after:  x = Input() shape=3x8x8
            r = conv(x) filters=4 kernel=3x3 activation=leaky_relu alpha=0.125
"""

from __future__ import annotations

from dataclasses import replace

from flow.ir import Graph, Node
from flow.operators.activate import Activation
from flow.operators.add import Add
from flow.operators.convolution import Conv
from flow.operators.inner_product import Gemm
from flow.rewrite import rewrite


@rewrite(match="conv | gemm | add > activation(activation=leaky_relu)", after=("fold_batchnorm",))
def fuse_leaky_relu(graph: Graph, source: Node, activation: Node) -> Graph | None:
    op, act = source.op, activation.op
    if not isinstance(op, Conv | Gemm | Add) or not isinstance(act, Activation) or op.activation != "none":
        return None
    return graph.fused_into(source.name, activation.name, replace(op, activation="leaky_relu", alpha=act.alpha))
